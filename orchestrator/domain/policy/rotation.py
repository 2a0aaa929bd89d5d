"""Which variant of a campaign goes next: any but the last one, and never the one that the contact got last."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Rotation:
    """Stored per campaign and session, so that a restart does not repeat a variant. None before the first."""

    last: str | None = None


def choose(
    rotation: Rotation, variants: Sequence[str], last_to_contact: str | None, rng: Random
) -> tuple[str, Rotation]:
    """Draw a variant, uniform over those allowed, and the rotation after it.

    ValueError where none is allowed; with the five variants that a campaign needs at least three are.
    """
    allowed = [variant for variant in variants if variant not in (rotation.last, last_to_contact)]
    if not allowed:
        raise ValueError("a rotation needs a variant that was not used last")
    chosen = rng.choice(allowed)
    return chosen, Rotation(chosen)
