"""Campaigns on their way: portions, states, counts, and what a kill leaves."""

import itertools
from collections import Counter
from datetime import timedelta

import pytest

from orchestrator.domain.campaign.campaign import Confirmation, RecipientStatus
from orchestrator.domain.campaign.feeding import MOST_WAITING, PORTION
from orchestrator.domain.campaign.reasons import PassedOver, StopCause
from orchestrator.domain.campaign.results import Tally
from orchestrator.domain.campaign.state import CampaignState
from orchestrator.domain.page import PageRequest
from orchestrator.services import campaign_events
from orchestrator.services.policy import PolicyService
from orchestrator.store import campaigns as campaign_store
from tests.integration.campaigns.conftest import _MESSAGES, House, numbers


async def test_a_campaign_reaches_everyone_once_in_small_portions(house: House) -> None:
    campaign = await house.running(people=150)

    portions = []
    while campaign.state is CampaignState.RUNNING:
        portions.append(await house.send_all())
        campaign = await house.next_round(campaign)

    assert portions == [PORTION, PORTION, PORTION, 30]
    assert campaign.state is CampaignState.COMPLETED
    assert (campaign.tally.sent, campaign.done) == (150, 150)
    sent = await house.messages()
    assert Counter(message.chat_jid for message in sent) == Counter(
        {f"{number[1:]}@s.whatsapp.net": 1 for number in numbers(150)}
    )
    assert {(message.lane, message.campaign_id) for message in sent} == {("CAMPAIGN", campaign.id)}
    assert len({message.wa_message_id for message in sent}) == 150
    assert "Wording" in sent[0].text
    assert sent[0].text.endswith("for Ana")
    events = await house.events()
    assert events[:2] == ["scheduled", "started"]
    assert set(events[2:-1]) <= {"progress", "completed"}


async def test_each_session_writes_to_its_own_share(house: House) -> None:
    campaign = await house.running(people=100, sessions=3)

    while campaign.state is CampaignState.RUNNING:
        await house.send_all()
        campaign = await house.next_round(campaign)

    by_session = Counter(message.session_id for message in await house.messages())
    assert sorted(by_session.values()) == [33, 33, 34]
    assert set(by_session) == set(campaign.session_ids)


async def test_variants_rotate_without_repeating_themselves(house: House) -> None:
    campaign = await house.running(people=120)
    while await house.send_all():
        campaign = await house.next_round(campaign)

    texts = [message.text for message in await house.messages()]
    assert all(one != other for one, other in itertools.pairwise(texts))
    assert len(set(texts)) == 5
    assert sum(tally.queued for tally in campaign.tallies) == 120


async def test_a_contact_does_not_get_the_wording_of_the_last_campaign_again(house: House) -> None:
    draft = await house.draft(people=30)
    first = await house.campaigns.create(house.scope, draft)
    second = await house.campaigns.create(house.scope, draft)
    for campaign in (first, second):
        await house.campaigns.start(house.scope, campaign.id)
        await house.rounds.start(house.scope, campaign.id)
        await house.send_all()

    before = {row.chat_jid: row.text for row in await house.messages(campaign_id=first.id)}
    after = {row.chat_jid: row.text for row in await house.messages(campaign_id=second.id)}
    assert before.keys() == after.keys()
    assert all(before[chat] != after[chat] for chat in before)


async def test_a_pause_takes_back_what_waits_and_a_resume_sends_it_once(house: House) -> None:
    campaign = await house.running(people=60)
    waiting = await house.messages(status="QUEUED")
    await house.become("SENT", waiting[:10])

    campaign = await house.campaigns.pause(house.scope, campaign.id)

    assert campaign.state is CampaignState.PAUSED
    assert len(await house.messages(status="CANCELLED")) == PORTION - 10
    campaign = await house.next_round(campaign)
    assert (campaign.tally.sent, campaign.tally.cancelled, campaign.tally.outstanding) == (10, 0, 0)
    await house.campaigns.resume(house.scope, campaign.id)
    while campaign.state is not CampaignState.COMPLETED:
        campaign = await house.next_round(campaign)
        await house.send_all()
    sent = Counter(message.chat_jid for message in await house.messages(status="SENT"))
    assert len(sent) == 60
    assert set(sent.values()) == {1}
    assert campaign.tally.sent == 60


