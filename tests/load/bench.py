"""Compares Ponte with raw Baileys in one run, against the same simulator on the same machine, and prints ratios.

Raw Baileys is one Node process with its own `useMultiFileAuthState`. Ponte is `ponte up` as users run it: SQLite,
embedded Valkey, its bridge, every message posted over REST. Rounds alternate, so that a machine whose speed drifts does
not favour one of them.

    python -m tests.load.bench [--rounds 3] [--messages 600] [--latencies 150]
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from tests.load.arrivals import ArrivalLog
from tests.load.line_process import LineProcess, line_process
from tests.support.company import LinkedCompany, link_company
from tests.support.ponte import ADMIN_KEY, PonteProcess, RestClient, running_ponte
from tests.support.simulator import SimulatorClient, running_simulator

ROOT = Path(__file__).resolve().parents[2]
BRIDGE = ROOT / "bridge-node"
SESSIONS = 10
RECIPIENTS_PER_SESSION = 10
IN_FLIGHT = 32
GAP_MS = 50
MOST_EXTRA_P50_MS = 10.0
MOST_EXTRA_P95_MS = 30.0
LEAST_THROUGHPUT_RATIO = 0.5


@dataclass
class Figures:
    """What was measured of one system; latencies in ms, throughput in messages a second, one entry a round."""

    latencies: list[float] = field(default_factory=list)
    one_session: list[float] = field(default_factory=list)
    ten_sessions: list[float] = field(default_factory=list)

    @property
    def p50(self) -> float:
        """Median latency."""
        return median(self.latencies)

    @property
    def p95(self) -> float:
        """95th percentile of the latency."""
        return quantiles(self.latencies, n=20)[18]


def recipients_of(session: int) -> list[str]:
    """The numbers that a session writes to."""
    return [f"+55119{session:04d}{recipient:04d}" for recipient in range(RECIPIENTS_PER_SESSION)]


async def latencies_ms(arrived: ArrivalLog, sent: Sequence[dict[str, Any]]) -> list[float]:
    """From the caller's start to the stanza's arrival at the server."""
    arrivals = await arrived.times([entry["id"] for entry in sent])
    return [arrivals[entry["id"]] - entry["started_at_ms"] for entry in sent]


async def raw_round(
    raw: LineProcess, arrived: ArrivalLog, figures: Figures, options: argparse.Namespace
) -> None:
    """One round of raw Baileys."""
    answer = await raw.ask(
        {"do": "latency", "session": 0, "to": recipients_of(0), "count": options.latencies, "gap_ms": GAP_MS}
    )
    figures.latencies += await latencies_ms(arrived, answer["sent"])
    for sessions, rates in ((1, figures.one_session), (SESSIONS, figures.ten_sessions)):
        count = options.messages if sessions == 1 else options.messages // 4
        answer = await raw.ask(
            {
                "do": "throughput",
                "sessions": list(range(sessions)),
                "to": [recipients_of(session) for session in range(sessions)],
                "count": count,
                "in_flight": IN_FLIGHT,
            }
        )
        rates.append(answer["count"] / (answer["ended_at_ms"] - answer["started_at_ms"]) * 1000)


async def ponte_round(
    poster: LineProcess,
    companies: Sequence[LinkedCompany],
    arrived: ArrivalLog,
    figures: Figures,
    options: argparse.Namespace,
) -> None:
    """One round of Ponte."""
    senders = [
        {"key": company.key, "session_id": company.session_id, "to": recipients_of(index)}
        for index, company in enumerate(companies)
    ]
    answer = await poster.ask({"do": "latency", **senders[0], "count": options.latencies, "gap_ms": GAP_MS})
    figures.latencies += await latencies_ms(arrived, answer["sent"])
    for sessions, rates in ((1, figures.one_session), (SESSIONS, figures.ten_sessions)):
        count = options.messages if sessions == 1 else options.messages // 4
        answer = await poster.ask(
            {"do": "throughput", "senders": senders[:sessions], "count": count, "in_flight": IN_FLIGHT}
        )
        arrivals = await arrived.times(answer["ids"])
        rates.append(answer["count"] / (max(arrivals.values()) - answer["started_at_ms"]) * 1000)


async def link_raw(raw: LineProcess, simulator: SimulatorClient, folder: Path) -> None:
    """Link raw Baileys' sessions to phones of their own."""
    phones = [f"+552190000{session:04d}" for session in range(SESSIONS)]
    for phone in phones:
        await simulator.create_phone(phone)
    await raw.ask({"do": "link", "phones": phones, "folder": str(folder)})


