"""A content keeps its value in its JSON form, and that form is the contract's."""

import json

from google.protobuf import json_format
from hypothesis import given, settings

from orchestrator._generated.ponte.v1 import content_pb2
from orchestrator.domain.content import (
    BODIES,
    Content,
    Image,
    Location,
    MediaRef,
    Text,
    Unknown,
    from_values,
    to_values,
)
from tests.support.contents import contents


@given(contents())
@settings(max_examples=200, deadline=None)
def test_any_content_survives_its_json_and_the_contract(content: Content) -> None:
    values = json.loads(json.dumps(to_values(content)))
    message = json_format.ParseDict(values, content_pb2.Content())
    over_the_wire = content_pb2.Content.FromString(message.SerializeToString())
    back = json_format.MessageToDict(over_the_wire, preserving_proto_field_name=True)

    assert from_values(values) == content
    assert from_values(back) == content


def test_the_contract_names_each_kind_as_the_domain_does() -> None:
    named = {field.name for field in content_pb2.Content.DESCRIPTOR.oneofs_by_name["body"].fields}

    assert named == set(BODIES)


def test_what_has_its_default_is_left_out() -> None:
    assert to_values(Content(Text("Olá"))) == {"text": {"body": "Olá"}}
    assert to_values(Content(Image(MediaRef(media_id="m")), view_once=True)) == {
        "image": {"media": {"media_id": "m"}},
        "view_once": True,
    }


def test_a_kind_of_a_newer_version_becomes_unknown() -> None:
    assert from_values({"hologram": {"size": 3}}).body == Unknown(name="hologram")
    assert from_values({}).body == Unknown(name="unknown")


def test_a_field_of_a_newer_version_is_left_out() -> None:
    assert from_values({"location": {"latitude": 1, "mood": "good"}}).body == Location(latitude=1.0)
    assert from_values({"text": {}}).body == Text("")
