from pathlib import Path

import pytest

from orchestrator.cli.config_table import rows, shown, unknown_variables
from orchestrator.cli.key_files import admin_key
from orchestrator.config import Settings, load_settings


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_setting_is_listed_with_its_source(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty_folder / ".env").write_text("PONTE_LOG_LEVEL=ERROR\n")
    monkeypatch.setenv("PONTE_DATABASE_URL", "postgresql://user:hunter2@host/name")
    monkeypatch.setenv("ponte_max_sessions", "7")
    table = {row.variable: row for row in rows(load_settings())}
    assert len(table) == len(Settings.model_fields)
    assert all(row.description for row in table.values())
    assert table["PONTE_LOG_LEVEL"][1:3] == ("ERROR", ".env")
    assert table["PONTE_MAX_SESSIONS"][1:3] == ("7", "environment")
    assert table["PONTE_DATABASE_URL"].value == "postgresql://user:***@host/name"
    assert table["PONTE_HTTP_ADDR"][1:3] == ("127.0.0.1:8080", "default")


def test_secrets_are_masked_wherever_they_come_from(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PONTE_ADMIN_KEY", "hunter2hunter2hunter2")
    row = next(row for row in rows(load_settings()) if row.variable == "PONTE_ADMIN_KEY")
    assert row[1:3] == ("***", "environment")


def test_a_kept_key_is_said_to_be_kept(empty_folder: Path) -> None:
    def source() -> tuple[str, str]:
        row = next(row for row in rows(load_settings()) if row.variable == "PONTE_ADMIN_KEY")
        return row.value, row.source

    assert source() == ("", "made at first start in ponte-data/admin.key")
    (empty_folder / "ponte-data").mkdir()
    admin_key(load_settings(), empty_folder / "ponte-data")
    assert source() == ("***", "ponte-data/admin.key")


def test_a_list_of_secrets_is_masked_one_by_one() -> None:
    from pydantic import SecretStr

    assert shown([SecretStr("one"), SecretStr("two")]) == "***, ***"


def test_a_misspelt_variable_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PONTE_HTTP_ADRESS", "x")
    assert "PONTE_HTTP_ADRESS" in unknown_variables()
