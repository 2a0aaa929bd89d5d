"""ponte.v1.KeyService."""

from orchestrator._generated.ponte.v1 import company_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import decode, encode
from orchestrator.domain.company import CompanyScope
from orchestrator.services.keys import KeyService


class KeyMethods:
    """API keys of the company that the request names; the administrator's."""

    service = "ponte.v1.KeyService"

    def __init__(self, keys: KeyService) -> None:
        self._keys = keys

    async def create_key(self, _: Caller, request: company_pb2.CreateKeyRequest) -> company_pb2.CreatedKey:
        """Make a key; this answer alone has its secret."""
        key, secret = await self._keys.create(
            CompanyScope(request.company_id),
            request.name,
            decode.scopes(request.scopes),
            decode.idempotency_key(request),
        )
        return company_pb2.CreatedKey(id=key.id, key=secret, details=encode.key(key))

    async def list_keys(
        self, _: Caller, request: company_pb2.ListKeysRequest
    ) -> company_pb2.ListKeysResponse:
        """List a company's keys, newest first."""
        page = await self._keys.list(CompanyScope(request.company_id), decode.page(request))
        return company_pb2.ListKeysResponse(
            keys=[encode.key(key) for key in page.items], next_page_token=page.next_token
        )

    async def revoke_key(self, _: Caller, request: company_pb2.RevokeKeyRequest) -> company_pb2.Key:
        """Refuse a key from now on."""
        return encode.key(await self._keys.revoke(CompanyScope(request.company_id), request.key_id))
