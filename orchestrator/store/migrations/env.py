"""Run by Alembic: migrates on the connection that `upgrade` opened, in the transaction that it began."""

from alembic import context
from sqlmodel import SQLModel

from orchestrator.store import models

_TABLES = models.CompanyRow  # importing the models fills the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    transactional_ddl=False,
)
context.run_migrations()
