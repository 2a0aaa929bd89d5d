"""Settings of webhook delivery."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Bounds of what Ponte does towards endpoints; times in seconds."""

    allow_private_networks: bool = False
    """Let endpoints be in private and loopback networks: for local use only."""

    denied_ports: frozenset[int] = frozenset()
    """Ports that no endpoint may have."""

    request_timeout_s: float = 10.0
    """From the start of an attempt, name look-up included, to the end of the answer."""

    most_requests: int = 256
    """Requests under way at once in a process, all endpoints together."""

    idle_connection_s: float = 10.0
    """How long an unused connection to an endpoint is kept."""
