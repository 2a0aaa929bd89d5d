from pathlib import Path

import pytest

from orchestrator.processes.bridge import BridgeProcess
from orchestrator.processes.simulator import SimulatorProcess
from orchestrator.startup import StartupError

FAKE_BRIDGE = """
const [flag, address] = process.argv.slice(2);
console.log(JSON.stringify({ready: true, address: flag + address + process.env.A_WORD}));
setInterval(() => {}, 1000);
"""


def bridge_folder(folder: Path, *, compiled: bool = True) -> Path:
    (folder / "node_modules").mkdir(parents=True)
    if compiled:
        (folder / "dist").mkdir()
        (folder / "dist" / "main.js").write_text(FAKE_BRIDGE)
    return folder


async def test_the_bridge_is_told_its_socket_and_says_where_it_listens(tmp_path: Path) -> None:
    folder = bridge_folder(tmp_path / "bridge")
    bridge = BridgeProcess("node", tmp_path, environment={"A_WORD": "!"}, folder=folder)
    await bridge.start()
    await bridge.stop()
    assert bridge.address == f"--listenunix:{tmp_path / 'bridge.sock'}!"


def test_a_bridge_that_is_not_compiled_runs_from_its_sources(tmp_path: Path) -> None:
    bridge = BridgeProcess("node", tmp_path, folder=bridge_folder(tmp_path / "bridge", compiled=False))
    assert list(bridge.command().arguments[2:5]) == ["--import", "tsx", "src/main.ts"]


def test_the_bridge_is_told_to_keep_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NODE_OPTIONS", raising=False)
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    command = BridgeProcess("node", tmp_path, folder=bridge_folder(tmp_path / "bridge")).command()
    assert command.arguments[:3] == ["node", "--max-semi-space-size=2", "dist/main.js"]
    assert command.environment == {"MALLOC_ARENA_MAX": "2"}


def test_what_a_person_has_set_of_nodes_memory_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "8")
    options = {"NODE_OPTIONS": "--import /anchor.mjs --max_semi_space_size=16"}
    folder = bridge_folder(tmp_path / "bridge")
    command = BridgeProcess("node", tmp_path, environment=options, folder=folder).command()
    assert command.arguments[:2] == ["node", "dist/main.js"]
    assert command.environment == options


def test_a_bridge_without_its_packages_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="make setup"):
        BridgeProcess("node", tmp_path, folder=tmp_path).command()


async def test_a_ready_line_that_lacks_something_is_a_startup_error(tmp_path: Path) -> None:
    folder = bridge_folder(tmp_path / "bridge")
    (folder / "dist" / "main.js").write_text("console.log('{\"ready\": true}'); setInterval(() => {}, 1000);")
    with pytest.raises(StartupError, match="bridge is ready but did not say its address"):
        await BridgeProcess("node", tmp_path, folder=folder).start()


def test_a_simulator_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="run this from a clone"):
        SimulatorProcess("node", folder=tmp_path).command()


def test_the_trust_anchor_is_loaded_after_what_node_is_told_already() -> None:
    simulator = SimulatorProcess("node", ws_port=1, http_port=2)
    simulator.on_ready(
        {
            "ws_url": "ws://h/ws/chat",
            "http_url": "http://h/",
            "trust_anchor": "/a b/anchor.mjs",
            "media_certificate": "/tls/server.pem",
        }
    )
    assert simulator.websocket_url == "ws://h/ws/chat"
    assert simulator.http_url == "http://h"
    options = simulator.bridge_environment("--no-warnings")["NODE_OPTIONS"]
    assert options == "--no-warnings --import file:///a%20b/anchor.mjs"
    assert simulator.bridge_environment()["NODE_EXTRA_CA_CERTS"] == "/tls/server.pem"
