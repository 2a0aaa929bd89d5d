"""What stands in an exported chat in the place of a file: its name, or that the file was left out."""

import re
from dataclasses import dataclass
from typing import Final

from orchestrator.domain.exported_chat.lines import MARKS, without_marks
from orchestrator.domain.media import MediaKind

_NAME: Final = r"[^<>:/\\|?*\x00-\x1f]{1,200}\.[A-Za-z0-9]{1,8}"
_IN_ANGLES: Final = re.compile(rf"(?:^|(?<=\s))[{MARKS}]*<[^<>:\n]{{1,30}}:\s?({_NAME})>[{MARKS}\s]*$")
"""`<attached: 0001-PHOTO.jpg>`, in any language, at the end of its caption."""

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
_LEFT_OUT_KIND: Final = re.compile(
    rf"[{MARKS}]*(\w+)(?: \w+)? (?:omitted|omitid[oa]|ocultad[oa]|oculto|oculta|absente?|weggelassen)[.]?[{MARKS}\s]*"
)
"""`image omitted`: only where a mark before it says that the app wrote it."""

_KINDS_BY_WORD: Final = {
    **dict.fromkeys(("image", "imagem", "imagen", "bild"), MediaKind.IMAGE),
    **dict.fromkeys(("video", "vídeo", "vidéo", "gif"), MediaKind.VIDEO),
    **dict.fromkeys(("audio", "áudio"), MediaKind.VOICE),
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
    """A file of a message; without a `file_name` it was left out of the export. `kind` is None where nobody said."""

    file_name: str
    kind: MediaKind | None


def kind_of(file_name: str) -> MediaKind:
    """Say by its extension what a file was sent as."""
    return _KINDS_BY_EXTENSION.get(file_name.rpartition(".")[2].lower(), MediaKind.DOCUMENT)


def split_attachment(text: str) -> tuple[Attachment | None, str]:
    """Part what a message says into its file, None where it has none, and the words with it."""
    at_end = _IN_ANGLES.search(text)
    if at_end is not None:
        return _named(at_end[1]), text[: at_end.start()].rstrip()
    at_start = _BEFORE_WORDS.match(text)
    if at_start is not None and (at_start[2].lower() in _ATTACHED or text[0] in MARKS):
        return _named(at_start[1]), text[at_start.end() :]
    if without_marks(text).strip().lower() in _LEFT_OUT:
        return Attachment("", None), ""
    left_out = _LEFT_OUT_KIND.fullmatch(text) if text[:1] in MARKS and text else None
    if left_out is not None:
        return Attachment("", _KINDS_BY_WORD.get(left_out[1].lower(), MediaKind.DOCUMENT)), ""
    return None, text


def _named(file_name: str) -> Attachment:
    name = without_marks(file_name).strip()
    return Attachment(name, kind_of(name))
