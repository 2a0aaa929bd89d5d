import base64
from pathlib import Path

import pytest

from orchestrator.config import Address, decode_encryption_key, load_settings, parse_address
from orchestrator.startup import StartupError

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings from the machine that runs the tests."""
    import os

    for name in list(os.environ):
        if name.upper().startswith("PONTE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", Address("127.0.0.1", 8080)),
        ("[::1]:0", Address("::1", 0)),
        (":9090", Address("0.0.0.0", 9090)),
        ("api.example:65535", Address("api.example", 65535)),
    ],
)
def test_addresses_are_read(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["8080", "host", "host:", "host:x", "host:65536", "host:-1", ""])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        parse_address(text)


def test_an_address_is_written_as_it_is_read() -> None:
    assert str(Address("::1", 80)) == "[::1]:80"
    assert str(Address("127.0.0.1", 80)) == "127.0.0.1:80"


def test_an_encryption_key_is_32_bytes_in_either_base64() -> None:
    key = bytes([255]) * 32
    assert decode_encryption_key(base64.b64encode(key).decode()) == key
    assert decode_encryption_key(base64.urlsafe_b64encode(key).decode() + "\n") == key


@pytest.mark.parametrize("text", ["", "abc", "é" * 44, base64.b64encode(bytes(31)).decode()])
def test_another_length_or_alphabet_is_no_encryption_key(text: str) -> None:
    with pytest.raises(ValueError, match="32 bytes in base64"):
        decode_encryption_key(text)


def test_defaults_need_no_environment() -> None:
    settings = load_settings()
    assert settings.http_addr == ("127.0.0.1", 8080)
    assert settings.speaks_to_whatsapp
    assert settings.resolved_database_url == f"sqlite+aiosqlite:///{Path.cwd()}/ponte-data/ponte.db"
    assert not settings.webhook_allow_private_networks


def test_the_environment_wins_over_the_file_and_an_override_over_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(".env").write_text("PONTE_MAX_SESSIONS=1\nPONTE_WORKER_THREADS=3\nPONTE_LOG_LEVEL=ERROR\n")
    monkeypatch.setenv("PONTE_MAX_SESSIONS", "2")
    settings = load_settings(log_level="DEBUG")
    assert (settings.max_sessions, settings.worker_threads, settings.log_level) == (2, 3, "DEBUG")


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("PONTE_HTTP_ADDR", "8080", "PONTE_HTTP_ADDR cannot be used: give host:port"),
        ("PONTE_ENCRYPTION_KEY", "short", "PONTE_ENCRYPTION_KEY cannot be used: give 32 bytes"),
        ("PONTE_ENCRYPTION_OLD_KEYS", '["short"]', "PONTE_ENCRYPTION_OLD_KEYS cannot be used: give 32 bytes"),
        ("PONTE_ENCRYPTION_OLD_KEYS", "no list", "ENCRYPTION_OLD_KEYS|encryption_old_keys"),
        ("PONTE_ADMIN_KEY", "guess", "PONTE_ADMIN_KEY cannot be used: give at least 16"),
        ("PONTE_WHATSAPP_URL", "http://x", "PONTE_WHATSAPP_URL cannot be used: give a ws://"),
        (
            "PONTE_DATABASE_URL",
            "mysql://user:hunter2@host/x",
            "PONTE_DATABASE_URL cannot be used: give postgresql://",
        ),
        ("PONTE_LOG_FORMAT", "xml", "PONTE_LOG_FORMAT cannot be used: "),
        ("PONTE_MAX_SESSIONS", "0", "PONTE_MAX_SESSIONS cannot be used: "),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(StartupError, match=sentence) as error:
        load_settings()
    assert "\n" not in str(error.value)


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PONTE_ENCRYPTION_KEY", KEY)
    monkeypatch.setenv("PONTE_DATABASE_URL", "postgres://user:hunter2@host/name")
    settings = load_settings()
    assert KEY not in repr(settings)
    assert "hunter2" not in repr(settings)
    assert settings.resolved_database_url == "postgresql+asyncpg://user:hunter2@host/name"


def test_an_address_that_is_not_whatsapps_is_a_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PONTE_WHATSAPP_URL", "ws://127.0.0.1:1/ws/chat")
    assert not load_settings().speaks_to_whatsapp
    monkeypatch.setenv("PONTE_WHATSAPP_URL", "wss://web.whatsapp.com/ws/chat")
    assert load_settings().speaks_to_whatsapp


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "ENCRYPTION_KEY",
        "ADMIN_KEY",
        "DATABASE_URL",
        "REDIS_URL",
        "NODE",
        "BRIDGE_ADDR",
        "METRICS_ADDR",
    ):
        monkeypatch.setenv(f"PONTE_{name}", "")
    settings = load_settings()
    assert settings.database_url is None
    assert settings.encryption_key is settings.admin_key is settings.redis_url is None
    assert settings.metrics_addr is None
