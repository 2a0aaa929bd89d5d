"""Sending the messages of one session for as long as there are any: a window of messages under way, kept full."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from loguru import logger

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.message import Lane
from orchestrator.domain.retry import Outcome, RetryAt, SendReport, after_send, wants_fresh_recipient
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.services.dispatch_turn import CLAIM, LEASE, DispatchTurns, TurnResult, TurnWork
from orchestrator.services.policy_claim import Leaving
from orchestrator.services.ports import GatewayPort, OutgoingMessage, SendAnswer
from orchestrator.services.recipient_spelling import RecipientSpelling
from orchestrator.services.status_posts import without_opted_out
from orchestrator.store.messages import StoredMessage

_RENEW_EVERY_S = LEASE.total_seconds() / 4
_GATEWAY_TIMEOUT_S = CLAIM.total_seconds() - 15
_LATE_ANSWER_S = 0.015
"""Under load, answers wait so long for others to be recorded with."""

_LEAST_BETWEEN_TURNS_S = 0.004
_READ_WITHIN_S = 2.0
_DATABASE_PAUSE_S = 0.25
_RESULTS_KEPT_S = LEASE.total_seconds()
"""So long a failing database is tried again: then the lease may have run out, and the messages are another's."""


@dataclass(slots=True)
class Nudge:
    """Set by whoever knows of new messages; the run clears it before it looks."""

    rung: bool = False
    wake: asyncio.Event | None = None

    def ring(self) -> None:
        """Make the run look again."""
        self.rung = True
        if self.wake is not None:
            self.wake.set()


@dataclass(frozen=True, slots=True)
class RunEnd:
    """Why a run ended. `next_due` says when there will be something to do; `unreachable` that no gateway took it."""

    next_due: datetime | None = None
    unreachable: bool = False


