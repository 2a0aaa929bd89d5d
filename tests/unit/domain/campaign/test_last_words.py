"""What a number may have said last."""

from orchestrator.domain.campaign.last_words import MOST_WORDS, Said, answered, let_go, others

A, B, C = Said(0, "a"), Said(1, "b"), Said(2, "c")


def test_a_message_that_was_let_go_stands_beside_the_one_before_it() -> None:
    assert let_go((A,), 1, "b") == (A, B)


def test_one_that_is_let_go_again_counts_once_and_as_the_newest() -> None:
    assert let_go((A, B), 3, "a") == (B, Said(3, "a"))


def test_only_so_many_are_kept_that_a_variant_is_left() -> None:
    words: tuple[Said, ...] = ()
    for place in range(5):
        words = let_go(words, place, str(place))
    assert [word.variant for word in words] == [2, 3, 4]
    assert len(words) == MOST_WORDS


def test_what_came_before_a_message_that_arrived_is_forgotten() -> None:
    assert answered((A, B, C), arrived={"b"}, stayed=()) == (B, C)
    assert answered((A, B, C), arrived={"a", "b"}, stayed=()) == (B, C)


def test_a_message_that_never_left_was_not_said() -> None:
    assert answered((A, B), arrived=(), stayed={"b"}) == (A,)
    assert answered((A, B, C), arrived={"c"}, stayed={"b"}) == (C,)


def test_an_answer_that_tells_nothing_leaves_both() -> None:
    assert answered((A, B), arrived=(), stayed=()) == (A, B)
    assert answered((), arrived={"a"}, stayed={"b"}) == ()


def test_a_message_is_no_other_than_itself() -> None:
    assert others((A, B), "a") == [B]
