"""The long form: `python -m tests.chaos --seed 7 --minutes 3`. Ends with code 1 when anything went wrong."""

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.deployments import DEPLOYMENTS
from tests.chaos.run import Plan, run_chaos

_STRIKES_PER_MINUTE = 30
_MOST_SHOWN = 40


def main() -> int:
    """Run all deployments, or the one that is named, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="repeat the schedule of an earlier run")
    parser.add_argument("--minutes", type=float, default=2.0, help="how long faults strike, per deployment")
    parser.add_argument("--deployment", choices=DEPLOYMENTS, help="only this one")
    parser.add_argument("--messages", type=int, default=2000, help="texts in both directions together")
    parser.add_argument("--strikes", type=int, help=f"faults; {_STRIKES_PER_MINUTE} a minute where not given")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="VICTIM", help="hurt these only: ponte, bridge, ..."
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the folder with the logs of a run that passed, too"
    )
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else secrets.randbelow(1_000_000)
    print(f"chaos: seed {seed}, {options.minutes:g} minutes of faults", flush=True)
    failed = False
    for deployment in [options.deployment] if options.deployment else DEPLOYMENTS:
        plan = Plan(
            seed=seed,
            deployment=deployment,
            traffic_s=options.minutes * 60,
            strikes=options.strikes or max(1, round(options.minutes * _STRIKES_PER_MINUTE)),
            each_way=options.messages // 2,
            only=frozenset(options.only),
        )
        failed |= not _run(plan, keep=options.keep)
    print(f"chaos: {'failed' if failed else 'passed'}; --seed {seed} repeats it")
    return int(failed)


def _run(plan: Plan, *, keep: bool) -> bool:
    folder = Path(tempfile.mkdtemp(prefix="ponte-chaos-"))
    print(f"== {plan.deployment}: {plan.each_way} texts each way, {plan.strikes} faults", flush=True)
    report = asyncio.run(run_chaos(plan, folder, lambda line: print(line, flush=True)))
    if not report.wrong:
        print(
            f"{plan.deployment}: nothing lost, nothing twice, in order; {report.events} events, all delivered"
        )
        if keep:
            print(f"{plan.deployment}: logs are in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
        return True
    for line in report.wrong[:_MOST_SHOWN]:
        print(f"WRONG  {line}")
    print(f"{plan.deployment}: {len(report.wrong)} things went wrong; logs are in {folder}", flush=True)
    return False


if __name__ == "__main__":
    sys.exit(main())
