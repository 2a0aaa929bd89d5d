"""The WhatsApp server simulator, for the demo and for trying by hand. It is not part of a production image."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from orchestrator.processes.child import ChildOptions, Command
from orchestrator.processes.ready_line import ReadyLineProcess
from orchestrator.startup import StartupError

SIMULATOR_FOLDER = Path(__file__).resolve().parents[2] / "tests" / "simulator"


class SimulatorProcess(ReadyLineProcess):
    """Runs tests/simulator. Not restarted: its virtual phones live in its memory."""

    name = "simulator"
    restarts = False

    def __init__(
        self,
        node: str,
        *,
        ws_port: int = 0,
        http_port: int = 0,
        folder: Path = SIMULATOR_FOLDER,
        **options: Unpack[ChildOptions],
    ) -> None:
        """Port 0 lets the system choose. The URLs are known after start()."""
        super().__init__(**options)
        self._node = node
        self._folder = folder
        self._ports = ["--ws-port", str(ws_port), "--http-port", str(http_port)]
        self.websocket_url = ""
        self.http_url = ""
        self._trust_anchor = ""
        self._media_certificate = ""

    def bridge_environment(self, node_options: str = "") -> dict[str, str]:
        """Return what makes a bridge trust this simulator: its root, loaded before Baileys.

        `node_options` is what NODE_OPTIONS holds already.
        """
        return {
            "NODE_OPTIONS": f"{node_options} --import {Path(self._trust_anchor).as_uri()}".strip(),
            "NODE_EXTRA_CA_CERTS": self._media_certificate,
        }

    def command(self) -> Command:
        """See ChildProcess."""
        if not (self._folder / "node_modules").is_dir():
            raise StartupError(
                f"There is no simulator in {self._folder}: run this from a clone, after 'make setup'."
            )
        program = [
            "--import",
            "tsx",
            "src/main.ts",
            "--host",
            "127.0.0.1",
            *self._ports,
            "--exit-with-parent",
        ]
        return Command([self._node, *program], folder=self._folder)

    def on_ready(self, said: dict[str, Any]) -> None:
        """See ReadyLineProcess."""
        self.websocket_url = self.said_text(said, "ws_url")
        self.http_url = self.said_text(said, "http_url").rstrip("/")
        self._trust_anchor = self.said_text(said, "trust_anchor")
        self._media_certificate = self.said_text(said, "media_certificate")
