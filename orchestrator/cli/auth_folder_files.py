"""Reads and writes Baileys' multi-file auth folder."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from orchestrator.domain.auth_folder import (
    CREDENTIALS_FILE,
    AuthFolder,
    key_file_name,
    parse_key_file_name,
)
from orchestrator.domain.auth_state import AuthKey
from orchestrator.services.session_transfer import IncompleteFolderError
from orchestrator.startup import StartupError


def write_auth_folder(path: Path, folder: AuthFolder) -> None:
    """Make the folder (mode 0700, files 0600), whole or not at all; raises StartupError where it is there already."""
    path = path.absolute()
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise StartupError(f"{path} is there already: give a folder that is not, or an empty one.")
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.mkdir(mode=0o700)
        try:
            for name, content in _files(folder):
                _write(scratch / name, content)
            scratch.replace(path)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise StartupError(f"{path} cannot be written ({error.strerror}): check its parent.") from error


def read_auth_folder(path: Path) -> tuple[AuthFolder, list[str]]:
    """Give what a folder holds, and the names of files that are no part of it.

    Raises IncompleteFolderError naming every file that is broken, StartupError where the folder cannot be read.
    """
    try:
        names = sorted(entry.name for entry in path.iterdir())
        if CREDENTIALS_FILE not in names:
            raise IncompleteFolderError(
                [f"{CREDENTIALS_FILE} is missing; is {path} an auth folder of Baileys?"]
            )
        contents = {name: (path / name).read_bytes() for name in names if _is_ours(path / name)}
    except OSError as error:
        raise StartupError(f"{path} cannot be read ({error.strerror}): check the folder.") from error
    broken = [problem for name, content in contents.items() if (problem := _problem(name, content))]
    if broken:
        raise IncompleteFolderError(broken)
    keys = [
        AuthKey(*key, contents[name].decode())
        for name in contents
        if (key := parse_key_file_name(name)) and contents[name].strip() != b"null"
    ]
    strangers = [name for name in names if name not in contents]
    return AuthFolder(contents[CREDENTIALS_FILE].decode(), keys), strangers


def _files(folder: AuthFolder) -> Iterator[tuple[str, str]]:
    yield CREDENTIALS_FILE, folder.credentials
    for key in folder.keys:
        if key.value is not None:
            yield key_file_name(key.type, key.name), key.value


def _write(file: Path, content: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(content)


def _is_ours(file: Path) -> bool:
    return file.is_file() and (file.name == CREDENTIALS_FILE or parse_key_file_name(file.name) is not None)


def _problem(name: str, content: bytes) -> str:
    if not content.strip():
        return f"{name} is empty: a write was cut off."
    try:
        json.loads(content)
    except ValueError:
        return f"{name} is not JSON: a write was cut off, or it was changed."
    return ""
