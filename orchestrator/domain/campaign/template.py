"""Texts with variables: `{name}`, `{name|friend}` with a default, `{{` and `}}` for braces."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from orchestrator.domain.errors import TEMPLATE_INVALID, TEMPLATE_VARIABLE_MISSING, PonteError

LONGEST_FIELD_NAME = 40

FILLED_IN = frozenset({"greeting", "date"})
"""Variables that every recipient has: they come from the time of sending."""

_FIELD_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{LONGEST_FIELD_NAME - 1}}}")
_PIECE = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[{}]")


@dataclass(frozen=True, slots=True)
class Variable:
    """A place to fill in; without a default (None) each recipient must have a value."""

    name: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed text: literal pieces and variables in their order."""

    pieces: tuple[str | Variable, ...]

    @property
    def needed(self) -> frozenset[str]:
        """Names that each recipient must have a value for. `first_name` is taken from `name` where it has none."""
        return frozenset(
            piece.name
            for piece in self.pieces
            if isinstance(piece, Variable) and piece.default is None and piece.name not in FILLED_IN
        )

    @property
    def tells_time(self) -> bool:
        """Whether it says something that depends on when it is sent."""
        return any(isinstance(piece, Variable) and piece.name in FILLED_IN for piece in self.pieces)

    def render(self, values: Mapping[str, str]) -> str:
        """Fill the values in. Raises PonteError(TEMPLATE_VARIABLE_MISSING) where one is missing without a default."""
        return "".join(piece if isinstance(piece, str) else _value(piece, values) for piece in self.pieces)


def is_field_name(name: str) -> bool:
    """Tell whether a name can stand between braces: small letters, digits and underscores, a letter first."""
    return _FIELD_NAME.fullmatch(name) is not None


def parse(text: str) -> Template:
    """Parse a text. Raises PonteError(TEMPLATE_INVALID) that says where."""
    pieces: list[str | Variable] = []
    position = 0
    for found in _PIECE.finditer(text):
        pieces.append(text[position : found.start()])
        pieces.append(_piece(found.group(), found.start()))
        position = found.end()
    pieces.append(text[position:])
    return Template(tuple(piece for piece in pieces if piece != ""))


def values_of(name: str, fields: Mapping[str, str]) -> dict[str, str]:
    """Give a recipient's values by variable: own fields, `name`, and `first_name` from it where it has no own."""
    values = {key: value.strip() for key, value in {"name": name, **fields}.items() if value.strip()}
    if "name" in values:
        values.setdefault("first_name", values["name"].split()[0])
    return values


def missing(templates: Collection[Template], counts: Mapping[str, int], recipients: int) -> dict[str, int]:
    """Give how many of `recipients` lack each needed variable; `counts` says how many have a value for each."""
    needed = frozenset[str]().union(*(template.needed for template in templates))
    lacking = {name: recipients - counts.get(name, 0) for name in sorted(needed)}
    return {name: count for name, count in lacking.items() if count > 0}


def _piece(text: str, position: int) -> str | Variable:
    if text in ("{{", "}}"):
        return text[0]
    if len(text) == 1:
        raise PonteError(
            TEMPLATE_INVALID,
            f"The brace at character {position + 1} has no partner; write {text * 2} for a brace.",
        )
    name, bar, default = text[1:-1].partition("|")
    name = name.strip()
    if not is_field_name(name):
        raise PonteError(
            TEMPLATE_INVALID,
            f"{text[:60]} at character {position + 1} names no variable: use small letters, digits and underscores.",
        )
    return Variable(name, default if bar else None)


def _value(variable: Variable, values: Mapping[str, str]) -> str:
    value = values.get(variable.name) or variable.default
    if value is None:
        raise PonteError(TEMPLATE_VARIABLE_MISSING, f"The recipient has no value for {{{variable.name}}}.")
    return value
