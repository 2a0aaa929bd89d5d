"""`ponte api`, `ponte worker` and `ponte gateway`: what `ponte up` does, in processes of their own."""

from __future__ import annotations

import os
from collections.abc import Mapping

from orchestrator.cli.serving import ReadyJson, serve
from orchestrator.cli.split_composition import (
    ApiProcess,
    GatewayProcess,
    WorkerProcess,
    running_api,
    running_gateway,
    running_worker,
)
from orchestrator.config import Settings


def api(ready_json: ReadyJson = False) -> None:
    """Run the public API (REST, gRPC, events) alone; any number of these may run."""
    serve(running_api, _describe_api, _api_line if ready_json else None)


def worker(ready_json: ReadyJson = False) -> None:
    """Run the workers (sending, webhooks, maintenance) alone; any number of these may run."""
    serve(running_worker, _describe_worker, _worker_line if ready_json else None)


def gateway(ready_json: ReadyJson = False) -> None:
    """Run a gateway with its bridge; the gateways of one database share the sessions."""
    serve(running_gateway, _describe_gateway, _gateway_line if ready_json else None)


def _api_line(process: ApiProcess) -> Mapping[str, object]:
    return {"http_url": process.http_url, "grpc_address": process.grpc_address, "pid": os.getpid()}


def _worker_line(process: WorkerProcess) -> Mapping[str, object]:
    return {"metrics_url": process.metrics_url, "pid": os.getpid()}


def _gateway_line(process: GatewayProcess) -> Mapping[str, object]:
    return {
        "gateway_address": process.address,
        "name": process.name,
        "metrics_url": process.metrics_url,
        "pid": os.getpid(),
    }


def _describe_api(_: Settings, process: ApiProcess) -> str:
    return f"REST {process.http_url} (documentation at {process.http_url}/docs), gRPC {process.grpc_address}"


def _describe_worker(settings: Settings, _: WorkerProcess) -> str:
    return f"{settings.worker_threads} jobs at a time"


def _describe_gateway(settings: Settings, process: GatewayProcess) -> str:
    whatsapp = "WhatsApp itself" if settings.speaks_to_whatsapp else settings.whatsapp_url
    return f"reached at {process.address}, sessions connect to {whatsapp}"
