"""The command `ponte`."""

from __future__ import annotations

import sys

import typer

from orchestrator.cli import (
    audit,
    campaign,
    company,
    config_table,
    imports,
    keys,
    migrate,
    session,
    simulator,
    split,
    up,
    version,
)
from orchestrator.cli.demo import command as demo
from orchestrator.startup import StartupError

app = typer.Typer(
    name="ponte",
    help="A multi-tenant WhatsApp gateway: REST, gRPC and webhooks over the real Baileys.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.command("api")(split.api)
app.command("worker")(split.worker)
app.command("gateway")(split.gateway)
app.command("migrate")(migrate.migrate)
app.command("config")(config_table.config)
app.command("demo")(demo.demo)
app.command("simulator")(simulator.simulator)
app.command("version")(version.version)
app.add_typer(audit.app, name="audit")
app.add_typer(campaign.app, name="campaign")
app.add_typer(company.app, name="company")
app.add_typer(imports.app, name="import")
app.add_typer(keys.app, name="keys")
app.add_typer(session.app, name="session")


def main() -> None:
    """Run the command; an error that the user can mend is one sentence and exit code 1."""
    try:
        app()
    except StartupError as error:
        print(f"ponte: {error}", file=sys.stderr)  # noqa: T201 - the terminal is where it belongs
        sys.exit(1)


if __name__ == "__main__":
    main()
