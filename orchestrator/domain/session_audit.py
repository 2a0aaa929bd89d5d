"""Compares what the database says about sessions with the streams and sockets that bridges really hold."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.domain.session import LINKED_STATES, RUNNABLE_STATES, DesiredState, SessionState

OVERDUE = timedelta(seconds=60)
"""How late a reconnect may be: many sessions that start at once take turns."""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as the database has it. `lease_owner` is empty where nobody holds it."""

    session_id: str
    company_id: str
    state: SessionState
    desired_state: DesiredState
    deleted: bool
    lease_owner: str
    lease_until: datetime | None
    fence: int
    reconnect_at: datetime | None
    has_credentials: bool

    @property
    def shall_run(self) -> bool:
        """True when a gateway has to hold it."""
        return not self.deleted and self.desired_state is DesiredState.RUN and self.state in RUNNABLE_STATES

    def is_leased(self, now: datetime) -> bool:
        """True while somebody holds it."""
        return bool(self.lease_owner) and self.lease_until is not None and self.lease_until > now


@dataclass(frozen=True, slots=True)
class HeldStream:
    """A stream that a bridge holds open; `connected` says that its socket is open and logged in."""

    bridge: str
    session_id: str
    company_id: str
    fence: int
    connected: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not fit: what was found, and what to do."""

    session_id: str
    company_id: str
    found: str
    advice: str


def compare(
    sessions: Sequence[StoredSession],
    streams: Sequence[HeldStream],
    asked_owners: Collection[str] | None,
    now: datetime,
) -> list[Difference]:
    """Name every difference. `asked_owners` are the gateways whose bridges were asked, None for all of them: only for
    their leases a missing stream means something."""
    by_session: dict[str, list[HeldStream]] = {}
    for stream in streams:
        by_session.setdefault(stream.session_id, []).append(stream)
    found = [
        Difference(session.session_id, session.company_id, *pair)
        for session in sessions
        for pair in _differences(session, by_session.pop(session.session_id, []), asked_owners, now)
    ]
    found.extend(
        Difference(
            stream.session_id,
            stream.company_id,
            f"{stream.bridge} holds a stream of a session that the database does not know",
            "Check that the gateway uses this database, then restart it.",
        )
        for strangers in by_session.values()
        for stream in strangers
    )
    return found


Found = tuple[str, str]


def _differences(
    session: StoredSession, streams: Sequence[HeldStream], asked_owners: Collection[str] | None, now: datetime
) -> Iterator[Found]:
    yield from _in_the_database(session, now)
    if len(streams) > 1:
        bridges = " and ".join(sorted(stream.bridge for stream in streams))
        yield f"open twice: at {bridges}", "Stop the gateway whose fence is lower; they throw each other out."
    for stream in streams:
        yield from _at_a_bridge(session, stream, now)
    was_asked = asked_owners is None or session.lease_owner in asked_owners
    if not streams and session.is_leased(now) and session.shall_run and was_asked:
        yield from _without_stream(session, now)


def _in_the_database(session: StoredSession, now: datetime) -> Iterator[Found]:
    leased = session.is_leased(now)
    if session.shall_run and not leased:
        yield (
            f"shall run ({session.state}) and no gateway holds it",
            "See that a gateway runs, reaches the database and has room (PONTE_MAX_SESSIONS).",
        )
    if leased and not session.shall_run:
        wanted = "deleted" if session.deleted else f"{session.state}, desired {session.desired_state}"
        yield (
            f"leased by {session.lease_owner}, yet it shall not run ({wanted})",
            "Its gateway lets go within seconds; restart it where it does not.",
        )
    if session.deleted:
        return
    if session.state in LINKED_STATES and not session.has_credentials:
        yield f"{session.state} without stored credentials", "Log it out and pair it again."
    if session.state in (SessionState.NEW, SessionState.LOGGED_OUT) and session.has_credentials:
        yield f"{session.state}, yet credentials are stored", "Pair it, or delete the session."


def _at_a_bridge(session: StoredSession, stream: HeldStream, now: datetime) -> Iterator[Found]:
    restart = "Its gateway ends the stream within seconds; restart that gateway where it does not."
    if stream.company_id != session.company_id:
        yield (
            f"{stream.bridge} holds it for company {stream.company_id}",
            "Restart that gateway and report it.",
        )
    if not session.shall_run:
        yield f"{stream.bridge} holds a stream, yet it shall not run ({session.state})", restart
        return
    if not session.is_leased(now):
        yield f"{stream.bridge} holds a stream without a lease", restart
    if stream.fence != session.fence:
        yield f"{stream.bridge} holds it under fence {stream.fence}, the lease has {session.fence}", restart
    is_connected = session.state is SessionState.CONNECTED
    if is_connected and not stream.connected:
        yield "CONNECTED in the database, but its socket is not open", "Stop and start the session."
    if stream.connected and not is_connected:
        yield f"its socket is open, but the database says {session.state}", "Stop and start the session."


def _without_stream(session: StoredSession, now: datetime) -> Iterator[Found]:
    if session.state is SessionState.CONNECTED:
        yield (
            f"CONNECTED in the database, but {session.lease_owner} has no stream of it",
            "Stop and start the session; restart the gateway where that does not help.",
        )
    elif session.reconnect_at is not None and now - session.reconnect_at > OVERDUE:
        yield (
            f"should have connected again at {session.reconnect_at:%H:%M:%S}, and {session.lease_owner} did not try",
            "Start the session; restart the gateway where that does not help.",
        )
