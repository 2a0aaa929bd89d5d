"""Figures of a company's or session's own: lowered freely, raised up to the hard ceilings only."""

from collections.abc import Mapping

from orchestrator.domain import errors
from orchestrator.domain.errors import FieldViolation, PonteError
from orchestrator.domain.policy.figures import (
    FIGURES,
    HARD_CEILINGS,
    Unit,
    Value,
    ceiling_of,
    held,
    is_looser,
    parse,
    stricter,
    with_held,
)
from orchestrator.domain.policy.settings import DAY_S, LONGEST_CACHED_S, PolicySettings

_ORDERED = (
    ("pacing.shortest_s", "pacing.median_s"),
    ("pacing.median_s", "pacing.longest_s"),
    ("pacing.long_pause_shortest_s", "pacing.long_pause_longest_s"),
    ("pacing.batch_smallest", "pacing.batch_largest"),
    ("typing.shortest_s", "typing.longest_s"),
    ("quiet_hours.opens", "quiet_hours.closes"),
    ("reactions.failed_share_slow", "reactions.failed_share_pause"),
    ("reactions.delivered_share_pause", "reactions.delivered_share_slow"),
)
"""Pairs of which the first may not exceed the second."""

_LEAST: Mapping[str, float] = {
    # Slower than that, a gap right after a reconnect would outlast the ramp.
    "reconnect.start_share": 0.01,
    # A slowdown is no pause: that has a figure of its own.
    "reactions.slow_factor": 0.05,
    "reactions.refused_contacts_to_stop": 1,
}
"""How strict the figures may become that do harm below."""

_MOST: Mapping[str, float] = {
    "number_checks.cached_s": LONGEST_CACHED_S,
    # The bridge shows typing no longer.
    "typing.longest_s": 20.0,
}
"""As _LEAST, for figures that become stricter upwards."""

_MOST_SECONDS = 366 * DAY_S
"""What no span exceeds: longer ones lead beyond the calendar."""


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
    found.extend(
        FieldViolation(path, f"It is at least {least}.")
        for path, least in _LEAST.items()
        if held(settings, path) < least
    )
    spans = (path for path, figure in FIGURES.items() if figure.unit is Unit.SECONDS)
    most = {**dict.fromkeys(spans, _MOST_SECONDS), **_MOST}
    found.extend(
        FieldViolation(path, f"It is at most {bound:.0f}.")
        for path, bound in most.items()
        if held(settings, path) > bound
    )
    return found
