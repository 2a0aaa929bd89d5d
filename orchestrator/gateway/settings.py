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

    lease_s: float = 10.0
    """With the round of the next claim and the connecting, a killed gateway's sessions are up elsewhere in 15 s."""

    renew_s: float = 2.5
    lease_margin_s: float = 2.0
    """A holder that could not renew ends its streams this long before its leases end; its bridge does, by itself."""

    claim_every_s: float = 2.0
    starts_per_second: float = 20.0
    max_sessions: int = 1000
    connect_timeout_ms: int = 20_000
    """A connection that is not usable, and shows no QR, after so long is given up."""

    keep_alive_ms: int = 25_000
    """How often WhatsApp is asked for a sign of life."""

    silence_timeout_ms: int = 35_000
    """A connection on which nothing came for so long is dead, whatever the socket says."""

    qr_codes: int = 6
    """QRs shown in one pairing; WhatsApp itself gives six, for 60 s and five times 20 s."""

    qr_lifetime_ms: int = 0
    """How long each QR is shown; 0 for WhatsApp's own times."""

    ack_timeout_ms: int = 30_000
    query_timeout_s: float = 30.0
    group_timeout_s: float = 50.0
    """Setting a description asks twice; less than what another process waits for."""

    groups_after_s: tuple[float, float] = (2.0, 10.0)
    """All groups are read so long after a connection became usable, at random between: what waited comes first."""

    window: int = 64
    """Messages of one session in flight at a time."""

    inbound_at_a_time: int = 32
    """Chats of one session whose messages are recorded at a time."""

    inbound_waiting: int = 500
    """Inbound messages of one session that may wait; beyond it the stream is not read."""
