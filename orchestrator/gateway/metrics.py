"""What a gateway counts for operators; none of it names a company or a number."""

from prometheus_client import Counter, Gauge

HELD = Gauge("ponte_sessions_held", "Sessions that this gateway holds")
CONNECTED = Gauge("ponte_sessions_connected", "Sessions of this gateway that are connected to WhatsApp")
CLOSED = Counter("ponte_connections_closed_total", "Connections to WhatsApp that ended", ["reason"])
