"""Pages for people: where one lands, and the documentation, both without anything from elsewhere."""

import base64
import hashlib
import re
from importlib.resources import files

from aiohttp import web

from orchestrator.api.http.answers import Handler
from orchestrator.api.http.openapi.document import openapi_json

_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


def page_routes() -> list[web.RouteDef]:
    """Give the routes of /, /docs and /openapi.json."""
    return [
        web.get("/", _page("landing.html")),
        web.get("/docs", _page("docs.html")),
        web.get("/openapi.json", _openapi),
    ]


def _page(name: str) -> Handler:
    html = (files("orchestrator.api.http") / "static" / name).read_text(encoding="utf-8")
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": _policy(html),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    body = html.encode()

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers=headers)

    return answer


def _policy(html: str) -> str:
    """Allow the page's own inline script and style by their hashes, and nothing else."""
    allowed: dict[str, list[str]] = {"script": [], "style": []}
    for kind, text in _INLINE.findall(html):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        allowed[kind].append(f"'sha256-{digest}'")
    directives = [
        f"{kind}-src {' '.join(hashes) or chr(39) + 'none' + chr(39)}" for kind, hashes in allowed.items()
    ]
    return "; ".join(
        ["default-src 'none'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", *directives]
    )


async def _openapi(_: web.Request) -> web.StreamResponse:
    return web.Response(
        body=openapi_json(), headers={"Content-Type": "application/json", "Cache-Control": "no-cache"}
    )
