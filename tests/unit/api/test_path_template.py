"""Paths of the contract as the router takes them."""

import pytest

from orchestrator.api.http.path_template import compile_path
from orchestrator.api.methods import public_methods


def test_variables_end_at_slash_and_colon() -> None:
    template = compile_path("/v1/webhooks/{webhook_id}/deliveries/{delivery_id}:redeliver")
    assert template.route == "/v1/webhooks/{webhook_id:[^/:]+}/deliveries/{delivery_id:[^/:]+}:redeliver"
    assert template.fields == ("webhook_id", "delivery_id")


@pytest.mark.parametrize("template", ["/v1/{name=things/*}", "/v1/**", "/v1/{thing.id}"])
def test_what_is_not_served_is_refused_at_the_start(template: str) -> None:
    with pytest.raises(ValueError, match="only"):
        compile_path(template)


def test_every_path_variable_is_a_text_of_its_request() -> None:
    for method in public_methods():
        for name in compile_path(method.http_path).fields:
            field = method.input.fields_by_name[name]
            assert field.type == field.TYPE_STRING, method.full_name
