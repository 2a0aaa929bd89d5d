"""Campaigns over REST: files in, reports out, plans, and the whole life of one."""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from orchestrator.api.http import recipient_files
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.ids import is_id
from orchestrator.services.context import Context, SendingLimits
from tests.integration.api.harness import RestClient, RunningApi, make_services, running_api
from tests.integration.campaigns.conftest import Consents, numbers
from tests.support.factories import Factories
from tests.support.gateway import FakeGateway

ANA, BIA = "+5511987654321", "+5511987654322"


@pytest.fixture
async def api(context: Context, gateway: FakeGateway, tmp_path: Path) -> AsyncIterator[RunningApi]:
    enforced = replace(context, sending_limits=SendingLimits.ENFORCED)
    async with running_api(make_services(enforced, gateway, tmp_path / "media")) as running:
        yield running


@pytest.fixture
async def company(api: RunningApi) -> tuple[str, RestClient]:
    return await api.company()


def form(content: bytes, name: str = "people.csv", field: str = "file") -> FormData:
    data = FormData()
    data.add_field(field, io.BytesIO(content), filename=name)
    return data


async def list_id_of(client: RestClient) -> str:
    made = await client.ask("POST", "/v1/recipient-lists", {"name": "Customers", "region": "BR"})
    assert made.status == 201
    return str(made.body["id"])


async def test_a_file_is_taken_in_and_its_report_downloaded(
    company: tuple[str, RestClient], consents: Consents
) -> None:
    company_id, client = company
    await consents.opt_in(CompanyScope(company_id), [ANA])
    list_id = await list_id_of(client)
    content = f"phone,name\n{ANA},Ana\n=cmd(),\n{ANA},Ana\n{BIA},Bia\n".encode()

    done = await client.ask("POST", f"/v1/recipient-lists/{list_id}:import", data=form(content))

    assert done.status == 200
    assert (done.body["file_name"], done.body["state"]) == ("people.csv", "COMPLETED")
    assert (done.body["lines"], done.body["accepted"]) == (4, 2)
    assert done.body["reported"] == {"INVALID": 1, "DUPLICATE": 1, "NOT_OPTED_IN": 1}
    path = f"/v1/recipient-lists/{list_id}/imports/{done.body['id']}"
    report = await client.ask("GET", f"{path}/lines.csv")
    assert report.headers["Content-Type"].startswith("text/csv")
    assert list(csv.reader(io.StringIO(report.raw.decode()))) == [
        ["line", "given", "reason"],
        ["3", "'=cmd()", "INVALID"],
        ["4", ANA, "DUPLICATE"],
        ["5", BIA, "NOT_OPTED_IN"],
    ]
    page = await client.ask("GET", f"{path}/lines?page_size=1&after_line=3")
    assert [line["line"] for line in page.body["lines"]] == [4]
    assert (await client.ask("GET", f"{path}/lines?page_size=501")).status == 400
    assert (await client.ask("GET", path)).body["id"] == done.body["id"]
    found = (await client.ask("GET", f"/v1/recipient-lists/{list_id}")).body
    assert (found["recipients"], found["fields"]) == (2, {"name": 2, "first_name": 2})


