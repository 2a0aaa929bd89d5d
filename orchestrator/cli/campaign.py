"""`ponte campaign ...`: lists, campaigns, their forecast and their progress, through a running Ponte."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from orchestrator.cli.calling import Key, Url, call
from orchestrator.cli.campaign_curve import bars_of, draw, svg
from orchestrator.cli.client import CallFailedError, Json, PonteClient
from orchestrator.cli.following import Standing, follow
from orchestrator.startup import StartupError

app = typer.Typer(help="Campaigns: recipients, forecast, start, progress.", no_args_is_help=True)

_PLAN_EVERY_S = 60.0
"""A forecast of a large campaign takes seconds."""
_AXIS_COLUMNS = 12
_MOST_SVG_BARS = 400
_VARIANTS_HELP = (
    "A file of texts, at least 5, with empty lines between; a first line such as 'image: offer.png' (video:, document:)"
    " sends that file with the text as its caption"
)
_FILE_LINE = re.compile(r"(?P<kind>image|video|document):(?P<path>[^\n]+)\n?")
_GOES_ON = frozenset({"SCHEDULED", "RUNNING"})


@dataclass(frozen=True, slots=True)
class _Wording:
    text: str
    kind: str = ""
    path: Path | None = None


Id = Annotated[str, typer.Argument(help="The campaign's id")]


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV (UTF-8) or XLSX with a column phone_number")],
    key: Key,
    list_id: Annotated[str, typer.Option("--list", help="The list to fill; a new one by default")] = "",
    name: Annotated[str, typer.Option(help="Name of the new list; the file's by default")] = "",
    region: Annotated[str, typer.Option(help="Of numbers without a country code, such as BR")] = "",
    report: Annotated[Path | None, typer.Option(help="Write the reported lines here, as CSV")] = None,
    url: Url = "",
) -> None:
    """Take recipients in from a file; every line is counted, and told where it was not simply taken in."""
    if not file.is_file():
        raise StartupError(f"There is no file {file}.")

    async def work(client: PonteClient) -> None:
        into = list_id or await _new_list(client, name or file.stem, region)
        done = await client.upload(f"/v1/recipient-lists/{into}:import", file)
        typer.echo(f"list      {into}")
        typer.echo(f"lines     {done['lines']}, new on the list {done['accepted']}")
        for reason, count in sorted(done["reported"].items()):
            typer.echo(f"          {count} {reason}")
        if report is not None:
            path = f"/v1/recipient-lists/{into}/imports/{done['id']}/lines.csv"
            report.write_bytes(await client.get_bytes(path))
            typer.echo(f"report    {report}")

    call(url, key, work)


@app.command("create")
def create(
    key: Key,
    list_id: Annotated[str, typer.Option("--list", help="The recipient list's id")],
    session: Annotated[list[str], typer.Option(help="A session's id; give several to spread the campaign")],
    variants: Annotated[Path, typer.Option(help=_VARIANTS_HELP)],
    name: Annotated[str, typer.Option(help="The campaign's name")] = "campaign",
    language: Annotated[str, typer.Option(help="Of {greeting} and {date}: en, pt, es, fr")] = "en",
    time_zone: Annotated[str, typer.Option(help="IANA name, for numbers that tell no zone")] = "UTC",
    start_at: Annotated[str, typer.Option(help="RFC 3339, such as 2026-12-01T09:00:00-03:00")] = "",
    url: Url = "",
) -> None:
    """Set a campaign up; nothing is sent before `start`."""
    texts = [text.strip() for text in re.split(r"\n\s*\n", variants.read_text(encoding="utf-8"))]
    wordings = [_wording(text, variants.parent) for text in texts if text]
    body: Json = {
        "name": name,
        "recipient_list_id": list_id,
        "session_ids": session,
        "language": language,
        "time_zone": time_zone,
    }
    if start_at:
        body["start_at"] = start_at

    async def work(client: PonteClient) -> None:
        body["variants"] = [await _uploaded(client, wording) for wording in wordings]
        typer.echo(f"campaign  {(await client.post('/v1/campaigns', body))['id']}")

    call(url, key, work)


@app.command("plan")
def plan(
    campaign_id: Id,
    key: Key,
    svg_file: Annotated[Path | None, typer.Option("--svg", help="Write the curve to this file")] = None,
    url: Url = "",
) -> None:
    """Foretell a campaign: when it ends, how fast it goes, what holds it up, its risks. Sends nothing."""

    async def work(client: PonteClient) -> None:
        campaign = await client.get(f"/v1/campaigns/{campaign_id}")
        told = await client.post(f"/v1/campaigns/{campaign_id}:plan")
        show_plan(Console(), campaign["name"], told)
        if svg_file is not None:
            bars = bars_of(_curve(told), _MOST_SVG_BARS)
            if bars is None:
                raise StartupError("Nothing would be sent, so there is no curve to draw.")
            svg_file.write_text(svg(bars, campaign["name"]), encoding="utf-8")
            typer.echo(f"curve     {svg_file}")

    call(url, key, work)


@app.command("start")
def start(
    campaign_id: Id,
    key: Key,
    follow: Annotated[bool, typer.Option(help="Show the progress until it ends")] = False,
    url: Url = "",
) -> None:
    """Begin, at once or at its time."""
    _move(url, key, campaign_id, "start", follow=follow)


@app.command("pause")
def pause(campaign_id: Id, key: Key, url: Url = "") -> None:
    """Take back what waits and was never tried."""
    _move(url, key, campaign_id, "pause")


@app.command("resume")
def resume(campaign_id: Id, key: Key, url: Url = "") -> None:
    """Go on after a pause or a stop."""
    _move(url, key, campaign_id, "resume")


@app.command("cancel")
def cancel(campaign_id: Id, key: Key, url: Url = "") -> None:
    """End it for good."""
    _move(url, key, campaign_id, "cancel")


@app.command("status")
def status(
    campaign_id: Id,
    key: Key,
    follow: Annotated[bool, typer.Option(help="Show the progress until it ends")] = False,
    url: Url = "",
) -> None:
    """Tell where a campaign stands, and how each variant did."""

    async def work(client: PonteClient) -> None:
        campaign = await client.get(f"/v1/campaigns/{campaign_id}")
        if follow:
            campaign = await _followed(client, campaign)
        _show(campaign)
        for variant in (await client.get(f"/v1/campaigns/{campaign_id}/results"))["variants"]:
            leads = ", leads" if variant["leads"] else ""
            typer.echo(
                f"variant   {variant['name']}: sent {variant['sent']}, delivered {variant['delivered']}, "
                f"read {variant['read']}, replied {variant['replied']} ({variant['reply_share']:.0%}){leads}"
            )

    call(url, key, work)


def show_plan(console: Console, name: str, told: Json) -> None:
    """Print a plan with its curve."""
    console.print(f"[bold]{name}[/bold]: {told['recipients']} recipients")
    if "ends_at" in told:
        console.print(f"starts    {_time(told['starts_at']):%Y-%m-%d %H:%M} UTC")
        console.print(f"ends      {_time(told['ends_at']):%Y-%m-%d %H:%M} UTC")
    bars = bars_of(_curve(told), max(20, console.width - _AXIS_COLUMNS))
    for line in draw(bars) if bars else []:
        console.print(line, highlight=False, markup=False)
    for cap in told["caps"]:
        console.print(
            f"held by   {cap['words']} for {cap['seconds'] / 3600:.1f} h in all",
            highlight=False,
            markup=False,
        )
    for risk in told["risks"]:
        console.print(f"risk      {risk}", style="yellow", highlight=False, markup=False)


def _curve(told: Json) -> dict[datetime, int]:
    return {_time(hour["at"]): hour["messages"] for hour in told["curve"]}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _move(url: str, key: str, campaign_id: str, verb: str, *, follow: bool = False) -> None:
    async def work(client: PonteClient) -> None:
        campaign = await client.post(f"/v1/campaigns/{campaign_id}:{verb}")
        _show(await _followed(client, campaign) if follow else campaign)

    call(url, key, work)


def _wording(block: str, folder: Path) -> _Wording:
    """A text as it stands in the file; its first line may name a file to send, beside the texts."""
    named = _FILE_LINE.match(block)
    if named is None:
        return _Wording(block)
    path = folder / named["path"].strip()
    if not path.is_file():
        raise StartupError(f"There is no file {path}, which a variant names.")
    return _Wording(block[named.end() :].strip(), named["kind"].upper(), path)


async def _uploaded(client: PonteClient, wording: _Wording) -> Json:
    if wording.path is None:
        return {"text": wording.text}
    media = await client.upload("/v1/media", wording.path)
    return {"text": wording.text, "file": {"kind": wording.kind, "media_id": media["id"]}}


async def _new_list(client: PonteClient, name: str, region: str) -> str:
    made = await client.post("/v1/recipient-lists", {"name": name, "region": region})
    return str(made["id"])


async def _followed(client: PonteClient, campaign: Json) -> Json:
    """Show the progress of a campaign until it goes on no more, with the time at which its plan says it ends."""
    ends, planned_at = "", -_PLAN_EVERY_S

    async def standing_of(seen: Json) -> Standing:
        nonlocal ends, planned_at
        if seen["state"] in _GOES_ON and time.monotonic() - planned_at >= _PLAN_EVERY_S:
            planned_at = time.monotonic()
            ends = await _planned_end(client, seen["id"])
        return Standing(seen["state"], seen["progress"]["done"], seen["progress"]["recipients"], ends)

    path = f"/v1/campaigns/{campaign['id']}"
    return await follow(lambda: client.get(path), campaign, standing_of, _GOES_ON)


async def _planned_end(client: PonteClient, campaign_id: str) -> str:
    try:
        told = await client.post(f"/v1/campaigns/{campaign_id}:plan")
    except CallFailedError:
        # What cannot be planned now (a number that is no longer linked) is told by the campaign's own state.
        return ""
    return f"ends about {_time(told['ends_at']):%Y-%m-%d %H:%M} UTC" if "ends_at" in told else ""


def _show(campaign: Json) -> None:
    progress = campaign["progress"]
    typer.echo(f"state     {campaign['state']}")
    if campaign["stop_cause"]:
        typer.echo(f"stopped   {campaign['stop_cause']}: {campaign['stop_detail']}")
    typer.echo(
        f"progress  {progress['done']} of {progress['recipients']}: sent {progress['sent']}, "
        f"failed {progress['failed']}, cancelled {progress['cancelled']}, "
        f"passed over {sum(progress['passed_over'].values())}"
    )
