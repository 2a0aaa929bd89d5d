"""Setting campaigns up."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.domain.campaign.campaign import Confirmation
from orchestrator.domain.campaign.state import CampaignState
from orchestrator.domain.campaign.variants import GivenVariant
from orchestrator.domain.errors import PonteError
from orchestrator.domain.page import PageRequest
from orchestrator.services.campaigns import CampaignDraft
from orchestrator.services.recipient_imports import GivenRecipient
from tests.integration.campaigns.conftest import VARIANTS, House, numbers
from tests.support.factories import Factories


async def code_of(work: Any) -> str:
    with pytest.raises(PonteError) as refused:
        await work
    return refused.value.code.name


async def test_a_campaign_is_a_draft_until_it_is_started(house: House) -> None:
    draft = await house.draft(people=2)
    campaign = await house.campaigns.create(house.scope, draft, "key")

    assert campaign.state is CampaignState.DRAFT
    assert await house.campaigns.create(house.scope, draft, "key") == campaign
    assert (await house.campaigns.list(house.scope, None, PageRequest())).items == [campaign]
    assert (await house.campaigns.list(house.scope, CampaignState.RUNNING, PageRequest())).items == []
    changed = await house.campaigns.update(house.scope, campaign.id, replace(draft, name="Summer"))
    assert (changed.name, changed.id) == ("Summer", campaign.id)
    await house.rounds.run_once()
    assert await house.messages() == []
    await house.campaigns.start(house.scope, campaign.id)
    assert await code_of(house.campaigns.update(house.scope, campaign.id, draft)) == "CAMPAIGN_STATE"
    assert await code_of(house.campaigns.delete(house.scope, campaign.id)) == "CAMPAIGN_STATE"
    assert await code_of(house.lists.delete(house.scope, campaign.list_id)) == "RECIPIENT_LIST_IN_USE"
    await house.campaigns.cancel(house.scope, campaign.id)
    await house.campaigns.delete(house.scope, campaign.id)
    assert await code_of(house.campaigns.get(house.scope, campaign.id)) == "NOT_FOUND"
    await house.lists.delete(house.scope, campaign.list_id)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"variants": VARIANTS[:4]}, "VARIANTS_TOO_FEW"),
        ({"variants": [*VARIANTS, GivenVariant("", "Hi {")]}, "TEMPLATE_INVALID"),
        ({"session_ids": []}, "INVALID_ARGUMENT"),
        ({"session_ids": ["nothing"]}, "NOT_FOUND"),
        ({"list_id": "nothing"}, "NOT_FOUND"),
        ({"time_zone": "Mars/Olympus"}, "INVALID_ARGUMENT"),
        ({"time_zone": "../etc/passwd"}, "INVALID_ARGUMENT"),
        ({"language": "tlh"}, "INVALID_ARGUMENT"),
        ({"name": " "}, "INVALID_ARGUMENT"),
        ({"confirmation": Confirmation(" ")}, "TEXT_EMPTY"),
        ({"confirmation": Confirmation("Hi", wait_hours=0)}, "INVALID_ARGUMENT"),
    ],
)
async def test_what_cannot_be_sent_is_refused(house: House, changes: dict[str, Any], code: str) -> None:
    draft = await house.draft(people=1)

    assert await code_of(house.campaigns.create(house.scope, replace(draft, **changes))) == code


async def test_an_end_before_the_start_is_refused(house: House) -> None:
    now = house.context.clock()
    draft = await house.draft(people=1, start_at=now, end_at=now - timedelta(seconds=1))

    assert await code_of(house.campaigns.create(house.scope, draft)) == "INVALID_ARGUMENT"


async def test_a_missing_variable_is_told_before_anything_is_sent(house: House) -> None:
    people = [GivenRecipient(number, "Ana" if position else "") for position, number in enumerate(numbers(3))]
    session = await house.make.linked_session(house.scope)
    texts = [*VARIANTS[:4], GivenVariant("", "Dear {name}, your {code|order} is here")]
    draft = CampaignDraft("Spring", await house.list_of(people), [session.id], texts)
    campaign = await house.campaigns.create(house.scope, draft)

    with pytest.raises(PonteError, match=r"\{name\} for 1") as refused:
        await house.campaigns.start(house.scope, campaign.id)
    assert refused.value.code.name == "TEMPLATE_VARIABLE_MISSING"


async def test_an_empty_list_and_a_number_that_is_not_linked_are_refused_at_the_start(house: House) -> None:
    empty = await house.lists.create(house.scope, "Nobody")
    draft = await house.draft(people=1)
    nobody = await house.campaigns.create(house.scope, replace(draft, list_id=empty.id))
    new = await house.make.session(house.scope)
    unlinked = await house.campaigns.create(house.scope, replace(draft, session_ids=[new.id]))

    assert await code_of(house.campaigns.start(house.scope, nobody.id)) == "RECIPIENTS_MISSING"
    assert await code_of(house.campaigns.start(house.scope, unlinked.id)) == "SESSION_NOT_LINKED"


async def test_another_company_sees_nothing(house: House, make: Factories) -> None:
    campaign = await house.running(people=1)
    other = await make.company("Other")
    work = house.campaigns

    for call in (
        work.get(other, campaign.id),
        work.start(other, campaign.id),
        work.pause(other, campaign.id),
        work.resume(other, campaign.id),
        work.cancel(other, campaign.id),
        work.delete(other, campaign.id),
        work.results(other, campaign.id),
        work.list_recipients(other, campaign.id, None, PageRequest()),
        work.get(house.scope, "nothing"),
    ):
        assert await code_of(call) == "NOT_FOUND"
