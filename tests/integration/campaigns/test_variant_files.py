"""Variants that carry a file: looked up when the campaign is set up, sent with the filled-in words as the caption."""

from datetime import timedelta

import pytest

from orchestrator.domain.campaign.variants import File, GivenVariant
from orchestrator.domain.content import Document, Image, MediaRef, Video
from orchestrator.domain.errors import PonteError
from orchestrator.services.campaigns import CampaignDraft
from orchestrator.services.dispatch import DispatchService
from orchestrator.store.content_text import read_content
from tests.integration.campaigns.conftest import VARIANTS, House
from tests.support.clock import ManualClock
from tests.support.files import png
from tests.support.gateway import FakeGateway


def with_files(*files: File) -> list[GivenVariant]:
    """The usual texts, the first of them with these files."""
    plain = VARIANTS[len(files) :]
    return [
        *(GivenVariant("", f"Look, {{first_name|you}} ({n})", file) for n, file in enumerate(files)),
        *plain,
    ]


async def test_a_picture_goes_out_with_the_words_of_its_recipient(house: House, gateway: FakeGateway) -> None:
    pictures = [Image(media=MediaRef(media_id=await house.uploaded(png(40 + n)))) for n in range(5)]
    campaign = await house.running(people=1, variants=with_files(*pictures))
    [session_id] = campaign.session_ids
    dispatch = DispatchService(house.context, gateway, "worker-1")
    await dispatch.run(house.scope, session_id)
    await dispatch.stop()

    [(_, sent)] = gateway.attempts
    assert sent.content is not None
    assert isinstance(sent.content.body, Image)
    assert sent.content.body.caption.startswith("Look, Ana (")
    assert sent.content.body.media.mime_type == "image/png"
    [row] = await house.messages()
    assert (row.kind, row.text) == ("image", sent.content.body.caption)
    assert read_content(row.content) == sent.content


async def test_a_caption_greets_by_the_time_it_leaves(
    house: House, gateway: FakeGateway, clock: ManualClock
) -> None:
    files = [Document(media=MediaRef(media_id=await house.uploaded(png(40 + n)))) for n in range(5)]
    variants = [GivenVariant("", "On {date}", file) for file in files]
    campaign = await house.running(people=1, variants=variants)
    clock.advance(timedelta(days=1).total_seconds())
    dispatch = DispatchService(house.context, gateway, "worker-1")
    await dispatch.run(house.scope, campaign.session_ids[0])
    await dispatch.stop()

    [(_, sent)] = gateway.attempts
    assert sent.content is not None
    today = f"On {clock().date().isoformat()}"
    assert (sent.text, sent.content.text) == (today, today)


async def test_a_file_that_was_sent_last_is_not_sent_again_by_the_next_campaign(house: House) -> None:
    files = [Image(media=MediaRef(media_id=await house.uploaded(png(40 + n)))) for n in range(5)]
    variants = [GivenVariant("", "", file) for file in files]
    first = await house.running(people=1, variants=variants)
    [before] = await house.messages()
    await house.send_all()
    second = await house.campaigns.create(
        house.scope, CampaignDraft("Summer", first.list_id, list(first.session_ids), variants)
    )
    await house.campaigns.start(house.scope, second.id)
    await house.rounds.start(house.scope, second.id)
    [after] = await house.messages(campaign_id=second.id)
    assert after.content != before.content


@pytest.mark.parametrize("gone", [True, False])
async def test_a_file_that_is_not_there_or_no_picture_is_refused_by_its_place(
    house: House, *, gone: bool
) -> None:
    media_id = "01890000-0000-7000-8000-000000000000" if gone else await house.uploaded()
    file = Image(media=MediaRef(media_id=media_id)) if gone else Video(media=MediaRef(media_id=media_id))
    with pytest.raises(PonteError) as refused:
        await house.campaigns.create(house.scope, await house.draft(people=1, variants=with_files(file)))
    assert refused.value.code.name == ("NOT_FOUND" if gone else "MEDIA_TYPE_NOT_ALLOWED")
    assert [violation.field for violation in refused.value.violations] == ["variants[0].file"]


async def test_retention_spares_a_file_while_messages_with_it_are_laid_in(
    house: House, clock: ManualClock
) -> None:
    media_id = await house.uploaded()
    draft = await house.draft(people=1, variants=with_files(Image(media=MediaRef(media_id=media_id))))
    campaign = await house.campaigns.create(house.scope, draft)
    clock.advance(timedelta(days=80).total_seconds())
    await house.campaigns.start(house.scope, campaign.id)
    await house.rounds.start(house.scope, campaign.id)

    kept = await house.media.get(house.scope, media_id)
    assert kept.expires_at is not None
    assert kept.expires_at >= clock() + timedelta(days=30)
