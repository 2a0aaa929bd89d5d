"""Portions, shares and ids."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.campaign.feeding import MOST_WAITING, PORTION, REFILL_BELOW, room, share_of
from orchestrator.domain.campaign.ids import derived_id, derived_whatsapp_id
from orchestrator.domain.ids import is_id


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_outbox_never_holds_more_than_a_portion_and_what_sleeps(soon: int, later: int) -> None:
    laid_in = room(soon, soon + later)

    assert (laid_in > 0) == (soon < REFILL_BELOW and soon + later < MOST_WAITING)
    assert laid_in == 0 or soon + laid_in <= PORTION
    assert laid_in == 0 or soon + later + laid_in <= MOST_WAITING


@given(st.integers(1, 20), st.integers(0, 10_000))
def test_every_recipient_belongs_to_one_session(sessions: int, recipients: int) -> None:
    shares = [share_of(slot, sessions, recipients) for slot in range(sessions)]

    assert sum(shares) == recipients
    assert max(shares) - min(shares) <= 1


def test_ids_follow_from_their_parts() -> None:
    one = derived_id("campaign", 1)

    assert one == derived_id("campaign", 1) != derived_id("campaign", 2)
    assert derived_id("a", "bc") != derived_id("ab", "c")
    assert is_id(one)
    assert (uuid.UUID(one).version, uuid.UUID(one).variant) == (8, uuid.RFC_4122)
    wa_id = derived_whatsapp_id("campaign", 1)
    assert wa_id == derived_whatsapp_id("campaign", 1) != derived_whatsapp_id("campaign", 2)
    assert wa_id.startswith("3EB0")
    assert len(wa_id) == 22