async def test_what_may_be_on_the_wire_is_not_taken_back(house: House) -> None:
    campaign = await house.running(people=3)
    first, second, third = await house.messages()
    async with house.context.database.transaction(house.scope) as tx:
        table = _MESSAGES
        await tx.connection.execute(table.update().where(table.c.id == first.id).values(status="SENDING"))
        await tx.connection.execute(table.update().where(table.c.id == second.id).values(attempts=1))

    await house.campaigns.cancel(house.scope, campaign.id)

    states = {row.id: row.status for row in await house.messages()}
    assert states == {first.id: "SENDING", second.id: "QUEUED", third.id: "CANCELLED"}


async def test_a_round_that_is_undone_is_done_again_with_the_same_ids(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await house.campaigns.create(house.scope, await house.draft(people=20))
    await house.campaigns.start(house.scope, campaign.id)
    save, laid_in = campaign_store.save_standing, []

    async def die(*_: object) -> None:
        laid_in.append(True)
        raise RuntimeError("killed")

    monkeypatch.setattr(campaign_store, "save_standing", die)
    await house.rounds.start(house.scope, campaign.id)
    assert laid_in
    assert await house.messages() == []
    monkeypatch.setattr(campaign_store, "save_standing", save)

    await house.rounds.start(house.scope, campaign.id)

    assert len(await house.messages()) == 20


async def test_two_processes_lay_nothing_in_twice(house: House) -> None:
    import asyncio

    from orchestrator.services.campaign_rounds import CampaignRounds

    campaign = await house.campaigns.create(house.scope, await house.draft(people=100))
    await house.campaigns.start(house.scope, campaign.id)
    processes = [CampaignRounds(house.context) for _ in range(4)]

    await asyncio.gather(*(process.run_once() for process in processes))

    assert len(await house.messages()) == PORTION


async def test_a_schedule_begins_at_its_time_and_ends_at_its_end(house: House) -> None:
    now = house.context.clock()
    campaign = await house.running(
        people=100, start_at=now + timedelta(hours=1), end_at=now + timedelta(hours=2)
    )
    assert campaign.state is CampaignState.SCHEDULED
    assert await house.messages() == []

    campaign = await house.next_round(campaign, 3_600)
    assert campaign.state is CampaignState.RUNNING
    await house.send_all()
    campaign = await house.next_round(campaign, 3_600)

    assert (campaign.state, campaign.stop_cause) == (CampaignState.STOPPED, StopCause.ENDED_BY_SCHEDULE)
    assert campaign.tally.sent == PORTION
    assert await house.messages(status="QUEUED") == []


@pytest.mark.parametrize("state", ["BANNED", "LOGGED_OUT", "REPLACED"])
async def test_a_lost_number_stops_the_campaign_and_no_other_takes_over(house: House, state: str) -> None:
    from sqlalchemy import update

    from orchestrator.store.models import SessionRow

    campaign = await house.running(people=200, sessions=2)
    lost, other = campaign.session_ids
    await house.send_all()
    table = SessionRow.__table__  # type: ignore[attr-defined]
    async with house.context.database.transaction(house.scope) as tx:
        await tx.connection.execute(update(table).where(table.c.id == lost).values(state=state))

    campaign = await house.next_round(campaign)

    assert (campaign.state, campaign.stop_cause) == (CampaignState.STOPPED, StopCause.SESSION_LOST)
    assert state in campaign.stop_detail
    assert "stopped" in await house.events()
    async with house.context.database.transaction(house.scope) as tx:
        await tx.connection.execute(update(table).where(table.c.id == lost).values(state="CONNECTED"))
    await house.campaigns.resume(house.scope, campaign.id)
    while campaign.state is not CampaignState.COMPLETED:
        campaign = await house.next_round(campaign)
        await house.send_all()
    sent = Counter(row.session_id for row in await house.messages(status="SENT"))
    assert sent == {lost: 100, other: 100}


async def test_a_session_that_is_only_away_waits(house: House) -> None:
    from sqlalchemy import update

    from orchestrator.store.models import SessionRow

    campaign = await house.campaigns.create(house.scope, await house.draft(people=10))
    table = SessionRow.__table__  # type: ignore[attr-defined]
    await house.campaigns.start(house.scope, campaign.id)
    async with house.context.database.transaction(house.scope) as tx:
        await tx.connection.execute(update(table).values(state="STOPPED"))

    campaign = await house.next_round(campaign)

    assert campaign.state is CampaignState.RUNNING
    assert await house.messages() == []


async def test_those_who_may_not_be_written_to_are_passed_over_with_the_reason(house: House) -> None:
    draft = await house.draft(people=10)
    await house.consents.suppress(house.scope, numbers(10)[3])
    campaign = await house.campaigns.create(house.scope, draft)
    await house.campaigns.start(house.scope, campaign.id)
    campaign = await house.next_round(campaign)
    await house.send_all()
    campaign = await house.next_round(campaign)

    assert campaign.state is CampaignState.COMPLETED
    assert dict(campaign.passed_over) == {PassedOver.SUPPRESSED: 1}
    assert (campaign.tally.sent, campaign.done) == (9, 10)
    page = await house.campaigns.list_recipients(
        house.scope, campaign.id, RecipientStatus.PASSED_OVER, PageRequest()
    )
    assert [(one.phone_number, one.reason) for one in page.items] == [(numbers(10)[3], PassedOver.SUPPRESSED)]


async def test_too_many_opt_outs_stop_it_until_a_person_resumes_it(house: House) -> None:
    campaign = await house.running(people=200)
    await house.send_all()
    campaign = await house.next_round(campaign)
    await house.send_all()
    sent = await house.messages(status="SENT")
    for row in sent[:2]:
        await house.answer(row, "STOP", "contact.opted_out")
    campaign = await house.next_round(campaign)

    assert (campaign.state, campaign.stop_cause) == (CampaignState.STOPPED, StopCause.OPT_OUTS)
    assert campaign.tally.opted_out == 2
    await house.campaigns.resume(house.scope, campaign.id)
    campaign = await house.next_round(campaign)
    assert (campaign.state, campaign.stop_cause) == (CampaignState.RUNNING, None)


async def test_a_session_with_a_stricter_share_of_opt_outs_stops_it_earlier(house: House) -> None:
    campaign = await house.running(people=200)
    await PolicyService(house.context).update(
        house.scope, campaign.session_ids[0], {"reactions.opt_out_share_stop": "0"}, "key-1"
    )
    await house.send_all()
    campaign = await house.next_round(campaign)
    await house.send_all()
    sent = await house.messages(status="SENT")
    assert len(sent) > 50
    await house.answer(sent[0], "STOP", "contact.opted_out")
    campaign = await house.next_round(campaign)

    assert (campaign.state, campaign.stop_cause) == (CampaignState.STOPPED, StopCause.OPT_OUTS)
    assert campaign.tally.opted_out == 1


async def test_receipts_replies_and_failures_are_counted_once_by_variant(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign_events, "MOST_EVENTS", 3)
    campaign = await house.running(people=6)
    rows = await house.messages()
    await house.become("SENT", rows[:4])
    await house.become("FAILED", rows[4:5])
    await house.become("READ", rows[:2])
    await house.become("DELIVERED", rows[:3])
    for _ in range(2):
        await house.answer(rows[0], "How much is it?")
    await house.become("CANCELLED", rows[5:])

    campaign = await house.next_round(campaign)

    assert campaign.tally == Tally(queued=6, sent=4, delivered=3, read=2, replied=1, failed=1, cancelled=1)
    assert campaign.state is CampaignState.COMPLETED
    await house.become("SENT", rows[4:5])
    campaign = await house.next_round(campaign)
    assert (campaign.tally.sent, campaign.tally.failed) == (5, 0)
    results = await house.campaigns.results(house.scope, campaign.id)
    assert sum(result.tally.replied for result in results) == 1
    assert [result.name for result in results] == ["A", "B", "C", "D", "E"]


async def test_the_second_message_follows_a_yes_alone(house: House) -> None:
    campaign = await house.running(people=3, confirmation=Confirmation("Here it is, {first_name}."))
    rows = await house.messages()
    await house.send_all()
    campaign = await house.next_round(campaign)
    await house.answer(rows[0], "Sim!")
    await house.answer(rows[0], "sim")
    await house.answer(rows[1], "No, thanks")

    campaign = await house.next_round(campaign)

    assert campaign.state is CampaignState.RUNNING
    assert (campaign.tally.replied, campaign.tally.confirmed) == (2, 1)
    (followed,) = await house.messages(lane="REPLY")
    assert (followed.text, followed.chat_jid) == ("Here it is, Ana.", rows[0].chat_jid)
    campaign = await house.next_round(campaign, 72 * 3_600)
    assert campaign.state is CampaignState.COMPLETED


async def test_a_yes_that_comes_too_late_gets_nothing(house: House) -> None:
    campaign = await house.running(
        people=1, confirmation=Confirmation("Here it is.", ("quero",), wait_hours=1)
    )
    (row,) = await house.messages()
    await house.send_all()
    await house.next_round(campaign, 1)
    house.context.clock.advance(3_601)  # type: ignore[attr-defined]  # a ManualClock
    await house.answer(row, "quero")
    campaign = await house.next_round(campaign)

    assert await house.messages(lane="REPLY") == []
    assert campaign.tally.replied == 1


async def test_after_its_end_it_is_counted_for_a_week_and_then_left_alone(house: House) -> None:
    campaign = await house.running(people=1)
    (row,) = await house.messages()
    await house.send_all()
    campaign = await house.next_round(campaign)
    assert campaign.state is CampaignState.COMPLETED

    await house.become("READ", [row])
    campaign = await house.next_round(campaign, 3_600)
    assert campaign.tally.read == 1
    await house.next_round(campaign, 8 * 86_400)
    await house.become("PLAYED", [row])
    async with house.context.database.reading(house.scope) as tx:
        stored = await campaign_store.get(tx, house.scope, campaign.id)
    assert stored is not None
    assert stored.rounds.next_round_at is None


async def test_who_the_policy_holds_for_good_is_passed_over_and_the_campaign_ends(house: House) -> None:
    campaign = await house.running(people=3)
    first, second, third = await house.messages()
    async with house.context.database.transaction(house.scope) as tx:
        for row, code in ((first, "UNANSWERED"), (second, "QUIET_HOURS")):
            await tx.connection.execute(
                _MESSAGES.update().where(_MESSAGES.c.id == row.id).values(waiting_code=code)
            )
    await house.become("SENT", [third])

    campaign = await house.next_round(campaign)

    assert dict(campaign.passed_over) == {PassedOver.UNANSWERED: 1}
    assert {row.id: row.status for row in await house.messages()} == {
        first.id: "CANCELLED",
        second.id: "QUEUED",
        third.id: "SENT",
    }
    await house.become("SENT", [second])
    campaign = await house.next_round(campaign)
    assert (campaign.state, campaign.done, campaign.tally.queued) == (CampaignState.COMPLETED, 3, 2)


async def test_recipients_whose_night_it_is_keep_nobody_else_waiting(house: House) -> None:
    campaign = await house.running(people=300)
    tomorrow = house.context.clock() + timedelta(hours=20)
    for _ in range(6):
        async with house.context.database.transaction(house.scope) as tx:
            await tx.connection.execute(_MESSAGES.update().values(due_at=tomorrow))
        campaign = await house.next_round(campaign)

    assert len(await house.messages(status="QUEUED")) == MOST_WAITING


async def test_a_campaign_of_which_everybody_is_passed_over_is_over_at_once(house: House) -> None:
    draft = await house.draft(people=2)
    for number in numbers(2):
        await house.consents.suppress(house.scope, number)
    campaign = await house.campaigns.create(house.scope, draft)
    await house.campaigns.start(house.scope, campaign.id)

    await house.rounds.start(house.scope, campaign.id)

    campaign = await house.campaigns.get(house.scope, campaign.id)
    assert campaign.state is CampaignState.COMPLETED
    assert sum(campaign.passed_over.values()) == 2
