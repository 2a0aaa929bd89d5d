"""Whether requests can be served: the checks that the composition root hands over, run together and not too often."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

_FRESH_S = 1.0
"""Anyone may ask; the checks themselves run at most this often."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found; `detail` is for the operator and names no secrets or addresses."""

    ok: bool
    detail: str = ""


Check = Callable[[], Awaitable[CheckResult]]


@dataclass(frozen=True, slots=True)
class Report:
    """All checks by name."""

    checks: Mapping[str, CheckResult] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """True when every check is well."""
        return all(result.ok for result in self.checks.values())


class Readiness:
    """Runs the checks, each for at most `timeout_s` seconds; a check that raises is not well."""

    def __init__(self, checks: Mapping[str, Check], timeout_s: float) -> None:
        self._checks = dict(checks)
        self._timeout_s = timeout_s
        self._running: asyncio.Task[Report] | None = None
        self._report: Report | None = None
        self._reported_at = 0.0

    async def report(self) -> Report:
        """Give a report that is at most a second old."""
        now = asyncio.get_running_loop().time()
        if self._report is not None and now - self._reported_at < _FRESH_S:
            return self._report
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await asyncio.shield(self._running)

    async def close(self) -> None:
        """End checks that are running."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _run(self) -> Report:
        try:
            results = await asyncio.gather(*(self._result(check) for check in self._checks.values()))
            self._report = Report(dict(zip(self._checks, results, strict=True)))
            self._reported_at = asyncio.get_running_loop().time()
            return self._report
        finally:
            self._running = None

    async def _result(self, check: Check) -> CheckResult:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await check()
        except TimeoutError:
            return CheckResult(False, f"no answer in {self._timeout_s:g} s")
        except Exception as error:
            return CheckResult(False, type(error).__name__)
