"""Patterns of event types."""

import pytest

from orchestrator.domain.errors import PonteError
from orchestrator.domain.event_types import checked_patterns


def test_no_pattern_means_everything() -> None:
    assert checked_patterns((), "types") == ("*",)


def test_patterns_keep_their_order_and_lose_doubles() -> None:
    given = ("session.*", "message.sent", "session.*", "*")

    assert checked_patterns(given, "types") == ("session.*", "message.sent", "*")


@pytest.mark.parametrize(
    "pattern", ["", "message", "message.", "message.*.x", "*.sent", "messages.*", "message.sent ", "**"]
)
def test_a_pattern_that_matches_nothing_is_refused_with_its_place(pattern: str) -> None:
    with pytest.raises(PonteError) as refused:
        checked_patterns(("message.*", pattern), "events")

    assert refused.value.code.name == "INVALID_ARGUMENT"
    assert [violation.field for violation in refused.value.violations] == ["events[1]"]
