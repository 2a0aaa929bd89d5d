"""What commands share that call a running Ponte with a company's key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from orchestrator.cli.client import PonteClient
from orchestrator.cli.company import local_url
from orchestrator.config import load_settings

Key = Annotated[str, typer.Option(envvar="PONTE_KEY", help="The company's key")]
Url = Annotated[str, typer.Option(help="Where Ponte's REST is")]


def call(url: str, key: str, work: Callable[[PonteClient], Awaitable[None]]) -> None:
    """Do `work` with a client of the Ponte at `url`, or of the one that runs here with the settings of this shell."""

    async def connected() -> None:
        async with PonteClient.connect(url or local_url(load_settings()), key) as client:
            await work(client)

    asyncio.run(connected())
