"""The table of kinds in the documentation: which cells were seen to work."""

from collections.abc import Iterable
from pathlib import Path

from orchestrator.domain.content import BODIES
from tests.support.node_process import ROOT

PAGE: Path = ROOT / "docs" / "kinds.md"
COLUMNS = ("send", "receive", "stored", "event", "webhook", "REST", "gRPC")

_HEAD = """# Kinds of content

Made by `tests/integration/kinds`: each cell that says yes was exercised with real Baileys on the other side, and the
test fails where this page says anything else (`PONTE_WRITE_DOCS=1` writes it anew). What each kind looks like:
[messages.md](messages.md).

"""


class Table:
    """Cells that were seen to work."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()

    def mark(self, kind: str, columns: Iterable[str]) -> None:
        """Note that these columns of a kind work."""
        self._seen |= {(kind, column) for column in columns}

    def page(self) -> str:
        """The page as it should be."""
        lines = ["| kind | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
        for kind in BODIES:
            cells = ["yes" if (kind, column) in self._seen else "-" for column in COLUMNS]
            lines.append(f"| `{kind}` | " + " | ".join(cells) + " |")
        return _HEAD + "\n".join(lines) + "\n"
