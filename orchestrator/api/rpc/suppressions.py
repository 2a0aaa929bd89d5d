"""ponte.v1.SuppressionService."""

from orchestrator._generated.ponte.v1 import suppression_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import decode, encode
from orchestrator.domain.consent import OptIn, Suppression
from orchestrator.services.suppressions import NewOptIn, SuppressionService


class SuppressionMethods:
    """Who the caller's company does not write to, and who agreed to be written to."""

    service = "ponte.v1.SuppressionService"

    def __init__(self, suppressions: SuppressionService) -> None:
        self._suppressions = suppressions

    async def list_suppressions(
        self, caller: Caller, request: suppression_pb2.ListSuppressionsRequest
    ) -> suppression_pb2.ListSuppressionsResponse:
        """List the entries."""
        page = await self._suppressions.list(caller.scope, request.phone_number, decode.page(request))
        return suppression_pb2.ListSuppressionsResponse(
            suppressions=[_suppression(entry) for entry in page.items], next_page_token=page.next_token
        )

    async def add_suppressions(
        self, caller: Caller, request: suppression_pb2.AddSuppressionsRequest
    ) -> suppression_pb2.AddSuppressionsResponse:
        """Put numbers on the list."""
        entries, cancelled = await self._suppressions.add(
            caller.scope, list(request.phone_numbers), request.detail, caller.principal.key_id
        )
        return suppression_pb2.AddSuppressionsResponse(
            suppressions=[_suppression(entry) for entry in entries], cancelled_messages=cancelled
        )

    async def remove_suppression(
        self, caller: Caller, request: suppression_pb2.RemoveSuppressionRequest
    ) -> suppression_pb2.RemoveSuppressionResponse:
        """Take a number off the list."""
        actor = caller.principal.key_id
        removed = await self._suppressions.remove(caller.scope, request.phone_number, actor)
        return suppression_pb2.RemoveSuppressionResponse(removed=removed)

    async def record_opt_ins(
        self, caller: Caller, request: suppression_pb2.RecordOptInsRequest
    ) -> suppression_pb2.RecordOptInsResponse:
        """Record consents."""
        given = [
            NewOptIn(
                one.phone_number,
                one.source,
                one.purpose,
                one.evidence,
                decode.moment(one.given_at, f"opt_ins[{position}].given_at")
                if one.HasField("given_at")
                else None,
            )
            for position, one in enumerate(request.opt_ins)
        ]
        entries = await self._suppressions.record_opt_ins(caller.scope, given, caller.principal.key_id)
        return suppression_pb2.RecordOptInsResponse(opt_ins=[_opt_in(entry) for entry in entries])

    async def list_opt_ins(
        self, caller: Caller, request: suppression_pb2.ListOptInsRequest
    ) -> suppression_pb2.ListOptInsResponse:
        """List consents."""
        page = await self._suppressions.list_opt_ins(caller.scope, request.phone_number, decode.page(request))
        return suppression_pb2.ListOptInsResponse(
            opt_ins=[_opt_in(entry) for entry in page.items], next_page_token=page.next_token
        )


def _suppression(value: Suppression) -> suppression_pb2.Suppression:
    return suppression_pb2.Suppression(
        id=value.id,
        phone_number=value.contact.phone_number,
        lid=value.contact.lid_jid,
        cause=value.cause.value,
        detail=value.detail,
        campaign_id=value.campaign_id,
        created_at=encode.moment(value.created_at),
        expires_at=encode.moment(value.expires_at),
    )


def _opt_in(value: OptIn) -> suppression_pb2.OptIn:
    return suppression_pb2.OptIn(
        id=value.id,
        phone_number=value.contact.phone_number,
        source=value.source,
        purpose=value.purpose,
        evidence=value.evidence,
        given_at=encode.moment(value.given_at),
        recorded_at=encode.moment(value.created_at),
        withdrawn_at=encode.moment(value.withdrawn_at),
    )
