"""The authentication state of a linked number, as Baileys keeps it: whole credentials and many small keys."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuthKey:
    """One key of Baileys' SignalDataTypeMap. `value` is BufferJSON; None deletes it, or says that it is absent."""

    type: str
    name: str
    value: str | None
