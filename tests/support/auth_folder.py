"""Auth folders of a linked number, with real keys."""

import base64
import json
import os
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from orchestrator.domain.auth_folder import AuthFolder, key_file_name
from orchestrator.domain.auth_state import AuthKey


def buffer(content: bytes) -> dict[str, str]:
    """Bytes as BufferJSON."""
    return {"type": "Buffer", "data": base64.b64encode(content).decode()}


def key_pair() -> dict[str, Any]:
    """A Curve25519 key pair as BufferJSON."""
    private = X25519PrivateKey.generate()
    return {
        "private": buffer(private.private_bytes_raw()),
        "public": buffer(private.public_key().public_bytes_raw()),
    }


def linked_credentials(number: str = "+5511900000001", device: int = 7) -> dict[str, Any]:
    """Credentials of a linked device that made 5 pre-keys and gave 3 of them to WhatsApp."""
    digits = number.removeprefix("+")
    return {
        "noiseKey": key_pair(),
        "pairingEphemeralKeyPair": key_pair(),
        "signedIdentityKey": key_pair(),
        "signedPreKey": {"keyPair": key_pair(), "signature": buffer(os.urandom(64)), "keyId": 1},
        "registrationId": 77,
        "advSecretKey": base64.b64encode(os.urandom(32)).decode(),
        "nextPreKeyId": 6,
        "firstUnuploadedPreKeyId": 4,
        "me": {"id": f"{digits}:{device}@s.whatsapp.net", "lid": f"9{digits}:{device}@lid", "name": "Acme"},
        "account": {
            "details": "CKz",
            "accountSignatureKey": "a",
            "accountSignature": "b",
            "deviceSignature": "c",
        },
        "registered": False,
    }


def linked_folder(credentials: dict[str, Any] | None = None) -> AuthFolder:
    """A complete folder with keys of every kind of name."""
    keys = [AuthKey("pre-key", str(number), json.dumps(key_pair())) for number in range(1, 6)]
    keys += [
        AuthKey("session", "5511987654321.0", json.dumps("session of a phone")),
        AuthKey("session", "95511987654321_1.3", json.dumps("session of a lid")),
        AuthKey("app-state-sync-key", "AAAA/bC+d==", json.dumps({"keyData": "x"})),
        AuthKey("app-state-sync-version", "critical_unblock_low", json.dumps({"version": 1})),
        AuthKey("sender-key", "5511-1401@g.us::95511_1::3", json.dumps(buffer(b"{}"))),
        AuthKey("sender-key-memory", "5511-1401@g.us", json.dumps({"x@lid": True})),
        AuthKey("lid-mapping", "95511987654321_reverse", json.dumps("5511987654321")),
        AuthKey("device-list", "5511987654321", json.dumps(["0", "3"])),
        AuthKey("tctoken", "__index", json.dumps({"token": buffer(b"[]")})),
        AuthKey("tctoken", "95511987654321@lid", json.dumps({"token": buffer(b"t")})),
        AuthKey("identity-key", "5511987654321.0", json.dumps(buffer(b"i"))),
    ]
    return AuthFolder(json.dumps(credentials or linked_credentials()), keys)


def put(path: Path, folder: AuthFolder) -> Path:
    """Write a folder as Baileys does; gives its path."""
    path.mkdir()
    (path / "creds.json").write_text(folder.credentials)
    for key in folder.keys:
        (path / key_file_name(key.type, key.name)).write_text(key.value or "null")
    return path
