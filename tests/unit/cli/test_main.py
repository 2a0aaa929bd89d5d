import subprocess
import sys

import pytest
from typer.testing import CliRunner

from orchestrator.cli.main import app


def test_help_names_every_command_and_says_what_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    for line in (
        "up         Run Ponte",
        "gateway    Run a gateway",
        "demo       Show Ponte at work",
        "import     Conversations from before",
        "session    Sessions: linking",
    ):
        assert line in result.output


@pytest.mark.parametrize(
    ("arguments", "usage"),
    [(["session", "pair"], "ponte session pair"), (["keys"], "ponte keys"), (["up"], "ponte up")],
)
def test_a_command_s_usage_names_it_as_it_is_typed(arguments: list[str], usage: str) -> None:
    result = CliRunner().invoke(app, [*arguments, "--help"])
    assert f"Usage: {usage}" in result.output


def test_a_misspelt_command_is_answered_with_the_nearest() -> None:
    result = CliRunner().invoke(app, ["sesion"])
    assert result.exit_code == 2
    assert "Did you mean 'session'" in result.output


def test_a_command_imports_no_other() -> None:
    """A client's start would otherwise take as long as the server's."""
    script = (
        "import sys\nfrom orchestrator.cli import main\nsys.argv = ['ponte', 'version']\n"
        "try:\n    main.main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('sqlalchemy', 'grpc', 'aiohttp', 'openpyxl') if name in sys.modules])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert printed.splitlines()[-1] == "[]"
