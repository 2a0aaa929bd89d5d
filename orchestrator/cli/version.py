"""`ponte version`"""

from __future__ import annotations

import importlib.metadata

import typer


def version() -> None:
    """Print Ponte's version."""
    typer.echo(f"ponte {importlib.metadata.version('ponte')}")
