"""`ponte campaign ...` against a REST that answers by a table."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from orchestrator.cli import following
from orchestrator.cli.campaign_curve import ROWS, bars_of, draw, svg
from orchestrator.cli.main import app
from orchestrator.startup import StartupError
from tests.unit.cli.fake_rest import FakeRest
from tests.unit.cli.test_commands import rest_in_a_thread

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
PROGRESS = {"recipients": 4, "done": 1, "sent": 1, "failed": 0, "cancelled": 0, "passed_over": {}}
CAMPAIGN = {
    "id": "c1",
    "name": "Spring <1>",
    "state": "RUNNING",
    "stop_cause": "",
    "stop_detail": "",
    "progress": PROGRESS,
}
PLAN = {
    "recipients": 300,
    "starts_at": "2026-03-02T12:00:00Z",
    "ends_at": "2026-03-02T16:59:00Z",
    "curve": [{"at": f"2026-03-02T{hour}:00:00Z", "messages": 60} for hour in range(12, 17)],
    "caps": [{"code": "HOUR_CAP", "words": "hour cap", "seconds": 5400, "first_at": "2026-03-02T12:00:00Z"}],
    "risks": ["About 40% of the recipients are new."],
}


@pytest.fixture
def rest() -> Iterator[FakeRest]:
    with rest_in_a_thread(FakeRest()) as fake:
        yield fake


@pytest.fixture
def run(rest: FakeRest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """Run `ponte campaign ...` and give what it printed; it must succeed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(following, "LOOK_EVERY_S", 0.0)

    def command(*arguments: str) -> str:
        every = ["campaign", *arguments, "--key", "k", "--url", rest.url]
        result = CliRunner().invoke(app, every, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return command


def test_a_plan_is_drawn_with_its_caps_and_risks(
    run: Callable[..., str], rest: FakeRest, tmp_path: Path
) -> None:
    rest.answers = {"GET /v1/campaigns/c1": CAMPAIGN, "POST /v1/campaigns/c1:plan": PLAN}

    output = run("plan", "c1", "--svg", "curve.svg")

    assert "Spring <1>: 300 recipients" in output
    assert "ends      2026-03-02 16:59 UTC" in output
    assert "     60 ┤█████" in output
    assert "2026-03-02 12:00 to 2026-03-02 16:00 UTC, messages per hour" in output
    assert "held by   hour cap for 1.5 h in all" in output
    assert "risk      About 40% of the recipients are new." in output
    drawing = ElementTree.fromstring((tmp_path / "curve.svg").read_text())
    assert len(drawing.findall(".//{*}rect")) == 5


def test_a_plan_that_sends_nothing_has_no_curve(run: Callable[..., str], rest: FakeRest) -> None:
    nothing = {"recipients": 2, "curve": [], "caps": [], "risks": []}
    rest.answers = {"GET /v1/campaigns/c1": CAMPAIGN, "POST /v1/campaigns/c1:plan": nothing}

    assert "2 recipients" in run("plan", "c1")
    with pytest.raises(StartupError, match="no curve"):
        run("plan", "c1", "--svg", "curve.svg")


def test_create_takes_its_variants_from_a_file(
    run: Callable[..., str], rest: FakeRest, tmp_path: Path
) -> None:
    rest.answers = {"POST /v1/campaigns": {"id": "c1"}}
    (tmp_path / "texts.txt").write_text("Hi {name}\nhow are you?\n\n\nHello\n \nHey\n")

    output = run(
        *("create", "--list", "l1", "--session", "s1", "--session", "s2", "--variants", "texts.txt"),
        *("--start-at", "2026-12-01T09:00:00-03:00"),
    )

    assert "campaign  c1" in output
    body = rest.calls[0][1]
    assert body["session_ids"] == ["s1", "s2"]
    assert body["variants"] == [{"text": "Hi {name}\nhow are you?"}, {"text": "Hello"}, {"text": "Hey"}]
    assert body["start_at"] == "2026-12-01T09:00:00-03:00"


@pytest.mark.parametrize("verb", ["start", "pause", "resume", "cancel"])
def test_a_campaign_is_moved(run: Callable[..., str], rest: FakeRest, verb: str) -> None:
    rest.answers = {f"POST /v1/campaigns/c1:{verb}": CAMPAIGN}

    assert "progress  1 of 4: sent 1" in run(verb, "c1")


def test_status_follows_until_the_end_and_shows_the_variants(run: Callable[..., str], rest: FakeRest) -> None:
    stopped = {**CAMPAIGN, "state": "STOPPED", "stop_cause": "OPT_OUTS", "stop_detail": "too many"}
    looks = iter([CAMPAIGN, CAMPAIGN, stopped])
    variant = {
        "name": "A",
        "sent": 3,
        "delivered": 2,
        "read": 1,
        "replied": 1,
        "reply_share": 0.5,
        "leads": True,
    }

    def look(_: dict[str, Any]) -> Any:
        return next(looks)

    rest.answers = {
        "GET /v1/campaigns/c1": look,
        "POST /v1/campaigns/c1:plan": PLAN,
        "GET /v1/campaigns/c1/results": {"variants": [variant]},
    }

    output = run("status", "c1", "--follow")

    assert "ends about 2026-03-02 16:59 UTC" in output

    assert "stopped   OPT_OUTS: too many" in output
    assert "variant   A: sent 3, delivered 2, read 1, replied 1 (50%), leads" in output


def test_what_cannot_be_planned_is_followed_without_an_end(run: Callable[..., str], rest: FakeRest) -> None:
    looks = iter([CAMPAIGN, {**CAMPAIGN, "state": "COMPLETED"}])
    rest.answers = {
        "GET /v1/campaigns/c1": lambda _: next(looks),
        "GET /v1/campaigns/c1/results": {"variants": []},
    }

    output = run("status", "c1", "--follow")

    assert "state     COMPLETED" in output
    assert "ends about" not in output


def test_a_variant_may_name_a_file_beside_the_texts(
    run: Callable[..., str], rest: FakeRest, tmp_path: Path
) -> None:
    (tmp_path / "offer.png").write_bytes(b"a picture")
    texts = tmp_path / "texts.txt"
    texts.write_text("image: offer.png\nLook, {name}\n\nPlain words\n")
    rest.answers = {"POST /v1/media": {"id": "m1"}, "POST /v1/campaigns": CAMPAIGN}

    assert "campaign  c1" in run("create", "--list", "l1", "--session", "s1", "--variants", str(texts))

    [body] = [body for call, body, _ in rest.calls if call == "POST /v1/campaigns"]
    assert body["variants"] == [
        {"text": "Look, {name}", "file": {"kind": "IMAGE", "media_id": "m1"}},
        {"text": "Plain words"},
    ]


def test_a_variants_file_that_is_not_there_is_named(run: Callable[..., str], tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("document: nowhere.pdf\n")
    with pytest.raises(StartupError, match=r"nowhere\.pdf"):
        run("create", "--list", "l1", "--session", "s1", "--variants", str(texts))


def test_an_import_that_names_no_file_says_so(run: Callable[..., str]) -> None:
    with pytest.raises(StartupError, match="no file"):
        run("import", "missing.csv")


def test_bars_gather_hours_until_they_fit() -> None:
    curve = {START + timedelta(hours=hour): 1 for hour in range(100)}

    hours, days = bars_of(curve, 100), bars_of(curve, 5)

    assert hours is not None
    assert days is not None
    assert (len(hours.counts), hours.what) == (100, "messages per hour")
    assert (list(days.counts), days.what) == ([24, 24, 24, 24, 4], "messages per day")
    assert bars_of({}, 10) is None


def test_a_drawing_has_the_height_of_its_counts() -> None:
    bars = bars_of({START: 80, START + timedelta(hours=2): 1, START + timedelta(hours=3): 40}, 50)
    assert bars is not None

    lines = draw(bars)

    assert len(lines) == ROWS + 2
    assert lines[0].endswith("┤█")
    assert lines[ROWS - 1] == "      0 ┤█ ▁█"
    assert "&lt;" in svg(bars, "<title>")
