"""Which credential opens which method."""

import pytest

from orchestrator.api.methods import public_methods
from orchestrator.api.rpc import permissions
from orchestrator.domain.company import ALL_SCOPES, Principal, Scope
from orchestrator.domain.errors import SCOPE_MISSING, PonteError

ADMIN = Principal("admin", None, frozenset())
EVERYTHING = Principal("key", "company", ALL_SCOPES)


def refusal(principal: Principal, method: str) -> str:
    """The words of the refusal."""
    with pytest.raises(PonteError) as caught:
        permissions.check(principal, method)
    assert caught.value.code is SCOPE_MISSING
    return caught.value.sentence


def test_every_public_method_is_listed_and_no_other() -> None:
    assert set(permissions.REQUIRED) == {method.full_name for method in public_methods()}


def test_method_that_is_not_listed_refuses_everyone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(permissions.REQUIRED, "ponte.v1.MessageService/GetMessage")
    for principal in (ADMIN, EVERYTHING):
        assert "nobody" in refusal(principal, "ponte.v1.MessageService/GetMessage")


def test_administrator_has_his_methods_and_no_others() -> None:
    permissions.check(ADMIN, "ponte.v1.CompanyService/DeleteCompany")
    refusal(ADMIN, "ponte.v1.SessionService/GetSession")


def test_company_with_all_scopes_is_no_administrator() -> None:
    permissions.check(EVERYTHING, "ponte.v1.SessionService/GetSession")
    refusal(EVERYTHING, "ponte.v1.CompanyService/ListCompanies")


def test_missing_scope_is_named() -> None:
    reader = Principal("key", "company", frozenset({Scope.MESSAGES_READ}))
    permissions.check(reader, "ponte.v1.MessageService/GetMessage")
    assert "messages:send" in refusal(reader, "ponte.v1.MessageService/SendMessage")


def test_reading_scopes_open_nothing_that_changes_something() -> None:
    readers = frozenset({Scope.MESSAGES_READ, Scope.SESSIONS_READ, Scope.EVENTS_READ, Scope.CONTACTS_READ})
    reader = Principal("key", "company", readers)
    for method in public_methods():
        if method.name.startswith(
            ("Create", "Update", "Delete", "Send", "Cancel", "Retry", "Start", "Stop", "Logout")
        ):
            refusal(reader, method.full_name)
