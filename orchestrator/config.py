"""Settings of all processes, read from the environment (prefix PONTE_) and from a file `.env`.

Only entry points (orchestrator.cli) read them; they hand each part a small typed value of its own.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import unquote

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from orchestrator.startup import StartupError

PREFIX = "PONTE_"
ENV_FILE = ".env"
ENCRYPTION_KEY_BYTES = 32
WHATSAPP_OWN_URL = "wss://web.whatsapp.com/ws/chat"
"""Where Baileys connects when PONTE_WHATSAPP_URL is not set (its DEFAULT_CONNECTION_CONFIG)."""


_MIB = 1024 * 1024

_DRIVERS = {
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
}
_DATABASE_SCHEMES = tuple(f"{scheme}://" for scheme in (*_DRIVERS, *_DRIVERS.values()))


class Address(NamedTuple):
    """A host and a TCP port; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(value: Any) -> Any:
    """Turn `host:port`, `[ipv6]:port` or `:port` (all interfaces) into an Address; raises ValueError."""
    if not isinstance(value, str):
        return value
    host, colon, port = value.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ValueError("give host:port, for instance 127.0.0.1:8080")
    return Address(host.strip("[]") or "0.0.0.0", int(port))  # noqa: S104 - asked for by leaving the host out


def decode_encryption_key(value: str) -> bytes:
    """Return the 32 bytes that `value` (base64, standard or URL-safe) stands for; raises ValueError."""
    try:
        key = base64.b64decode(value.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != ENCRYPTION_KEY_BYTES:
        raise ValueError("give 32 bytes in base64, for instance from: openssl rand -base64 32")
    return key


HostPort = Annotated[Address, NoDecode, BeforeValidator(parse_address)]
OptionalHostPort = Annotated[Address | None, NoDecode, BeforeValidator(parse_address)]


class Settings(BaseSettings):
    """Every setting with its default. Field `x` is the variable PONTE_X."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", frozen=True
    )

    data_dir: Path = Field(
        Path("ponte-data"), description="Folder for the database, keys, media and the queue"
    )
    http_addr: HostPort = Field(Address("127.0.0.1", 8080), description="REST, SSE and documentation")
    grpc_addr: HostPort = Field(Address("127.0.0.1", 9090), description="gRPC")
    metrics_addr: OptionalHostPort = Field(
        None, description="/metrics, /healthz and /readyz; on the HTTP address where not set"
    )
    database_url: SecretStr | None = Field(
        None,
        description="postgresql+asyncpg://user:password@host/name; SQLite in the data folder where not set",
    )
    database_pool_size: int = Field(10, ge=1, le=200, description="PostgreSQL connections of one process")
    redis_url: SecretStr | None = Field(
        None, description="redis://host:6379/0 or unix:///path; an embedded Valkey where not set"
    )
    media_url: str | None = Field(
        None, description="s3://bucket/prefix or file:///folder; a folder in the data folder where not set"
    )
    spool_dir: Path | None = Field(
        None,
        description="Folder for files on their way, shared with the bridge; in the data folder where not set",
    )
    media_retention_days: int = Field(
        90, ge=0, description="Days that a file is kept after it was made or last used; 0 keeps it for ever"
    )
    media_document_limit_bytes: int = Field(100 * _MIB, ge=1, description="Largest document")
    media_video_limit_bytes: int = Field(64 * _MIB, ge=1, description="Largest video")
    media_other_limit_bytes: int = Field(
        16 * _MIB, ge=1, description="Largest image, sound, voice note or sticker"
    )
    media_allow_private_networks: bool = Field(
        False, description="Let files be fetched from private and local addresses (for local use)"
    )

    encryption_key: SecretStr | None = Field(
        None,
        description="32 bytes in base64 for data at rest; made and kept in the data folder where not set",
    )
    encryption_key_file: Path | None = Field(
        None,
        description="File with encryption keys, one a line, the current one first; read again while Ponte runs",
    )
    encryption_old_keys: list[SecretStr] = Field(
        default_factory=list,
        description="Earlier encryption keys, JSON list: still read, no longer written with",
    )
    admin_key: SecretStr | None = Field(
        None, description="Key for companies and their keys; made and kept in the data folder where not set"
    )

    whatsapp_url: str | None = Field(
        None, description="WhatsApp's own where not set; ws://... for a simulator"
    )
    sending_limits: Literal["enforced", "lifted"] = Field(
        "enforced", description="lifted: send without the sending policy; refused against WhatsApp's own"
    )
    clock_speed: float = Field(
        1, ge=1, le=100, description="Times that Ponte's clock runs faster; refused against WhatsApp's own"
    )
    bridge_addr: str | None = Field(
        None,
        description="Address of a running bridge (unix:/path or host:port); spawns its own where not set",
    )
    node: str | None = Field(None, description="Node 20 or newer; found on PATH or in a wheel where not set")

    gateway_addr: HostPort = Field(
        Address("127.0.0.1", 9095), description="Where 'ponte gateway' serves the other processes"
    )
    gateway_advertise: str | None = Field(
        None,
        description="host:port at which other processes reach this gateway; PONTE_GATEWAY_ADDR where not set",
    )
    gateway_secret: SecretStr | None = Field(
        None, description="Secret that 'ponte api', 'ponte worker' and 'ponte gateway' share"
    )
    lease_s: float = Field(
        10, ge=2, le=120, description="Seconds after which a gateway that died loses its sessions to others"
    )
    starts_per_second: float = Field(
        20,
        gt=0,
        le=1000,
        description="Sessions that one gateway connects in a second, at a restart for instance",
    )

    webhook_allow_private_networks: bool = Field(
        False, description="Let webhooks go to private and local addresses (for local use)"
    )
    request_body_limit_bytes: int = Field(1024 * 1024, ge=1024, description="Largest body of a request")
    requests_per_second_per_key: float = Field(
        1000, gt=0, description="Requests a second that one key may make"
    )
    max_sessions: int = Field(500, ge=1, description="Sessions that one gateway holds at most")
    bridge_memory_limit_mib: int = Field(
        1536,
        ge=64,
        description="MiB that the bridge may hold; beyond it, other gateways take its sessions and it is started again",
    )
    connect_timeout_s: float = Field(
        20, ge=1, le=300, description="Seconds in which a connection to WhatsApp must be usable or show a QR"
    )
    keep_alive_s: float = Field(
        25, ge=1, le=60, description="Seconds between two questions for a sign of life from WhatsApp"
    )
    silence_limit_s: float = Field(
        35, ge=2, le=600, description="Seconds without a word from WhatsApp after which a connection is dead"
    )
    qr_codes_per_pairing: int = Field(6, ge=1, le=6, description="QRs shown until a pairing ends")
    waiting_messages_per_session: int = Field(
        1_000_000, ge=1, description="Queued messages a session may have"
    )
    messages_in_flight_per_session: int = Field(
        64, ge=1, le=1024, description="Messages sent and not yet answered"
    )
    worker_threads: int = Field(
        16, ge=2, le=256, description="Jobs that one process works on at the same time"
    )

    log_format: Literal["text", "json"] = Field("text", description="Form of log lines on standard error")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least level that is logged"
    )
    shutdown_grace_s: float = Field(
        3, ge=0, le=300, description="Seconds that running requests and jobs get to end at a stop"
    )

    @field_validator("whatsapp_url")
    @classmethod
    def _is_websocket_url(cls, value: str | None) -> str | None:
        if value and not value.startswith(("ws://", "wss://")):
            raise ValueError("give a ws:// or wss:// address")
        return value

    @field_validator("media_url")
    @classmethod
    def _is_media_url(cls, value: str | None) -> str | None:
        if value and not value.startswith(("s3://", "file:///")):
            raise ValueError("give s3://bucket/prefix or file:///folder")
        return value

    @field_validator("database_url")
    @classmethod
    def _is_database_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(_DATABASE_SCHEMES):
            raise ValueError("give postgresql://user:password@host/name, or sqlite:///path")
        return value

    @field_validator("encryption_key")
    @classmethod
    def _is_encryption_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value:
            decode_encryption_key(value.get_secret_value())
        return value

    @field_validator("encryption_old_keys")
    @classmethod
    def _are_encryption_keys(cls, value: list[SecretStr]) -> list[SecretStr]:
        for key in value:
            decode_encryption_key(key.get_secret_value())
        return value

    @field_validator("admin_key", "gateway_secret")
    @classmethod
    def _is_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value and len(value) < 16:
            raise ValueError("give at least 16 characters that nobody can guess")
        return value

    @model_validator(mode="after")
    def _waits_longer_than_it_asks(self) -> Settings:
        if self.silence_limit_s <= self.keep_alive_s:
            raise ValueError("PONTE_SILENCE_LIMIT_S must be more than PONTE_KEEP_ALIVE_S")
        return self

    @property
    def speaks_to_whatsapp(self) -> bool:
        """Whether sessions reach WhatsApp itself, not a simulator."""
        if self.whatsapp_url is None:
            return True
        url = unquote(self.whatsapp_url).lower()
        return "whatsapp.com" in url or "whatsapp.net" in url

    @property
    def resolved_database_url(self) -> str:
        """The SQLAlchemy URL with an asynchronous driver."""
        if self.database_url is None:
            return f"sqlite+aiosqlite:///{self.data_dir.absolute() / 'ponte.db'}"
        scheme, _, rest = self.database_url.get_secret_value().partition("://")
        return f"{_DRIVERS.get(scheme, scheme)}://{rest}"


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; `overrides` win over the environment. Raises StartupError naming the wrong variable."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = f"{PREFIX}{str(first['loc'][0]).upper()}" if first["loc"] else "The settings"
        reason = first["msg"].removeprefix("Value error, ")
        raise StartupError(f"{name} cannot be used: {reason}.") from None
    except ValueError as error:
        # pydantic-settings: a list that is not JSON.
        raise StartupError(f"A {PREFIX} variable cannot be used: {error}.") from None
