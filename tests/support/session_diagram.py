"""Draws the state diagram in docs/sessions.md from the domain's table: `python -m tests.support.session_diagram`."""

from pathlib import Path

from orchestrator.domain.session import TRANSITIONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sessions.md"

_BEGIN = "<!-- drawn from orchestrator/domain/session.py by `python -m tests.support.session_diagram` -->\n"
_END = "<!-- end of the drawing -->"


def draw() -> str:
    """The transitions that change the state, as a mermaid diagram; signals that lead the same way share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for signal, changes in TRANSITIONS.items():
        for before, after in changes.items():
            if before is not after:
                arrows.setdefault((before.value, after.value), []).append(signal.value.lower())
    lines = [f"    {before} --> {after}: {', '.join(signals)}" for (before, after), signals in arrows.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> NEW", *lines, "```", ""])


def with_drawing(page: str) -> str:
    """The page with the drawing as it is now."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return before + _BEGIN + draw() + _END + after


if __name__ == "__main__":
    PAGE.write_text(with_drawing(PAGE.read_text()))
