"""ponte.v1.RecipientListService."""

from google.protobuf.empty_pb2 import Empty

from orchestrator._generated.ponte.v1 import recipient_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import campaign_values as encode
from orchestrator.api.rpc import decode
from orchestrator.domain.errors import INVALID_ARGUMENT, invalid_field
from orchestrator.domain.page import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from orchestrator.services.campaign_services import CampaignServices
from orchestrator.services.recipient_imports import GivenRecipient


class RecipientListMethods:
    """Recipient lists of the caller's company."""

    service = "ponte.v1.RecipientListService"

    def __init__(self, services: CampaignServices) -> None:
        self._services = services

    async def create_recipient_list(
        self, caller: Caller, request: recipient_pb2.CreateRecipientListRequest
    ) -> recipient_pb2.RecipientList:
        """Make an empty list."""
        key = decode.idempotency_key(request)
        made = await self._services.lists.create(caller.scope, request.name, request.region, key)
        return encode.recipient_list(made)

    async def get_recipient_list(
        self, caller: Caller, request: recipient_pb2.GetRecipientListRequest
    ) -> recipient_pb2.RecipientList:
        """Look a list up."""
        found = await self._services.lists.get(caller.scope, request.recipient_list_id)
        return encode.recipient_list(found)

    async def list_recipient_lists(
        self, caller: Caller, request: recipient_pb2.ListRecipientListsRequest
    ) -> recipient_pb2.ListRecipientListsResponse:
        """List lists, newest first."""
        page = await self._services.lists.list(caller.scope, decode.page(request))
        return recipient_pb2.ListRecipientListsResponse(
            recipient_lists=[encode.recipient_list(found) for found in page.items],
            next_page_token=page.next_token,
        )

    async def delete_recipient_list(
        self, caller: Caller, request: recipient_pb2.DeleteRecipientListRequest
    ) -> Empty:
        """Remove a list."""
        await self._services.lists.delete(caller.scope, request.recipient_list_id)
        return Empty()

    async def import_recipients(
        self, caller: Caller, request: recipient_pb2.ImportRecipientsRequest
    ) -> recipient_pb2.RecipientImport:
        """Take some recipients in."""
        given = [
            GivenRecipient(recipient.phone_number, recipient.name, dict(recipient.fields))
            for recipient in request.recipients
        ]
        done = await self._services.imports.named(caller.scope, request.recipient_list_id, given)
        return encode.recipient_import(done)

    async def get_recipient_import(
        self, caller: Caller, request: recipient_pb2.GetRecipientImportRequest
    ) -> recipient_pb2.RecipientImport:
        """Look an import up."""
        found = await self._services.lists.get_import(
            caller.scope, request.recipient_list_id, request.import_id
        )
        return encode.recipient_import(found)

    async def list_recipient_imports(
        self, caller: Caller, request: recipient_pb2.ListRecipientImportsRequest
    ) -> recipient_pb2.ListRecipientImportsResponse:
        """List a list's imports, newest first."""
        page = await self._services.lists.list_imports(
            caller.scope, request.recipient_list_id, decode.page(request)
        )
        return recipient_pb2.ListRecipientImportsResponse(
            imports=[encode.recipient_import(found) for found in page.items], next_page_token=page.next_token
        )

    async def list_reported_lines(
        self, caller: Caller, request: recipient_pb2.ListReportedLinesRequest
    ) -> recipient_pb2.ListReportedLinesResponse:
        """List the lines that were not simply taken in."""
        size = request.page_size or DEFAULT_PAGE_SIZE
        if not 1 <= size <= MAX_PAGE_SIZE:
            raise invalid_field(INVALID_ARGUMENT, "page_size", f"Give 1 to {MAX_PAGE_SIZE}.")
        lists = self._services.lists
        found = await lists.get_import(caller.scope, request.recipient_list_id, request.import_id)
        lines = await lists.reported_lines(caller.scope, found.id, max(request.after_line, 0), size)
        return recipient_pb2.ListReportedLinesResponse(
            lines=[
                recipient_pb2.ReportedLine(line=line.line, given=line.given, reason=line.reason.value)
                for line in lines
            ]
        )
