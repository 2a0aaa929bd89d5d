"""What stands in an exported chat in the place of a file."""

import pytest

from orchestrator.domain.exported_chat.attachments import Attachment, kind_of, split_attachment
from orchestrator.domain.media import MediaKind


@pytest.mark.parametrize(
    ("said", "name", "caption"),
    [
        ("\u200e<attached: 00000012-PHOTO-2024.jpg>", "00000012-PHOTO-2024.jpg", ""),
        ("<attached: 0001-PHOTO.jpg>", "0001-PHOTO.jpg", ""),
        ("\u200e<pièce jointe : 0001.jpg>", "0001.jpg", ""),
        ("Look at\nthis \u200e<anexado: 0001.jpg>", "0001.jpg", "Look at\nthis"),
        ("\u200eIMG-1.jpg (file attached)", "IMG-1.jpg", ""),
        ("IMG-1.jpg (arquivo anexado)\nLook at\nthis", "IMG-1.jpg", "Look at\nthis"),
        ("\u200eIMG-1.jpg (in a language of its own)", "IMG-1.jpg", ""),
    ],
)
def test_a_file_is_named_before_or_after_its_caption(said: str, name: str, caption: str) -> None:
    assert split_attachment(said) == (Attachment(name, MediaKind.IMAGE), caption)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("<Media omitted>", None),
        ("\u200e<Mídia oculta>", None),
        ("\u200eimage omitted", MediaKind.IMAGE),
        ("\u200evídeo omitido", MediaKind.VIDEO),
        ("\u200eaudio omitted", MediaKind.VOICE),
        ("\u200eGIF omitted", MediaKind.VIDEO),
        ("\u200efigurinha omitida", MediaKind.STICKER),
        ("\u200eContact card omitted", MediaKind.DOCUMENT),
        ("\u200eCartão do contato omitido", MediaKind.DOCUMENT),
        ("\u200etarjeta de contacto omitida", MediaKind.DOCUMENT),
        ("\u200eimagem não revelada", MediaKind.IMAGE),
        ("\u200emensagem de voz omitida", MediaKind.VOICE),
        ("\u200eimmagine omessa", MediaKind.IMAGE),
        ("\u200esticker non incluso", MediaKind.STICKER),
        ("\u200eafbeelding weggelaten", MediaKind.IMAGE),
        ("\u200edocument manquant", MediaKind.DOCUMENT),
        ("\u200eKontaktkarte ausgelassen", MediaKind.DOCUMENT),
        ("\u200eO cartão de visita do contato omitido", None),
    ],
)
def test_a_file_may_have_been_left_out(said: str, kind: MediaKind | None) -> None:
    assert split_attachment(said) == (Attachment("", kind), "")


@pytest.mark.parametrize(
    ("said", "name", "caption"),
    [
        ("\u200eContrato.pdf \u2022 \u200e3 pages \u200edocument omitted", "Contrato.pdf", ""),
        ("Contrato.pdf \u2022 \u200e3 pages \u200edocument omitted", "Contrato.pdf", ""),
        ("\u200ex.docx \u200edocument omitted", "x.docx", ""),
        ("Contrato.pdf \u2022 3 pages Sign v2.pdf \u200edocumento omitido", "Contrato.pdf", "Sign v2.pdf"),
        ("See x.docx please \u200edocument omitted", "", "See x.docx please"),
    ],
)
def test_a_document_that_was_left_out_has_its_name_and_its_caption(
    said: str, name: str, caption: str
) -> None:
    assert split_attachment(said) == (Attachment(name, MediaKind.DOCUMENT), caption)


@pytest.mark.parametrize(
    ("before", "caption"),
    [
        ("\u200eContrato.pdf \u2022 \u200e3 pages ", ""),
        ("Contrato.pdf \u2022 1\u00a0página ", ""),
        ("\u200eContrato.pdf \u2022 \u200e3 pages Please sign ", "Please sign"),
        ("\u200eContrato.pdf Please sign ", "Please sign"),
        ("Contrato.pdfs ", "Contrato.pdfs"),
        ("Another.pdf \u2022 \u200e3 pages ", "Another.pdf \u2022 \u200e3 pages"),
    ],
)
def test_the_title_of_an_attached_document_is_not_its_caption(before: str, caption: str) -> None:
    said = f"{before}\u200e<attached: 00000003-Contrato.pdf>"
    assert split_attachment(said) == (Attachment("00000003-Contrato.pdf", MediaKind.DOCUMENT), caption)


def test_a_file_that_was_left_out_has_its_caption() -> None:
    assert split_attachment("<Mídia oculta>\nLook\nhere") == (
        Attachment("", MediaKind.DOCUMENT),
        "Look\nhere",
    )
    said = "Look\nhere \u200eimage omitted"
    assert split_attachment(said) == (Attachment("", MediaKind.IMAGE), "Look\nhere")


@pytest.mark.parametrize("name", ["00000007-LICENSE", "7-perfil.mobileconfig"])
def test_after_a_mark_a_files_name_may_be_any(name: str) -> None:
    assert split_attachment(f"\u200e<attached: {name}>") == (Attachment(name, MediaKind.DOCUMENT), "")
    assert split_attachment(f"<attached: {name}>") == (None, f"<attached: {name}>")


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Hello",
        "image omitted",
        "Look here image omitted",
        "The \u200eword\nimage omitted",
        "report.pdf (the second version)",
        "<attached: ../../etc/passwd.txt>",
        "<attached: C:\\autoexec.bat>",
        "<attached: nothing>",
        "<attached: 1.jpg> and more",
        "../IMG-1.jpg (file attached)",
        "\u200eThis message was deleted.",
    ],
)
def test_other_words_are_words(said: str) -> None:
    assert split_attachment(said) == (None, said)


def test_kinds_go_by_the_extension() -> None:
    names = ("a.JPG", "a.mp4", "a.opus", "a.m4a", "a.webp", "a.pdf")
    assert [kind_of(name) for name in names] == [
        *(MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.VOICE),
        *(MediaKind.AUDIO, MediaKind.STICKER, MediaKind.DOCUMENT),
    ]
