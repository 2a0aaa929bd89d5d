"""Routes for operators, without a key: is the process alive, can it serve, and its metrics."""

import json

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from orchestrator.api.invoke import Core
from orchestrator.api.readiness import CheckResult, Readiness

_NO_STORE = {"Cache-Control": "no-store"}


def health_routes(core: Core | None, readiness: Readiness) -> list[web.RouteDef]:
    """Give /healthz (the process answers) and /readyz (its checks are well; 503 where not, and while `core` stops)."""

    async def healthz(_: web.Request) -> web.Response:
        return _json({"status": "ok"}, 200)

    async def readyz(_: web.Request) -> web.Response:
        checks = dict((await readiness.report()).checks)
        if core is not None and core.is_draining:
            checks["server"] = CheckResult(False, "stopping")
        ready = all(result.ok for result in checks.values())
        answer = {
            "status": "ready" if ready else "not ready",
            "checks": {name: {"ok": result.ok, "detail": result.detail} for name, result in checks.items()},
        }
        return _json(answer, 200 if ready else 503)

    return [web.get("/healthz", healthz), web.get("/readyz", readyz)]


def metrics_routes(registry: CollectorRegistry) -> list[web.RouteDef]:
    """Give /metrics in Prometheus' text form."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST, **_NO_STORE}
        )

    return [web.get("/metrics", metrics)]


def _json(value: object, status: int) -> web.Response:
    return web.Response(
        body=json.dumps(value).encode(),
        status=status,
        headers={"Content-Type": "application/json", **_NO_STORE},
    )
