"""`python -m tests.load.exports`: a long exported chat, imported twice by a `ponte up` of its own.

Says how long each import takes, and the most memory that Ponte holds meanwhile beyond what it held at rest.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from tests.load.media import MIB, Memory
from tests.support.company import make_company
from tests.support.exports import long_chat, zip_file
from tests.support.ponte import ADMIN_KEY, RestClient, running_ponte
from tests.support.simulator import eventually

_LONGEST_S = 3600.0


async def measure(options: argparse.Namespace) -> bool:
    """Import and print what came of it; True where each message is there once."""
    with tempfile.TemporaryDirectory(prefix="ponte-export-") as folder:
        text = Path(folder) / "chat.txt"
        long_chat(text, options.messages)
        content = zip_file(text.read_bytes())
        print(f"{options.messages} messages, {text.stat().st_size} bytes, {len(content)} in the zip")
        settings = {"PONTE_DATABASE_URL": options.database} if options.database else {}
        async with running_ponte(Path(folder) / "data", settings) as ponte, aiohttp.ClientSession() as http:
            admin = RestClient(http, ponte.http_url, ADMIN_KEY)
            _, key = await make_company(admin, "exports")
            client = admin.with_key(key)
            await client.post("/v1/sessions", {"name": "exports"})
            media_id = await client.upload(content, "chat.zip")
            memory = Memory(ponte)
            added = []
            for which in ("first", "second"):
                began = time.perf_counter()
                ended = await _import(client, media_id)
                seconds = time.perf_counter() - began
                print(
                    f"{which}: {seconds:.1f} s, {options.messages / seconds:.0f} a second, {ended['counts']}"
                )
                added.append(ended["counts"]["added"])
            print(f"memory beyond rest: {memory.beyond_rest()['ponte'] / MIB:.0f} MiB")
    return added == [options.messages, 0]


async def _import(client: RestClient, media_id: str) -> dict[str, Any]:
    wanted = {"media_id": media_id, "chat": "+5511911111111", "own_name": "Bia"}
    import_id = (await client.post("/v1/imports", wanted))["id"]

    async def look() -> dict[str, Any] | None:
        value: dict[str, Any] = await client.get(f"/v1/imports/{import_id}")
        return value if value["state"] == "COMPLETED" else None

    ended: dict[str, Any] = await eventually(look, timeout_s=_LONGEST_S, every_s=0.2)
    return ended


def main() -> int:
    """Run the measurement; exit code 1 where a message is missing or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--database", default="", help="URL of an empty database; SQLite where none is given")
    return 0 if asyncio.run(measure(parser.parse_args())) else 1


if __name__ == "__main__":
    sys.exit(main())
