"""Every reason for which a connection may end, and every event type, is explained to users."""

import re
from pathlib import Path

from orchestrator.bridge.errors import BRIDGE_LOST
from orchestrator.domain.events import EventType

ROOT = Path(__file__).parents[2]


def test_every_close_reason_is_explained() -> None:
    source = (ROOT / "bridge-node" / "src" / "close-reason.ts").read_text(encoding="utf-8")
    services = (ROOT / "orchestrator" / "services" / "sessions.py").read_text(encoding="utf-8")
    reasons = set(re.findall(r"closed\([^,()]+(?:\([^)]*\))?, '(\w+)'", source))
    reasons |= set(re.findall(r"\d{3,4}: '(\w+)'", source))
    reasons |= set(re.findall(r'Closed\(\d+, "(\w+)"', services)) | {BRIDGE_LOST}
    assert {"logged_out", "upgrade_refused", "connect_timeout", "stopped"} <= reasons

    page = (ROOT / "docs" / "sessions.md").read_text(encoding="utf-8")
    assert sorted(reason for reason in reasons if f"`{reason}`" not in page) == []


def test_every_event_type_is_explained() -> None:
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    assert [type_ for type_ in EventType if f"`{type_}`" not in page] == []
