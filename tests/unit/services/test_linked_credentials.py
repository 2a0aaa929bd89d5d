"""What is said about a folder that is not complete."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.domain.auth_folder import AuthFolder
from orchestrator.domain.auth_state import AuthKey
from orchestrator.services.linked_credentials import inspect
from tests.support.auth_folder import buffer, key_pair, linked_credentials, linked_folder

Change = Callable[[dict[str, Any]], object]


def without_pre_keys(*numbers: int) -> AuthFolder:
    gone = {str(number) for number in numbers}
    folder = linked_folder()
    kept = [key for key in folder.keys if key.type != "pre-key" or key.name not in gone]
    return AuthFolder(folder.credentials, kept)


def test_a_complete_folder_has_no_problems() -> None:
    found = inspect(linked_folder())

    assert (found.problems, found.remarks) == ([], [])
    assert (found.me.pn_jid, found.me.lid_jid) == ("5511900000001@s.whatsapp.net", "95511900000001@lid")
    assert found.push_name == "Acme"


def test_bytes_may_be_written_as_numbers_and_a_lid_may_be_missing() -> None:
    creds = linked_credentials()
    pair = key_pair()
    creds["noiseKey"] = {name: _as_numbers(value) for name, value in pair.items()}
    del creds["me"]["lid"], creds["me"]["name"]

    found = inspect(linked_folder(creds))

    assert found.problems == []
    assert (found.me.lid_jid, found.push_name) == ("", "")


def _as_numbers(value: dict[str, str]) -> dict[str, int]:
    return {str(place): byte for place, byte in enumerate(base64.b64decode(value["data"]))}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda creds: creds.pop("noiseKey"), "has no noiseKey"),
        (lambda creds: creds.pop("signedIdentityKey"), "has no signedIdentityKey"),
        (lambda creds: creds.pop("signedPreKey"), "has no signedPreKey.keyPair"),
        (lambda creds: creds["noiseKey"].pop("private"), "noiseKey is not a key pair"),
        (lambda creds: creds["noiseKey"].update(private=buffer(b"short")), "noiseKey is not a key pair"),
        (lambda creds: creds["noiseKey"].update(public={"type": "Buffer", "data": "?"}), "noiseKey is not"),
        (lambda creds: creds["noiseKey"].update(public={"0": "x"}), "noiseKey is not a key pair"),
        (lambda creds: creds["noiseKey"].update(public={"0": 999}), "noiseKey is not a key pair"),
        (lambda creds: creds["noiseKey"].update(public="text"), "noiseKey is not a key pair"),
        (lambda creds: creds["noiseKey"].update(public={}), "noiseKey is not a key pair"),
        (
            lambda creds: creds["signedIdentityKey"].update(public=key_pair()["public"]),
            "signedIdentityKey is not a key pair of 32 bytes each that belong together",
        ),
        (
            lambda creds: creds["signedPreKey"].update(signature=buffer(b"s")),
            "signature is missing or not of 64",
        ),
        (lambda creds: creds["signedPreKey"].pop("keyId"), "signedPreKey.keyId is missing"),
        (lambda creds: creds.update(registrationId=True), "registrationId is missing or not a number"),
        (lambda creds: creds.pop("advSecretKey"), "advSecretKey is missing"),
        (lambda creds: creds.update(advSecretKey="????"), "advSecretKey is missing or not 32 bytes"),
        (lambda creds: creds.pop("me"), "me.id is missing or not that of a linked device"),
        (lambda creds: creds["me"].update(id="5511900000001@s.whatsapp.net"), "the number was not linked"),
        (lambda creds: creds.pop("account"), "has no account: the pairing was not finished"),
        (lambda creds: creds.pop("nextPreKeyId"), "nextPreKeyId or firstUnuploadedPreKeyId"),
        (lambda creds: creds.update(firstUnuploadedPreKeyId=7), "makes no sense"),
        (lambda creds: creds.update(nextPreKeyId=2**30), "makes no sense"),
    ],
)
def test_what_is_missing_or_broken_is_named(change: Change, problem: str) -> None:
    creds = linked_credentials()
    change(creds)

    found = inspect(linked_folder(creds))

    assert any(problem in sentence for sentence in found.problems), found.problems


def test_everything_is_named_at_once() -> None:
    assert len(inspect(AuthFolder("{}", ())).problems) == 9


@pytest.mark.parametrize("credentials", ["", "[]", "{", "null"])
def test_credentials_that_are_none_are_said(credentials: str) -> None:
    assert inspect(AuthFolder(credentials, ())).problems == ["creds.json is not a JSON object."]


def test_pre_keys_that_wait_for_their_upload_must_be_there() -> None:
    found = inspect(without_pre_keys(4, 5))

    assert found.problems == [
        "pre-key-<n>.json for n = 4 to 5 (2 in all) are missing: they were made and never used."
    ]


def test_pre_keys_that_may_have_been_used_are_a_remark() -> None:
    found = inspect(without_pre_keys(1, 3))

    assert found.problems == []
    assert found.remarks[0].startswith("pre-key-<n>.json for n = 1, 3 (2 in all) are not there.")


def test_no_pre_keys_at_all_is_a_problem() -> None:
    creds = linked_credentials() | {"nextPreKeyId": 4}
    folder = linked_folder(creds)

    found = inspect(AuthFolder(folder.credentials, [key for key in folder.keys if key.type != "pre-key"]))

    assert found.problems == ["All files pre-key-<n>.json are missing; 3 were given to WhatsApp."]


def test_many_gaps_are_counted_not_listed() -> None:
    creds = linked_credentials() | {"nextPreKeyId": 101, "firstUnuploadedPreKeyId": 101}
    odd = [AuthKey("pre-key", str(number), "{}") for number in range(1, 100, 2)]

    remark = inspect(AuthFolder(json.dumps(creds), odd)).remarks[0]

    assert "and 42 more gaps (50 in all)" in remark


def test_a_name_that_cannot_be_stored_is_said() -> None:
    folder = linked_folder()
    found = inspect(AuthFolder(folder.credentials, [*folder.keys, AuthKey("session", "1" * 201, "1")]))

    assert ["too long a name" in problem for problem in found.problems] == [True]
