"""What processes that run apart must have in common."""

import base64

import pytest

from orchestrator.cli.wiring.shared import demand_admin_key, demand_shared, shown_address
from orchestrator.config import Address, Settings, load_settings
from orchestrator.startup import StartupError

SECRET = "a secret of all processes"
COMPLETE: dict[str, object] = {
    "database_url": "postgresql://ponte@host/ponte",
    "redis_url": "redis://host/0",
    "encryption_key": base64.b64encode(bytes(32)).decode(),
    "gateway_secret": SECRET,
}


def settings(**values: object) -> Settings:
    return load_settings(_env_file=None, **values)


def test_what_is_complete_gives_the_secret() -> None:
    assert demand_shared(settings(**COMPLETE)) == SECRET


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("database_url", "PostgreSQL"),
        ("redis_url", "PONTE_REDIS_URL"),
        ("encryption_key", "PONTE_ENCRYPTION_KEY_FILE"),
        ("gateway_secret", "PONTE_GATEWAY_SECRET"),
    ],
)
def test_what_is_missing_is_named(missing: str, told: str) -> None:
    with pytest.raises(StartupError, match=told):
        demand_shared(settings(**{**COMPLETE, missing: None}))


def test_sqlite_cannot_be_shared() -> None:
    with pytest.raises(StartupError, match="SQLite"):
        demand_shared(settings(**{**COMPLETE, "database_url": "sqlite:///ponte.db"}))


def test_a_secret_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(StartupError, match="PONTE_GATEWAY_SECRET"):
        settings(gateway_secret="short")


def test_an_api_needs_the_same_admin_key_everywhere() -> None:
    with pytest.raises(StartupError, match="PONTE_ADMIN_KEY"):
        demand_admin_key(settings(**COMPLETE))
    demand_admin_key(settings(admin_key="an admin key of all processes"))


def test_a_gateway_is_reached_where_it_listens_or_where_it_says() -> None:
    assert shown_address(settings(gateway_addr=Address("10.0.0.1", 0)), 7000) == "10.0.0.1:7000"
    assert shown_address(settings(gateway_advertise="gateway-1:9095"), 7000) == "gateway-1:9095"
    with pytest.raises(StartupError, match="PONTE_GATEWAY_ADVERTISE"):
        shown_address(settings(gateway_addr=":9095"), 9095)
