from pathlib import Path

from orchestrator.config import Settings

ROOT = Path(__file__).parents[3]


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    missing = [name for name in Settings.model_fields if f"| `PONTE_{name.upper()}` |" not in page]
    assert missing == []
