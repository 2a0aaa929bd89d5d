"""A real bridge process for tests."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.heap_probe import with_heap_probe
from tests.support.node_process import ROOT, NodeProcess, run_node

_MAIN = ROOT / "bridge-node" / "dist" / "main.js"


class BridgeProcess:
    """A running bridge."""

    def __init__(self, node: NodeProcess) -> None:
        self._node = node
        self.address: str = node.ready["address"]
        """What BridgeClient takes."""

    @property
    def process_id(self) -> int:
        """Its process."""
        return self._node.process.pid

    async def kill(self) -> None:
        """End it without warning."""
        await self._node.kill()


@asynccontextmanager
async def running_bridge(folder: Path, environment: Mapping[str, str]) -> AsyncIterator[BridgeProcess]:
    """Run a bridge on a unix socket in the folder until the block ends; its log is `bridge.log` there.

    `environment` is that of `SimulatorClient.bridge_environment`, so that the bridge trusts the simulator.
    """
    arguments = (str(_MAIN), "--listen", f"unix:{folder}/bridge.sock", "--exit-with-parent")
    probed = with_heap_probe(folder, dict(environment))
    async with run_node(arguments, ROOT / "bridge-node", folder / "bridge.log", probed) as node:
        yield BridgeProcess(node)
