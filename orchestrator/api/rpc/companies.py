"""ponte.v1.CompanyService."""

from google.protobuf.empty_pb2 import Empty

from orchestrator._generated.ponte.v1 import company_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import decode, encode
from orchestrator.services.companies import CompanyService

_DEFAULT_MAX_SESSIONS = 1


class CompanyMethods:
    """Tenants; the administrator's."""

    service = "ponte.v1.CompanyService"

    def __init__(self, companies: CompanyService) -> None:
        self._companies = companies

    async def create_company(
        self, _: Caller, request: company_pb2.CreateCompanyRequest
    ) -> company_pb2.Company:
        """Make a company."""
        max_sessions = request.max_sessions if request.HasField("max_sessions") else _DEFAULT_MAX_SESSIONS
        company = await self._companies.create(request.name, max_sessions, decode.idempotency_key(request))
        return encode.company(company)

    async def get_company(self, _: Caller, request: company_pb2.GetCompanyRequest) -> company_pb2.Company:
        """Look a company up."""
        return encode.company(await self._companies.get(request.company_id))

    async def list_companies(
        self, _: Caller, request: company_pb2.ListCompaniesRequest
    ) -> company_pb2.ListCompaniesResponse:
        """List companies, newest first."""
        page = await self._companies.list(decode.page(request))
        return company_pb2.ListCompaniesResponse(
            companies=[encode.company(company) for company in page.items], next_page_token=page.next_token
        )

    async def update_company(
        self, _: Caller, request: company_pb2.UpdateCompanyRequest
    ) -> company_pb2.Company:
        """Change what is given."""
        company = await self._companies.update(
            request.company_id,
            request.name if request.HasField("name") else None,
            request.max_sessions if request.HasField("max_sessions") else None,
        )
        return encode.company(company)

    async def delete_company(self, _: Caller, request: company_pb2.DeleteCompanyRequest) -> Empty:
        """Remove a company and all that it owns."""
        await self._companies.delete(request.company_id)
        return Empty()
