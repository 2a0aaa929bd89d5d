"""Encryption at rest: AES-256-GCM with named keys, so that keys can be rotated."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
LOOK_AGAIN_EVERY_S = 1.0
"""How long a process may go on sealing with a key after another one became current."""

_NONCE_BYTES = 12


class VaultError(Exception):
    """Something sealed cannot be opened: its key is not among those given, or it was changed or moved."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Encrypted bytes: the nonce (12 bytes), the ciphertext and the tag (16 bytes); `key_id` names the key."""

    key_id: str
    ciphertext: bytes

    def pack(self) -> bytes:
        """Put both into one value, for columns without one for the key's name."""
        name = self.key_id.encode()
        return bytes([len(name)]) + name + self.ciphertext

    @classmethod
    def unpack(cls, packed: bytes) -> "Sealed":
        """Undo `pack`. Raises VaultError."""
        end = 1 + packed[0] if packed else 0
        if not 1 < end <= len(packed):
            raise VaultError("a sealed value is cut off")
        try:
            return cls(packed[1:end].decode(), packed[end:])
        except UnicodeDecodeError as error:
            raise VaultError("a sealed value was changed") from error


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys of 32 bytes by name; what is new is sealed with `current`."""

    keys: Mapping[str, bytes]
    current: str


LookAgain = Callable[[], Keyring | None]
"""Gives the keys where they changed since it was last asked, else None. Cheap and quick: it is called often."""


class Vault:
    """Seals with the current key, opens with any given one; follows a rotation where it can look again."""

    def __init__(
        self,
        keys: Mapping[str, bytes],
        current: str,
        look_again: LookAgain | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take keys of 32 bytes by name (1 to 16 characters). Raises ValueError for other keys."""
        self._ciphers: dict[str, AESGCM] = {}
        self._look_again = look_again
        self._monotonic = monotonic
        self._looked_at = monotonic()
        self.current = current
        self._take(Keyring(keys, current))

    @property
    def key_ids(self) -> frozenset[str]:
        """The names of all keys."""
        return frozenset(self._ciphers)

    def seal(self, plaintext: bytes, associated_data: bytes) -> Sealed:
        """Encrypt; `associated_data` says where the result belongs, it cannot be opened elsewhere."""
        if self._monotonic() - self._looked_at >= LOOK_AGAIN_EVERY_S:
            self._look()
        nonce = os.urandom(_NONCE_BYTES)
        return Sealed(
            self.current, nonce + self._ciphers[self.current].encrypt(nonce, plaintext, associated_data)
        )

    def open(self, sealed: Sealed, associated_data: bytes) -> bytes:
        """Decrypt. Raises VaultError."""
        if sealed.key_id not in self._ciphers:
            self._look()
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None:
            raise VaultError("the encryption key of this value is not among the keys given")
        nonce, body = sealed.ciphertext[:_NONCE_BYTES], sealed.ciphertext[_NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, body, associated_data)
        except (InvalidTag, ValueError) as error:
            raise VaultError("a sealed value was changed, moved, or sealed with another key") from error

    def _look(self) -> None:
        self._looked_at = self._monotonic()
        ring = self._look_again() if self._look_again else None
        if ring is not None:
            self._take(ring)

    def _take(self, ring: Keyring) -> None:
        """Earlier keys stay: what was read before a row was re-encrypted may still be opened."""
        if ring.current not in ring.keys:
            raise ValueError("the current encryption key is not among the keys")
        for name, key in ring.keys.items():
            if len(key) != KEY_BYTES or not 1 <= len(name) <= 16:
                raise ValueError(f"an encryption key has {KEY_BYTES} bytes and a name of 1 to 16 characters")
        self._ciphers |= {name: AESGCM(key) for name, key in ring.keys.items()}
        self.current = ring.current


def auth_credentials_binding(session_id: str) -> bytes:
    """Associated data of a session's credentials, also of archived ones."""
    return f"auth_credentials:{session_id}".encode()


def auth_key_binding(session_id: str, key_type: str, name: str) -> bytes:
    """Associated data of one Signal key."""
    return f"auth_key:{session_id}:{key_type}:{name}".encode()


def webhook_secret_binding(webhook_id: str) -> bytes:
    """Associated data of a webhook's signing secret."""
    return f"webhook_secret:{webhook_id}".encode()


def person_key_binding(company_id: str) -> bytes:
    """Associated data of the key that names persons in a company's audit log."""
    return f"person_key:{company_id}".encode()


def idempotency_answer_binding(company_id: str, key: str) -> bytes:
    """Associated data of a remembered answer; `company_id` is empty for the administrator."""
    return f"idempotency_answer:{company_id}:{key}".encode()
