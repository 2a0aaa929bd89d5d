"""Figures of a company's or session's own: lowered freely, raised up to the hard ceilings only."""

from collections.abc import Mapping

from orchestrator.domain import errors
from orchestrator.domain.errors import FieldViolation, PonteError
from orchestrator.domain.policy.figures import (
    FIGURES,
    HARD_CEILINGS,
    Value,
    ceiling_of,
    held,
    is_looser,
    parse,
    stricter,
    with_held,
)
from orchestrator.domain.policy.settings import PolicySettings

_ORDERED = (
    ("pacing.shortest_s", "pacing.median_s"),
    ("pacing.median_s", "pacing.longest_s"),
    ("pacing.long_pause_shortest_s", "pacing.long_pause_longest_s"),
    ("pacing.batch_smallest", "pacing.batch_largest"),
    ("quiet_hours.opens", "quiet_hours.closes"),
)
"""Pairs of which the first may not exceed the second."""

_LEAST_START_SHARE = 0.01
"""Slower than that, a gap right after a reconnect would outlast the ramp."""


def with_overrides(
    settings: PolicySettings, overrides: Mapping[str, Value], ceilings: Mapping[str, Value] = HARD_CEILINGS
) -> PolicySettings:
    """The settings with these figures in place of theirs, by path.

    Raises PonteError INVALID_ARGUMENT that names each figure that is unknown, malformed, beyond its
    ceiling, or that contradicts another. Where limits are lifted (simulator) pass no ceilings.
    """
    violations: list[FieldViolation] = []
    changed = settings
    for path, written in overrides.items():
        if path not in FIGURES:
            violations.append(FieldViolation(path, "The sending policy has no such figure."))
            continue
        try:
            value = parse(settings, path, written)
        except ValueError as error:
            violations.append(FieldViolation(path, f"Not usable: {error}."))
            continue
        if path in ceilings and is_looser(path, value, ceiling_of(path, ceilings[path])):
            violations.append(FieldViolation(path, f"Beyond the hard ceiling, which is {ceilings[path]}."))
        changed = with_held(changed, path, value)
    violations.extend(_contradictions(changed) if not violations else ())
    if violations:
        raise PonteError(errors.INVALID_ARGUMENT, violations=tuple(violations))
    return changed


def loosened(settings: PolicySettings, changed: PolicySettings) -> tuple[str, ...]:
    """Paths of the figures that let more through than before: an administrator has to give a reason and an
    expiry."""
    return tuple(path for path in FIGURES if is_looser(path, held(changed, path), held(settings, path)))


def restricted_to(settings: PolicySettings, ceilings: Mapping[str, Value] = HARD_CEILINGS) -> PolicySettings:
    """The settings with every figure beyond its ceiling brought back to it, for what was stored under older
    ceilings."""
    for path, ceiling in ceilings.items():
        value = held(settings, path)
        bounded = stricter(path, value, ceiling_of(path, ceiling))
        if bounded != value:
            settings = with_held(settings, path, bounded)
    return settings


def _contradictions(settings: PolicySettings) -> list[FieldViolation]:
    found = [
        FieldViolation(first, f"It may not be more than {second}.")
        for first, second in _ORDERED
        if held(settings, first) > held(settings, second)
    ]
    if settings.quiet_hours.opens == settings.quiet_hours.closes:
        found.append(FieldViolation("quiet_hours.closes", "It has to be later than quiet_hours.opens."))
    if settings.pacing.batch_smallest < 1:
        found.append(FieldViolation("pacing.batch_smallest", "A batch has at least one message."))
    if settings.reconnect.start_share < _LEAST_START_SHARE:
        found.append(FieldViolation("reconnect.start_share", f"It is at least {_LEAST_START_SHARE}."))
    return found
