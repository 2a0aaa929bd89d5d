"""`ponte session pair`: links a number from the terminal, through a running Ponte."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from orchestrator.cli.client import CallFailedError, Json, PonteClient
from orchestrator.cli.company import local_url
from orchestrator.cli.qr import draw_qr
from orchestrator.config import load_settings
from orchestrator.startup import StartupError

RISK_NOTICE = (
    "Ponte links as an unofficial client, which is against WhatsApp's terms: the number may be restricted. "
    "Message only people who agreed to it; for volume, use WhatsApp's Cloud API."
)
_LONGEST_PAIRING_S = 180
_LOOK_EVERY_S = 1.0
_FINAL_STATES = {"LOGGED_OUT", "REPLACED", "BANNED", "STOPPED"}


def pair(
    key: Annotated[str, typer.Option(envvar="PONTE_KEY", help="The company's key")],
    session_id: Annotated[
        str, typer.Option("--session", help="A session to pair again; a new one by default")
    ] = "",
    name: Annotated[str, typer.Option(help="Name of the new session")] = "main",
    phone: Annotated[
        str, typer.Option(help="Show a code to type on this phone (+5511...) instead of a QR")
    ] = "",
    code: Annotated[str, typer.Option(help="The code to show: eight of A-Z and 0-9, with --phone")] = "",
    url: Annotated[str, typer.Option(help="Where Ponte's REST is")] = "",
) -> None:
    """Link a WhatsApp number: shows the QR (or a code) in the terminal until a phone has linked itself."""
    if code and not phone:
        raise StartupError("--code goes with --phone: the number that is to be linked.")
    asked: Json = {"method": "CODE", "phone_number": phone, "custom_code": code} if phone else {}
    asyncio.run(_pair(url or local_url(load_settings()), key, session_id, name, asked))


async def _pair(url: str, key: str, session_id: str, name: str, asked: Json) -> None:
    console = Console()
    console.print(f"[yellow]{RISK_NOTICE}[/yellow]")
    async with PonteClient.connect(url, key) as client:
        if not session_id:
            session_id = (await client.post("/v1/sessions", {"name": name}))["id"]
        offer = await client.post(f"/v1/sessions/{session_id}:pair", asked)
        _show(console, offer)
        try:
            async with asyncio.timeout(_LONGEST_PAIRING_S):
                session = await _until_linked(console, client, session_id, offer)
        except TimeoutError:
            await _cancel(client, session_id)
            raise StartupError("The phone did not link itself in time; run the command again.") from None
        except asyncio.CancelledError:
            await _cancel(client, session_id)
            console.print("The pairing is cancelled.")
            raise
    console.print(f"[green]Linked[/green] {session['phone_number']} as session {session_id}")


async def _cancel(client: PonteClient, session_id: str) -> None:
    await client.post(f"/v1/sessions/{session_id}:stop")


async def _until_linked(console: Console, client: PonteClient, session_id: str, shown: Json) -> Json:
    while True:
        session = await client.get(f"/v1/sessions/{session_id}")
        if session["state"] == "CONNECTED":
            return session
        if session["state"] in _FINAL_STATES:
            raise StartupError(f"The session ended as {session['state']}: run 'ponte session pair' again.")
        if session["state"] == "NEW":
            advice = session.get("last_close", {}).get("advice", "The pairing was ended.")
            raise StartupError(f"{advice} Run: ponte session pair --session {session_id}")
        if shown.get("qr"):
            shown = await _show_newest(console, client, session_id, shown)
        await asyncio.sleep(_LOOK_EVERY_S)


async def _show_newest(console: Console, client: PonteClient, session_id: str, shown: Json) -> Json:
    try:
        offer = await client.get(f"/v1/sessions/{session_id}/qr")
    except CallFailedError:
        return shown
    if offer.get("qr") in ("", None, shown["qr"]):
        return shown
    _show(console, offer)
    return offer


def _show(console: Console, offer: Json) -> None:
    # On a terminal the newest takes the place of the one before, which is worth nothing any more.
    console.clear()
    if offer.get("code"):
        code = f"[bold]{offer['code'][:4]}-{offer['code'][4:]}[/bold]"
        console.print(
            "On the phone: WhatsApp, Settings, Linked devices, Link a device, "
            f"Link with phone number instead. Then type: {code}"
        )
        return
    console.print("On the phone: WhatsApp, Settings, Linked devices, Link a device. Then scan:")
    typer.echo(draw_qr(offer["qr"]))
