"""Judges what is left when everything is quiet again: every way in which a message or an event went wrong, in words."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.traffic import Talk

Event = Mapping[str, Any]
Row = Mapping[str, Any]

_ONCE_PER_MESSAGE = ("message.queued", "message.sent")
_NEVER = ("message.failed", "message.cancelled")


@dataclass(frozen=True)
class Evidence:
    """`phones` has what each customer's phone received, `logs` each company's event log in its order, `delivered` the
    events that its webhook accepted, by id."""

    talks: Sequence[Talk]
    phones: Mapping[str, Sequence[Row]]
    logs: Mapping[str, Sequence[Event]]
    delivered: Mapping[str, Mapping[str, Event]]


def judge(evidence: Evidence) -> list[str]:
    """Give all that is wrong; nothing for a run in which all is well."""
    wrong: list[str] = []
    for talk in evidence.talks:
        wrong += _judge_recipient(talk, evidence.phones[talk.chat.customer])
        wrong += _judge_inbound(talk, evidence.logs[talk.chat.company_id])
        receipt = "read" if talk.chat.reads else "delivered"
        wrong += [
            f"receipts, {talk.chat.customer}: no message.{receipt} of message {message_id}"
            for message_id in unread(talk, evidence.logs[talk.chat.company_id])
        ]
    for company_id, log in evidence.logs.items():
        ids = [
            message_id
            for talk in evidence.talks
            if talk.chat.company_id == company_id
            for _, message_id in talk.accepted
        ]
        wrong += _judge_log(log, ids)
        wrong += _judge_deliveries(log, evidence.delivered[company_id])
    return wrong


def unread(talk: Talk, log: Iterable[Event]) -> list[str]:
    """The ids of a chat's accepted messages of which the last event that a receipt owes is not there.

    What is read was delivered: a receipt that is recorded again after a fault may come behind a later one.
    """
    last = {"message.read"} if talk.chat.reads else {"message.delivered", "message.read"}
    told = {event["data"]["id"] for event in log if event["type"] in last}
    return [message_id for _, message_id in talk.accepted if message_id not in told]


def seen_texts(talk: Talk, rows: Iterable[Row]) -> list[str]:
    """What a customer sees of a session, in the order of the screen."""
    return [row["text"] for row in rows if _is_from(talk, row) and not row["duplicate"]]


def received_texts(talk: Talk, log: Iterable[Event]) -> list[str]:
    """The texts of a chat's `message.received` events, in the order of the log."""
    return [
        event["data"]["text"]["body"]
        for event in log
        if event["type"] == "message.received"
        and event["session_id"] == talk.chat.session_id
        and event["data"]["contact"]["phone_number"] == talk.chat.customer
    ]


def _is_from(talk: Talk, row: Row) -> bool:
    return row["from"] == talk.chat.number and not row["from_me"]


def _judge_recipient(talk: Talk, rows: Sequence[Row]) -> list[str]:
    where = f"{talk.chat.customer} from {talk.chat.number}"
    wrong = _compare(f"out, {where}", [text for text, _ in talk.accepted], seen_texts(talk, rows))
    ids: dict[str, set[str]] = defaultdict(set)
    shown: Counter[str] = Counter()
    for row in rows:
        if _is_from(talk, row):
            ids[row["text"]].add(row["id"])
            shown[row["id"]] += not row["duplicate"]
    wrong += [f"out, {where}: {text!r} came under {len(of)} ids" for text, of in ids.items() if len(of) > 1]
    wrong += [f"out, {where}: id {id_} was shown {times} times" for id_, times in shown.items() if times > 1]
    return wrong


def _judge_inbound(talk: Talk, log: Sequence[Event]) -> list[str]:
    where = f"{talk.chat.customer} to {talk.chat.number}"
    return _compare(f"in, {where}", talk.written, received_texts(talk, log))


def _compare(what: str, expected: Sequence[str], seen: Sequence[str]) -> list[str]:
    counts = Counter(seen)
    wrong = [f"{what}: {text!r} is lost" for text in expected if not counts[text]]
    wrong += [f"{what}: {text!r} is there {times} times" for text, times in counts.items() if times > 1]
    wrong += [f"{what}: {text!r} was never sent" for text in counts.keys() - set(expected)]
    if not wrong and list(seen) != list(expected):
        place = next(at for at, pair in enumerate(zip(expected, seen, strict=True)) if pair[0] != pair[1])
        wrong.append(f"{what}: out of order from {expected[place]!r} on: {list(seen[place : place + 5])}")
    return wrong


def _judge_log(log: Sequence[Event], message_ids: Sequence[str]) -> list[str]:
    sequences = [int(event["sequence"]) for event in log]
    company = log[0]["company_id"] if log else "?"
    wrong = []
    if sequences != list(range(1, len(log) + 1)):
        gaps = sorted(set(range(1, max(sequences, default=0) + 1)) - set(sequences))
        wrong.append(f"log of {company}: sequence is not 1 to {len(log)}; missing {gaps[:10]}")
    if len({event["id"] for event in log}) != len(log):
        wrong.append(f"log of {company}: an event id is there twice")
    counts: Counter[tuple[str, str]] = Counter(
        (event["type"], event["data"]["id"]) for event in log if event["type"].startswith("message.")
    )
    wrong += [
        f"log of {company}: {counts[name, id_]} {name} of message {id_}"
        for id_ in message_ids
        for name in _ONCE_PER_MESSAGE
        if counts[name, id_] != 1
    ]
    wrong += [
        f"log of {company}: {name} of message {id_} more than once"
        for (name, id_), times in counts.items()
        if times > 1 and name not in _ONCE_PER_MESSAGE
    ]
    wrong += [f"log of {company}: {name} of message {id_}" for name, id_ in counts if name in _NEVER]
    return wrong


def _judge_deliveries(log: Sequence[Event], delivered: Mapping[str, Event]) -> list[str]:
    known = {event["id"]: event for event in log}
    wrong = [
        f"webhook: event {event['sequence']} ({event['type']}) of {event['company_id']} never came"
        for event in log
        if event["id"] not in delivered
    ]
    wrong += [f"webhook: event {id_} is not in the log" for id_ in delivered.keys() - known.keys()]
    wrong += [
        f"webhook: event {id_} came with other contents than the log's"
        for id_, event in delivered.items()
        if id_ in known and event != known[id_]
    ]
    return wrong
