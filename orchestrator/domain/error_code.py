"""What an error code is, and the registry of all codes."""

from dataclasses import dataclass
from enum import StrEnum


class ErrorKind(StrEnum):
    """What sort of failure it is; the front doors map it to a gRPC status and an HTTP status."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNAVAILABLE = "UNAVAILABLE"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A stable cause: its name, its kind, and the sentence used where the raiser gives none."""

    name: str
    kind: ErrorKind
    sentence: str


CODES: dict[str, ErrorCode] = {}


def new_code(name: str, kind: ErrorKind, sentence: str) -> ErrorCode:
    """Make a code that is known by its name from now on."""
    code = ErrorCode(name, kind, sentence)
    CODES[name] = code
    return code
