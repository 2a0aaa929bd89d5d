"""`ponte company ...`: what an administrator does, through a running Ponte."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from orchestrator.cli.client import PonteClient
from orchestrator.cli.key_files import ADMIN_KEY_FILE, read_secret
from orchestrator.config import Settings, load_settings
from orchestrator.startup import StartupError

app = typer.Typer(help="Companies, with the administrator's key.", no_args_is_help=True)


@app.command("create")
def create(name: Annotated[str, typer.Argument(help="The company's name")]) -> None:
    """Make a company and a key with all scopes; the key is shown this once."""
    settings = load_settings()
    asyncio.run(_create(local_url(settings), kept_admin_key(settings), name))


async def _create(url: str, admin_key: str, name: str) -> None:
    async with PonteClient.connect(url, admin_key) as client:
        company = await client.post("/v1/companies", {"name": name})
        key = await client.post(f"/v1/companies/{company['id']}/keys", {"name": "first key"})
    typer.echo(f"company  {company['id']}")
    typer.echo(f"key      {key['key']}")


def local_url(settings: Settings) -> str:
    """Return the REST address of the Ponte that runs with these settings on this machine."""
    host, port = settings.http_addr
    return f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"  # noqa: S104 - compared, not bound


def kept_admin_key(settings: Settings) -> str:
    """Return the administrator's key of the Ponte that runs here; raises StartupError where there is none yet."""
    if settings.admin_key:
        return settings.admin_key.get_secret_value()
    file = settings.data_dir / ADMIN_KEY_FILE
    if not file.exists():
        raise StartupError(
            f"There is no administrator's key in {file}: start 'ponte up' first, or set PONTE_ADMIN_KEY."
        )
    return read_secret(file)
