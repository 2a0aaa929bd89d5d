"""The README's first command, as it is typed."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.support.ponte import descendants

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


async def run_demo(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PONTE_")}
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("ponte")),
        "demo",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
        env={**inherited, "TMPDIR": str(folder), **environment},
    )
    output, _ = await asyncio.wait_for(process.communicate(), 150)
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_the_demo_reaches_answered_and_leaves_nothing(tmp_path: Path) -> None:
    before = descendants(os.getpid())
    code, output = await run_demo(
        tmp_path, "--once", PONTE_HTTP_ADDR="127.0.0.1:0", PONTE_GRPC_ADDR="127.0.0.1:0"
    )
    assert code == 0, output
    steps = [
        "QR received",
        "linked and connected",
        "accepted",
        "sent:",
        "delivered",
        "read:",
        "answered: event",
    ]
    places = [output.index(step) for step in steps]
    assert places == sorted(places)
    assert "█" in output, "the QR is drawn"
    assert descendants(os.getpid()) == before
    assert list(tmp_path.glob("ponte-demo-*")) == []


async def test_a_demo_that_cannot_come_to_its_end_says_why_and_ends_with_1(tmp_path: Path) -> None:
    code, output = await run_demo(tmp_path, "--once", PONTE_NODE="/no/node")
    assert code == 1
    assert "PONTE_NODE=/no/node does not run" in output
    assert "Traceback" not in output
