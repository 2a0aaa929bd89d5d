"""Services in memory."""

from typing import Any, cast

import pytest

from orchestrator.api.services import ApiServices
from orchestrator.services.policy_services import PolicyServices


@pytest.fixture
def api_services() -> ApiServices:
    """Services that are only there to be bound."""
    nothing = cast(Any, object())
    return ApiServices(
        companies=nothing,
        keys=nothing,
        sessions=nothing,
        messages=nothing,
        contacts=nothing,
        chats=nothing,
        channels=nothing,
        groups=nothing,
        events=nothing,
        webhooks=nothing,
        media=nothing,
        imports=nothing,
        exports=nothing,
        older_messages=nothing,
        campaigns=nothing,
        policies=PolicyServices(nothing, nothing, nothing),
    )
