"""The history of a phone, imported while everything is killed: complete, once each, oldest first."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.history import History, import_history, objections
from tests.support.simulator import SimulatorClient

pytestmark = [pytest.mark.e2e, pytest.mark.chaos, pytest.mark.timeout(300)]

SHORT = History(chats=10, messages=20, chunk=10)


async def test_an_import_that_is_killed_on_the_way_is_complete_and_a_second_one_adds_nothing(
    data_dir: Path, deployment: Mapping[str, str], simulator: SimulatorClient
) -> None:
    imported = await import_history(simulator, data_dir, deployment, SHORT, kills=1)
    assert objections(imported, SHORT) == []
