"""`ponte session audit`: leases, streams, sockets and the database, compared."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import grpc
import typer
from rich.console import Console
from rich.table import Table

from orchestrator.bridge.client import BridgeClient
from orchestrator.cli.wiring.clock import utc_now
from orchestrator.cli.wiring.desk import Desk, open_desk
from orchestrator.cli.wiring.instance import INSTANCE_FILE
from orchestrator.config import Settings, load_settings
from orchestrator.domain.session_audit import Difference, HeldStream, StoredSession, compare
from orchestrator.processes.bridge import bridge_address
from orchestrator.processes.runtime_folder import runtime_folder
from orchestrator.store import session_audit
from orchestrator.store.database import SystemScope

SETTLE_S = 3.0
"""Sessions move: a difference counts when it is still there after so long."""

_BRIDGE_ANSWERS_S = 5.0


@dataclass(frozen=True, slots=True)
class Look:
    """What was there at one moment. `silent` are the bridges that did not answer."""

    sessions: list[StoredSession]
    streams: list[HeldStream]
    silent: list[str]
    differences: list[Difference]


def audit(
    bridge: Annotated[
        list[str] | None,
        typer.Option(
            help="Address of a bridge to ask (unix:/path or host:port), once for each; this machine's by default"
        ),
    ] = None,
    settle_seconds: Annotated[
        float,
        typer.Option(
            min=0, help="Seconds between the two looks; what is gone in the second is no difference"
        ),
    ] = SETTLE_S,
) -> None:
    """Compare leases, streams, sockets and the database; exit code 1 when anything differs."""
    settings = load_settings()
    look = asyncio.run(_audit(settings, bridge or [], settle_seconds))
    _print(look)
    if look.differences or look.silent:
        raise typer.Exit(1)


async def _audit(settings: Settings, bridges: Sequence[str], settle_s: float) -> Look:
    addresses = list(bridges) or [
        settings.bridge_addr or bridge_address(runtime_folder(settings.data_dir.absolute()))
    ]
    owners = None if bridges else _owners_here(settings)
    async with open_desk(settings) as desk:
        first = await _look(desk, addresses, owners)
        if not first.differences and not first.silent:
            return first
        await asyncio.sleep(settle_s)
        second = await _look(desk, addresses, owners)
    still = [difference for difference in second.differences if difference in first.differences]
    return Look(second.sessions, second.streams, second.silent, still)


async def _look(desk: Desk, addresses: Sequence[str], owners: frozenset[str] | None) -> Look:
    answers = await asyncio.gather(*(_streams_at(address) for address in addresses))
    scope = SystemScope()
    async with desk.database.reading(scope) as tx:
        sessions = await session_audit.list_sessions(tx, scope)
    streams = [stream for answer in answers for stream in answer or ()]
    silent = [address for address, answer in zip(addresses, answers, strict=True) if answer is None]
    return Look(sessions, streams, silent, compare(sessions, streams, owners, utc_now()))


async def _streams_at(address: str) -> list[HeldStream] | None:
    """What a bridge holds, None where it does not answer."""
    client = BridgeClient(address)
    try:
        status = await client.status(timeout_s=_BRIDGE_ANSWERS_S)
    except grpc.RpcError:
        return None
    finally:
        await client.close()
    return [
        HeldStream(address, held.session_id, held.company_id, held.fence, held.connected)
        for held in status.sessions
    ]


def _owners_here(settings: Settings) -> frozenset[str]:
    """By which name the Ponte of this data folder holds leases; none where it was never started."""
    file = settings.data_dir / INSTANCE_FILE
    return frozenset([file.read_text(encoding="ascii").strip()] if file.exists() else [])


def _print(look: Look) -> None:
    console = Console(width=None if sys.stdout.isatty() else 240)
    leased = sum(session.is_leased(utc_now()) for session in look.sessions)
    open_sockets = sum(stream.connected for stream in look.streams)
    console.print(
        f"{len(look.sessions)} sessions, {leased} leased, {len(look.streams)} streams, {open_sockets} sockets open"
    )
    for address in look.silent:
        console.print(f"No bridge answers at {address}: is Ponte running? Name others with --bridge.")
    if not look.differences:
        console.print("No differences.")
        return
    table = Table(
        "session", "company", "difference", "what to do", box=None, pad_edge=False, header_style="bold"
    )
    for difference in look.differences:
        table.add_row(difference.session_id, difference.company_id, difference.found, difference.advice)
    console.print(table)
