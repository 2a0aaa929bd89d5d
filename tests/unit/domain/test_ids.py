"""Identifiers."""

import uuid
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.ids import is_id, make_id, make_whatsapp_message_id

moments = st.integers(0, 8_000_000_000_000).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)


@given(moments, st.integers())
def test_ids_are_version_7_and_carry_their_time(now: datetime, seed: int) -> None:
    text = make_id(now, Random(seed))
    made = uuid.UUID(text)

    assert is_id(text)
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert abs((made.int >> 80) - now.timestamp() * 1000) <= 1


@given(moments, st.integers(), st.integers(1, 10**9))
def test_ids_made_later_sort_later(now: datetime, seed: int, milliseconds: int) -> None:
    later, rng = now + timedelta(milliseconds=milliseconds), Random(seed)

    assert make_id(now, rng) < make_id(later, rng)


def test_ids_of_one_moment_differ() -> None:
    rng, now = Random(1), datetime(2026, 1, 5, tzinfo=UTC)

    assert len({make_id(now, rng) for _ in range(10_000)}) == 10_000


@given(st.text())
def test_no_other_text_is_taken_for_an_id(text: str) -> None:
    assert not is_id(text)


def test_only_the_canonical_form_is_an_id() -> None:
    canonical = "01890a5d-ac96-774b-bcce-b302099a8057"

    assert is_id(canonical)
    assert not is_id(canonical.upper())
    assert not is_id(canonical.replace("-", ""))
    assert not is_id("{" + canonical + "}")


@given(st.integers())
def test_whatsapp_ids_look_like_those_of_whatsapp_web(seed: int) -> None:
    made = make_whatsapp_message_id(Random(seed))

    assert made.startswith("3EB0")
    assert len(made) == 22
    assert set(made) <= set("0123456789ABCDEF")
