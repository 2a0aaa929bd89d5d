"""`ponte keys ...`: encryption keys of data at rest, also while Ponte runs."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from orchestrator.cli.encryption_key_file import EncryptionKeyFile, key_id, new_key
from orchestrator.cli.key_files import EncryptionKeys, kept_encryption_keys, read_secret
from orchestrator.cli.wiring.desk import open_desk
from orchestrator.config import Settings, decode_encryption_key, load_settings
from orchestrator.services.key_rotation import KeyRotation, Pass
from orchestrator.startup import StartupError
from orchestrator.store.sealed_rows import SEALED_KINDS

app = typer.Typer(help="Encryption keys of data at rest.", no_args_is_help=True)

SETTLE_S = 30.0
"""How long an old key is kept at least: running processes follow within a second, and writes on their way land."""

_LOOK_EVERY_S = 0.5


@app.command("list")
def list_keys() -> None:
    """Show every encryption key and how many rows it seals."""
    settings = load_settings()
    asyncio.run(_list(settings))


@app.command("rotate")
def rotate(
    key_file: Annotated[
        Path | None,
        typer.Option(help="Take the new key (32 bytes in base64) from this file; - for standard input"),
    ] = None,
    re_encrypt_only: Annotated[
        bool, typer.Option("--re-encrypt-only", help="Make no new key: seal all rows with the current one")
    ] = False,
    settle_seconds: Annotated[
        float, typer.Option(min=0, help="Seconds that the old key is kept at least, for running processes")
    ] = SETTLE_S,
) -> None:
    """Make a new encryption key current and re-encrypt everything with it; one that was interrupted is gone on with."""
    settings = load_settings()
    keys = kept_encryption_keys(settings, settings.data_dir.absolute())
    given = _given_key(key_file)
    if keys.file is None:
        if given is not None:
            raise StartupError(
                "The key is set by PONTE_ENCRYPTION_KEY, so a command cannot change it: "
                "set the new one there and the old one in PONTE_ENCRYPTION_OLD_KEYS, then run this again."
            )
        asyncio.run(_re_encrypt_given(settings))
        return
    with keys.file.locked():
        asyncio.run(
            _rotate(settings, keys.file, given, re_encrypt_only=re_encrypt_only, settle_s=settle_seconds)
        )


async def _list(settings: Settings) -> None:
    async with open_desk(settings) as desk:
        rotation = KeyRotation(desk.database, desk.vault)
        uses = {use.key_id: use for use in await rotation.uses()}
        known = [*desk.keys.keys, *await rotation.noted_keys(), *uses]
    kinds = [kind.name for kind in SEALED_KINDS]
    table = Table("key", "state", *kinds, "rows", box=None, pad_edge=False, header_style="bold")
    for name in dict.fromkeys(known):
        use = uses.get(name)
        counts = [str(use.rows.get(kind, 0)) if use else "0" for kind in kinds]
        table.add_row(name or "(unreadable)", _state(name, desk.keys), *counts, str(use.total if use else 0))
    Console(width=_width()).print(table)


async def _rotate(
    settings: Settings,
    file: EncryptionKeyFile,
    given: bytes | None,
    *,
    re_encrypt_only: bool,
    settle_s: float,
) -> None:
    kept = file.read()
    if given is not None and given in kept[1:]:
        raise StartupError("The given key is an old one of this Ponte: give one that was never used.")
    if len(kept) > 1 and (given is None or given == kept[0]):
        typer.echo(f"Going on with the rotation to key {key_id(kept[0])}.")
    elif not re_encrypt_only and given != kept[0]:
        kept = [given or new_key(), *kept]
        file.write(kept)
        typer.echo(f"Key {key_id(kept[0])} is current; running processes follow within a second.")
    async with open_desk(settings) as desk:
        rotation = KeyRotation(desk.database, desk.vault)
        await _re_encrypt(rotation, desk.vault.current, until=time.monotonic() + settle_s)
        unused = await _forget_unused(rotation, desk.keys.keys, desk.vault.current)
    left = [key for key in kept[1:] if key_id(key) not in unused]
    if len(left) < len(kept) - 1:
        file.write([kept[0], *left])
    for name in unused:
        typer.echo(f"Key {name} sealed nothing any more and is dropped.")


async def _re_encrypt_given(settings: Settings) -> None:
    """The environment gives the keys: an operator takes the old one out."""
    async with open_desk(settings) as desk:
        rotation = KeyRotation(desk.database, desk.vault)
        await _re_encrypt(rotation, desk.vault.current)
        for name in await _forget_unused(rotation, desk.keys.keys, desk.vault.current):
            typer.echo(f"Key {name} seals nothing any more: take it out of PONTE_ENCRYPTION_OLD_KEYS.")


async def _re_encrypt(rotation: KeyRotation, current: str, until: float = 0.0) -> None:
    """Pass over all rows until nothing is under another key, at least until this moment of the monotonic clock."""
    await rotation.note_current_key()
    rows = sum(use.total for use in await rotation.uses() if use.key_id != current)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("rows", total=rows)
        done = await rotation.re_encrypt(lambda count: progress.advance(task, count))
        total = done.sealed_anew
        while time.monotonic() < until or (done.sealed_anew and not done.unreadable):
            progress.update(task, description="waiting for writes under the old key")
            await asyncio.sleep(min(_LOOK_EVERY_S, max(0.0, until - time.monotonic())))
            done = await rotation.re_encrypt(lambda _: None)
            total += done.sealed_anew
    typer.echo(f"{total} rows were sealed anew with key {current}.")
    _demand_readable(done)


async def _forget_unused(rotation: KeyRotation, keys: Iterable[str], current: str) -> list[str]:
    """Forget those of the keys, and of the ones noted in the database, that seal nothing any more; gives their ids."""
    known = dict.fromkeys([*keys, *await rotation.noted_keys()])
    return [name for name in known if name != current and await rotation.forget(name)]


def _demand_readable(done: Pass) -> None:
    if not done.unreadable:
        return
    rows = ", ".join(
        f"{count} {kind} under key {key or '?'}" for (kind, key), count in done.unreadable.items()
    )
    raise StartupError(
        f"These rows cannot be opened, so their key is kept: {rows}. Give the keys that are missing, "
        "or pair those sessions and make those webhooks again."
    )


def _given_key(key_file: Path | None) -> bytes | None:
    if key_file is None:
        return None
    try:
        return decode_encryption_key(sys.stdin.read() if str(key_file) == "-" else read_secret(key_file))
    except ValueError as error:
        raise StartupError(f"The given key cannot be used: {error}.") from None


def _state(name: str, keys: EncryptionKeys) -> str:
    if name == keys.current:
        return "current"
    return "old" if name in keys.keys else "missing"


def _width() -> int | None:
    """A table that goes to a file or another program is not wrapped."""
    return None if sys.stdout.isatty() else 200
