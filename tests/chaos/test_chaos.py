"""The short form of `make chaos`: less traffic and fewer faults, on both deployments."""

import os
from pathlib import Path

import pytest

from tests.chaos.deployments import DEPLOYMENTS, SERVERS
from tests.chaos.run import Plan, run_chaos
from tests.support.servers import ServerUnavailable, give_up

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(400)]

SEED = int(os.environ.get("PONTE_CHAOS_SEED", "1"))

WAITS_LONG = frozenset({"lost acks", "lost message"})
"""Answered by waiting 30 s for the ack: the long form has them, and tests of the bridge and of dispatch."""


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
async def test_whatever_is_killed_every_text_and_event_is_there_once_and_in_order(
    deployment: str, short_folder: Path
) -> None:
    plan = Plan(SEED, deployment, traffic_s=12, strikes=9, each_way=500, without=WAITS_LONG)
    print(f"chaos: seed {SEED}; PONTE_CHAOS_SEED={SEED} repeats it")
    try:
        report = await run_chaos(plan, short_folder, print)
    except ServerUnavailable as error:
        give_up("PostgreSQL or Redis" if deployment == SERVERS else "Valkey", error)
    assert report.wrong == []
    assert report.starts > 1
