"""Whether Baileys' credentials and keys are those of a linked number, and complete enough to connect with."""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from orchestrator.domain.auth_folder import AuthFolder
from orchestrator.domain.jid import ContactId, without_device

_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_LINKED_DEVICE = re.compile(r"\d+:\d+@s\.whatsapp\.net")
_HIGHEST_PRE_KEY = 0xFFFFFF
_LONGEST_KEY_NAME = 200
_MOST_NAMED = 8

_PAIRS = ("noiseKey", "signedIdentityKey", "signedPreKey.keyPair")


@dataclass(slots=True)
class LinkedCredentials:
    """What was found. `problems` keep the number from connecting; `remarks` are good to know."""

    me: ContactId = field(default_factory=ContactId)
    push_name: str = ""
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def inspect(folder: AuthFolder) -> LinkedCredentials:
    """Look at everything and name all that is missing or broken, one sentence each."""
    found = LinkedCredentials()
    try:
        creds = json.loads(folder.credentials)
    except ValueError:
        creds = None
    if not isinstance(creds, dict):
        found.problems.append("creds.json is not a JSON object.")
        return found
    _inspect_keys(creds, found.problems)
    _inspect_account(creds, found)
    _inspect_pre_keys(creds, folder, found)
    found.problems.extend(
        f"The file of {key.type} {key.name[:40]}... has too long a name."
        for key in folder.keys
        if len(key.name) > _LONGEST_KEY_NAME
    )
    return found


def _inspect_keys(creds: dict[str, Any], problems: list[str]) -> None:
    for name in _PAIRS:
        pair = _at(creds, name)
        if pair is None:
            problems.append(f"creds.json has no {name}.")
        elif not _is_key_pair(pair):
            problems.append(
                f"creds.json: {name} is not a key pair of {_KEY_BYTES} bytes each that belong together."
            )
    signature = _buffer(_at(creds, "signedPreKey.signature"))
    if signature is None or len(signature) != _SIGNATURE_BYTES:
        problems.append(f"creds.json: signedPreKey.signature is missing or not of {_SIGNATURE_BYTES} bytes.")
    problems.extend(
        f"creds.json: {name} is missing or not a number."
        for name in ("signedPreKey.keyId", "registrationId")
        if not _is_number(_at(creds, name))
    )
    secret = creds.get("advSecretKey")
    if not isinstance(secret, str) or len(_from_base64(secret) or b"") != _KEY_BYTES:
        problems.append(f"creds.json: advSecretKey is missing or not {_KEY_BYTES} bytes in base64.")


def _inspect_account(creds: dict[str, Any], found: LinkedCredentials) -> None:
    jid = _at(creds, "me.id")
    if not isinstance(jid, str) or not _LINKED_DEVICE.fullmatch(jid):
        found.problems.append(
            "creds.json: me.id is missing or not that of a linked device; the number was not linked."
        )
        return
    if not _at(creds, "account.details"):
        found.problems.append("creds.json has no account: the pairing was not finished.")
    lid, name = _at(creds, "me.lid"), _at(creds, "me.name")
    found.me = ContactId(without_device(jid), without_device(lid) if isinstance(lid, str) else "")
    found.push_name = name if isinstance(name, str) else ""


def _inspect_pre_keys(creds: dict[str, Any], folder: AuthFolder, found: LinkedCredentials) -> None:
    """Keys that wait for their upload must be there. Of those before, Baileys deletes the ones that were used."""
    following: Any = creds.get("nextPreKeyId")
    unuploaded: Any = creds.get("firstUnuploadedPreKeyId")
    numbers = _is_number(following) and _is_number(unuploaded)
    if not numbers or not 1 <= unuploaded <= following <= _HIGHEST_PRE_KEY + 1:
        found.problems.append(
            "creds.json: nextPreKeyId or firstUnuploadedPreKeyId is missing or makes no sense."
        )
        return
    here = {int(key.name) for key in folder.keys if key.type == "pre-key" and key.name.isdecimal()}
    missing = [number for number in range(unuploaded, following) if number not in here]
    if missing:
        found.problems.append(f"{_files(missing)} missing: they were made and never used.")
    if unuploaded > 1 and not here:
        found.problems.append(
            f"All files pre-key-<n>.json are missing; {unuploaded - 1} were given to WhatsApp."
        )
        return
    used = [number for number in range(1, unuploaded) if number not in here]
    if used:
        found.remarks.append(
            f"{_files(used)} not there. Used keys are deleted, so that is usual; "
            "should they have been lost, the first message of a new contact may have to be sent again."
        )


def _files(numbers: Sequence[int]) -> str:
    """Name them, runs of numbers as one."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    named = [f"{first}" if first == last else f"{first} to {last}" for first, last in runs[:_MOST_NAMED]]
    more = f" and {len(runs) - _MOST_NAMED} more gaps" if len(runs) > _MOST_NAMED else ""
    return f"pre-key-<n>.json for n = {', '.join(named)}{more} ({len(numbers)} in all) are"


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_key_pair(pair: Any) -> bool:
    private, public = _buffer(_at(pair, "private")), _buffer(_at(pair, "public"))
    if private is None or public is None or len(private) != _KEY_BYTES:
        return False
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw() == public


def _buffer(value: Any) -> bytes | None:
    """The bytes that BufferJSON (Utils/generics.js of Baileys) reads out of a value."""
    if not isinstance(value, dict):
        return None
    if value.get("type") == "Buffer" and isinstance(value.get("data"), str):
        return _from_base64(value["data"])
    if value and all(name.isdecimal() for name in value):
        try:
            return bytes(value.values())
        except (TypeError, ValueError):
            return None
    return None


def _from_base64(value: str) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
