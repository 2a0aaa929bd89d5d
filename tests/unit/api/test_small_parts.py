"""Credentials in headers, request ids, readiness and decoding of times."""

import asyncio
import re

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from orchestrator.api.caller import Caller, bearer_secret
from orchestrator.api.readiness import CheckResult, Readiness
from orchestrator.api.request_id import request_id
from orchestrator.api.rpc import decode
from orchestrator.domain.company import CompanyScope, Principal, Scope
from orchestrator.domain.errors import INVALID_ARGUMENT, PonteError


@pytest.mark.parametrize("value", ["Bearer abc", "bearer abc", "BEARER  abc "])
def test_secret_is_taken_out_of_the_header(value: str) -> None:
    assert bearer_secret(value) == "abc"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "CREDENTIAL_MISSING"),
        ("abc", "CREDENTIAL_MISSING"),
        ("Bearer", "CREDENTIAL_MISSING"),
        ("Bearer   ", "CREDENTIAL_MISSING"),
        ("Bearer \udcff", "CREDENTIAL_INVALID"),
        ("Bearer " + "x" * 513, "CREDENTIAL_INVALID"),
    ],
)
def test_bad_header_is_refused(value: str | None, code: str) -> None:
    with pytest.raises(PonteError) as caught:
        bearer_secret(value)
    assert caught.value.code.name == code


def test_caller_works_on_the_company_of_his_key_and_the_administrator_on_none() -> None:
    assert Caller(Principal("k", "c", frozenset(Scope)), "r").scope == CompanyScope("c")
    with pytest.raises(PonteError):
        _ = Caller(Principal("admin", None, frozenset()), "r").scope


def test_request_ids() -> None:
    assert request_id("a-1.B_2") == "a-1.B_2"
    for unusable in (None, "", "a b", "x" * 65, "a\nb", "ä"):
        assert re.fullmatch("[0-9a-f]{16}", request_id(unusable))
    assert request_id(None) != request_id(None)


def test_time_that_no_calendar_has_is_refused() -> None:
    with pytest.raises(PonteError) as caught:
        decode.moment(Timestamp(seconds=10**15), "send_at")
    assert caught.value.code is INVALID_ARGUMENT
    assert caught.value.violations[0].field == "send_at"


@pytest.mark.usefixtures("no_tasks_left")
async def test_many_who_ask_at_once_cost_one_check() -> None:
    asked = 0

    async def check() -> CheckResult:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return CheckResult(True)

    readiness = Readiness({"database": check}, 1.0)
    reports = await asyncio.gather(*(readiness.report() for _ in range(20)))
    await readiness.report()
    assert asked == 1
    assert all(report.ready for report in reports)


@pytest.mark.usefixtures("no_tasks_left")
async def test_closing_ends_a_check_that_runs() -> None:
    async def check() -> CheckResult:
        await asyncio.Event().wait()
        return CheckResult(True)

    readiness = Readiness({"database": check}, 60.0)
    asking = asyncio.create_task(readiness.report())
    await asyncio.sleep(0)
    await readiness.close()
    await asyncio.gather(asking, return_exceptions=True)
    assert asking.cancelled()


async def test_nothing_to_check_is_ready() -> None:
    assert (await Readiness({}, 1.0).report()).ready
