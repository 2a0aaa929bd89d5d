"""What all tests share: fixtures, and on which databases a test runs."""

import pytest
from hypothesis import settings

from tests.support.fixtures import (  # noqa: F401 - fixtures are found by their name here
    bells,
    clock,
    context,
    database,
    database_kind,
    database_url,
    gateway,
    make,
    no_tasks_left,
    nothing_left,
    postgres_server,
    redis_url,
    rng,
    sqlite_template,
    valkey_url,
    vault,
)

# The same examples in every run, no time limit that a busy machine breaks, no folder left behind.
settings.register_profile("ponte", deadline=None, derandomize=True, database=None)
settings.load_profile("ponte")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--database` picks one of the two."""
    parser.addoption(
        "--database", choices=["sqlite", "postgresql"], help="run integration tests on this database only"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Integration tests that use a database run on both, unless they name one themselves."""
    if "database_kind" not in metafunc.fixturenames or "integration" not in metafunc.definition.path.parts:
        return
    if any(mark.args[0] == "database_kind" for mark in metafunc.definition.iter_markers("parametrize")):
        return
    chosen = metafunc.config.getoption("--database")
    metafunc.parametrize("database_kind", [chosen] if chosen else ["sqlite", "postgresql"])
