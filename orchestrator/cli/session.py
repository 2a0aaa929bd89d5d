"""`ponte session ...`: the commands, each of a file of its own."""

from __future__ import annotations

import typer

from orchestrator.cli import session_audit, session_pair, session_transfer

app = typer.Typer(help="Sessions: linking, moving in and out, checking.", no_args_is_help=True)
app.command("pair")(session_pair.pair)
app.command("export")(session_transfer.export)
app.command("import")(session_transfer.import_)
app.command("audit")(session_audit.audit)
