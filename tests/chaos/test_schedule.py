"""A seed gives the same schedule again."""

from random import Random

from tests.chaos.schedule import Way, draw_schedule

WAYS = [
    Way("ponte", "kill", shortest_s=0.0, longest_s=2.0, always=True),
    Way("redis", "kill", always=True),
    Way("whatsapp", "cut", weight=5),
    Way("whatsapp", "freeze", shortest_s=1, longest_s=3),
]


def test_a_seed_repeats_its_schedule_and_another_gives_another() -> None:
    assert draw_schedule(Random(1), WAYS, 60, 20) == draw_schedule(Random(1), WAYS, 60, 20)
    assert draw_schedule(Random(1), WAYS, 60, 20) != draw_schedule(Random(2), WAYS, 60, 20)


def test_a_schedule_is_in_order_within_its_time_and_has_what_always_comes() -> None:
    for seed in range(50):
        schedule = draw_schedule(Random(seed), WAYS, 60, 6)
        assert len(schedule) == 6
        assert [strike.at_s for strike in schedule] == sorted(strike.at_s for strike in schedule)
        assert all(3 <= strike.at_s <= 57 and 0 <= strike.draw < 1 for strike in schedule)
        assert {("ponte", "kill"), ("redis", "kill")} <= {(strike.victim, strike.way) for strike in schedule}


def test_each_strike_lasts_as_long_as_its_way_allows() -> None:
    bounds = {(way.victim, way.name): (way.shortest_s, way.longest_s) for way in WAYS}
    for strike in draw_schedule(Random(3), WAYS, 60, 200):
        shortest, longest = bounds[strike.victim, strike.way]
        assert shortest <= strike.lasts_s <= longest
