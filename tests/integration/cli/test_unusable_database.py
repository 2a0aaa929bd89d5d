import pytest
from sqlalchemy.engine import make_url

from orchestrator.startup import StartupError
from orchestrator.store.migrations import upgrade
from tests.support.postgresql import PostgresServer


@pytest.mark.parametrize(
    "wrong", [{"database": "nobody_made_it"}, {"username": "nobody", "password": "hunter2"}]
)
def test_a_wrong_database_or_user_is_one_sentence_without_the_password(
    postgres_server: PostgresServer, wrong: str
) -> None:
    existing = postgres_server.create_empty_database()
    right = make_url(existing).set(password="hunter2")
    changed = right.set(database="nobody_made_it") if wrong == "database" else right.set(username="nobody")
    url = changed.render_as_string(hide_password=False)
    with pytest.raises(StartupError, match=r"does not exist|authentication failed") as refused:
        upgrade(url)
    postgres_server.drop_database(existing)
    assert "PONTE_DATABASE_URL" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "hunter2" not in str(refused.value)
