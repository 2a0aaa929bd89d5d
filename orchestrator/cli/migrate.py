"""`ponte migrate`"""

from __future__ import annotations

from contextlib import nullcontext

import typer
from sqlalchemy.engine import make_url

from orchestrator.cli.data_folder import DataFolder
from orchestrator.config import load_settings
from orchestrator.store.migrations import upgrade


def migrate() -> None:
    """Bring the database to this version's schema; `ponte up` does it too."""
    settings = load_settings()
    url = settings.resolved_database_url
    in_data_folder = settings.database_url is None
    with DataFolder.open(settings.data_dir) if in_data_folder else nullcontext():
        upgrade(url)
    typer.echo(f"The schema of {make_url(url).render_as_string(hide_password=True)} is up to date.")
