"""The running API as a fixture."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.api.services import ApiServices
from orchestrator.services.context import Context
from tests.integration.api.harness import RunningApi, make_services, running_api
from tests.support.gateway import FakeGateway


@pytest.fixture
def services(context: Context, gateway: FakeGateway, tmp_path: Path) -> ApiServices:
    """Real services on the test's database."""
    return make_services(context, gateway, tmp_path)


@pytest.fixture
async def api(services: ApiServices) -> AsyncIterator[RunningApi]:
    """Both doors, open."""
    async with running_api(services) as running:
        yield running
