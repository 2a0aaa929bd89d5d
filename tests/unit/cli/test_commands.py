import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli import main as cli
from orchestrator.cli.main import app
from orchestrator.startup import StartupError
from tests.unit.cli.fake_rest import FakeRest, running_rest

QR = "https://wa.me/settings/linked_devices#ref,noise,identity,adv,platform"


@contextmanager
def rest_in_a_thread(fake: FakeRest) -> Iterator[FakeRest]:
    """Commands run their own event loop, so the server needs another."""
    started, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with running_rest(fake):
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert started.wait(10)
    try:
        yield fake
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """Run a command in an empty folder and give what it printed; it must succeed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments: str, **environment: str) -> str:
        result = CliRunner().invoke(app, arguments, env=environment, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return command


def test_version_is_the_packages(run: Callable[..., str]) -> None:
    assert run("version").startswith("ponte 0.")


def test_config_prints_the_settings(run: Callable[..., str]) -> None:
    output = run("config", PONTE_MAX_SESSIONS="12", PONTE_MISSPELT="x")
    assert "PONTE_DATA_DIR" in output
    assert "PONTE_MISSPELT is set but is no setting of Ponte's." in output


def test_migrate_makes_the_database_and_may_be_repeated(run: Callable[..., str], tmp_path: Path) -> None:
    assert "is up to date" in run("migrate")
    assert "is up to date" in run("migrate")
    assert (tmp_path / "ponte-data" / "ponte.db").stat().st_size > 0


def test_a_company_is_made_with_a_key(run: Callable[..., str]) -> None:
    answers = {"POST /v1/companies": {"id": "c-1"}, "POST /v1/companies/c-1/keys": {"key": "ponte_secret"}}
    with rest_in_a_thread(FakeRest(dict(answers))) as fake:
        address = fake.url.removeprefix("http://")
        output = run("company", "create", "Ana", PONTE_HTTP_ADDR=address, PONTE_ADMIN_KEY="a" * 20)
    assert "c-1" in output
    assert "ponte_secret" in output
    assert fake.calls[0] == ("POST /v1/companies", {"name": "Ana"}, f"Bearer {'a' * 20}")


def test_without_an_admin_key_the_way_to_get_one_is_said(run: Callable[..., str]) -> None:
    with pytest.raises(StartupError, match="start 'ponte up' first"):
        run("company", "create", "Ana")


def test_pairing_shows_the_risk_and_the_qr_until_it_is_linked(run: Callable[..., str]) -> None:
    states = iter(["PAIRING", "CONNECTED"])
    fake = FakeRest(
        {
            "POST /v1/sessions": {"id": "s-1"},
            "POST /v1/sessions/s-1:pair": {"qr": QR},
            "GET /v1/sessions/s-1/qr": {"qr": QR + "2"},
            "GET /v1/sessions/s-1": lambda _: {"state": next(states), "phone_number": "+5511987654321"},
        }
    )
    with rest_in_a_thread(fake):
        output = run("session", "pair", "--url", fake.url, PONTE_KEY="company key")
    assert "against WhatsApp's terms" in output
    assert output.count("Then scan:") == 2, "the first QR and the one that came after it"
    assert "Linked +5511987654321 as session s-1" in output
    assert {authorization for _, _, authorization in fake.calls} == {"Bearer company key"}


def test_a_session_that_ends_while_pairing_is_said(run: Callable[..., str]) -> None:
    fake = FakeRest({"POST /v1/sessions/s-1:pair": {"qr": QR}, "GET /v1/sessions/s-1": {"state": "STOPPED"}})
    with rest_in_a_thread(fake), pytest.raises(StartupError, match="ended as STOPPED"):
        run("session", "pair", "--url", fake.url, "--session", "s-1", "--key", "k")


def test_a_pairing_that_nobody_finished_says_what_to_do(run: Callable[..., str]) -> None:
    ended = {"state": "NEW", "last_close": {"advice": "The QR was not scanned in time; ask for a new one."}}
    fake = FakeRest({"POST /v1/sessions/s-1:pair": {"qr": QR}, "GET /v1/sessions/s-1": ended})
    with rest_in_a_thread(fake), pytest.raises(StartupError, match=r"not scanned.*pair --session s-1"):
        run("session", "pair", "--url", fake.url, "--session", "s-1", "--key", "k")


def test_a_code_is_shown_for_a_phone(run: Callable[..., str]) -> None:
    linked = {"state": "CONNECTED", "phone_number": "+5511987654321"}
    fake = FakeRest({"POST /v1/sessions/s-1:pair": {"code": "P0NTE4U2"}, "GET /v1/sessions/s-1": linked})
    with rest_in_a_thread(fake):
        output = run(
            *("session", "pair", "--url", fake.url, "--session", "s-1", "--key", "k"),
            *("--phone", "+5511987654321", "--code", "P0NTE4U2"),
        )
    assert "P0NT-E4U2" in output
    asked = {"method": "CODE", "phone_number": "+5511987654321", "custom_code": "P0NTE4U2"}
    assert fake.calls[0][:2] == ("POST /v1/sessions/s-1:pair", asked)


def test_a_code_without_its_phone_is_refused(run: Callable[..., str]) -> None:
    with pytest.raises(StartupError, match="goes with --phone"):
        run("session", "pair", "--key", "k", "--code", "P0NTE4U2")


def test_an_error_that_can_be_mended_is_one_line_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PONTE_HTTP_ADDR", "nonsense")
    monkeypatch.setattr("sys.argv", ["ponte", "config"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "ponte: PONTE_HTTP_ADDR cannot be used: give host:port, for instance 127.0.0.1:8080.\n"
    )


def test_the_audit_log_is_written_to_a_file(run: Callable[..., str], tmp_path: Path) -> None:
    with rest_in_a_thread(FakeRest({"GET /v1/audit.csv": {"not": "csv"}})) as rest:
        output = run("audit", "export", "--key", "k", "--url", rest.url, "--action", "campaign.sent")
    assert "in audit.csv" in output
    assert (tmp_path / "audit.csv").read_bytes() == b'{"not": "csv"}'
    assert rest.queries == ["action=campaign.sent"]
