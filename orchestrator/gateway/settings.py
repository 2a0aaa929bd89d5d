"""What a gateway may be told; the composition root fills it in."""

from dataclasses import dataclass

WHATSAPP_URL = "wss://web.whatsapp.com/ws/chat"
"""Where Baileys connects by default (its DEFAULT_CONNECTION_CONFIG)."""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """`_s` are seconds, `_ms` milliseconds."""

    whatsapp_url: str = WHATSAPP_URL
    browser_name: str = "Ponte"
    """Shown in the phone's list of linked devices; constant for a session's life."""

    address: str = ""
    """Where other processes reach this gateway's server (host:port), kept in its leases; empty for none."""

    secret: str = ""
    """Shared by all processes that call each other's gateways."""

    lease_s: float = 15.0
    renew_s: float = 4.0
    lease_margin_s: float = 3.0
    """A holder that could not renew ends its streams this long before its leases end."""

    claim_every_s: float = 2.0
    starts_per_second: float = 20.0
    max_sessions: int = 1000
    connect_timeout_ms: int = 20_000
    ack_timeout_ms: int = 30_000
    query_timeout_s: float = 30.0
    window: int = 64
    """Messages of one session in flight at a time."""

    inbound_at_a_time: int = 32
    """Chats of one session whose messages are recorded at a time."""

    inbound_waiting: int = 500
    """Inbound messages of one session that may wait; beyond it the stream is not read."""
