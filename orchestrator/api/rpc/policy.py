"""ponte.v1.PolicyService and ponte.v1.PolicyAdminService."""

from collections.abc import Mapping

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from orchestrator._generated.ponte.v1 import policy_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import decode, encode
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.consent import AuditEntry
from orchestrator.domain.policy.figures import Value
from orchestrator.services.audit_log import AuditFilter, AuditLog
from orchestrator.services.policy import HeldFigure, PolicyService, SessionHealth, SessionPolicy


class PolicyMethods:
    """The sending policy of the caller's company."""

    service = "ponte.v1.PolicyService"

    def __init__(self, policy: PolicyService, audit: AuditLog) -> None:
        self._policy = policy
        self._audit = audit

    async def get_policy(self, caller: Caller, request: policy_pb2.GetPolicyRequest) -> policy_pb2.Policy:
        """Give the figures of a session."""
        return _policy(await self._policy.get(caller.scope, request.session_id))

    async def update_policy(
        self, caller: Caller, request: policy_pb2.UpdatePolicyRequest
    ) -> policy_pb2.Policy:
        """Make figures stricter."""
        actor = caller.principal.key_id
        figures = dict(request.figures)
        return _policy(await self._policy.update(caller.scope, request.session_id, figures, actor))

    async def get_health(self, caller: Caller, request: policy_pb2.GetHealthRequest) -> policy_pb2.Health:
        """Give a session's health."""
        return health(await self._policy.health(caller.scope, request.session_id))

    async def list_audit(
        self, caller: Caller, request: policy_pb2.ListAuditRequest
    ) -> policy_pb2.ListAuditResponse:
        """List the audit log."""
        page = await self._audit.page(caller.scope, audit_filter(request), decode.page(request))
        return policy_pb2.ListAuditResponse(
            entries=[_entry(entry) for entry in page.items], next_page_token=page.next_token
        )


class PolicyAdminMethods:
    """What only the administrator may do to a policy."""

    service = "ponte.v1.PolicyAdminService"

    def __init__(self, policy: PolicyService) -> None:
        self._policy = policy

    async def raise_policy(self, caller: Caller, request: policy_pb2.RaisePolicyRequest) -> policy_pb2.Policy:
        """Change figures up to the hard ceilings, for a time."""
        expires_at = decode.optional_moment(request, "expires_at")
        return _policy(
            await self._policy.raise_(
                CompanyScope(request.company_id),
                request.session_id,
                dict(request.figures),
                caller.principal.key_id,
                request.reason,
                expires_at,
            )
        )

    async def declare_mature(
        self, caller: Caller, request: policy_pb2.DeclareMatureRequest
    ) -> policy_pb2.Policy:
        """End a number's warm-up."""
        scope = CompanyScope(request.company_id)
        actor = caller.principal.key_id
        return _policy(await self._policy.declare_mature(scope, request.session_id, actor, request.reason))


def health(value: SessionHealth) -> policy_pb2.Health:
    """Encode a session's health."""
    return policy_pb2.Health(
        score=value.score,
        level=value.level,
        events=[
            policy_pb2.HealthEvent(
                at=encode.moment(event.at), cause=event.cause.value, points=event.points, score=event.figure
            )
            for event in value.events
        ],
        pauses=[
            policy_pb2.SendingPause(
                cause=pause.cause.value,
                scope=pause.scope.value,
                detail=pause.detail,
                until=encode.moment(pause.until),
            )
            for pause in value.pauses
        ],
        slowdowns=[
            policy_pb2.SendingSlowdown(
                cause=one.cause.value,
                scope=one.scope.value,
                factor=one.factor,
                until=encode.moment(one.until),
            )
            for one in value.slowdowns
        ],
    )


def _policy(value: SessionPolicy) -> policy_pb2.Policy:
    return policy_pb2.Policy(
        session_id=value.session_id,
        version=value.settings.version,
        enforced=value.settings.enforced,
        warm_up_day=value.warm_up_day,
        declared_mature=value.declared_mature,
        figures=[_figure(held) for held in value.figures],
    )


def _figure(held: HeldFigure) -> policy_pb2.Figure:
    override = held.override
    return policy_pb2.Figure(
        path=held.figure.path,
        unit=held.figure.unit.value,
        value=_written(held.value),
        default=_written(held.default),
        ceiling=_written(held.figure.ceiling),
        actor=override.actor if override else "",
        reason=override.reason if override else "",
        expires_at=encode.moment(override.expires_at) if override else None,
    )


def _written(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return f"{value:g}" if value < 1_000_000 else str(value)
    return ",".join(str(part) for part in value)


def audit_filter(request: policy_pb2.ListAuditRequest) -> AuditFilter:
    """Read which entries are wanted. Raises INVALID_ARGUMENT for a time out of range."""
    return AuditFilter(
        request.action,
        request.subject,
        decode.optional_moment(request, "since"),
        decode.optional_moment(request, "until"),
    )


def _entry(value: AuditEntry) -> policy_pb2.AuditEntry:
    detail: Mapping[str, object] = value.detail or {}
    return policy_pb2.AuditEntry(
        id=value.id,
        at=encode.moment(value.at),
        actor=value.actor,
        action=value.action,
        subject=value.subject,
        detail=json_format.ParseDict(dict(detail), Struct()),
    )
