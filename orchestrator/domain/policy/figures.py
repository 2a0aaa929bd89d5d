"""The figures that a company or session may have of its own: how each is written, and how far it may be
loosened."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time
from enum import StrEnum
from typing import Any

from orchestrator.domain.policy.ladder import Ladder
from orchestrator.domain.policy.settings import DAY_S, DEFAULTS, HOUR_S, PolicySettings

Value = int | float | str | Sequence[int]
"""A figure as it is stored and shown: a number, a time of day "09:00", weekdays [0, 1] (Monday is 0), or
the caps of a ladder, one per step. For a ladder one number is the cap of a mature number; earlier steps
above it are lowered to it."""


class Unit(StrEnum):
    """What a figure counts."""

    MESSAGES = "MESSAGES"
    CHATS = "CHATS"
    QUESTIONS = "QUESTIONS"
    SECONDS = "SECONDS"
    SHARE = "SHARE"
    TIME_OF_DAY = "TIME_OF_DAY"
    WEEKDAYS = "WEEKDAYS"


class Looser(StrEnum):
    """Which way a figure lets more through."""

    HIGHER = "HIGHER"
    LOWER = "LOWER"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the policy: `path` is its place in PolicySettings, `ceiling` the loosest value it may
    ever have."""

    path: str
    unit: Unit
    looser: Looser
    ceiling: Value


_LISTED = (
    Figure("limits.conversation_per_minute", Unit.MESSAGES, Looser.HIGHER, 120),
    Figure("limits.other_per_minute", Unit.MESSAGES, Looser.HIGHER, 30),
    Figure("limits.per_hour", Unit.MESSAGES, Looser.HIGHER, 300),
    Figure("limits.per_day", Unit.MESSAGES, Looser.HIGHER, 3_000),
    Figure("new_chats.per_day", Unit.CHATS, Looser.HIGHER, 100),
    Figure("new_chats.quota_share", Unit.SHARE, Looser.HIGHER, 0.8),
    Figure("number_checks.per_hour", Unit.QUESTIONS, Looser.HIGHER, 60),
    Figure("number_checks.cached_s", Unit.SECONDS, Looser.LOWER, 30 * DAY_S),
    Figure("pacing.median_s", Unit.SECONDS, Looser.LOWER, 3.1),
    Figure("pacing.shortest_s", Unit.SECONDS, Looser.LOWER, 2.0),
    Figure("pacing.longest_s", Unit.SECONDS, Looser.LOWER, 5.0),
    Figure("pacing.long_pause_shortest_s", Unit.SECONDS, Looser.LOWER, 30.0),
    Figure("pacing.long_pause_longest_s", Unit.SECONDS, Looser.LOWER, 60.0),
    Figure("pacing.batch_smallest", Unit.MESSAGES, Looser.HIGHER, 20),
    Figure("pacing.batch_largest", Unit.MESSAGES, Looser.HIGHER, 30),
    Figure("typing.per_character_s", Unit.SECONDS, Looser.LOWER, 0.06),
    Figure("typing.shortest_s", Unit.SECONDS, Looser.LOWER, 1.2),
    Figure("typing.longest_s", Unit.SECONDS, Looser.LOWER, 8.0),
    Figure("contact.gap_s", Unit.SECONDS, Looser.LOWER, 2.0),
    Figure("contact.campaign_gap_s", Unit.SECONDS, Looser.LOWER, 86_400.0),
    Figure("contact.unanswered_to_new_chat", Unit.MESSAGES, Looser.HIGHER, 1),
    Figure("contact.unanswered_to_known_chat", Unit.MESSAGES, Looser.HIGHER, 3),
    Figure("reconnect.start_share", Unit.SHARE, Looser.HIGHER, 0.1),
    Figure("reconnect.ramp_s", Unit.SECONDS, Looser.LOWER, 600.0),
    Figure("quiet_hours.opens", Unit.TIME_OF_DAY, Looser.LOWER, "09:00"),
    Figure("quiet_hours.closes", Unit.TIME_OF_DAY, Looser.HIGHER, "19:00"),
    Figure("quiet_hours.weekdays", Unit.WEEKDAYS, Looser.HIGHER, (0, 1, 2, 3, 4, 5)),
    Figure("reactions.slow_factor", Unit.SHARE, Looser.HIGHER, 0.5),
    Figure("reactions.rate_limit_slow_s", Unit.SECONDS, Looser.LOWER, HOUR_S),
    Figure("reactions.rate_limit_pause_s", Unit.SECONDS, Looser.LOWER, 6 * HOUR_S),
    Figure("reactions.refused_contacts_to_stop", Unit.CHATS, Looser.HIGHER, 3),
    Figure("reactions.refused_stop_s", Unit.SECONDS, Looser.LOWER, DAY_S),
    Figure("reactions.failed_share_slow", Unit.SHARE, Looser.HIGHER, 0.02),
    Figure("reactions.failed_share_pause", Unit.SHARE, Looser.HIGHER, 0.05),
    Figure("reactions.delivered_share_slow", Unit.SHARE, Looser.LOWER, 0.7),
    Figure("reactions.delivered_share_pause", Unit.SHARE, Looser.LOWER, 0.5),
    Figure("reactions.opt_out_share_stop", Unit.SHARE, Looser.HIGHER, 0.02),
    Figure("reactions.ban_margin_s", Unit.SECONDS, Looser.LOWER, DAY_S),
)

