"""ponte.v1.ImportService."""

from orchestrator._generated.ponte.v1 import import_pb2, message_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import decode, encode
from orchestrator.domain.exported_chat.lines import DateOrder
from orchestrator.domain.imports import ExportWish, Import, ImportKind, ImportState
from orchestrator.services.exports import ExportService, GivenExport
from orchestrator.services.imports import ImportService
from orchestrator.services.older_messages import OlderMessages

_KIND = {kind: import_pb2.Import.Kind.Value(kind.value) for kind in ImportKind}
_ORDER = {order: import_pb2.DateOrder.Value(order.value) for order in DateOrder}
_STATE = {state: import_pb2.Import.State.Value(state.value) for state in ImportState}


class ImportMethods:
    """Conversation imports of the caller's company."""

    service = "ponte.v1.ImportService"

    def __init__(self, imports: ImportService, exports: ExportService, older: OlderMessages) -> None:
        self._imports = imports
        self._exports = exports
        self._older = older

    async def create_import(
        self, caller: Caller, request: import_pb2.CreateImportRequest
    ) -> import_pb2.Import:
        """Begin to import an exported chat."""
        given = GivenExport(
            session_id=request.session_id,
            media_id=request.media_id,
            chat=request.chat,
            own_name=request.own_name,
            time_zone=request.time_zone,
            date_order=decode.choice(request.date_order, import_pb2.DateOrder.Name, DateOrder, "date_order"),
        )
        key = decode.idempotency_key(request)
        return _encoded(await self._exports.create(caller.scope, given, key))

    async def request_older_messages(
        self, caller: Caller, request: import_pb2.RequestOlderMessagesRequest
    ) -> import_pb2.Import:
        """Ask a phone for older messages of a chat."""
        begun = await self._older.request(
            caller.scope, request.session_id, request.chat, request.messages, media=request.media
        )
        return _encoded(begun)

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
        export=_exported_chat(value.export) if value.export else None,
        chat=value.chat_jid,
    )


def _exported_chat(wish: ExportWish) -> import_pb2.ExportedChat:
    return import_pb2.ExportedChat(
        media_id=wish.media_id,
        chat=wish.chat_jid,
        own_name=wish.own_name,
        time_zone=wish.time_zone,
        date_order=_ORDER[wish.date_order] if wish.date_order else import_pb2.DATE_ORDER_UNSPECIFIED,
    )
