"""The Node process that wraps Baileys, on a unix socket of our own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from orchestrator.processes.child import ChildOptions, Command
from orchestrator.processes.node_memory import lean_arguments, lean_environment
from orchestrator.processes.ready_line import ReadyLineProcess
from orchestrator.startup import StartupError

BRIDGE_FOLDER = Path(__file__).resolve().parents[2] / "bridge-node"


_SOCKET = "bridge.sock"


def bridge_address(runtime_folder: Path) -> str:
    """Return where the bridge of a runtime folder is reached, whether it runs or not."""
    return f"unix:{runtime_folder / _SOCKET}"


class BridgeProcess(ReadyLineProcess):
    """Runs bridge-node: the compiled one, or its sources through tsx where it is not compiled."""

    name = "bridge"

    def __init__(
        self,
        node: str,
        runtime_folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path = BRIDGE_FOLDER,
        **options: Unpack[ChildOptions],
    ) -> None:
        """`node` is the binary; `environment` is added to this process's own, which the bridge inherits."""
        super().__init__(**options)
        self._node = node
        self._folder = folder
        self._environment = dict(environment or {})
        self._socket = runtime_folder / _SOCKET
        self.address = bridge_address(runtime_folder)

    def command(self) -> Command:
        """See ChildProcess."""
        seen = {**os.environ, **self._environment}
        return Command(
            [
                *(self._node, *lean_arguments(seen), *self._program()),
                *("--listen", self.address, "--exit-with-parent"),
            ],
            {**lean_environment(seen), **self._environment},
            self._folder,
        )

    def on_ready(self, said: dict[str, Any]) -> None:
        """See ReadyLineProcess."""
        self.address = self.said_text(said, "address")

    def clean_up(self) -> None:
        """See ChildProcess."""
        self._socket.unlink(missing_ok=True)

    def _program(self) -> list[str]:
        if not (self._folder / "node_modules").is_dir():
            raise StartupError(f"The bridge's packages are missing in {self._folder}: run 'make setup'.")
        if (self._folder / "dist" / "main.js").is_file():
            return ["dist/main.js"]
        return ["--import", "tsx", "src/main.ts"]
