"""The verdict finds every kind of harm that a chaos run looks for."""

import copy
from typing import Any

import pytest

from tests.chaos.traffic import Chat, Talk
from tests.chaos.verdict import Evidence, judge

CHAT = Chat("company", "session", "+5511", "+5521")


def event(sequence: int, kind: str, **data: Any) -> dict[str, Any]:
    return {
        "id": f"event-{sequence}",
        "sequence": str(sequence),
        "company_id": "company",
        "session_id": "session",
        "type": kind,
        "data": data,
    }


def received(sequence: int, text: str) -> dict[str, Any]:
    return event(
        sequence, "message.received", id=text, text={"body": text}, contact={"phone_number": CHAT.customer}
    )


def row(id_: str, text: str, duplicate: bool = False) -> dict[str, Any]:
    return {"id": id_, "from": CHAT.number, "text": text, "duplicate": duplicate, "from_me": False}


@pytest.fixture
def world() -> Any:
    """Two texts each way; all is well. Phone rows, log and deliveries may be changed."""
    log = [
        event(1, "message.queued", id="A"),
        event(2, "message.sent", id="A"),
        received(3, "in 0"),
        event(4, "message.queued", id="B"),
        event(5, "message.sent", id="B"),
        event(6, "message.delivered", id="B"),
        received(7, "in 1"),
        event(8, "message.read", id="A"),
        event(9, "message.read", id="B"),
    ]
    return {
        "rows": [row("WA", "out 0"), row("WA", "out 0", duplicate=True), row("WB", "out 1")],
        "log": log,
        "delivered": {each["id"]: copy.deepcopy(each) for each in log},
    }


def verdict(world: Any) -> list[str]:
    return judge(_evidence(world))


def _evidence(world: Any, chat: Chat = CHAT) -> Evidence:
    talk = Talk(chat, [("out 0", "A"), ("out 1", "B")], ["in 0", "in 1"])
    return Evidence(
        [talk], {CHAT.customer: world["rows"]}, {"company": world["log"]}, {"company": world["delivered"]}
    )


def test_a_run_in_which_all_is_well_has_nothing_against_it(world: Any) -> None:
    assert verdict(world) == []


def test_a_text_that_did_not_arrive_is_lost(world: Any) -> None:
    del world["rows"][2]
    assert verdict(world) == ["out, +5521 from +5511: 'out 1' is lost"]


def test_an_id_that_is_shown_twice_is_found(world: Any) -> None:
    world["rows"].append(row("WB", "out 1"))
    assert verdict(world) == [
        "out, +5521 from +5511: 'out 1' is there 2 times",
        "out, +5521 from +5511: id WB was shown 2 times",
    ]


def test_a_text_under_two_ids_is_found_even_where_it_is_shown_once(world: Any) -> None:
    world["rows"].append(row("WC", "out 1", duplicate=True))
    assert verdict(world) == ["out, +5521 from +5511: 'out 1' came under 2 ids"]


def test_texts_out_of_order_are_found_in_both_directions(world: Any) -> None:
    world["rows"].reverse()
    world["log"][2]["data"], world["log"][6]["data"] = world["log"][6]["data"], world["log"][2]["data"]
    world["delivered"] = {each["id"]: each for each in world["log"]}
    out, inbound = verdict(world)
    assert out.startswith("out, +5521 from +5511: out of order from 'out 0' on")
    assert inbound.startswith("in, +5521 to +5511: out of order from 'in 0' on")


def test_a_text_that_nobody_sent_is_found(world: Any) -> None:
    world["rows"].append(row("WX", "other"))
    assert verdict(world) == ["out, +5521 from +5511: 'other' was never sent"]


def test_a_gap_in_the_log_is_found(world: Any) -> None:
    del world["log"][5]
    assert "log of company: sequence is not 1 to 8; missing [6]" in verdict(world)


def test_an_event_that_is_missing_or_doubled_is_found(world: Any) -> None:
    world["log"][1]["type"] = "message.delivered"
    world["log"].append(event(10, "message.sent", id="B"))
    world["delivered"] = {each["id"]: each for each in world["log"]}
    assert verdict(world) == [
        "log of company: 0 message.sent of message A",
        "log of company: 2 message.sent of message B",
    ]


def test_a_receipt_that_was_not_recorded_is_found(world: Any) -> None:
    gone = world["log"].pop()
    del world["delivered"][gone["id"]]
    assert verdict(world) == ["receipts, +5521: no message.read of message B"]
    silent = Chat("company", "session", "+5511", "+5521", reads=False)
    assert judge(_evidence(world, silent)) == []
    world["log"][7]["data"]["id"] = "other"
    world["delivered"]["event-8"]["data"]["id"] = "other"
    assert judge(_evidence(world, silent)) == ["receipts, +5521: no message.delivered of message A"]


def test_a_message_that_failed_is_found(world: Any) -> None:
    world["log"].append(event(10, "message.failed", id="B"))
    world["delivered"] = {each["id"]: each for each in world["log"]}
    assert verdict(world) == ["log of company: message.failed of message B"]


def test_a_webhook_that_lacks_an_event_or_has_another_is_found(world: Any) -> None:
    world["delivered"]["event-X"] = event(10, "message.sent", id="Z")
    del world["delivered"]["event-1"]
    world["delivered"]["event-2"]["data"] = {"id": "Y"}
    assert verdict(world) == [
        "webhook: event 1 (message.queued) of company never came",
        "webhook: event event-X is not in the log",
        "webhook: event event-2 came with other contents than the log's",
    ]
