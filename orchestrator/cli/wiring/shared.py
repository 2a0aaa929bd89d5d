"""What processes that run apart must have in common, and say so in one sentence where it is missing."""

from __future__ import annotations

from orchestrator.config import Settings
from orchestrator.startup import StartupError

_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on


def demand_shared(settings: Settings) -> str:
    """Give the secret between processes. Raises StartupError where something that they share is not set."""
    if not settings.resolved_database_url.startswith("postgresql"):
        raise StartupError(
            "PONTE_DATABASE_URL must name a PostgreSQL that all processes share; 'ponte up' runs on SQLite alone."
        )
    if settings.redis_url is None:
        raise StartupError(
            "PONTE_REDIS_URL must name a Redis that all processes share; 'ponte up' brings its own."
        )
    if settings.encryption_key is None and settings.encryption_key_file is None:
        raise StartupError(
            "PONTE_ENCRYPTION_KEY or PONTE_ENCRYPTION_KEY_FILE must give all processes the same key; "
            "make one with: openssl rand -base64 32."
        )
    if settings.gateway_secret is None:
        raise StartupError(
            "PONTE_GATEWAY_SECRET must be set to the same secret for all processes; "
            "make one with: openssl rand -base64 32."
        )
    return settings.gateway_secret.get_secret_value()


def demand_admin_key(settings: Settings) -> None:
    """Raise StartupError where there is no administrator's key: each API process would make one of its own."""
    if settings.admin_key is None:
        raise StartupError("PONTE_ADMIN_KEY must be set to the same key for all API processes.")


def shown_address(settings: Settings, port: int) -> str:
    """Give where other processes reach this gateway, which listens on `port`; raises StartupError."""
    if settings.gateway_advertise:
        return settings.gateway_advertise
    if settings.gateway_addr.host in _EVERYWHERE:
        raise StartupError(
            "PONTE_GATEWAY_ADVERTISE must say at which host:port other processes reach this gateway, "
            f"for PONTE_GATEWAY_ADDR={settings.gateway_addr} is every address of this machine."
        )
    return str(settings.gateway_addr._replace(port=port))
