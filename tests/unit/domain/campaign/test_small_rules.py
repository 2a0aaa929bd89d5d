"""Portions, shares and ids."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.campaign.feeding import PORTION, REFILL_BELOW, room, share_of
from orchestrator.domain.campaign.ids import derived_id, derived_whatsapp_id
from orchestrator.domain.ids import is_id


@given(st.integers(0, 500))
def test_the_outbox_never_holds_more_than_a_portion(waiting: int) -> None:
    laid_in = room(waiting)

    assert (laid_in > 0) == (waiting < REFILL_BELOW)
    assert laid_in == 0 or waiting + laid_in == PORTION


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
