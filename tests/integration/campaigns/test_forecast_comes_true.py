"""A campaign that is planned, then run by the services on a clock that is moved: the forecast comes true."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from orchestrator.domain.campaign.forecast import Forecast
from orchestrator.domain.campaign.state import CampaignState
from orchestrator.domain.jid import phone_number_to_jid
from orchestrator.services.campaign_plan import CampaignPlanner
from orchestrator.services.context import SendingLimits
from orchestrator.services.dispatch import DispatchService
from orchestrator.services.policy import PolicyService
from orchestrator.store import chat_policy
from orchestrator.store.chat_policy import Exchanged
from orchestrator.store.models import MessageRow, SessionSendRow
from tests.integration.campaigns.conftest import House, numbers
from tests.support.clock import ManualClock
from tests.support.gateway import FakeGateway

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])

MESSAGES = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
SENDS = SessionSendRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
LOOK_FOR_MORE = timedelta(minutes=10)
MOST_LOOKS = 2_000


@pytest.fixture
def clock() -> ManualClock:
    """Noon in Brazil on a Wednesday."""
    return ManualClock(datetime.fromisoformat("2026-01-07T15:00:00+00:00"))


class Run:
    """One campaign under enforced limits, from its plan to its end."""

    def __init__(self, house: House, gateway: FakeGateway) -> None:
        self.context = replace(house.context, sending_limits=SendingLimits.ENFORCED)
        self.house = House(self.context, house.make, house.scope, house.media)
        self.dispatch = DispatchService(self.context, gateway, "worker")
        self.scope = house.scope

    async def plan(self, people: int, known: int, *, mature: bool) -> tuple[str, Forecast]:
        """Draft a campaign of which so many wrote before; gives its id and its forecast."""
        draft = await self.house.draft(people)
        [session_id] = draft.session_ids
        now = self.context.clock()
        async with self.context.database.transaction(self.scope) as tx:
            wrote = [
                Exchanged(session_id, phone_number_to_jid(number), now, inbound=True)
                for number in numbers(people)[:known]
            ]
            await chat_policy.note(tx, self.scope, wrote)
        if mature:
            await PolicyService(self.context).declare_mature(self.scope, session_id, "admin", "a test")
        campaign = await self.house.campaigns.create(self.scope, draft)
        plan = await CampaignPlanner(self.context, self.house.campaigns).plan(self.scope, campaign.id)
        return campaign.id, plan.forecast

    async def play(self, campaign_id: str) -> list[datetime]:
        """Start it, and move the clock from one thing that is due to the next; gives when messages left."""
        campaign = await self.house.campaigns.start(self.scope, campaign_id)
        clock = self.context.clock
        assert isinstance(clock, ManualClock)
        [session_id] = campaign.session_ids
        looked_at = clock() - LOOK_FOR_MORE
        for _ in range(MOST_LOOKS):
            due = await self._next_due()
            if due is None or clock() - looked_at >= LOOK_FOR_MORE:
                looked_at = clock()
                await self.house.rounds.start(self.scope, campaign_id)
                campaign = await self.house.campaigns.get(self.scope, campaign_id)
                due = await self._next_due()
            if campaign.state is CampaignState.COMPLETED:
                return await self._left_at()
            clock.now = max(clock(), min(due or clock() + timedelta(seconds=5), looked_at + LOOK_FOR_MORE))
            await self.dispatch.run(self.scope, session_id)
        raise AssertionError(f"not over after {MOST_LOOKS} looks: {campaign}")

    async def _next_due(self) -> datetime | None:
        async with self.context.database.reading(self.scope) as tx:
            query = select(func.min(MESSAGES.c.due_at)).where(MESSAGES.c.status == "QUEUED")
            found: datetime | None = (await tx.connection.execute(query)).scalar()
            return found

    async def _left_at(self) -> list[datetime]:
        async with self.context.database.reading(self.scope) as tx:
            return sorted((await tx.connection.execute(select(SENDS.c.at))).scalars())


@pytest.fixture
def campaign(house: House, gateway: FakeGateway) -> Run:
    return Run(house, gateway)


def per_day(times: list[datetime]) -> list[int]:
    return [count for _, count in sorted(Counter(at.date() for at in times).items())]


@pytest.mark.parametrize(
    ("people", "known", "is_mature"),
    [(120, 120, True), (40, 6, True), (70, 70, False)],
    ids=["bound by the hour", "bound by new chats", "bound by the warm-up"],
)
async def test_the_forecast_of_a_campaign_comes_true_within_two_percent(
    campaign: Run, people: int, known: int, is_mature: bool
) -> None:
    began = campaign.context.clock()
    campaign_id, told = await campaign.plan(people, known, mature=is_mature)
    times = await campaign.play(campaign_id)

    assert len(times) == people == sum(told.curve.values())
    assert told.ends_at is not None
    assert (times[-1] - began) / (told.ends_at - began) == pytest.approx(1.0, abs=0.02)
    curve: Counter[datetime] = Counter(told.curve)
    foretold = [count for _, count in sorted(_by_day(curve).items())]
    assert per_day(times) == pytest.approx(foretold, abs=2)


def _by_day(curve: Counter[datetime]) -> Counter[object]:
    days: Counter[object] = Counter()
    for hour, count in curve.items():
        days[hour.date()] += count
    return days
