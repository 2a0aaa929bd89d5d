"""Paths of google.api.http as aiohttp's router takes them."""

import re
from dataclasses import dataclass

_VARIABLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_ONE_SEGMENT = "[^/:]+"
"""A path variable ends at a slash, and at the colon before a custom verb."""


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A route's path for aiohttp, and the request fields that it fills."""

    route: str
    fields: tuple[str, ...]


def compile_path(template: str) -> PathTemplate:
    """Turn `/v1/sessions/{session_id}:pair` into a route. Raises ValueError for what goes beyond that."""
    if re.search(r"[*=]|\{[^}]*\.", template):
        raise ValueError(f"{template}: only {{field}} variables of one path segment are served")
    return PathTemplate(
        route=_VARIABLE.sub(lambda match: f"{{{match.group(1)}:{_ONE_SEGMENT}}}", template),
        fields=tuple(_VARIABLE.findall(template)),
    )
