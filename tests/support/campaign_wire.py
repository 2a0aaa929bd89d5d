"""What a campaign did, as WhatsApp's server saw it, and whether that keeps the sending policy's bounds."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from tests.support.simulator import SimulatorClient

BRAZIL = ZoneInfo("America/Sao_Paulo")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One campaign message at the server: when on Ponte's clock, from which number to whom, and its words."""

    message_id: str
    at: datetime
    sender: str
    recipient: str
    text: str


async def campaign_arrivals(
    simulator: SimulatorClient,
    senders: Sequence[str],
    people: Sequence[str],
    ponte_time: Callable[[float], datetime],
) -> list[Arrival]:
    """All arrivals from `senders`, in order; `ponte_time` turns epoch seconds into Ponte's clock.

    A message that came twice, after an answer that was lost, is there twice.
    """
    texts: dict[str, str] = {}
    for number in people:
        texts |= {message["id"]: message["text"] for message in await simulator.messages(number)}
    arrivals: list[Arrival] = []
    after = 0
    while entries := await simulator.arrivals(after=after):
        after = entries[-1]["seq"]
        arrivals += [
            Arrival(one["id"], ponte_time(one["at_ms"] / 1000), one["from"], one["to"], texts[one["id"]])
            for one in entries
            if one["from"] in senders and one["id"] in texts
        ]
    return arrivals


def by_sender(arrivals: Sequence[Arrival]) -> Mapping[str, list[Arrival]]:
    """The arrivals of each number, in order."""
    found: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        found[arrival.sender].append(arrival)
    return found


def fullest_window(times: Sequence[datetime], window: timedelta) -> int:
    """The most arrivals within any window of this length, to the millisecond that the server gives."""
    return max(
        sum(start <= other < start + window - timedelta(milliseconds=1) for other in times) for start in times
    )


def gaps_s(arrivals: Sequence[Arrival]) -> list[float]:
    """Seconds between one number's arrivals."""
    return [(later.at - earlier.at).total_seconds() for earlier, later in pairwise(arrivals)]


def repeated_wordings(arrivals: Sequence[Arrival]) -> list[str]:
    """Texts of one number that came twice in a row, in different messages: one that came again is itself."""
    return [
        later.text
        for earlier, later in pairwise(arrivals)
        if earlier.text == later.text and earlier.message_id != later.message_id
    ]


def outside_the_day(arrivals: Sequence[Arrival], late_s: float) -> list[datetime]:
    """When recipients were reached outside 09:00 to 19:00 in Brazil, by more than `late_s` in the evening."""
    local = [arrival.at.astimezone(BRAZIL) for arrival in arrivals]
    return [
        time
        for time in local
        if time.hour < 9 or time - time.replace(hour=19, minute=0, second=0) > timedelta(seconds=late_s)
    ]


@dataclass(frozen=True, slots=True)
class SpreadGap:
    """A gap under the hour's cap: what it was, and what the rule allows, in seconds."""

    was_s: float
    least_s: float
    most_s: float


def spread_gaps(
    arrivals: Sequence[Arrival], hour_cap: int, undisturbed: Callable[[datetime, datetime], bool]
) -> list[SpreadGap]:
    """Each gap of one number with its bounds: the rest of the hour over the rest of the cap, times 0.7 to 1.3.

    A long pause (30 to 60 s) takes the place of a shorter gap. Only where the hour before was undisturbed.
    """
    found: list[SpreadGap] = []
    for position, (earlier, later) in enumerate(pairwise(arrivals), start=1):
        window = [one.at for one in arrivals[:position] if one.at > earlier.at - HOUR]
        if not undisturbed(earlier.at - MINUTE * 10, later.at) or len(window) >= hour_cap:
            continue
        even_s = (window[0] + HOUR - earlier.at).total_seconds() / (hour_cap - len(window))
        gap_s = (later.at - earlier.at).total_seconds()
        found.append(SpreadGap(gap_s, 0.7 * even_s, max(1.3 * even_s, 60.0)))
    return found
