"""`make bench-campaigns`: importing a CSV of a million rows and planning a campaign to them: rate, time, memory."""

import argparse
import asyncio
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import insert

from orchestrator.domain.campaign.variants import GivenVariant
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.jid import phone_number_to_jid
from orchestrator.services.campaign_services import CampaignServices
from orchestrator.services.campaigns import CampaignDraft
from orchestrator.services.context import Context, SendingLimits
from orchestrator.services.outgoing_files import OutgoingFiles
from orchestrator.store.database import Database
from orchestrator.store.migrations import upgrade
from orchestrator.store.models import OptInRow
from orchestrator.store.vault import Vault
from tests.support.bells import RecordingBells
from tests.support.factories import Factories
from tests.support.media import make_media

_TEXTS = [GivenVariant("", f"Wording {number} for {{first_name}}") for number in range(5)]
_OPT_INS_AT_ONCE = 5_000


def peak_mib() -> int:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def numbers(count: int) -> Iterator[str]:
    """Different Brazilian mobile numbers, of three time zones."""
    for number in range(count):
        yield f"+55{('11', '92', '68')[number % 3]}9{number:08d}"


def write_csv(path: Path, count: int) -> None:
    """A file as people have it: a number, a name, an own field."""
    with path.open("w", encoding="utf-8") as file:
        file.write("phone_number,name,order\n")
        file.writelines(f"{number},Ana Silva {i},A-{i}\n" for i, number in enumerate(numbers(count)))


async def opt_everyone_in(context: Context, company_id: str, count: int) -> None:
    """Consents for all of the file's numbers, as rows."""

    now, table = context.clock(), OptInRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
    rows: list[dict[str, object]] = []
    for position, number in enumerate(numbers(count), start=1):
        rows.append(
            {
                "id": f"{position:036d}",
                "company_id": company_id,
                "pn_jid": phone_number_to_jid(number),
                "lid_jid": "",
                "source": "form",
                "purpose": "",
                "evidence": "",
                "given_at": now,
                "created_at": now,
                "withdrawn_at": None,
            }
        )
        if len(rows) == _OPT_INS_AT_ONCE or position == count:
            async with context.database.transaction(CompanyScope(company_id)) as tx:
                await tx.connection.execute(insert(table), rows)
            rows.clear()


async def measure(folder: Path, count: int) -> None:
    """Import and plan, and print what it took."""
    url = f"sqlite+aiosqlite:///{folder}/ponte.db"
    upgrade(url)
    database = await Database.open(url)
    vault = Vault({"bench": bytes(32)}, "bench")
    context = Context(database, vault, RecordingBells(), lambda: datetime.now(UTC), Random(1))
    context = replace(context, sending_limits=SendingLimits.ENFORCED)
    make, files = Factories(context), OutgoingFiles(make_media(context, folder / "media"))
    services = CampaignServices.of(context, files)
    scope = await make.company()
    month_ago = context.clock() - timedelta(days=30)
    session = await make.linked_session(scope, connected_at=month_ago, created_at=month_ago)
    path = folder / "people.csv"
    write_csv(path, count)
    await opt_everyone_in(context, scope.company_id, count)
    made = await services.lists.create(scope, "Everyone", "BR")
    print(f"before          peak {peak_mib()} MiB")
    began = time.perf_counter()
    with path.open("rb") as file:
        done = await services.imports.from_file(scope, made.id, file, path.name)
    seconds = time.perf_counter() - began
    assert done.accepted == count, done
    print(
        f"import          {count} rows in {seconds:.1f} s, {count / seconds:.0f} rows/s, peak {peak_mib()} MiB"
    )
    campaign = await services.campaigns.create(
        scope, CampaignDraft("Everyone", made.id, [session.id], _TEXTS)
    )
    began = time.perf_counter()
    plan = await services.planner.plan(scope, campaign.id)
    seconds = time.perf_counter() - began
    print(
        f"plan            {plan.recipients} recipients in {seconds:.1f} s, {plan.forecast.simulated} simulated,"
        f" ends {plan.forecast.ends_at:%Y-%m-%d}, peak {peak_mib()} MiB"
    )
    began = time.perf_counter()
    await services.campaigns.start(scope, campaign.id)
    print(f"start           {(time.perf_counter() - began) * 1000:.0f} ms")
    await database.close()


def main() -> None:
    """Read the arguments and measure."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), given.rows))


if __name__ == "__main__":
    main()
