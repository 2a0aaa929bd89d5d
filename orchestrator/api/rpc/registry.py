"""Finds the handler of each public method: `SendMessage` of a service is `send_message` of the class that names it."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from orchestrator.api.caller import Caller
from orchestrator.api.methods import public_methods

Handler = Callable[[Caller, Any], Any]
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


class ServiceMethods(Protocol):
    """The methods of one service of the contract."""

    service: str


def handler_name(method: str) -> str:
    """Turn `SendMessage` into `send_message`."""
    return _WORD.sub("_", method).lower()


def handlers_of(services: Sequence[ServiceMethods]) -> dict[str, Handler]:
    """Give the handlers by full method name. Raises LookupError where a method of the contract has none."""
    by_service = {methods.service: methods for methods in services}
    found: dict[str, Handler] = {}
    for method in public_methods():
        handler = getattr(by_service.get(method.service), handler_name(method.name), None)
        if handler is None:
            raise LookupError(f"{method.full_name} has no handler")
        found[method.full_name] = handler
    return found
