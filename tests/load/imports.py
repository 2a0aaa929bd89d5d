"""`make bench-import`: the history of a phone, imported at pairing while everything is killed on the way.

The phone tells of 300 conversations of 200 messages each. Everything is killed three times: while the phone tells, and
twice while it is imported. Then the number is linked anew, and the phone tells all of it once more.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.support.history import History, import_history, objections
from tests.support.simulator import running_simulator


async def measure(options: argparse.Namespace) -> bool:
    """Import and print what came of it; True where everything is as it shall be."""
    history = History(options.chats, options.messages)
    with tempfile.TemporaryDirectory(prefix="ponte-import-") as folder:
        async with running_simulator(Path(folder)) as simulator:
            settings = {"PONTE_WHATSAPP_URL": simulator.ws_url, **simulator.bridge_environment}
            if options.database:
                settings["PONTE_DATABASE_URL"] = options.database
            imported = await import_history(
                simulator, Path(folder) / "data", settings, history, options.kills
            )
    rate = history.total / imported.seconds
    print(
        f"{history.total} messages in {imported.seconds:.1f} s from the scan to the end, with {imported.kills} kills "
        f"and restarts in it: {rate:.0f} a second"
    )
    print(f"first import: {imported.first['counts']}; second: {imported.second['counts']}")
    wrong = objections(imported, history)
    for objection in wrong:
        print(f"WRONG: {objection}")
    return not wrong


def main() -> int:
    """Run the measurement; exit code 1 where a message is missing, doubled or out of order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chats", type=int, default=300)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--database", default="", help="URL of an empty database; SQLite where none is given")
    return 0 if asyncio.run(measure(parser.parse_args())) else 1


if __name__ == "__main__":
    sys.exit(main())
