"""What became of each participant, in the order in which the caller gave them."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.group import is_same_person
from orchestrator.domain.group.commands import CodedContact, GroupCommand, ParticipantResult
from orchestrator.domain.group.refusals import result_of
from orchestrator.domain.jid import ContactId


@dataclass(frozen=True, slots=True)
class ResultFor:
    """What became of one participant, named as the caller did. `wa_code` is 0 where WhatsApp said nothing of them."""

    participant: str
    contact: ContactId
    result: ParticipantResult
    wa_code: int


def match_results(
    command: GroupCommand,
    given: Sequence[str],
    asked: Sequence[ContactId],
    answers: Sequence[CodedContact],
) -> list[ResultFor]:
    """A result for each that was asked about; who is not in the answer counts as refused.

    WhatsApp may answer by another name than it was asked by. Where it has answered about as many as were asked about,
    the last question and the last answer that are left over belong together.
    """
    found = {
        position: answer
        for position, contact in enumerate(asked)
        if (answer := next((one for one in answers if is_same_person(one.contact, contact)), None))
    }
    left = [position for position in range(len(asked)) if position not in found]
    unclaimed = [answer for answer in answers if answer not in found.values()]
    if len(answers) == len(asked) and len(left) == len(unclaimed) == 1:
        found[left[0]] = unclaimed[0]
    return [
        _result(command, text, asked[position], found.get(position)) for position, text in enumerate(given)
    ]


def _result(command: GroupCommand, given: str, asked: ContactId, answer: CodedContact | None) -> ResultFor:
    if answer is None:
        return ResultFor(given, asked, ParticipantResult.REFUSED, 0)
    contact = ContactId(answer.contact.pn_jid or asked.pn_jid, answer.contact.lid_jid or asked.lid_jid)
    return ResultFor(given, contact, result_of(command, answer.wa_code), answer.wa_code)