async def link_ponte(
    ponte: PonteProcess, simulator: SimulatorClient, http: aiohttp.ClientSession
) -> list[LinkedCompany]:
    """Link Ponte's sessions: one company each."""
    admin = RestClient(http, ponte.http_url, ADMIN_KEY)
    return [
        await link_company(admin, simulator, f"bench {session}", f"+553190000{session:04d}")
        for session in range(SESSIONS)
    ]


async def measure(options: argparse.Namespace) -> tuple[Figures, Figures]:
    """Run all rounds: (raw Baileys, Ponte)."""
    raw_figures, ponte_figures = Figures(), Figures()
    with tempfile.TemporaryDirectory(prefix="ponte-bench-") as folder:
        async with running_simulator(Path(folder)) as simulator, aiohttp.ClientSession() as http:
            for session in range(SESSIONS):
                for number in recipients_of(session):
                    await simulator.create_phone(number)
            node_environment = {**os.environ, **simulator.bridge_environment}
            async with (
                running_ponte(
                    Path(folder) / "ponte",
                    {
                        "PONTE_WHATSAPP_URL": simulator.ws_url,
                        "PONTE_SENDING_LIMITS": "lifted",
                        **simulator.bridge_environment,
                    },
                ) as ponte,
                line_process(
                    ["node", str(ROOT / "tests/load/raw_baileys.mjs"), simulator.ws_url, simulator.http_url],
                    BRIDGE,
                    node_environment,
                ) as raw,
                line_process(
                    ["node", str(ROOT / "tests/load/post_messages.mjs"), ponte.http_url], BRIDGE, os.environ
                ) as poster,
            ):
                arrived = ArrivalLog(simulator)
                await link_raw(raw, simulator, Path(folder) / "raw")
                companies = await link_ponte(ponte, simulator, http)
                warm_up = argparse.Namespace(latencies=20, messages=160)
                await raw_round(raw, arrived, Figures(), warm_up)
                await ponte_round(poster, companies, arrived, Figures(), warm_up)
                for _ in range(options.rounds):
                    await raw_round(raw, arrived, raw_figures, options)
                    await ponte_round(poster, companies, arrived, ponte_figures, options)
                await raw.ask({"do": "end"})
    return raw_figures, ponte_figures


def report(raw: Figures, ponte: Figures) -> bool:
    """Print the table; True when every bound holds."""
    one = median(ponte.one_session) / median(raw.one_session)
    ten = median(ponte.ten_sessions) / median(raw.ten_sessions)
    rows = [
        ("latency p50, ms", raw.p50, ponte.p50, f"+{ponte.p50 - raw.p50:.1f} ms", f"<= +{MOST_EXTRA_P50_MS:.0f} ms",
         ponte.p50 - raw.p50 <= MOST_EXTRA_P50_MS),
        ("latency p95, ms", raw.p95, ponte.p95, f"+{ponte.p95 - raw.p95:.1f} ms", f"<= +{MOST_EXTRA_P95_MS:.0f} ms",
         ponte.p95 - raw.p95 <= MOST_EXTRA_P95_MS),
        ("messages/s, one session", median(raw.one_session), median(ponte.one_session), f"x {one:.2f}",
         f">= x {LEAST_THROUGHPUT_RATIO}", one >= LEAST_THROUGHPUT_RATIO),
        ("messages/s, ten sessions", median(raw.ten_sessions), median(ponte.ten_sessions), f"x {ten:.2f}",
         f">= x {LEAST_THROUGHPUT_RATIO}", ten >= LEAST_THROUGHPUT_RATIO),
    ]  # fmt: skip
    table = Table("from the call to the server", "raw Baileys", "Ponte", "difference", "bound", "")
    for name, raw_value, ponte_value, difference, bound, holds in rows:
        table.add_row(
            name, f"{raw_value:.1f}", f"{ponte_value:.1f}", difference, bound, "ok" if holds else "MISSED"
        )
    Console().print(table)
    return all(row[-1] for row in rows)


def main() -> int:
    """Run the comparison; exit code 1 where a bound is missed."""
    parser = argparse.ArgumentParser(description="Compare Ponte with raw Baileys against the simulator.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=600, help="messages per round through one session")
    parser.add_argument(
        "--latencies", type=int, default=150, help="single messages per round on the idle system"
    )
    return 0 if report(*asyncio.run(measure(parser.parse_args()))) else 1


if __name__ == "__main__":
    sys.exit(main())
