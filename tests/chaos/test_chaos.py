"""The short form of `make chaos`: fewer sessions, texts and faults, all in one process and all apart."""

import os
from pathlib import Path

import pytest

from tests.chaos.deployments import EMBEDDED, SPLIT
from tests.chaos.run import Plan, run_chaos
from tests.support.servers import ServerUnavailable, give_up

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(400)]

SEED = int(os.environ.get("PONTE_CHAOS_SEED", "1"))

LAST_LONG = frozenset({"lost acks", "lost message", "away", "frozen"})
"""Answered by waiting 30 s for an ack, or 10 s for a lease: the long form has them, and tests of their own."""


@pytest.mark.parametrize("deployment", [EMBEDDED, SPLIT])
async def test_whatever_is_killed_every_text_and_event_is_there_once_and_in_order(
    deployment: str, short_folder: Path
) -> None:
    plan = Plan(
        SEED,
        deployment,
        traffic_s=6,
        strikes=6,
        each_way=150,
        companies=2,
        sessions_per_company=2,
        without=LAST_LONG,
    )
    print(f"chaos: seed {SEED}; PONTE_CHAOS_SEED={SEED} repeats it")
    try:
        report = await run_chaos(plan, short_folder, print)
    except ServerUnavailable as error:
        give_up("Valkey" if deployment == EMBEDDED else "PostgreSQL or Redis", error)
    assert report.wrong == []
    assert report.restarts > 0
