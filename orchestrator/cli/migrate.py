"""`ponte migrate`"""

from __future__ import annotations

import asyncio

import typer
from sqlalchemy.engine import make_url

from orchestrator.cli.data_folder import DataFolder
from orchestrator.cli.database import upgrade_database
from orchestrator.config import load_settings


def migrate() -> None:
    """Bring the database to this version's schema; `ponte up` does it too."""
    settings = load_settings()
    url = settings.resolved_database_url
    if settings.database_url is None:
        with DataFolder.open(settings.data_dir):
            asyncio.run(upgrade_database(url))
    else:
        asyncio.run(upgrade_database(url))
    typer.echo(f"The schema of {make_url(url).render_as_string(hide_password=True)} is up to date.")
