"""File names of Baileys' auth folder."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.auth_folder import key_file_name, parse_key_file_name

USERS = st.from_regex(r"[1-9][0-9]{5,14}(_1)?", fullmatch=True)
DEVICES = st.integers(0, 99)
GROUPS = st.from_regex(r"[0-9]{10,18}(-[0-9]{10})?@g\.us", fullmatch=True) | st.just("status@broadcast")
JIDS = st.builds(
    "{}@{}".format,
    st.from_regex(r"[1-9][0-9]{5,14}", fullmatch=True),
    st.sampled_from(["lid", "s.whatsapp.net"]),
)
JIDS_OF_DEVICES = st.builds("{}:{}@lid".format, st.from_regex(r"[1-9][0-9]{5,14}", fullmatch=True), DEVICES)

NAMES = {
    "pre-key": st.integers(1, 0xFFFFFF).map(str),
    "session": st.builds("{}.{}".format, USERS, DEVICES),
    "identity-key": st.builds("{}.{}".format, USERS, DEVICES),
    "sender-key": st.builds("{}::{}::{}".format, GROUPS, USERS, DEVICES),
    "sender-key-memory": GROUPS,
    "app-state-sync-key": st.binary(min_size=1, max_size=20).map(lambda key: base64.b64encode(key).decode()),
    "app-state-sync-version": st.sampled_from(
        ["critical_block", "critical_unblock_low", "regular_high", "regular_low", "regular"]
    ),
    "lid-mapping": USERS | USERS.map(lambda user: f"{user}_reverse"),
    "device-list": USERS,
    "tctoken": JIDS | JIDS_OF_DEVICES | st.just("__index"),
}
KEYS = st.sampled_from(sorted(NAMES)).flatmap(lambda key_type: st.tuples(st.just(key_type), NAMES[key_type]))


@given(KEYS)
def test_a_name_is_read_back_from_its_file(key: tuple[str, str]) -> None:
    file_name = key_file_name(*key)

    assert parse_key_file_name(file_name) == key
    assert "/" not in file_name
    assert ":" not in file_name


@pytest.mark.parametrize(
    ("key", "file_name"),
    [
        (("app-state-sync-key", "AA/B+=="), "app-state-sync-key-AA__B+==.json"),
        (("sender-key", "12-34@g.us::5_1::2"), "sender-key-12-34@g.us--5_1--2.json"),
        (("session", "5511987654321.0"), "session-5511987654321.0.json"),
        (("tctoken", "__index"), "tctoken-__index.json"),
    ],
)
def test_files_are_named_as_baileys_names_them(key: tuple[str, str], file_name: str) -> None:
    assert key_file_name(*key) == file_name


@pytest.mark.parametrize(
    "name", ["creds.json", "pre-key-.json", "pre-key-1.txt", "pre-key-1", "store.json", ""]
)
def test_other_files_are_no_keys(name: str) -> None:
    assert parse_key_file_name(name) is None


def test_a_sender_key_of_an_unknown_form_keeps_its_name() -> None:
    assert parse_key_file_name("sender-key-odd.json") == ("sender-key", "odd")
