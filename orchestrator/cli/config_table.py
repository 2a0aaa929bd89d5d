"""`ponte config`"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from dotenv import dotenv_values
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from orchestrator.cli.key_files import ADMIN_KEY_FILE, ENCRYPTION_KEY_FILE
from orchestrator.config import ENV_FILE, PREFIX, Settings, load_settings


class Row(NamedTuple):
    """One setting as it is shown."""

    variable: str
    value: str
    source: str
    description: str


def config() -> None:
    """Print every setting, its value and where it comes from; secrets are masked."""
    table = Table("setting", "value", "source", "what", box=None, pad_edge=False, header_style="bold")
    for row in rows(load_settings()):
        table.add_row(*row)
    console = Console()
    console.print(table)
    for name in unknown_variables():
        console.print(f"[yellow]{name} is set but is no setting of Ponte's.[/yellow]")


def rows(settings: Settings) -> Iterator[Row]:
    """Yield all settings in the order in which they are defined."""
    from_file = {name.upper() for name in dotenv_values(ENV_FILE)}
    from_environment = {name.upper() for name in os.environ}
    kept_files = {"encryption_key": ENCRYPTION_KEY_FILE, "admin_key": ADMIN_KEY_FILE}
    for name, info in Settings.model_fields.items():
        variable = f"{PREFIX}{name.upper()}"
        source = "default"
        if variable in from_environment:
            source = "environment"
        elif variable in from_file:
            source = ENV_FILE
        value = shown(getattr(settings, name))
        if name in kept_files and getattr(settings, name) is None:
            kept = settings.data_dir / kept_files[name]
            value, source = ("***", str(kept)) if kept.exists() else ("", f"made at first start in {kept}")
        yield Row(variable, value, source, info.description or "")


def shown(value: object) -> str:
    """Return a setting's value for reading; a secret is starred, a URL loses its password."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    if not isinstance(value, SecretStr):
        return str(value)
    try:
        return make_url(value.get_secret_value()).render_as_string(hide_password=True)
    except ArgumentError:
        return "***"


def unknown_variables() -> list[str]:
    """Return variables with Ponte's prefix that no setting reads, most likely misspelt."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    return sorted(
        name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known
    )
