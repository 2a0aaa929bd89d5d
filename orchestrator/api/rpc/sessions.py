"""ponte.v1.SessionService."""

from collections.abc import Mapping

from google.protobuf.empty_pb2 import Empty

from orchestrator._generated.ponte.v1 import session_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import decode, encode
from orchestrator.domain import errors
from orchestrator.domain.errors import invalid_field
from orchestrator.domain.imports import HistoryWish
from orchestrator.services.policy import PolicyService
from orchestrator.services.session_pairing import MOST_DAYS, PairingMethod
from orchestrator.services.sessions import SessionService


class SessionMethods:
    """Linked numbers of the caller's company."""

    service = "ponte.v1.SessionService"

    def __init__(self, sessions: SessionService, policy: PolicyService) -> None:
        self._sessions = sessions
        self._policy = policy

    async def create_session(
        self, caller: Caller, request: session_pb2.CreateSessionRequest
    ) -> session_pb2.Session:
        """Make a session without a number."""
        key = decode.idempotency_key(request)
        return encode.session(await self._sessions.create(caller.scope, request.name, key))

    async def get_session(
        self, caller: Caller, request: session_pb2.GetSessionRequest
    ) -> session_pb2.Session:
        """Look a session up."""
        session = await self._sessions.get(caller.scope, request.session_id)
        scores = await self._policy.scores(caller.scope, [session.id])
        return _with_health(encode.session(session), scores)

    async def list_sessions(
        self, caller: Caller, request: session_pb2.ListSessionsRequest
    ) -> session_pb2.ListSessionsResponse:
        """List sessions, newest first."""
        page = await self._sessions.list(caller.scope, decode.page(request))
        scores = await self._policy.scores(caller.scope, [session.id for session in page.items])
        return session_pb2.ListSessionsResponse(
            sessions=[_with_health(encode.session(session), scores) for session in page.items],
            next_page_token=page.next_token,
        )

    async def pair_session(
        self, caller: Caller, request: session_pb2.PairSessionRequest
    ) -> session_pb2.PairSessionResponse:
        """Show a QR or a code with which the phone links itself."""
        method = decode.choice(
            request.method, session_pb2.PairSessionRequest.Method.Name, PairingMethod, "method"
        )
        offer = await self._sessions.pair(
            caller.scope,
            request.session_id,
            method or PairingMethod.QR,
            request.phone_number,
            request.custom_code,
            _wish(request),
        )
        return session_pb2.PairSessionResponse(
            qr=offer.qr, code=offer.code, expires_at=encode.moment(offer.expires_at), notice=offer.notice
        )

    async def get_qr(self, caller: Caller, request: session_pb2.GetQrRequest) -> session_pb2.Qr:
        """Give the QR on show."""
        return encode.qr(await self._sessions.qr(caller.scope, request.session_id))

    async def start_session(
        self, caller: Caller, request: session_pb2.StartSessionRequest
    ) -> session_pb2.Session:
        """Connect a linked number."""
        return encode.session(await self._sessions.start(caller.scope, request.session_id))

    async def stop_session(
        self, caller: Caller, request: session_pb2.StopSessionRequest
    ) -> session_pb2.Session:
        """Disconnect and keep the number linked."""
        return encode.session(await self._sessions.stop(caller.scope, request.session_id))

    async def logout_session(
        self, caller: Caller, request: session_pb2.LogoutSessionRequest
    ) -> session_pb2.Session:
        """Remove the linked device and its credentials."""
        return encode.session(await self._sessions.logout(caller.scope, request.session_id))

    async def delete_session(self, caller: Caller, request: session_pb2.DeleteSessionRequest) -> Empty:
        """Log out and remove the session."""
        await self._sessions.delete(caller.scope, request.session_id)
        return Empty()


def _with_health(
    session: session_pb2.Session, scores: Mapping[str, tuple[float, str]]
) -> session_pb2.Session:
    score, level = scores[session.id]
    session.health.MergeFrom(session_pb2.SessionHealth(score=score, level=level))
    return session


def _wish(request: session_pb2.PairSessionRequest) -> HistoryWish:
    """An empty wish asks for nothing, as where none is given; it is refused, so that nobody waits for it."""
    history = request.history
    if not request.HasField("history"):
        return HistoryWish()
    if not history.days:
        raise invalid_field(errors.INVALID_ARGUMENT, "history.days", f"Give 1 to {MOST_DAYS} days.")
    return HistoryWish(history.days, history.groups, history.media)
