"""ponte.v1.ContactService."""

from orchestrator._generated.ponte.v1 import contact_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import decode, encode
from orchestrator.services.contacts import ContactService, KnownContact


class ContactMethods:
    """What WhatsApp says of phone numbers."""

    service = "ponte.v1.ContactService"

    def __init__(self, contacts: ContactService) -> None:
        self._contacts = contacts

    async def list_contacts(
        self, caller: Caller, request: contact_pb2.ListContactsRequest
    ) -> contact_pb2.ListContactsResponse:
        """List the company's contacts."""
        page = await self._contacts.list_known(caller.scope, request.phone_number, decode.page(request))
        return contact_pb2.ListContactsResponse(
            contacts=[_contact(known) for known in page.items], next_page_token=page.next_token
        )

    async def check_contacts(
        self, caller: Caller, request: contact_pb2.CheckContactsRequest
    ) -> contact_pb2.CheckContactsResponse:
        """Ask which numbers have an account."""
        checks = await self._contacts.check(caller.scope, request.session_id, list(request.phone_numbers))
        return contact_pb2.CheckContactsResponse(contacts=[encode.number_check(check) for check in checks])


def _contact(known: KnownContact) -> contact_pb2.KnownContact:
    names = known.contact
    return contact_pb2.KnownContact(
        id=known.id,
        phone_number=names.phone_number,
        jid=names.pn_jid,
        lid=names.lid_jid,
        push_name=known.push_name,
    )
