"""Patterns of event types, as subscriptions and webhooks give them: `message.sent`, `message.*` or `*`."""

from collections.abc import Sequence

from orchestrator.domain import errors
from orchestrator.domain.errors import invalid_field
from orchestrator.domain.events import EventType
from orchestrator.domain.webhook import matches

EVERYTHING = "*"


def checked_patterns(patterns: Sequence[str], field_path: str) -> tuple[str, ...]:
    """Give the patterns without doubles, in their order; none given means everything.

    Raises PonteError(INVALID_ARGUMENT) naming `field_path[i]` where a pattern matches no type that exists.
    """
    for index, pattern in enumerate(patterns):
        if not any(matches((pattern,), type_) for type_ in EventType):
            raise invalid_field(
                errors.INVALID_ARGUMENT,
                f"{field_path}[{index}]",
                "No event has this type; give one such as message.received, or a pattern such as message.* or *.",
            )
    return tuple(dict.fromkeys(patterns)) or (EVERYTHING,)
