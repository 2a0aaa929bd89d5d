"""What an audit calls a difference."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.domain.session import DesiredState, SessionState
from orchestrator.domain.session_audit import OVERDUE, HeldStream, StoredSession, compare

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SESSION = StoredSession(
    session_id="session",
    company_id="company",
    state=SessionState.CONNECTED,
    desired_state=DesiredState.RUN,
    deleted=False,
    lease_owner="gateway",
    lease_until=NOW + timedelta(seconds=10),
    fence=3,
    reconnect_at=None,
    has_credentials=True,
)
STREAM = HeldStream("bridge", "session", "company", 3, connected=True)
STOPPED = replace(
    SESSION, state=SessionState.STOPPED, desired_state=DesiredState.STOP, lease_owner="", lease_until=None
)


def found(
    session: StoredSession | None, *streams: HeldStream, owners: frozenset[str] | None = None
) -> list[str]:
    sessions = [] if session is None else [session]
    differences = compare(sessions, streams, owners, NOW)
    assert all(difference.advice.endswith(".") for difference in differences)
    assert all(difference.session_id == "session" for difference in differences)
    return [difference.found for difference in differences]


@pytest.mark.parametrize(
    ("session", "streams"),
    [
        (SESSION, [STREAM]),
        (STOPPED, []),
        (replace(STOPPED, state=SessionState.NEW, has_credentials=False), []),
        (replace(STOPPED, state=SessionState.LOGGED_OUT, has_credentials=False), []),
        (
            replace(SESSION, state=SessionState.PAIRING, has_credentials=False),
            [replace(STREAM, connected=False)],
        ),
        (replace(SESSION, state=SessionState.CONNECTING), [replace(STREAM, connected=False)]),
        (replace(SESSION, state=SessionState.RECONNECTING), []),
        (replace(SESSION, state=SessionState.RECONNECTING, reconnect_at=NOW - OVERDUE), []),
        (replace(STOPPED, deleted=True), []),
    ],
)
def test_what_fits_is_no_difference(session: StoredSession, streams: list[HeldStream]) -> None:
    assert found(session, *streams) == []


def test_a_session_that_nobody_holds() -> None:
    assert found(replace(SESSION, lease_owner="", lease_until=None)) == [
        "shall run (CONNECTED) and no gateway holds it"
    ]
    assert found(replace(SESSION, lease_until=NOW)) == ["shall run (CONNECTED) and no gateway holds it"]


def test_a_lease_on_what_shall_not_run() -> None:
    leased = replace(STOPPED, lease_owner="gateway", lease_until=SESSION.lease_until)
    assert found(leased) == ["leased by gateway, yet it shall not run (STOPPED, desired STOP)"]
    assert found(replace(leased, deleted=True)) == ["leased by gateway, yet it shall not run (deleted)"]


def test_credentials_that_do_not_fit_the_state() -> None:
    assert found(replace(STOPPED, has_credentials=False)) == ["STOPPED without stored credentials"]
    assert found(replace(STOPPED, state=SessionState.NEW)) == ["NEW, yet credentials are stored"]


def test_a_lease_without_a_stream() -> None:
    assert found(SESSION) == ["CONNECTED in the database, but gateway has no stream of it"]
    overdue = NOW - OVERDUE - timedelta(seconds=1)
    waiting = replace(SESSION, state=SessionState.RECONNECTING, reconnect_at=overdue)
    assert found(waiting) == ["should have connected again at 11:58:59, and gateway did not try"]


def test_a_missing_stream_means_nothing_where_the_bridge_was_not_asked() -> None:
    assert found(SESSION, owners=frozenset(["another"])) == []
    assert len(found(SESSION, owners=frozenset(["gateway"]))) == 1


def test_a_stream_of_what_shall_not_run_or_is_not_leased() -> None:
    assert found(STOPPED, STREAM) == ["bridge holds a stream, yet it shall not run (STOPPED)"]
    assert found(replace(SESSION, lease_until=NOW), STREAM) == [
        "shall run (CONNECTED) and no gateway holds it",
        "bridge holds a stream without a lease",
    ]


def test_a_stale_holder() -> None:
    assert found(SESSION, replace(STREAM, fence=2)) == ["bridge holds it under fence 2, the lease has 3"]


def test_two_holders() -> None:
    other = replace(STREAM, bridge="another", fence=2)
    assert found(SESSION, STREAM, other) == [
        "open twice: at another and bridge",
        "another holds it under fence 2, the lease has 3",
    ]


def test_a_socket_that_is_not_what_the_database_says() -> None:
    assert found(SESSION, replace(STREAM, connected=False)) == [
        "CONNECTED in the database, but its socket is not open"
    ]
    assert found(replace(SESSION, state=SessionState.RECONNECTING), STREAM) == [
        "its socket is open, but the database says RECONNECTING"
    ]


def test_a_stream_of_another_company_or_of_an_unknown_session() -> None:
    assert found(SESSION, replace(STREAM, company_id="other")) == ["bridge holds it for company other"]
    assert found(None, STREAM) == ["bridge holds a stream of a session that the database does not know"]
