"""ponte.v1.ContactService."""

from orchestrator._generated.ponte.v1 import contact_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import encode
from orchestrator.services.contacts import ContactService


class ContactMethods:
    """What WhatsApp says of phone numbers."""

    service = "ponte.v1.ContactService"

    def __init__(self, contacts: ContactService) -> None:
        self._contacts = contacts

    async def check_contacts(
        self, caller: Caller, request: contact_pb2.CheckContactsRequest
    ) -> contact_pb2.CheckContactsResponse:
        """Ask which numbers have an account."""
        checks = await self._contacts.check(caller.scope, request.session_id, list(request.phone_numbers))
        return contact_pb2.CheckContactsResponse(contacts=[encode.number_check(check) for check in checks])