FIGURES: Mapping[str, Figure] = {figure.path: figure for figure in _LISTED}
"""Every figure that may differ per company and session, by its path."""

HARD_CEILINGS: Mapping[str, Value] = {path: figure.ceiling for path, figure in FIGURES.items()}
"""What no administrator may go beyond. Where the policy names no ceiling, it is the default: stricter only."""


def held(settings: PolicySettings, path: str) -> Any:
    """The value as the settings hold it; KeyError for an unknown path."""
    part, name = FIGURES[path].path.split(".")
    return getattr(getattr(settings, part), name)


def with_held(settings: PolicySettings, path: str, value: Any) -> PolicySettings:
    """The settings with this value in its place."""
    part, name = FIGURES[path].path.split(".")
    changed: dict[str, Any] = {part: replace(getattr(settings, part), **{name: value})}
    return replace(settings, **changed)


def shown(settings: PolicySettings, path: str) -> Value:
    """The value as it is stored and shown."""
    value = held(settings, path)
    if isinstance(value, Ladder):
        return value.caps
    if isinstance(value, time):
        return f"{value:%H:%M}"
    shown_value: Value = tuple(sorted(value)) if isinstance(value, frozenset) else value
    return shown_value


def parse(settings: PolicySettings, path: str, value: object) -> Any:
    """The value as settings hold it; ValueError with a sentence where it is none. `settings` give a
    ladder's steps."""
    figure = FIGURES[path]
    if isinstance(held(settings, path), Ladder):
        return _ladder(held(settings, path), value)
    return _PARSERS[figure.unit](value)


def is_looser(path: str, value: Any, than: Any) -> bool:
    """Whether the first value, as settings hold it, lets more through than the second."""
    if isinstance(value, Ladder):
        return any(cap > other for cap, other in zip(value.caps, than.caps, strict=True))
    if isinstance(value, frozenset):
        return not value <= than
    return bool(value > than if FIGURES[path].looser is Looser.HIGHER else value < than)


def stricter(path: str, value: Any, than: Any) -> Any:
    """What both values allow."""
    if isinstance(value, Ladder):
        return value.with_caps(tuple(min(pair) for pair in zip(value.caps, than.caps, strict=True)))
    if isinstance(value, frozenset):
        return value & than
    return than if is_looser(path, value, than) else value


def ceiling_of(path: str, ceiling: Value) -> Any:
    """A ceiling as settings would hold it; a ladder's ceiling holds for each of its steps."""
    default = held(DEFAULTS, path)
    if isinstance(default, Ladder) and isinstance(ceiling, int):
        return default.with_caps((ceiling,) * len(default.caps))
    return parse(DEFAULTS, path, ceiling)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("give a whole number, 0 or more")
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError("give a number of seconds, 0 or more")
    return float(value)


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("give a share from 0 to 1")
    return float(value)


def _time_of_day(value: object) -> time:
    try:
        parsed = time.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is not None:
        raise ValueError('give a time of day such as "09:00"')
    return parsed


def _weekdays(value: object) -> frozenset[int]:
    listed = _numbers(value)
    if not listed or any(day > 6 for day in listed):
        raise ValueError("give at least one weekday, 0 for Monday to 6 for Sunday")
    return frozenset(listed)


def _numbers(value: object) -> tuple[int, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError("give a list of numbers")
    return tuple(_count(item) for item in value)


def _ladder(ladder: Ladder, value: object) -> Ladder:
    if isinstance(value, int):
        return ladder.with_mature(_count(value))
    caps = _numbers(value)
    if len(caps) != len(ladder.caps):
        raise ValueError(f"give one number, or {len(ladder.caps)}: one for each step of the warm-up")
    return ladder.with_caps(caps)


_PARSERS: Mapping[Unit, Callable[[object], Any]] = {
    Unit.MESSAGES: _count,
    Unit.CHATS: _count,
    Unit.QUESTIONS: _count,
    Unit.SECONDS: _seconds,
    Unit.SHARE: _share,
    Unit.TIME_OF_DAY: _time_of_day,
    Unit.WEEKDAYS: _weekdays,
}
