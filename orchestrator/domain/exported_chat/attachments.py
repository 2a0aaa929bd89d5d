"""What stands in an exported chat in the place of a file: its name, or that the file was left out."""

import re
from dataclasses import dataclass
from typing import Final

from orchestrator.domain.exported_chat.lines import MARKS, without_marks
from orchestrator.domain.media import MediaKind

_FILE: Final = r"[^<>:/\\|?*\x00-\x1f]{1,200}"
_EXTENSION: Final = r"\.[A-Za-z0-9]{1,8}"
_NAME: Final = _FILE + _EXTENSION
_LABEL: Final = r"<[^<>:\n]{1,30}:\s?"
_IN_ANGLES: Final = re.compile(
    rf"(?:^|(?<=\s))(?:[{MARKS}]+{_LABEL}({_FILE})|{_LABEL}({_NAME}))>[{MARKS}\s]*$"
)
"""`<attached: 0001-PHOTO.jpg>`, in any language, at the end of its caption; after a mark the name may be any."""

_BEFORE_WORDS: Final = re.compile(rf"[{MARKS}]*({_NAME})[{MARKS}]* \(([^()\n]{{4,40}})\)[{MARKS}]*(?:\n|$)")
"""`IMG-0001.jpg (file attached)`, in the first line, before its caption."""

_ATTACHED: Final = frozenset(
    {
        *("file attached", "arquivo anexado", "ficheiro anexado", "archivo adjunto", "fichier joint"),
        *("datei angehängt", "file allegato", "bestand bijgevoegd"),
    }
)
_LEFT_OUT: Final = frozenset(
    {
        *("<media omitted>", "<arquivo de mídia oculto>", "<mídia oculta>", "<ficheiro multimédia omitido>"),
        *("<multimedia omitido>", "<médias omis>", "<medien ausgeschlossen>", "<media omessi>"),
        "<media weggelaten>",
    }
)
_OMITTED: Final = (
    r"(?:omitted|omitid[oa]|ocultad[oa]|ocult[oa]|não revelad[oa]|omess[oa]|non inclus[oa]"
    r"|absente?|manquante?|weggelassen|ausgelassen|weggelaten)"
)
_LEFT_OUT_KIND: Final = re.compile(
    rf"(?:^[{MARKS}]+|(?<=\s)\u200e)(\w{{1,30}}(?: \w{{1,30}}){{0,2}}) {_OMITTED}[.]?[{MARKS}\s]*$"
)
"""`image omitted`, at the end of its caption: only where a mark before it says that the app wrote it."""

_LEFT_OUT_SOMEHOW: Final = re.compile(rf"[{MARKS}][^\n]{{1,200}}\s{_OMITTED}[.]?[{MARKS}\s]*")
"""A text of the app's own that ends so, with words that nobody knows: somebody sent something all the same."""

_NUMBER: Final = re.compile(r"^[0-9]{1,12}-")
"""An iPhone writes it before the names of files."""

_PAGES: Final = rf"[{MARKS}\s]{{0,3}}\u2022[{MARKS}\s]{{0,3}}[\d.,]{{1,10}}\s\w{{1,20}}"
_AFTER_TITLE: Final = re.compile(rf"(?:{_PAGES})?(?![^{MARKS}\s])")
_TITLE: Final = re.compile(
    rf"[{MARKS}]*([^<>:/\\|?*\u2022\x00-\x1f]{{1,200}}{_EXTENSION})(?:{_PAGES}(?![^{MARKS}\s])|[{MARKS}]*$)"
)
"""`Contract.pdf \u2022 3 pages`: an iPhone writes so what a document is named, before its caption."""

_KINDS_BY_WORD: Final = {
    **dict.fromkeys(
        ("image", "imagem", "imagen", "bild", "immagine", "afbeelding", "photo", "foto"), MediaKind.IMAGE
    ),
    **dict.fromkeys(("video", "vídeo", "vidéo", "gif"), MediaKind.VIDEO),
    **dict.fromkeys(("audio", "áudio", "voice", "vocal", "voz"), MediaKind.VOICE),
    **dict.fromkeys(("sticker", "figurinha"), MediaKind.STICKER),
}
_KINDS_BY_EXTENSION: Final = {
    **dict.fromkeys(("jpg", "jpeg", "png", "gif"), MediaKind.IMAGE),
    **dict.fromkeys(("mp4", "3gp", "mov", "webm", "mkv"), MediaKind.VIDEO),
    **dict.fromkeys(("mp3", "m4a", "aac", "amr", "ogg", "wav", "flac"), MediaKind.AUDIO),
    "opus": MediaKind.VOICE,
    "webp": MediaKind.STICKER,
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message. One that was left out may have no `file_name`; `kind` is None where nobody said."""

    file_name: str
    kind: MediaKind | None


def kind_of(file_name: str) -> MediaKind:
    """Say by its extension what a file was sent as."""
    return _KINDS_BY_EXTENSION.get(file_name.rpartition(".")[2].lower(), MediaKind.DOCUMENT)


def split_attachment(text: str) -> tuple[Attachment | None, str]:
    """Part what a message says into its file, None where it has none, and the words with it."""
    at_end = _IN_ANGLES.search(text)
    if at_end is not None:
        attachment = _named(at_end[1] or at_end[2])
        return attachment, _without_title(text[: at_end.start()].rstrip(), attachment.file_name)
    at_start = _BEFORE_WORDS.match(text)
    if at_start is not None and (at_start[2].lower() in _ATTACHED or text[0] in MARKS):
        return _named(at_start[1]), text[at_start.end() :]
    first, _, caption = text.partition("\n")
    if without_marks(first).strip().lower() in _LEFT_OUT:
        # What has a caption is a file of some kind, and a sticker, say, is not.
        return Attachment("", MediaKind.DOCUMENT if caption else None), caption
    left_out = _LEFT_OUT_KIND.search(text)
    if left_out is not None:
        return _left_out(left_out[1], text[: left_out.start()].rstrip())
    if _LEFT_OUT_SOMEHOW.fullmatch(text):
        return Attachment("", None), ""
    return None, text


def _named(file_name: str) -> Attachment:
    name = without_marks(file_name).strip()
    return Attachment(name, kind_of(name))


def _without_title(before: str, file_name: str) -> str:
    """Take off the title of an attached document, which is its name without the number."""
    words, title = before.lstrip(MARKS), _NUMBER.sub("", file_name)
    after = _AFTER_TITLE.match(words, len(title)) if words.startswith(title) else None
    return before if after is None else words[after.end() :].lstrip()


def _left_out(words: str, before: str) -> tuple[Attachment, str]:
    kinds = [_KINDS_BY_WORD[word] for word in words.lower().split() if word in _KINDS_BY_WORD]
    if kinds:
        return Attachment("", kinds[0]), before
    title = _TITLE.match(before)
    if title is None:
        return Attachment("", MediaKind.DOCUMENT), before
    return Attachment(without_marks(title[1]).strip(), MediaKind.DOCUMENT), before[title.end() :].strip()
