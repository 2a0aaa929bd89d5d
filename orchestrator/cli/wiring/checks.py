"""What /readyz and gRPC health look at."""

from __future__ import annotations

from collections.abc import Mapping

from redis.asyncio import Redis
from sqlalchemy import text

from orchestrator.api.readiness import Check, CheckResult
from orchestrator.bridge.client import BridgeClient
from orchestrator.store.database import Database, SystemScope

_BRIDGE_ANSWERS_S = 2.0


def readiness_checks(
    database: Database, redis: Redis, bridge: BridgeClient | None = None
) -> Mapping[str, Check]:
    """Return the checks by name; each raises or says why it is not well. Without `bridge` there is none to look at."""

    async def database_answers() -> CheckResult:
        async with database.reading(SystemScope()) as transaction:
            await transaction.connection.execute(text("SELECT 1"))
        return CheckResult(ok=True, detail=database.dialect)

    async def redis_answers() -> CheckResult:
        await redis.ping()
        return CheckResult(ok=True)

    checks: dict[str, Check] = {"database": database_answers, "redis": redis_answers}
    if bridge is not None:
        checks["bridge"] = _bridge_check(bridge)
    return checks


def _bridge_check(bridge: BridgeClient) -> Check:
    async def bridge_answers() -> CheckResult:
        status = await bridge.status(timeout_s=_BRIDGE_ANSWERS_S)
        return CheckResult(ok=True, detail=f"Baileys {status.baileys_version}, Node {status.node_version}")

    return bridge_answers