class DispatchRun:
    """One holder's time with one session."""

    def __init__(
        self,
        context: Context,
        gateway: GatewayPort,
        book: ContactBook,
        spelling: RecipientSpelling,
        scope: CompanyScope,
        session_id: str,
        owner: str,
        nudge: Nudge,
    ) -> None:
        self._context = context
        self._gateway = gateway
        self._scope = scope
        self._session_id = session_id
        self._turns = DispatchTurns(context, book, scope, session_id, owner)
        self._book = book
        self._spelling = spelling
        self._nudge = nudge
        self._wake = nudge.wake = asyncio.Event()
        self._window = context.limits.messages_in_flight_per_session
        self._under_way: dict[str, StoredMessage] = {}
        self._answers: list[SendAnswer] = []
        self._oldest_answer = 0.0
        self._last_turn = 0.0
        self._look = True
        self._look_at: float | None = None
        self._held = True
        self._stopping = False
        self._unreachable = False
        self._flights: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Claim no more; the run ends when what is under way is answered."""
        self._stopping = True
        self._wake.set()

    async def execute(self) -> RunEnd:
        """Send until nothing is due or the lease is lost; cancelled, it leaves what is under way to the next holder."""
        try:
            result = await self._first_turn()
            while not result.released and (self._held or self._under_way):
                await self._until_worth_a_turn()
                result = await self._turn()
        except BaseException:
            await self._abandon()
            raise
        finally:
            await self._cancel_flights()
        return RunEnd(result.next_due, self._unreachable)

    async def _until_worth_a_turn(self) -> None:
        """Wait for answers, a nudge, or the time to renew the lease."""
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            at = self._turn_at(now)
            if at <= now:
                return
            self._wake.clear()
            try:
                async with asyncio.timeout_at(at):
                    await self._wake.wait()
            except TimeoutError:
                return

    def _turn_at(self, now: float) -> float:
        """When the next turn is to be, on the loop's clock."""
        if len(self._answers) >= len(self._under_way) and (self._answers or not self._under_way):
            return now
        at = self._last_turn + _RENEW_EVERY_S
        if self._answers:
            late = self._oldest_answer + _LATE_ANSWER_S
            at = min(at, now if len(self._answers) >= self._window // 2 else late)
        if self._may_look() and self._free() >= self._window // 2:
            at = min(at, self._last_turn + _LEAST_BETWEEN_TURNS_S)
        if self._look_at is not None:
            at = min(at, max(self._look_at, self._last_turn + _LEAST_BETWEEN_TURNS_S))
        return at

    def _may_look(self) -> bool:
        wanted = self._look or self._nudge.rung
        return wanted and self._held and not self._stopping and not self._unreachable

    def _free(self) -> int:
        return self._window - len(self._under_way)

    async def _first_turn(self) -> TurnResult:
        self._nudge.rung = False
        work = TurnWork(first=True, answers=(), in_flight=0, busy_chats=(), most=self._window)
        result = await self._turns.take_first(work, self._send)
        self._held = result.held
        self._look = result.more or len(result.claimed) >= work.most
        self._last_turn = asyncio.get_running_loop().time()
        self._note_next(result)
        return result

    async def _turn(self) -> TurnResult:
        answers, self._answers = self._answers, []
        recorded = [(self._under_way[answer.message_id], answer) for answer in answers]
        self._note_unreachable(recorded)
        staying = self._staying(recorded)
        busy_chats = {stored.message.chat_jid for stored in staying}
        # What else was due has been claimed already: answers bring something new where they free a chat.
        freed = any(stored.message.chat_jid not in busy_chats for stored, _ in recorded)
        self._look = self._look or self._nudge.rung or freed or self._is_time()
        self._nudge.rung = False
        looks = self._may_look()
        work = TurnWork(
            first=False,
            answers=recorded,
            in_flight=len(staying),
            busy_chats=busy_chats,
            most=self._window - len(staying) if looks else 0,
            campaign_in_flight=any(stored.message.lane is Lane.CAMPAIGN for stored in staying),
        )
        result = await self._try(work)
        self._last_turn = asyncio.get_running_loop().time()
        for stored, _ in recorded:
            del self._under_way[stored.message.id]
        self._held = result.held
        self._look = result.more or (looks and len(result.claimed) >= work.most)
        self._note_next(result)
        if result.claimed:
            self._send(result)
        return result

    def _note_next(self, result: TurnResult) -> None:
        """Keep in mind when a message that the sending policy let wait is to be asked about again."""
        if result.next_due is not None and not result.released:
            wait_s = self._context.tempo.machine_s(result.next_due - self._context.clock())
            self._look_at = asyncio.get_running_loop().time() + wait_s

    def _is_time(self) -> bool:
        if self._look_at is None or asyncio.get_running_loop().time() < self._look_at:
            return False
        self._look_at = None
        return True

    def _staying(self, recorded: Sequence[tuple[StoredMessage, SendAnswer]]) -> list[StoredMessage]:
        leaving = {stored.message.id for stored, _ in recorded}
        return [stored for stored in self._under_way.values() if stored.message.id not in leaving]

    async def _try(self, work: TurnWork) -> TurnResult:
        """Take the turn; a database that fails is tried again until the lease may have run out."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + _RESULTS_KEPT_S
        warned = False
        while True:
            try:
                return await self._turns.take(work)
            except PonteError:
                raise
            except Exception as error:
                if loop.time() > give_up:
                    raise
                if not warned:
                    # Once: every session says so while a database is away. Whoever gives up says why.
                    logger.warning(
                        "Results of session {} could not be recorded ({}); trying again.",
                        self._session_id,
                        type(error).__name__,
                    )
                    warned = True
                await asyncio.sleep(_DATABASE_PAUSE_S)

    def _note_unreachable(self, recorded: Sequence[tuple[StoredMessage, SendAnswer]]) -> None:
        now = self._context.clock()
        for stored, answer in recorded:
            if answer.report.outcome is not Outcome.NOT_SENT:
                continue
            verdict = after_send(answer.report, stored.message.attempts + 1, now)
            if isinstance(verdict, RetryAt) and not verdict.counts:
                self._unreachable = True

    def _send(self, turn: TurnResult) -> None:
        for stored in turn.claimed:
            self._under_way[stored.message.id] = stored
        flight = asyncio.create_task(self._fly(turn.claimed, turn.leaving), name=f"send {self._session_id}")
        self._flights.add(flight)
        flight.add_done_callback(self._flights.discard)

    async def _fly(self, claimed: Sequence[StoredMessage], leaving: Mapping[str, Leaving]) -> None:
        """Hand messages to the gateway and take in their answers; each gets one, whatever happens."""
        claimed = await self._settled(claimed)
        unanswered = {stored.message.id: stored for stored in claimed}
        report = SendReport(Outcome.AMBIGUOUS, reason="no_answer")
        try:
            async with asyncio.timeout(_GATEWAY_TIMEOUT_S):
                leaving_now = await without_opted_out(self._context, self._scope, self._book, claimed)
                outgoing = [self._outgoing(stored, leaving) for stored in leaving_now]
                await self._read_first(claimed, leaving)
                async for answer in self._gateway.send_messages(self._scope, self._session_id, outgoing):
                    if unanswered.pop(answer.message_id, None):
                        self._take_answer(answer)
        except PonteError as error:
            if error.code is errors.GATEWAY_UNAVAILABLE:
                report = SendReport(Outcome.NOT_SENT, reason="gateway_unavailable")
            else:
                report = SendReport(Outcome.AMBIGUOUS, reason=error.code.name.lower(), detail=error.sentence)
        except Exception as error:
            logger.opt(exception=error).warning("The gateway of session {} failed.", self._session_id)
        for answer in _answers_for(unanswered.values(), report):
            self._take_answer(answer)

    def _outgoing(self, stored: StoredMessage, leaving: Mapping[str, Leaving]) -> OutgoingMessage:
        message = stored.message
        return OutgoingMessage(
            message.id,
            message.wa_message_id,
            message.chat_jid,
            message.text,
            wants_fresh_recipient(message.error),
            message.content,
            self._typing_ms(leaving.get(message.id)),
        )

    async def _settled(self, claimed: Sequence[StoredMessage]) -> Sequence[StoredMessage]:
        """The messages under the chats that WhatsApp knows; as they are where that cannot be found out."""
        try:
            claimed = await self._spelling.settle(self._scope, self._session_id, claimed)
        except Exception as error:
            logger.opt(exception=error).warning("Recipients of session {} stay as written.", self._session_id)
        self._under_way |= {stored.message.id: stored for stored in claimed}
        return claimed

    async def _read_first(self, claimed: Sequence[StoredMessage], leaving: Mapping[str, Leaving]) -> None:
        """Show as read what is about to be answered. An answer does not wait for a read mark that fails."""
        for stored in claimed:
            unread = leaving[stored.message.id].unread if leaving else {}
            if not unread:
                continue
            try:
                async with asyncio.timeout(_READ_WITHIN_S):
                    for participant, wa_ids in unread.items():
                        await self._gateway.mark_read(
                            self._scope, self._session_id, stored.message.chat_jid, participant, list(wa_ids)
                        )
            except (PonteError, TimeoutError) as error:
                logger.info("What session {} answers was not marked as read: {!r}.", self._session_id, error)

    def _typing_ms(self, leaving: Leaving | None) -> int:
        return round(leaving.typing_s / self._context.tempo.speed * 1000) if leaving else 0

    def _take_answer(self, answer: SendAnswer) -> None:
        if not self._answers:
            self._oldest_answer = asyncio.get_running_loop().time()
        self._answers.append(answer)
        self._wake.set()

    async def _abandon(self) -> None:
        try:
            async with asyncio.timeout(1):
                await asyncio.shield(self._turns.abandon())
        except Exception as error:
            logger.opt(exception=error).warning(
                "The dispatch lease of {} is left to expire.", self._session_id
            )

    async def _cancel_flights(self) -> None:
        for flight in self._flights:
            flight.cancel()
        if self._flights:
            await asyncio.wait(self._flights)


def _answers_for(unanswered: Iterable[StoredMessage], report: SendReport) -> list[SendAnswer]:
    """The answers that a gateway owes. It sends a chat's messages one by one: only the first may have left."""
    seen: set[str] = set()
    answers: list[SendAnswer] = []
    for stored in unanswered:
        chat_jid = stored.message.chat_jid
        owed = SendReport(Outcome.NOT_ATTEMPTED) if chat_jid in seen else report
        answers.append(SendAnswer(stored.message.id, owed))
        seen.add(chat_jid)
    return answers
