"""Rules about the repository itself, which no linter knows."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP_LEVEL = {
    *("proto", "orchestrator", "bridge-node", "deploy", "tests", "docs"),
    *(
        "Makefile",
        "pyproject.toml",
        "constraints.txt",
        "README.md",
        "LICENSE",
        "NOTICE",
        "buf.yaml",
        "biome.json",
    ),
}


def tracked_files() -> list[Path]:
    """Files of the repository and new ones that are not ignored, below ROOT."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def imported_modules(source: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
    return modules


def test_production_never_imports_tests() -> None:
    sources = [path for path in tracked_files() if path.parts[0] == "orchestrator" and path.suffix == ".py"]
    assert len(sources) > 50
    offenders = [
        str(path)
        for path in sources
        if any(
            module.split(".")[0] in ("tests", "pytest", "hypothesis")
            for module in imported_modules(ROOT / path)
        )
    ]
    assert offenders == []


def test_the_top_level_holds_what_the_architecture_names() -> None:
    names = {path.parts[0] for path in tracked_files()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


@pytest.mark.parametrize(
    "lock", ["constraints.txt", "bridge-node/package-lock.json", "tests/simulator/package-lock.json"]
)
def test_lock_files_name_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert '"resolved": "http' not in text
    assert not re.search(r"^(-i|--\S+)|https?://", text, re.MULTILINE) or lock.endswith(".json")


def test_every_place_that_the_documentation_names_exists() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    table = index.split("## Where is...")[1]
    missing = []
    for line in table.splitlines():
        cells = line.split(" | ")
        if len(cells) != 2:
            continue
        folder = Path()
        for name in re.findall(r"`([^`\s]+)`", cells[1]):
            place = ROOT / name if (ROOT / name).exists() else ROOT / folder / name
            if not place.exists() and not name.startswith("["):
                missing.append(name)
            folder = place.relative_to(ROOT).parent
    assert missing == []


def test_every_documentation_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = [path.name for path in tracked_files() if path.parent == Path("docs") and path.suffix == ".md"]
    assert [page for page in pages if page != "index.md" and f"({page})" not in index] == []


def test_decisions_are_numbered_once() -> None:
    numbers = [path.name[:4] for path in (ROOT / "docs" / "adr").glob("*.md")]
    assert len(numbers) == len(set(numbers))
    assert all(number.isdigit() for number in numbers)
