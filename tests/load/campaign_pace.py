"""A campaign of 300 recipients over 3 numbers at 20 times speed, its gaps measured where WhatsApp's server is.

`python -m tests.load.campaign_pace`: the limits are lifted, so that only the pace between campaign messages holds it.
"""

import argparse
import asyncio
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import aiohttp

from tests.support import campaigns
from tests.support.ponte import ADMIN_KEY, RestClient, running_ponte
from tests.support.simulator import SimulatorClient, eventually, running_simulator

NUMBERS = [f"+5531988882{slot:03d}" for slot in range(3)]
SHORTEST_S, LONGEST_S = 2.0, 5.0
LONG_PAUSE_S = 30.0


async def measure(people_count: int, speed: int) -> None:
    """Run it and print what came at the server."""
    folder = Path(tempfile.mkdtemp(prefix="ponte-"))
    try:
        async with running_simulator(folder) as simulator, aiohttp.ClientSession() as http:
            settings = {
                "PONTE_WHATSAPP_URL": simulator.ws_url,
                "PONTE_SENDING_LIMITS": "lifted",
                "PONTE_CLOCK_SPEED": str(speed),
                **simulator.bridge_environment,
            }
            people = await simulator.create_phones("+5531977782000", people_count)
            async with running_ponte(folder / "data", settings) as ponte:
                admin = RestClient(http, ponte.http_url, ADMIN_KEY)
                company_id, client, sessions = await campaigns.company_with_sessions(
                    admin, simulator, NUMBERS
                )
                await campaigns.opt_in(folder / "data", company_id, people)
                campaign = await campaigns.draft(client, sessions, people)
                began, began_ms = time.perf_counter(), time.time() * 1000
                await client.post(f"/v1/campaigns/{campaign}:start", {})
                done = await eventually(lambda: campaigns.ended(client, campaign), timeout_s=600, every_s=1.0)
                print(
                    f"{done['state']}: {done['progress']['sent']} sent in {time.perf_counter() - began:.0f} s"
                )
                await report(simulator, people, speed, began_ms)
    finally:
        shutil.rmtree(folder)


async def report(simulator: SimulatorClient, people: list[str], speed: int, since_ms: float) -> None:
    """Print the gaps between arrivals by sender, in Ponte's seconds, and who got how many."""
    by_sender: dict[str, list[float]] = defaultdict(list)
    for arrival in await simulator.arrivals():
        sender = "+" + arrival["from"].lstrip("+").partition("@")[0]
        if sender in NUMBERS and arrival["at_ms"] >= since_ms:
            by_sender[sender].append(arrival["at_ms"] / 1000)
    got = [len(await simulator.messages(number)) for number in people]
    print(f"messages per recipient: {min(got)} to {max(got)}")
    for sender, times in sorted(by_sender.items()):
        times.sort()
        gaps = [(later - earlier) * speed for earlier, later in pairwise(times)]
        short = [gap for gap in gaps if gap < LONG_PAUSE_S / 2]
        pauses = [gap for gap in gaps if gap >= LONG_PAUSE_S / 2]
        inside = sum(SHORTEST_S <= gap <= LONGEST_S for gap in short)
        print(
            f"{sender}: {len(times)} messages, gaps {min(short):.2f} to {max(short):.2f} s, median "
            f"{statistics.median(short):.2f}, {inside} of {len(short)} in 2 to 5 s; pauses "
            f"{[round(pause) for pause in pauses]} s"
        )


def main() -> None:
    """Read the arguments and measure."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--people", type=int, default=300)
    arguments.add_argument("--speed", type=int, default=20)
    given = arguments.parse_args()
    asyncio.run(measure(given.people, given.speed))


if __name__ == "__main__":
    main()
