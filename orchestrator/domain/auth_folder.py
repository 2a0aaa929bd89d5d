"""File names of Baileys' multi-file auth folder: `creds.json`, and `<type>-<id>.json` for each key.

Source: use-multi-file-auth-state.js of Baileys 7.0.0-rc14, which writes `/` as `__` and `:` as `-`. That cannot be
undone without knowing what ids of each type look like; here is what they look like there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.auth_state import AuthKey

CREDENTIALS_FILE = "creds.json"

KEY_TYPES = (
    "app-state-sync-key",
    "app-state-sync-version",
    "device-list",
    "identity-key",
    "lid-mapping",
    "pre-key",
    "sender-key-memory",
    "sender-key",
    "session",
    "tctoken",
)
"""Baileys' SignalDataTypeMap; a type that begins like another one stands before it."""

_SENDER_KEY = re.compile(r"(?P<group>.+)--(?P<user>[^-]+)--(?P<device>\d+)")
"""SenderKeyName: `group::user::device`; a group's id may itself hold one `-`."""

_USER_WITH_DEVICE = re.compile(r"(\d+)-(\d+@(?:s\.whatsapp\.net|lid|hosted|hosted\.lid))")


@dataclass(frozen=True, slots=True)
class AuthFolder:
    """What a folder holds: the whole credentials and all keys, as BufferJSON."""

    credentials: str
    keys: Sequence[AuthKey]


def key_file_name(key_type: str, name: str) -> str:
    """The file of one key."""
    return f"{key_type}-{name}.json".replace("/", "__").replace(":", "-")


def parse_key_file_name(file_name: str) -> tuple[str, str] | None:
    """The type and id of the key in a file; None where it is no key's file."""
    stem, dot, ending = file_name.rpartition(".")
    if not dot or ending != "json":
        return None
    for key_type in KEY_TYPES:
        if stem.startswith(f"{key_type}-") and len(stem) > len(key_type) + 1:
            return key_type, _original_name(key_type, stem[len(key_type) + 1 :])
    return None


def _original_name(key_type: str, written: str) -> str:
    if key_type == "app-state-sync-key":
        # Base64, which has no underscore.
        return written.replace("__", "/")
    if key_type == "sender-key" and (match := _SENDER_KEY.fullmatch(written)):
        return "::".join(match.group("group", "user", "device"))
    return _USER_WITH_DEVICE.sub(r"\1:\2", written)