async def test_what_is_no_file_of_recipients_is_refused(
    company: tuple[str, RestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, client = company
    path = f"/v1/recipient-lists/{await list_id_of(client)}:import"

    async def code(data: Any, at: str = path) -> str:
        return str((await client.ask("POST", at, data=data)).body["code"])

    assert await code(form(b"name\nAna\n")) == "IMPORT_UNREADABLE"
    assert await code(form(b"x", field="other")) == "INVALID_ARGUMENT"
    empty = FormData(default_to_multipart=True)
    assert await code(empty) in ("IMPORT_UNREADABLE", "INVALID_ARGUMENT")
    unknown = path.replace(path.split("/")[3].split(":")[0], "nothing")
    assert await code(form(b"phone\n"), unknown) == "NOT_FOUND"
    monkeypatch.setattr(recipient_files, "MOST_BYTES", 10)
    assert await code(form(b"phone\n" + b"1" * 100)) == "BODY_TOO_LARGE"
    report = await client.ask("GET", f"{path.removesuffix(':import')}/imports/nothing/lines.csv")
    assert report.status == 404


async def test_a_campaign_is_planned_started_paused_and_cancelled(
    company: tuple[str, RestClient], make: Factories, consents: Consents
) -> None:
    company_id, client = company
    scope = CompanyScope(company_id)
    session = await make.linked_session(scope)
    people = numbers(20)
    await consents.opt_in(scope, people)
    list_id = await list_id_of(client)
    given = {"recipients": [{"phone_number": number, "fields": {"city": "Recife"}} for number in people]}
    await client.ask("POST", f"/v1/recipient-lists/{list_id}:import", given)
    body: dict[str, Any] = {
        "name": "Spring",
        "recipient_list_id": list_id,
        "session_ids": [session.id],
        "variants": [{"text": f"Wording {number} in {{city}}"} for number in range(5)],
        "confirmation": {"text": "Here it is."},
    }

    few = await client.ask("POST", "/v1/campaigns", {**body, "variants": body["variants"][:4]})
    assert (few.status, few.body["code"]) == (400, "VARIANTS_TOO_FEW")
    nameless = [*body["variants"], {"text": "Look", "file": {"kind": "IMAGE"}}]
    refused = await client.ask("POST", "/v1/campaigns", {**body, "variants": nameless})
    assert refused.body["field_violations"][0]["field"] == "variants[5].file.media_id"
    kindless = [*body["variants"], {"text": "Look", "file": {"media_id": list_id}}]
    refused = await client.ask("POST", "/v1/campaigns", {**body, "variants": kindless})
    assert refused.body["field_violations"][0]["field"] == "variants[5].file.kind"
    made = await client.ask("POST", "/v1/campaigns", body)
    assert (made.status, made.body["state"]) == (201, "DRAFT")
    assert made.body["confirmation"]["wait_hours"] == 72
    path = f"/v1/campaigns/{made.body['id']}"
    changed = await client.ask("PATCH", path, {**body, "name": "Summer"})
    assert changed.body["name"] == "Summer"

    plan = (await client.ask("POST", f"{path}:plan", {})).body
    # A number that was linked today begins three new chats a day.
    assert (plan["recipients"], plan["curve"][0]["messages"]) == (20, 3)
    assert plan["caps"][0]["code"] == "NEW_CHAT_CAP"
    assert any("warm-up" in risk for risk in plan["risks"])
    assert any("never exchanged" in risk for risk in plan["risks"])
    assert (await client.ask("GET", path)).body["state"] == "DRAFT"

    started = await client.ask("POST", f"{path}:start", {})
    assert (started.body["state"], started.body["progress"]["recipients"]) == ("SCHEDULED", 20)
    assert (await client.ask("POST", f"{path}:start", {})).body["code"] == "CAMPAIGN_STATE"
    assert (await client.ask("POST", f"{path}:pause", {})).body["state"] == "PAUSED"
    assert (await client.ask("POST", f"{path}:resume", {})).body["state"] == "SCHEDULED"
    assert (await client.ask("POST", f"{path}:cancel", {})).body["state"] == "CANCELLED"
    assert (await client.ask("GET", f"{path}/recipients")).body["recipients"] == []
    assert len((await client.ask("GET", f"{path}/results")).body["variants"]) == 5
    listed = await client.ask("GET", "/v1/campaigns?state=CANCELLED")
    assert [one["id"] for one in listed.body["campaigns"]] == [made.body["id"]]
    assert (await client.ask("DELETE", path)).status == 204
    noted = (await client.ask("GET", f"/v1/audit?subject={made.body['id']}")).body["entries"]
    assert {entry["action"].removeprefix("campaign.") for entry in noted} == {
        *("created", "updated", "started", "paused", "resumed", "cancelled", "deleted")
    }
    [actor] = {entry["actor"] for entry in noted}
    assert is_id(actor)
    assert (await client.ask("DELETE", f"/v1/recipient-lists/{list_id}")).status == 204
    assert (await client.ask("GET", "/v1/recipient-lists")).body["recipient_lists"] == []
