"""Contents that carry a file."""

from dataclasses import dataclass
from typing import ClassVar

from orchestrator.domain.content import checks

_MOST_FILE_NAME = 255
_MOST_ALBUM_ITEMS = 30


@dataclass(frozen=True, slots=True)
class MediaRef:
    """A file of a message. On the way in `media_id` or `url` says which; the rest is filled in once it is stored.

    `size` is in bytes, `sha256` in lower hexadecimal, `seconds` how long it plays, `width` and `height` in pixels.
    """

    media_id: str = ""
    url: str = ""
    mime_type: str = ""
    size: int = 0
    sha256: str = ""
    file_name: str = ""
    width: int = 0
    height: int = 0
    seconds: int = 0

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) unless it names exactly one file."""
        if bool(self.media_id) == bool(self.url):
            raise checks.refused(path, "Give either media_id or url.")
        checks.short_text(self.file_name, f"{path}.file_name", _MOST_FILE_NAME)


@dataclass(frozen=True, slots=True)
class Image:
    """A picture."""

    kind: ClassVar[str] = "image"
    media: MediaRef = MediaRef()
    caption: str = ""

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot be sent."""
        self.media.check(f"{path}.media")
        checks.short_text(self.caption, f"{path}.caption", checks.MAX_TEXT_CHARACTERS)


@dataclass(frozen=True, slots=True)
class Video:
    """A film: `gif` plays by itself without sound, `round` is a video note, which has no caption."""

    kind: ClassVar[str] = "video"
    media: MediaRef = MediaRef()
    caption: str = ""
    gif: bool = False
    round: bool = False

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot be sent."""
        self.media.check(f"{path}.media")
        checks.short_text(self.caption, f"{path}.caption", checks.MAX_TEXT_CHARACTERS)
        if self.round and (self.caption or self.gif):
            raise checks.refused(f"{path}.round", "A video note has no caption and is no gif.")


@dataclass(frozen=True, slots=True)
class Audio:
    """A sound file."""

    kind: ClassVar[str] = "audio"
    media: MediaRef = MediaRef()

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot be sent."""
        self.media.check(f"{path}.media")


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice note; `waveform` is 64 values of 0 to 100, one a byte, or empty."""

    kind: ClassVar[str] = "voice"
    media: MediaRef = MediaRef()
    waveform: bytes = b""

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot be sent."""
        self.media.check(f"{path}.media")


@dataclass(frozen=True, slots=True)
class Document:
    """Any file; its name is that of its media."""

    kind: ClassVar[str] = "document"
    media: MediaRef = MediaRef()
    caption: str = ""

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot be sent."""
        self.media.check(f"{path}.media")
        checks.short_text(self.caption, f"{path}.caption", checks.MAX_TEXT_CHARACTERS)


@dataclass(frozen=True, slots=True)
class Sticker:
    """A sticker (WebP)."""

    kind: ClassVar[str] = "sticker"
    media: MediaRef = MediaRef()
    animated: bool = False

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot be sent."""
        self.media.check(f"{path}.media")


@dataclass(frozen=True, slots=True)
class AlbumItem:
    """One picture or film of an album."""

    image: Image | None = None
    video: Video | None = None

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot be sent."""
        if (self.image is None) == (self.video is None):
            raise checks.refused(path, "Give either image or video.")
        if self.image is not None:
            self.image.check(f"{path}.image")
        if self.video is not None:
            self.video.check(f"{path}.video")
            if self.video.gif or self.video.round:
                raise checks.refused(f"{path}.video", "An album has no gifs and no video notes.")


@dataclass(frozen=True, slots=True)
class Album:
    """Pictures and films shown together. They travel as messages of their own: `items` are what a sender gives,
    `message_ids` their messages here, in order; of a received album only their numbers are known."""

    kind: ClassVar[str] = "album"
    items: tuple[AlbumItem, ...] = ()
    expected_images: int = 0
    expected_videos: int = 0
    message_ids: tuple[str, ...] = ()

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot be sent."""
        checks.count(len(self.items), f"{path}.items", 2, _MOST_ALBUM_ITEMS)
        for index, item in enumerate(self.items):
            item.check(f"{path}.items[{index}]")
