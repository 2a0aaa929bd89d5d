"""The command `ponte`."""

from __future__ import annotations

import importlib
import sys
from typing import Any, Final

import typer
import typer.core
import typer.main

from orchestrator.startup import StartupError

_COMMANDS: Final = {
    "up": "up:up",
    "api": "split:api",
    "worker": "split:worker",
    "gateway": "split:gateway",
    "migrate": "migrate:migrate",
    "config": "config_table:config",
    "demo": "demo.command:demo",
    "simulator": "simulator:simulator",
    "version": "version:version",
    "audit": "audit:app",
    "campaign": "campaign:app",
    "company": "company:app",
    "import": "imports:app",
    "keys": "keys:app",
    "session": "session:app",
}
"""Each command's module in this package, and what in it is the command or the group of commands."""


# Typer exports neither the type of its commands nor that of their context.
class CommandsOnDemand(typer.core.TyperGroup):
    """Imports a command when it is asked for: the whole of Ponte takes a second or two to import, a client does not."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Give the names of all commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Look a command up; None where there is none of this name."""
        # For a name that does not exist all are loaded, since the nearest of them is suggested.
        wanted = [cmd_name] if cmd_name in _COMMANDS else list(_COMMANDS)
        for name in wanted:
            if name not in self.commands:
                self.add_command(_load(name), name)
        return super().get_command(ctx, cmd_name)


def _load(name: str) -> Any:
    module, attribute = _COMMANDS[name].split(":")
    found = getattr(importlib.import_module(f"orchestrator.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        group = typer.main.get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return typer.main.get_command(alone)


app = typer.Typer(
    name="ponte",
    cls=CommandsOnDemand,
    help="A multi-tenant WhatsApp gateway: REST, gRPC and webhooks over the real Baileys.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _ponte() -> None:
    """Make this a group of commands; they are found by `CommandsOnDemand`."""


def main() -> None:
    """Run the command; an error that the user can mend is one sentence and exit code 1."""
    try:
        app()
    except StartupError as error:
        print(f"ponte: {error}", file=sys.stderr)  # noqa: T201 - the terminal is where it belongs
        sys.exit(1)


if __name__ == "__main__":
    main()
