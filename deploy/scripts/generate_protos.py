"""Generates code from proto/: Python with types for all of it, TypeScript for the bridge's contract.

Run by `make proto`. Everything generated is thrown away and made anew, so a removed .proto leaves nothing behind.
"""

from __future__ import annotations

import importlib.resources
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
PYTHON_OUT = ROOT / "orchestrator" / "_generated"
BRIDGE = ROOT / "bridge-node"
TYPESCRIPT_OUT = BRIDGE / "src" / "generated"
TS_PLUGIN = BRIDGE / "node_modules" / ".bin" / "protoc-gen-ts_proto"
TS_OPTIONS = (
    "outputServices=grpc-js",
    "esModuleInterop=true",
    "env=node",
    "importSuffix=.js",
    "forceLong=number",
    "useOptionals=messages",
    "oneof=unions",
)

# protoc writes imports as if its output folder were on sys.path; ours is a package.
OWN_IMPORT = re.compile(r"^(\s*)(from|import) ponte\b", re.MULTILINE)
OWN_REFERENCE = re.compile(r"(?<![\w.])ponte\.(bridge|gateway|v1)\.")


def main() -> int:
    sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("ponte/**/*.proto"))
    if not sources:
        print("proto: nothing to generate yet")
        return 0
    generate_python(sources)
    generate_typescript([source for source in sources if source.startswith("ponte/bridge/")])
    return 0


def generate_python(sources: list[str]) -> None:
    """Writes messages, services and their type stubs for `sources` (paths inside proto/)."""
    shutil.rmtree(PYTHON_OUT, ignore_errors=True)
    PYTHON_OUT.mkdir(parents=True)
    run_protoc(
        [
            f"--python_out={PYTHON_OUT}",
            f"--grpc_python_out={PYTHON_OUT}",
            f"--mypy_out={PYTHON_OUT}",
            f"--mypy_grpc_out={PYTHON_OUT}",
            # With the comments: the OpenAPI document takes its descriptions from them.
            f"--descriptor_set_out={PYTHON_OUT / 'descriptors.binpb'}",
            "--include_source_info",
            *sources,
        ]
    )
    for path in [*PYTHON_OUT.rglob("*.py"), *PYTHON_OUT.rglob("*.pyi")]:
        path.write_text(as_package(path.read_text(encoding="utf-8")), encoding="utf-8")
    for folder in [PYTHON_OUT, *(path for path in PYTHON_OUT.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").touch()


def as_package(source: str) -> str:
    """Returns `source` with its imports of ponte.* turned into imports of orchestrator._generated.ponte.*."""
    source = OWN_IMPORT.sub(r"\1\2 orchestrator._generated.ponte", source)
    return "\n".join(
        line if '"' in line or "'" in line else OWN_REFERENCE.sub(r"orchestrator._generated.ponte.\1.", line)
        for line in source.split("\n")
    )


def generate_typescript(sources: list[str]) -> None:
    """Writes the bridge's messages and its grpc-js service, once its packages are installed."""
    if not TS_PLUGIN.exists():
        print("proto: bridge-node has no ts-proto yet, TypeScript left out")
        return
    shutil.rmtree(TYPESCRIPT_OUT, ignore_errors=True)
    TYPESCRIPT_OUT.mkdir(parents=True)
    run_protoc(
        [
            f"--plugin=protoc-gen-ts_proto={TS_PLUGIN}",
            f"--ts_proto_out={TYPESCRIPT_OUT}",
            *(f"--ts_proto_opt={option}" for option in TS_OPTIONS),
            *sources,
        ]
    )


def run_protoc(arguments: list[str]) -> None:
    # The plugins sit beside this interpreter, which need not be on PATH.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    code = protoc.main(["protoc", f"-I{PROTO}", f"-I{well_known}", *arguments])
    if code != 0:
        raise subprocess.CalledProcessError(code, "protoc")


if __name__ == "__main__":
    sys.exit(main())
