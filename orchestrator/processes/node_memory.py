"""Makes a Node of many idle sessions give back what its busy moments took.

Out of the box Node keeps about twice what it uses: a young generation of up to 48 MiB, and a memory pool of malloc for
each of its threads. `docs/performance.md` has the figures. Each of them is left alone where a person has set it.
"""

from __future__ import annotations

from collections.abc import Mapping

_YOUNG_GENERATION = "--max-semi-space-size"
_YOUNG_GENERATION_MIB = 2

_POOLS = "MALLOC_ARENA_MAX"
_MOST_POOLS = 2


def lean_arguments(environment: Mapping[str, str]) -> list[str]:
    """Return the arguments for Node, which stand before the program's; `environment` is what Node will see."""
    if _YOUNG_GENERATION in environment.get("NODE_OPTIONS", "").replace("_", "-"):
        return []
    return [f"{_YOUNG_GENERATION}={_YOUNG_GENERATION_MIB}"]


def lean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables to add to `environment`."""
    return {} if _POOLS in environment else {_POOLS: str(_MOST_POOLS)}
