"""Order within a chat, side by side across chats."""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.services.chat_lanes import ChatLanes


def taken(lanes: ChatLanes[str]) -> list[str]:
    given = []
    while (next_one := lanes.take()) is not None:
        given.append(next_one[1])
    return given


def test_one_of_each_chat_is_given_out_in_the_order_put() -> None:
    lanes: ChatLanes[str] = ChatLanes()
    for thing in ("a1", "a2", "b1", "c1", "b2"):
        lanes.put(thing[0], thing)

    assert len(lanes) == 5
    assert taken(lanes) == ["a1", "b1", "c1"]
    assert len(lanes) == 2


def test_the_next_of_a_chat_follows_when_the_one_before_is_done() -> None:
    lanes: ChatLanes[str] = ChatLanes()
    for thing in ("a1", "a2", "a3"):
        lanes.put("a", thing)
    assert taken(lanes) == ["a1"]

    lanes.done("a")
    assert taken(lanes) == ["a2"]
    lanes.put("a", "a4")
    lanes.done("a")
    assert taken(lanes) == ["a3"]
    lanes.done("a")
    assert taken(lanes) == ["a4"]
    lanes.done("a")
    assert len(lanes) == 0
    lanes.put("a", "a5")
    assert taken(lanes) == ["a5"]


def test_clear_gives_back_what_waits_and_keeps_busy_chats_busy() -> None:
    lanes: ChatLanes[str] = ChatLanes()
    for thing in ("a1", "a2", "b1", "b2"):
        lanes.put(thing[0], thing)
    assert lanes.take() == ("a", "a1")

    assert sorted(lanes.clear()) == ["a2", "b1", "b2"]
    assert len(lanes) == 0
    lanes.put("a", "a3")
    lanes.put("b", "b3")

    assert taken(lanes) == ["b3"]
    lanes.done("a")
    assert taken(lanes) == ["a3"]


@given(st.lists(st.integers(0, 4), max_size=60), st.integers(0, 2**32))
def test_nothing_is_lost_doubled_or_out_of_order(chats: list[int], seed: int) -> None:
    rng = Random(seed)
    lanes: ChatLanes[int] = ChatLanes()
    busy: list[int] = []
    given_out: list[int] = []
    waiting = list(enumerate(chats))
    while waiting or len(lanes) or busy:
        move = rng.randrange(3)
        if move == 0 and waiting:
            number, chat = waiting.pop(0)
            lanes.put(chat, number)
        elif move == 1 and (next_one := lanes.take()) is not None:
            chat_taken, number = next_one
            assert isinstance(chat_taken, int)
            busy.append(chat_taken)
            given_out.append(number)
        elif busy:
            lanes.done(busy.pop(rng.randrange(len(busy))))
        assert max(Counter(busy).values(), default=1) == 1

    assert sorted(given_out) == list(range(len(chats)))
    for chat in set(chats):
        of_chat = [number for number in given_out if chats[number] == chat]
        assert of_chat == sorted(of_chat)
