"""Writes the table of docs/errors.md from the error tree; with --check only says whether it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from orchestrator.api.errors import STATUSES, http_status
from orchestrator.domain.errors import CODES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"
BEGIN = "<!-- table: written by deploy/scripts/document_errors.py -->"
END = "<!-- end of table -->"


def table() -> str:
    """Give the table of all codes, in the order of the tree."""
    rows = [
        f"| `{code.name}` | {http_status(code)} | {STATUSES[code.kind].grpc.name} | {_as_markdown(code.sentence)} |"
        for code in CODES.values()
    ]
    return "\n".join(["| Code | HTTP | gRPC | Meaning |", "|---|---|---|---|", *rows])


def _as_markdown(sentence: str) -> str:
    return sentence.replace("<", "&lt;").replace("|", "\\|")


def main() -> int:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    wanted = f"{before}{BEGIN}\n{table()}\n{END}{after}"
    if page == wanted:
        return 0
    if "--check" in sys.argv:
        print(
            "docs/errors.md is behind the error tree: run python deploy/scripts/document_errors.py",
            file=sys.stderr,
        )
        return 1
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
