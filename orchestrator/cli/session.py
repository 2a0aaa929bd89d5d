"""`ponte session ...`: linking a number from the terminal, through a running Ponte, and commands of other files."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from orchestrator.cli import session_audit, session_transfer
from orchestrator.cli.client import CallFailedError, PonteClient
from orchestrator.cli.company import local_url
from orchestrator.cli.qr import draw_qr
from orchestrator.config import load_settings
from orchestrator.startup import StartupError

app = typer.Typer(help="Sessions: linking, moving in and out, checking.", no_args_is_help=True)
app.command("export")(session_transfer.export)
app.command("import")(session_transfer.import_)
app.command("audit")(session_audit.audit)

RISK_NOTICE = (
    "Ponte links as an unofficial client, which is against WhatsApp's terms: the number may be restricted. "
    "Message only people who agreed to it; for volume, use WhatsApp's Cloud API."
)
_LONGEST_PAIRING_S = 180
_LOOK_EVERY_S = 1.0
_FINAL_STATES = {"LOGGED_OUT", "REPLACED", "BANNED", "STOPPED"}


@app.command("pair")
def pair(
    key: Annotated[str, typer.Option(envvar="PONTE_KEY", help="The company's key")],
    session_id: Annotated[
        str, typer.Option("--session", help="A session to pair again; a new one by default")
    ] = "",
    name: Annotated[str, typer.Option(help="Name of the new session")] = "main",
    url: Annotated[str, typer.Option(help="Where Ponte's REST is")] = "",
) -> None:
    """Link a WhatsApp number: shows the QR in the terminal until a phone has scanned it."""
    asyncio.run(_pair(url or local_url(load_settings()), key, session_id, name))


async def _pair(url: str, key: str, session_id: str, name: str) -> None:
    console = Console()
    console.print(f"[yellow]{RISK_NOTICE}[/yellow]")
    async with PonteClient.connect(url, key) as client:
        if not session_id:
            session_id = (await client.post("/v1/sessions", {"name": name}))["id"]
        offer = await client.post(f"/v1/sessions/{session_id}:pair", {})
        _show(console, offer["qr"])
        async with asyncio.timeout(_LONGEST_PAIRING_S):
            session = await _until_linked(console, client, session_id, offer["qr"])
    console.print(f"[green]Linked[/green] {session['phone_number']} as session {session_id}")


async def _until_linked(console: Console, client: PonteClient, session_id: str, shown: str) -> dict[str, str]:
    while True:
        session = await client.get(f"/v1/sessions/{session_id}")
        if session["state"] == "CONNECTED":
            return session
        if session["state"] in _FINAL_STATES:
            raise StartupError(f"The session ended as {session['state']}: run 'ponte session pair' again.")
        try:
            offer = await client.get(f"/v1/sessions/{session_id}/qr")
        except CallFailedError:
            offer = {}
        if offer.get("qr") and offer["qr"] != shown:
            shown = offer["qr"]
            _show(console, shown)
        await asyncio.sleep(_LOOK_EVERY_S)


def _show(console: Console, qr: str) -> None:
    console.print("On the phone: WhatsApp, Settings, Linked devices, Link a device. Then scan:")
    typer.echo(draw_qr(qr))
