"""Who calls a method, once the credential is known to be good."""

from dataclasses import dataclass

from orchestrator.domain.company import CompanyScope, Principal
from orchestrator.domain.errors import CREDENTIAL_INVALID, CREDENTIAL_MISSING, SCOPE_MISSING, PonteError

_SCHEME = "bearer "
_LONGEST_SECRET = 512


@dataclass(frozen=True, slots=True)
class Caller:
    """The principal of one request, and the id by which logs have the request."""

    principal: Principal
    request_id: str

    @property
    def scope(self) -> CompanyScope:
        """The company whose key is used. Raises SCOPE_MISSING for the administrator, who has none."""
        company_id = self.principal.company_id
        if company_id is None:
            raise PonteError(SCOPE_MISSING, "This method works on a company; use a key of the company.")
        return CompanyScope(company_id)


def bearer_secret(authorization: str | None) -> str:
    """Take the key out of an Authorization value. Raises CREDENTIAL_MISSING where there is none, CREDENTIAL_INVALID."""
    if not authorization or authorization[: len(_SCHEME)].lower() != _SCHEME:
        raise PonteError(CREDENTIAL_MISSING)
    secret = authorization[len(_SCHEME) :].strip()
    if not secret:
        raise PonteError(CREDENTIAL_MISSING)
    if len(secret) > _LONGEST_SECRET or not secret.isascii():
        raise PonteError(CREDENTIAL_INVALID)
    return secret
