"""Contents that are neither text nor files: places, contacts, polls, events, invitations, and what is not known."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from orchestrator.domain.content import checks

MOST_RAW_BYTES = 16_384
"""Of an unknown content in events and answers; storage keeps all of it."""

_MOST_NAME = 255
_MOST_LONG_TEXT = 4_096
_MOST_CARDS = 100
_MOST_OPTIONS = 12
_MOST_OPTION = 100


@dataclass(frozen=True, slots=True)
class Location:
    """A place in degrees. `live` is where somebody is now, which is only received; `accuracy_m` in metres."""

    kind: ClassVar[str] = "location"
    latitude: float = 0.0
    longitude: float = 0.0
    name: str = ""
    address: str = ""
    url: str = ""
    live: bool = False
    accuracy_m: int = 0

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot be sent."""
        if not -90 <= self.latitude <= 90:
            raise checks.refused(f"{path}.latitude", "Give -90 to 90 degrees.")
        if not -180 <= self.longitude <= 180:
            raise checks.refused(f"{path}.longitude", "Give -180 to 180 degrees.")
        checks.short_text(self.name, f"{path}.name", _MOST_NAME)
        checks.short_text(self.address, f"{path}.address", _MOST_LONG_TEXT)
        checks.short_text(self.url, f"{path}.url", _MOST_LONG_TEXT)
        if self.live:
            raise checks.refused(f"{path}.live", "A live location cannot be sent.")


@dataclass(frozen=True, slots=True)
class ContactCard:
    """One contact: a vCard, or phone numbers (E.164) of which one is made."""

    display_name: str = ""
    phone_numbers: tuple[str, ...] = ()
    vcard: str = ""


@dataclass(frozen=True, slots=True)
class Contacts:
    """One contact or more to save."""

    kind: ClassVar[str] = "contacts"
    cards: tuple[ContactCard, ...] = ()

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot be sent."""
        checks.count(len(self.cards), f"{path}.cards", 1, _MOST_CARDS)
        for index, card in enumerate(self.cards):
            place = f"{path}.cards[{index}]"
            checks.named_text(card.display_name, f"{place}.display_name", _MOST_NAME)
            checks.short_text(card.vcard, f"{place}.vcard", checks.MAX_TEXT_CHARACTERS)
            if not card.vcard and not card.phone_numbers:
                raise checks.refused(place, "Give phone_numbers or a vcard.")
            for position, number in enumerate(card.phone_numbers):
                checks.phone_number(number, f"{place}.phone_numbers[{position}]")


@dataclass(frozen=True, slots=True)
class Poll:
    """A question with options; `selectable_count` options may be chosen, 0 for any number."""

    kind: ClassVar[str] = "poll"
    question: str = ""
    options: tuple[str, ...] = ()
    selectable_count: int = 0

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot be sent."""
        checks.named_text(self.question, f"{path}.question", _MOST_NAME)
        checks.count(len(self.options), f"{path}.options", 2, _MOST_OPTIONS)
        for index, option in enumerate(self.options):
            checks.named_text(option, f"{path}.options[{index}]", _MOST_OPTION)
        if len(set(self.options)) != len(self.options):
            raise checks.refused(f"{path}.options", "Give each option once.")
        checks.count(self.selectable_count, f"{path}.selectable_count", 0, len(self.options))


@dataclass(frozen=True, slots=True)
class Event:
    """An invitation to something at a time. `join_link` is only received."""

    kind: ClassVar[str] = "event"
    name: str = ""
    description: str = ""
    start_at: datetime | None = None
    end_at: datetime | None = None
    location: Location | None = None
    join_link: str = ""
    canceled: bool = False
    extra_guests_allowed: bool = False

    def check(self, path: str) -> None:
        """Raise PonteError(INVALID_ARGUMENT) where it cannot be sent."""
        checks.named_text(self.name, f"{path}.name", _MOST_NAME)
        checks.short_text(self.description, f"{path}.description", _MOST_LONG_TEXT)
        if self.join_link:
            raise checks.refused(
                f"{path}.join_link", "A link to join cannot be sent; put it in the description."
            )
        if self.start_at is None:
            raise checks.refused(f"{path}.start_at", "Say when it begins.")
        if self.end_at is not None and self.end_at < self.start_at:
            raise checks.refused(f"{path}.end_at", "Give a time after start_at.")
        if self.location is not None:
            self.location.check(f"{path}.location")


@dataclass(frozen=True, slots=True)
class GroupInvite:
    """An invitation to a group."""

    kind: ClassVar[str] = "group_invite"
    group_jid: str = ""
    group_name: str = ""
    code: str = ""
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A content that this version does not read: its protobuf field's name, and its bytes where they are not many."""

    kind: ClassVar[str] = "unknown"
    name: str = ""
    raw: bytes = b""
