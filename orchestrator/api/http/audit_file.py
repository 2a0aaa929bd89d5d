"""The audit log over REST as a CSV file, oldest first."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import cast

from aiohttp import web

from orchestrator._generated.ponte.v1 import policy_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.http.csv_file import CsvFile, Rows, inert
from orchestrator.api.http.path_template import compile_path
from orchestrator.api.http.request_reader import RequestReader
from orchestrator.api.invoke import Core
from orchestrator.api.methods import public_methods
from orchestrator.api.rpc.policy import audit_filter
from orchestrator.services.audit_log import AuditLog


def audit_file_routes(core: Core, log: AuditLog) -> Iterator[web.RouteDef]:
    """Give the route of the file; it takes the filters of ListAudit."""
    method = next(method for method in public_methods() if method.name == "ListAudit")
    reader = RequestReader(method)

    async def rows(caller: Caller, http: web.Request) -> AsyncIterator[Rows]:
        request = await reader.read(http)
        wanted = audit_filter(cast("policy_pb2.ListAuditRequest", request))
        yield [("at", "actor", "action", "subject", "detail", "id")]
        async for entries in log.portions(caller.scope, wanted):
            yield [
                (
                    entry.at.isoformat(),
                    inert(entry.actor),
                    entry.action,
                    inert(entry.subject),
                    json.dumps(dict(entry.detail or {}), ensure_ascii=False, sort_keys=True),
                    entry.id,
                )
                for entry in entries
            ]

    yield web.get(
        f"{compile_path(method.http_path).route}.csv", CsvFile(core, method, "audit.csv", rows).answer
    )
