"""`ponte audit ...`: who did what, through a running Ponte."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import typer

from orchestrator.cli.client import PonteClient
from orchestrator.cli.company import local_url
from orchestrator.config import load_settings

app = typer.Typer(help="The audit log of a company.", no_args_is_help=True)


@app.command("export")
def export(
    key: Annotated[str, typer.Option(envvar="PONTE_KEY", help="The company's key")],
    out: Annotated[Path, typer.Option(help="The CSV file to write")] = Path("audit.csv"),
    action: Annotated[str, typer.Option(help="Only this action, such as campaign.sent")] = "",
    subject: Annotated[str, typer.Option(help="Only what was done to this: a session, a campaign")] = "",
    since: Annotated[str, typer.Option(help="RFC 3339, such as 2026-12-01T00:00:00Z")] = "",
    until: Annotated[str, typer.Option(help="Before that moment")] = "",
    url: Annotated[str, typer.Option(help="Where Ponte answers; this machine's where not given")] = "",
) -> None:
    """Write the audit log to a CSV file, oldest first."""
    given = {"action": action, "subject": subject, "since": since, "until": until}
    query = urlencode({name: value for name, value in given.items() if value})

    async def work() -> None:
        async with PonteClient.connect(url or local_url(load_settings()), key) as client:
            content = await client.get_bytes(f"/v1/audit.csv?{query}")
        out.write_bytes(content)
        typer.echo(f"{content.count(bytes([10])) - 1} entries in {out}")

    asyncio.run(work())
