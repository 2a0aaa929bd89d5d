"""Which HTTP status a good answer has."""

from google.protobuf.empty_pb2 import Empty

from orchestrator.api.methods import Method

_ACCEPTED = frozenset({"ponte.v1.MessageService/SendMessage"})
"""Methods whose work goes on after the answer."""


def success_status(method: Method) -> int:
    """Give the HTTP status of a good answer."""
    if method.full_name in _ACCEPTED:
        return 202
    if method.response is Empty:
        return 204
    return 201 if method.name.startswith("Create") else 200
