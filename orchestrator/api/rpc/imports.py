"""ponte.v1.ImportService."""

from orchestrator._generated.ponte.v1 import import_pb2, message_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import decode, encode
from orchestrator.domain.imports import Import, ImportKind, ImportState
from orchestrator.services.imports import ImportService

_KIND = {kind: import_pb2.Import.Kind.Value(kind.value) for kind in ImportKind}
_STATE = {state: import_pb2.Import.State.Value(state.value) for state in ImportState}


class ImportMethods:
    """Conversation imports of the caller's company."""

    service = "ponte.v1.ImportService"

    def __init__(self, imports: ImportService) -> None:
        self._imports = imports

    async def get_import(self, caller: Caller, request: import_pb2.GetImportRequest) -> import_pb2.Import:
        """Look an import up."""
        return _encoded(await self._imports.get(caller.scope, request.conversation_import_id))

    async def list_imports(
        self, caller: Caller, request: import_pb2.ListImportsRequest
    ) -> import_pb2.ListImportsResponse:
        """List imports, newest first."""
        page = await self._imports.list(caller.scope, request.session_id, decode.page(request))
        return import_pb2.ListImportsResponse(
            imports=[_encoded(value) for value in page.items], next_page_token=page.next_token
        )

    async def cancel_import(
        self, caller: Caller, request: import_pb2.CancelImportRequest
    ) -> import_pb2.Import:
        """End an import."""
        return _encoded(await self._imports.cancel(caller.scope, request.conversation_import_id))


def _encoded(value: Import) -> import_pb2.Import:
    counts = value.counts
    error = (
        message_pb2.MessageError(code=value.error_code, detail=value.error_detail)
        if value.error_code
        else None
    )
    return import_pb2.Import(
        id=value.id,
        session_id=value.session_id,
        kind=_KIND[value.kind],
        state=_STATE[value.state],
        days=value.wish.days,
        groups=value.wish.groups,
        media=value.wish.media,
        counts=import_pb2.ImportCounts(
            total=counts.total,
            read=counts.read,
            added=counts.added,
            known=counts.known,
            skipped=counts.skipped,
        ),
        percent=value.percent,
        error=error,
        created_at=encode.moment(value.created_at),
        started_at=encode.moment(value.started_at),
        updated_at=encode.moment(value.updated_at),
        ended_at=encode.moment(value.ended_at),
    )
