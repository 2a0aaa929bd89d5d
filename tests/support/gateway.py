"""A gateway in memory: acknowledges what it is given, or answers as it is told."""

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Sequence

from orchestrator.domain.channel import Channel, ChannelAction
from orchestrator.domain.chat import ChatAction
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import GATEWAY_UNAVAILABLE, PonteError
from orchestrator.domain.group.commands import GroupAnswer, GroupCommand
from orchestrator.domain.imports import OlderThan
from orchestrator.domain.jid import ContactId, phone_number_to_jid
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.services.ports import NumberCheck, OutgoingMessage, SendAnswer
from tests.support.clock import ManualClock

PAIRING_CODE = "PONTE123"


class FakeGateway:
    """Implements services.ports.GatewayPort."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.available = True
        """False makes every call raise GATEWAY_UNAVAILABLE."""
        self.attempts: list[tuple[str, OutgoingMessage]] = []
        """(session id, message) in the order they were tried, acknowledged or not."""
        self.reports: dict[str, deque[SendReport]] = defaultdict(deque)
        """Answers to come, per message text; where there is none it is acknowledged."""
        self.takes_s: dict[str, float] = {}
        """How long the answer takes, per message text, by the clock; where there is none it is there at once."""
        self.not_on_whatsapp: set[str] = set()
        """Phone numbers without an account."""
        self.spelled: dict[str, str] = {}
        """How WhatsApp writes numbers that it knows by another spelling."""
        self.read: list[tuple[str, str, str, tuple[str, ...]]] = []
        self.checked: list[str] = []
        """(session id, chat, participant, message ids) of mark_read."""
        self.acted: list[tuple[str, str, ChatAction]] = []
        """(session id, chat, action) of act_on_chat."""
        self.managed: list[tuple[str, GroupCommand]] = []
        """(session id, command) of manage_group."""
        self.group_answers: deque[GroupAnswer | PonteError] = deque()
        """What manage_group answers next; an empty answer where there is none."""
        self.channels_asked: list[tuple[str, str, ChannelAction]] = []
        """(session id, channel, action) of manage_channel."""
        self.channel = Channel("120363000000000001@newsletter", "News", role="SUBSCRIBER")
        """What manage_channel answers."""
        self.history_asked: list[tuple[str, OlderThan]] = []
        """(session id, before which message) of request_history."""
        self.pairings: list[tuple[str, str]] = []
        """(session id, phone number) of request_pairing_code."""
        self.logged_out: list[str] = []
        """Session ids of logout."""

    @property
    def sent(self) -> list[str]:
        """Ids of the messages tried, in order."""
        return [message.message_id for _, message in self.attempts]

    def answer_next(self, text: str, *reports: SendReport) -> None:
        """Answer the next attempts at messages of this text like this."""
        self.reports[text].extend(reports)

    async def send_messages(
        self, scope: CompanyScope, session_id: str, messages: Sequence[OutgoingMessage]
    ) -> AsyncIterator[SendAnswer]:
        self._demand_available()
        stopped: set[str] = set()
        for message in messages:
            if message.chat_jid in stopped:
                yield SendAnswer(message.message_id, SendReport(Outcome.NOT_ATTEMPTED))
                continue
            self.attempts.append((session_id, message))
            self._clock.advance(self.takes_s.get(message.text, 0.0))
            planned = self.reports[message.text]
            report = planned.popleft() if planned else SendReport(Outcome.ACKNOWLEDGED)
            if report.outcome is not Outcome.ACKNOWLEDGED:
                stopped.add(message.chat_jid)
                yield SendAnswer(message.message_id, report)
                continue
            yield SendAnswer(
                message.message_id,
                report,
                acknowledged_at=self._clock(),
                contact=ContactId(pn_jid=message.chat_jid),
                message_proto=message.text.encode(),
            )

    async def check_numbers(
        self, scope: CompanyScope, session_id: str, phone_numbers: Sequence[str]
    ) -> list[NumberCheck]:
        self._demand_available()
        self.checked.extend(phone_numbers)
        return [self._check(number) for number in phone_numbers]

    async def mark_read(
        self,
        scope: CompanyScope,
        session_id: str,
        chat_jid: str,
        participant_jid: str,
        wa_message_ids: Sequence[str],
    ) -> None:
        self._demand_available()
        self.read.append((session_id, chat_jid, participant_jid, tuple(wa_message_ids)))

    async def act_on_chat(
        self, scope: CompanyScope, session_id: str, chat_jid: str, action: ChatAction
    ) -> None:
        self._demand_available()
        self.acted.append((session_id, chat_jid, action))

    async def manage_group(self, scope: CompanyScope, session_id: str, command: GroupCommand) -> GroupAnswer:
        self._demand_available()
        self.managed.append((session_id, command))
        answer = self.group_answers.popleft() if self.group_answers else GroupAnswer()
        if isinstance(answer, PonteError):
            raise answer
        return answer

    async def manage_channel(
        self, scope: CompanyScope, session_id: str, channel: str, action: ChannelAction
    ) -> Channel:
        self._demand_available()
        self.channels_asked.append((session_id, channel, action))
        return self.channel

    async def request_history(self, scope: CompanyScope, session_id: str, older_than: OlderThan) -> None:
        self._demand_available()
        self.history_asked.append((session_id, older_than))

    async def request_pairing_code(
        self, scope: CompanyScope, session_id: str, phone_number: str, custom_code: str = ""
    ) -> str:
        self._demand_available()
        self.pairings.append((session_id, phone_number))
        return custom_code or PAIRING_CODE

    async def logout(self, scope: CompanyScope, session_id: str) -> None:
        self._demand_available()
        self.logged_out.append(session_id)

    def _check(self, phone_number: str) -> NumberCheck:
        if phone_number in self.not_on_whatsapp:
            return NumberCheck(phone_number, False, ContactId())
        known_as = self.spelled.get(phone_number, phone_number)
        digits = known_as.removeprefix("+")
        return NumberCheck(phone_number, True, ContactId(phone_number_to_jid(known_as), f"9{digits}@lid"))

    def _demand_available(self) -> None:
        if not self.available:
            raise PonteError(GATEWAY_UNAVAILABLE)
