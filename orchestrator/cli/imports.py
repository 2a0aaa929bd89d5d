"""`ponte import ...`: exported chats, and how far imports are, through a running Ponte."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.calling import Key, Url, call
from orchestrator.cli.client import Json, PonteClient
from orchestrator.cli.following import Standing, follow
from orchestrator.domain.exported_chat.lines import DateOrder
from orchestrator.startup import StartupError

app = typer.Typer(help="Conversations from before: exported chats, phones' histories.", no_args_is_help=True)

_GOES_ON = frozenset({"WAITING", "RUNNING"})
_GOOD = "COMPLETED"
_LISTED = 50


@app.command("chat")
def chat(
    file: Annotated[Path, typer.Argument(help="The .txt or .zip that WhatsApp exported")],
    key: Key,
    session: Annotated[str, typer.Option(help="The session of the number whose chat it is")],
    chat_of: Annotated[str, typer.Option("--chat", help="The other side's number, or a group's jid")],
    own_name: Annotated[str, typer.Option(help="How the person who exported the chat is named in it")],
    time_zone: Annotated[str, typer.Option(help="IANA name of the zone of the file's times")] = "UTC",
    date_order: Annotated[
        DateOrder | None,
        typer.Option(case_sensitive=False, help="Where the file does not tell the order of its dates"),
    ] = None,
    url: Url = "",
) -> None:
    """Import an exported chat and follow it to its end; exit code 1 where it failed."""
    if not file.is_file():
        raise StartupError(f"There is no file {file}.")

    async def work(client: PonteClient) -> None:
        media = await client.upload("/v1/media", file)
        wanted: Json = {
            "session_id": session,
            "media_id": media["id"],
            "chat": chat_of,
            "own_name": own_name,
            "time_zone": time_zone,
        }
        if date_order is not None:
            wanted["date_order"] = date_order.value
        begun = await client.post("/v1/imports", wanted)
        typer.echo(f"import    {begun['id']}")
        await _watch(client, begun)

    call(url, key, work)


@app.command("watch")
def watch(import_id: Annotated[str, typer.Argument(help="The import's id")], key: Key, url: Url = "") -> None:
    """Follow an import to its end; exit code 1 where it failed or was cancelled."""

    async def work(client: PonteClient) -> None:
        await _watch(client, await client.get(f"/v1/imports/{import_id}"))

    call(url, key, work)


@app.command("list")
def list_(
    key: Key,
    session: Annotated[str, typer.Option(help="Of this session only")] = "",
    url: Url = "",
) -> None:
    """List the newest imports."""

    async def work(client: PonteClient) -> None:
        page = await client.get(f"/v1/imports?page_size={_LISTED}&session_id={session}")
        for one in page["imports"]:
            typer.echo(
                f"{one['id']}  {one['kind']:<7}  {one['state']:<9}  {one['percent']:>3}%  {_counted(one)}"
            )

    call(url, key, work)


async def _watch(client: PonteClient, seen: Json) -> None:
    began, read_before = time.monotonic(), seen["counts"]["read"]

    async def standing_of(value: Json) -> Standing:
        counts = value["counts"]
        ends = _ends(time.monotonic() - began, counts["read"] - read_before, counts["total"] - counts["read"])
        return Standing(value["state"], counts["read"], counts["total"], ends)

    ended = await follow(lambda: client.get(f"/v1/imports/{seen['id']}"), seen, standing_of, _GOES_ON)
    typer.echo(f"state     {ended['state']}")
    typer.echo(f"messages  {_counted(ended)}")
    if "error" in ended:
        typer.echo(f"error     {ended['error']['code']}: {ended['error']['detail']}")
    if ended["state"] != _GOOD:
        raise typer.Exit(1)


def _ends(elapsed_s: float, read: int, left: int) -> str:
    return f"about {elapsed_s * left / read:.0f} s left" if read > 0 and left > 0 else ""


def _counted(value: Json) -> str:
    counts = value["counts"]
    return (
        f"{counts['read']} of {counts['total']}: added {counts['added']}, known {counts['known']}, "
        f"skipped {counts['skipped']}"
    )
