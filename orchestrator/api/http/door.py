"""The HTTP door: REST, event streams, QR pictures, documentation and probes on one aiohttp application."""

import errno
from collections.abc import Sequence

from aiohttp import web

from orchestrator.api.http.answers import REQUEST_ID, Handler, problem_answer
from orchestrator.api.http.audit_file import audit_file_routes
from orchestrator.api.http.media import media_routes
from orchestrator.api.http.pages import page_routes
from orchestrator.api.http.probes import health_routes, metrics_routes
from orchestrator.api.http.qr import qr_routes
from orchestrator.api.http.recipient_files import recipient_file_routes
from orchestrator.api.http.request_reader import RequestReader
from orchestrator.api.http.rest import rest_routes, unary_handler
from orchestrator.api.invoke import Core
from orchestrator.api.methods import public_methods
from orchestrator.api.metrics import ApiMetrics
from orchestrator.api.readiness import Readiness
from orchestrator.api.request_id import request_id
from orchestrator.api.services import ApiServices
from orchestrator.api.settings import ApiSettings
from orchestrator.domain.errors import METHOD_NOT_ALLOWED, UNKNOWN_PATH, PonteError
from orchestrator.startup import StartupError

_KEEP_ALIVE_S = 75.0
_BACKLOG = 1024


class HttpDoor:
    """Serves the public HTTP address and, where it is set, the metrics address."""

    def __init__(
        self,
        core: Core,
        services: ApiServices,
        settings: ApiSettings,
        metrics: ApiMetrics,
        readiness: Readiness,
    ) -> None:
        self._settings = settings
        methods = {method.name: method for method in public_methods()}
        create_media, import_named = methods["CreateMedia"], methods["ImportRecipients"]
        public = [
            *media_routes(
                core, services.media, unary_handler(core, create_media, RequestReader(create_media))
            ),
            *recipient_file_routes(
                core, services.campaigns, unary_handler(core, import_named, RequestReader(import_named))
            ),
            *audit_file_routes(core, services.policies.audit),
            *rest_routes(core, settings),
            *qr_routes(core),
            *page_routes(),
            *health_routes(core, readiness),
        ]
        operators = metrics_routes(metrics.registry)
        if settings.metrics is None:
            public += operators
        self._public = self._application(public)
        self._operators = self._application([*operators, *health_routes(core, readiness)])
        self._runners: list[web.AppRunner] = []

    async def start(self) -> tuple[str, str]:
        """Listen; gives the public and the metrics address as host:port. Raises StartupError where a port is taken."""
        public = await self._listen(self._public, self._settings.http, "HTTP", "PONTE_HTTP_ADDR")
        if self._settings.metrics is None:
            return public, public
        operators = await self._listen(
            self._operators, self._settings.metrics, "metrics", "PONTE_METRICS_ADDR"
        )
        return public, operators

    async def stop(self, grace_s: float) -> None:
        """Take no more connections, give running requests `grace_s` seconds, then cut them off."""
        runners, self._runners = self._runners, []
        for runner in runners:
            # aiohttp takes it with the runner only, but the grace is known when the stop comes.
            runner._shutdown_timeout = grace_s
            await runner.cleanup()

    def _application(self, routes: Sequence[web.RouteDef]) -> web.Application:
        application = web.Application(
            middlewares=[_problems], client_max_size=self._settings.body_limit_bytes
        )
        application.add_routes(routes)
        application.on_response_prepare.append(_name_no_software)
        return application

    async def _listen(
        self, application: web.Application, address: tuple[str, int], what: str, setting: str
    ) -> str:
        host, port = address
        shown = f"[{host}]" if ":" in host else host
        runner = web.AppRunner(
            application, access_log=None, handle_signals=False, keepalive_timeout=_KEEP_ALIVE_S
        )
        await runner.setup()
        self._runners.append(runner)
        try:
            await web.TCPSite(runner, host, port, backlog=_BACKLOG, reuse_port=False).start()
        except OSError as error:
            reason = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise StartupError(
                f"The {what} address {shown}:{port} {reason}; stop what listens there or set {setting}."
            ) from None
        return f"{shown}:{runner.addresses[0][1]}"


async def _name_no_software(_: web.Request, response: web.StreamResponse) -> None:
    # aiohttp says its own and Python's version, which helps nobody but those who look for a weak one.
    response.headers["Server"] = "ponte"


@web.middleware
async def _problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what the router refuses, and faults outside of the core, into problems."""
    try:
        return await handler(request)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        return problem_answer(
            PonteError(METHOD_NOT_ALLOWED), request_id(request.headers.get(REQUEST_ID)), {"Allow": allowed}
        )
    except web.HTTPNotFound:
        return problem_answer(PonteError(UNKNOWN_PATH), request_id(request.headers.get(REQUEST_ID)))
