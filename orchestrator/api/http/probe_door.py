"""Health and metrics of a process without a public API, for operators."""

from collections.abc import Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry

from orchestrator.api.http.probes import health_routes, metrics_routes
from orchestrator.api.readiness import Check, Readiness

_CHECKS_S = 3.0


class ProbeDoor:
    """Serves /healthz, /readyz and /metrics on an address of its own."""

    def __init__(
        self, address: tuple[str, int], checks: Mapping[str, Check], registry: CollectorRegistry
    ) -> None:
        self._address = address
        self._readiness = Readiness(checks, _CHECKS_S)
        application = web.Application()
        application.add_routes([*health_routes(None, self._readiness), *metrics_routes(registry)])
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False)

    async def start(self) -> str:
        """Listen; gives the URL. Raises OSError where the address is taken."""
        await self._runner.setup()
        host, port = self._address
        await web.TCPSite(self._runner, host, port).start()
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close the door."""
        await self._runner.cleanup()
        await self._readiness.close()
