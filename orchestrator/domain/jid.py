"""WhatsApp addresses (jids): `user@s.whatsapp.net` by phone number, `user@lid` by hidden id, `id@g.us` for groups."""

from dataclasses import dataclass

PHONE_NUMBER_SERVER = "s.whatsapp.net"
LID_SERVER = "lid"
GROUP_SERVER = "g.us"
CHANNEL_SERVER = "newsletter"
STATUS_JID = "status@broadcast"
"""Where a number's statuses are posted; each is shown to those that it names."""


def phone_number_to_jid(phone_number: str) -> str:
    """Turn an E.164 number (`+5511...`) into its jid."""
    return f"{phone_number.removeprefix('+')}@{PHONE_NUMBER_SERVER}"


def jid_to_phone_number(jid: str) -> str:
    """Turn a phone-number jid, with or without device, into E.164; any other jid gives an empty string."""
    user, _, server = jid.partition("@")
    number = user.partition(":")[0]
    return f"+{number}" if number and server == PHONE_NUMBER_SERVER else ""


def without_device(jid: str) -> str:
    """Drop the `:device` part of a jid."""
    user, _, server = jid.partition("@")
    return f"{user.partition(':')[0]}@{server}" if server else jid


def is_group(jid: str) -> bool:
    """Tell whether a jid names a group."""
    return jid.endswith(f"@{GROUP_SERVER}")


def is_channel(jid: str) -> bool:
    """Tell whether a jid names a channel."""
    return jid.endswith(f"@{CHANNEL_SERVER}")


def is_shared(jid: str) -> bool:
    """Tell whether a jid names no single contact's chat: a group, a channel, or the statuses."""
    return is_group(jid) or is_channel(jid) or jid == STATUS_JID


@dataclass(frozen=True, slots=True)
class ContactId:
    """The two names of one WhatsApp contact; either may be empty while it is not known."""

    pn_jid: str = ""
    lid_jid: str = ""

    @property
    def phone_number(self) -> str:
        """E.164, or empty while only the lid is known."""
        return jid_to_phone_number(self.pn_jid)

    @property
    def jid(self) -> str:
        """The address to send to: the phone number's where known."""
        return self.pn_jid or self.lid_jid


def person_named(jid: str) -> ContactId:
    """The one name of a person that a jid is: the hidden id or the phone number's."""
    return ContactId(lid_jid=jid) if jid.endswith(f"@{LID_SERVER}") else ContactId(pn_jid=jid)
