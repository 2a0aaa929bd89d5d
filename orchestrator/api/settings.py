"""What the front doors can be told: addresses and bounds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Addresses are (host, port); port 0 lets the system choose. `metrics` None serves /metrics on the HTTP address."""

    http: tuple[str, int] = ("127.0.0.1", 8080)
    grpc: tuple[str, int] = ("127.0.0.1", 9090)
    metrics: tuple[str, int] | None = None
    body_limit_bytes: int = 1024 * 1024
    requests_per_second_per_key: float = 1000.0
    request_burst_per_key: int = 2000
    calls_in_flight_per_key: int = 2000
    """Requests of one key that may run at the same time, open event streams among them."""
    request_timeout_s: float = 75.0
    """A request without a nearer deadline ends here; longer than the longest `wait` (60 s)."""
    heartbeat_s: float = 15.0
    """An idle event stream over HTTP writes a comment this often, so that proxies keep it and dead peers are seen."""
    stream_write_timeout_s: float = 30.0
    """A peer that takes nothing from its event stream for so long is cut off."""
    readiness_timeout_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the doors listen, as `host:port`; `metrics` is the HTTP address where it has none of its own."""

    http: str
    grpc: str
    metrics: str
