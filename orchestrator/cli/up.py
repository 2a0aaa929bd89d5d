"""`ponte up`: everything in one process, with its children."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.cli.composition import Running, running
from orchestrator.cli.serving import ReadyJson, serve
from orchestrator.config import Settings


def up(ready_json: ReadyJson = False) -> None:
    """Run Ponte: the API, the gateway, the workers, the bridge, and the embedded database and queue."""
    serve(running, _describe, _ready_line if ready_json else None)


def _ready_line(ponte: Running) -> Mapping[str, object]:
    return {"http_url": ponte.http_url, "grpc_address": ponte.grpc_address}


def _describe(settings: Settings, ponte: Running) -> str:
    whatsapp = "WhatsApp itself" if settings.speaks_to_whatsapp else settings.whatsapp_url
    return (
        f"REST {ponte.http_url} (documentation at {ponte.http_url}/docs), gRPC {ponte.grpc_address}, "
        f"data in {settings.data_dir.absolute()}, sessions connect to {whatsapp}"
    )
