"""How sessions are shared among gateways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.gateway_share import fair_share, surplus


@pytest.mark.parametrize(
    ("sessions", "own_room", "other_rooms", "share"),
    [
        (0, 10, [], 0),
        (7, 10, [], 7),
        (12, 10, [], 10),
        (4, 10, [10], 2),
        (5, 10, [10], 3),
        (100, 30, [200], 30),
        (100, 200, [30], 70),
        (100, 30, [30], 30),
        (90, 50, [10, 20], 50),
    ],
)
def test_each_gateway_gets_the_same_as_far_as_it_has_room(
    sessions: int, own_room: int, other_rooms: list[int], share: int
) -> None:
    assert fair_share(sessions, own_room, other_rooms) == share


@given(st.integers(0, 5000), st.lists(st.integers(1, 1000), min_size=1, max_size=8))
def test_the_shares_together_are_enough(sessions: int, rooms: list[int]) -> None:
    shares = [
        fair_share(sessions, room, rooms[:position] + rooms[position + 1 :])
        for position, room in enumerate(rooms)
    ]
    assert all(share <= room for share, room in zip(shares, rooms, strict=True))
    assert sum(shares) >= min(sessions, sum(rooms))
    with_room = [share for share, room in zip(shares, rooms, strict=True) if share < room]
    assert len(set(with_room)) <= 1


@pytest.mark.parametrize(
    ("held", "share", "given_away"), [(2, 2, 0), (4, 2, 2), (11, 10, 0), (12, 10, 2), (5, 0, 5), (0, 3, 0)]
)
def test_what_is_well_above_the_share_is_handed_over(held: int, share: int, given_away: int) -> None:
    assert surplus(held, share) == given_away
