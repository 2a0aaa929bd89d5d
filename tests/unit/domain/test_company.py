"""Who is asking, and what is theirs."""

from orchestrator.domain.auth_state import AuthKey
from orchestrator.domain.company import ALL_SCOPES, Principal, Scope


def test_only_a_principal_without_a_company_is_the_administrator() -> None:
    assert Principal("admin", None, frozenset()).is_admin
    assert not Principal("key", "company", ALL_SCOPES).is_admin


def test_scopes_are_written_as_a_resource_and_what_is_done_with_it() -> None:
    assert set(Scope) == ALL_SCOPES
    assert all(scope.value.count(":") == 1 for scope in Scope)


def test_an_auth_key_is_known_by_its_type_and_name() -> None:
    assert AuthKey("session", "55119.0", "{}") != AuthKey("pre-key", "55119.0", "{}")
