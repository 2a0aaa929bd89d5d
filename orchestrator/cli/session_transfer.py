"""`ponte session export` and `ponte session import`: a linked number as Baileys' auth folder, without a new QR."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.auth_folder_files import read_auth_folder, write_auth_folder
from orchestrator.cli.wiring.desk import open_checked_desk
from orchestrator.config import Settings, load_settings
from orchestrator.domain.auth_folder import AuthFolder
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.services.session_transfer import Imported, IncompleteFolderError, SessionTransfer
from orchestrator.startup import StartupError
from orchestrator.store.vault import VaultError


def export(
    session_id: Annotated[str, typer.Argument(help="The session; it must be stopped")],
    to: Annotated[Path, typer.Option(help="Folder to make")],
) -> None:
    """Write a stopped session's credentials and keys as Baileys' multi-file auth folder."""
    folder = asyncio.run(_export(load_settings(), session_id))
    write_auth_folder(to, folder)
    typer.echo(
        f"{len(folder.keys)} keys and the credentials are in {to}. Whoever has them is the linked device."
    )
    typer.echo("Start only one of the two, that folder or this session: the second throws the first one out.")


def import_(
    name: Annotated[str, typer.Option(help="Name of the new session")],
    company: Annotated[str, typer.Option(help="Id of the company that gets it")],
    from_: Annotated[Path, typer.Option("--from", help="Baileys' multi-file auth folder")],
) -> None:
    """Make a linked session of Baileys' multi-file auth folder; whatever used the folder must be stopped."""
    try:
        folder, strangers = read_auth_folder(from_)
        imported = asyncio.run(_import(load_settings(), CompanyScope(company), name, folder))
    except IncompleteFolderError as error:
        for problem in error.problems:
            typer.echo(f"- {problem}", err=True)
        raise StartupError(
            f"{from_} was not imported: {len(error.problems)} things are missing or broken."
        ) from None
    if strangers:
        typer.echo(f"Left out, for they are no part of it: {', '.join(strangers)}")
    for remark in imported.remarks:
        typer.echo(f"Note: {remark}")
    session = imported.session
    typer.echo(f"{session.me.phone_number} is linked as session {session.id}, which is {session.state}.")
    typer.echo(f"Start it with POST /v1/sessions/{session.id}:start once nothing else uses {from_}.")


async def _export(settings: Settings, session_id: str) -> AuthFolder:
    async with open_checked_desk(settings) as desk:
        try:
            return await SessionTransfer(desk.context()).export(session_id)
        except PonteError as error:
            raise StartupError(error.sentence) from None
        except VaultError as error:
            raise StartupError(f"The session's credentials cannot be opened: {error}.") from None


async def _import(settings: Settings, scope: CompanyScope, name: str, folder: AuthFolder) -> Imported:
    async with open_checked_desk(settings) as desk:
        try:
            return await SessionTransfer(desk.context()).import_folder(scope, name, folder)
        except PonteError as error:
            details = " ".join(violation.description for violation in error.violations)
            raise StartupError(f"{error.sentence} {details}".strip()) from None
