"""`ponte import ...` against a REST that answers by a table."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestrator.cli import following
from orchestrator.cli.main import app
from orchestrator.startup import StartupError
from tests.unit.cli.fake_rest import FakeRest
from tests.unit.cli.test_commands import rest_in_a_thread

COUNTS = {"total": 4, "read": 2, "added": 1, "known": 1, "skipped": 0}
RUNNING = {"id": "i1", "kind": "EXPORT", "state": "RUNNING", "percent": 50, "counts": COUNTS}
WAITING = {**RUNNING, "state": "WAITING", "percent": 0, "counts": dict.fromkeys(COUNTS, 0)}
DONE = {**RUNNING, "state": "COMPLETED", "percent": 100, "counts": {**COUNTS, "read": 4, "added": 3}}
FAILED = {**RUNNING, "state": "FAILED", "error": {"code": "EXPORT_ENCODING", "detail": "Not UTF-8."}}


@pytest.fixture
def rest() -> Iterator[FakeRest]:
    with rest_in_a_thread(FakeRest()) as fake:
        yield fake


@pytest.fixture
def run(rest: FakeRest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run `ponte import ...` and give its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(following, "LOOK_EVERY_S", 0.0)
    (tmp_path / "chat.txt").write_text("[31/12/2024, 23:59:01] Ana: Hello")

    def command(*arguments: str) -> tuple[int, str]:
        every = ["import", *arguments, "--key", "k", "--url", rest.url]
        result = CliRunner().invoke(app, every, catch_exceptions=False)
        return result.exit_code, result.output

    return command


def looks(*seen: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    left = iter(seen)
    return lambda _: next(left)


CHAT = ("chat", "chat.txt", "--session", "s1", "--chat", "+5511911111111", "--own-name", "Bia")


def test_a_chat_is_uploaded_begun_and_followed_to_its_end(
    run: Callable[..., tuple[int, str]], rest: FakeRest
) -> None:
    rest.answers = {
        "POST /v1/media": {"id": "m1"},
        "POST /v1/imports": WAITING,
        "GET /v1/imports/i1": looks(RUNNING, DONE),
    }
    code, output = run(*CHAT, "--time-zone", "America/Sao_Paulo", "--date-order", "day_first")
    assert code == 0
    assert "import    i1" in output
    assert "4/4" in output
    assert "messages  4 of 4: added 3, known 1, skipped 0" in output
    [body] = [body for call, body, _ in rest.calls if call == "POST /v1/imports"]
    assert body == {
        "session_id": "s1",
        "media_id": "m1",
        "chat": "+5511911111111",
        "own_name": "Bia",
        "time_zone": "America/Sao_Paulo",
        "date_order": "DAY_FIRST",
    }


def test_an_import_that_fails_says_why(run: Callable[..., tuple[int, str]], rest: FakeRest) -> None:
    rest.answers = {
        "POST /v1/media": {"id": "m1"},
        "POST /v1/imports": WAITING,
        "GET /v1/imports/i1": looks(FAILED),
    }
    code, output = run(*CHAT)
    assert code == 1
    assert "error     EXPORT_ENCODING: Not UTF-8." in output


def test_an_import_is_watched(run: Callable[..., tuple[int, str]], rest: FakeRest) -> None:
    rest.answers = {"GET /v1/imports/i1": looks(WAITING, RUNNING, {**RUNNING, "state": "CANCELLED"})}
    code, output = run("watch", "i1")
    assert code == 1
    assert "state     CANCELLED" in output
    assert "s left" in output


def test_imports_are_listed(run: Callable[..., tuple[int, str]], rest: FakeRest) -> None:
    rest.answers = {"GET /v1/imports": {"imports": [DONE, RUNNING]}}
    code, output = run("list", "--session", "s1")
    assert code == 0
    assert "i1  EXPORT   COMPLETED  100%  4 of 4" in output
    assert rest.queries == ["page_size=50&session_id=s1"]


def test_a_file_that_is_not_there_is_named(run: Callable[..., tuple[int, str]]) -> None:
    with pytest.raises(StartupError, match="no file"):
        run("chat", "missing.txt", *CHAT[2:])
