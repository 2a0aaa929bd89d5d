"""Messages of exported chats that were received live: recognised whatever the app writes around their words."""

from datetime import UTC, datetime

import pytest

from orchestrator.domain import errors
from orchestrator.domain.content import ContactCard, Contacts, Content, Document, Image, MediaRef
from orchestrator.domain.imports import ImportState
from tests.support.export_house import House
from tests.support.exports import text_file, zip_file

AT = "[13/01/2025, 12:00:00] Ana:"
NOON = datetime(2025, 1, 13, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (Content(Document(MediaRef())), "\u200eA.pdf \u2022 \u200e3 pages \u200e<attached: 0003-A.pdf>"),
        (Content(Document(MediaRef())), "\u200eA.pdf \u2022 \u200e3 pages \u200edocument omitted"),
        (Content(Image(MediaRef(), "Look")), "Look \u200eimage omitted"),
        (Content(Contacts((ContactCard("Bob"),))), "\u200e<attached: 0004-Bob.vcf>"),
        (Content(Contacts((ContactCard("Bob"),))), "\u200eContact card omitted"),
    ],
)
async def test_a_live_message_with_a_file_is_known(house: House, content: Content, said: str) -> None:
    await house.receive(content.text, NOON, content=content)
    ended = await house.take_in(f"{AT} {said}", "[13/01/2025, 12:00:07] Bia: Hi")
    assert (ended.counts.added, ended.counts.known) == (1, 1)


async def test_the_caption_of_a_file_that_was_left_out_is_kept(house: House) -> None:
    await house.take_in("13/01/2025 12:00 - Ana: <Mídia oculta>", "Look", "13/01/2025 12:01 - Bia: Hi")
    assert await house.texts() == ["Look", "Hi"]


async def test_nul_keeps_no_file_from_its_import_nor_its_error_from_being_told(house: House) -> None:
    line = "[13/01/2025, 12:00:00] A\0na: He\0llo"
    refused = await house.take_in_file(zip_file(text_file(line)))
    assert (refused.state, refused.error_code) == (ImportState.FAILED, errors.EXPORT_OWN_NAME_UNKNOWN.name)
    assert "'Ana'" in refused.error_detail
    answer = "[13/01/2025, 12:00:07] Bia: Look\0 \u200e<attached: 1.png>"
    await house.take_in_file(zip_file(text_file(line, answer)))
    assert await house.texts() == ["He\ufffdllo", "Look\ufffd"]
