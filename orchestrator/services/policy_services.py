"""The services of the sending policy, as the front doors take them."""

from dataclasses import dataclass

from orchestrator.services.audit_log import AuditLog
from orchestrator.services.context import Context
from orchestrator.services.policy import PolicyService
from orchestrator.services.suppressions import SuppressionService


@dataclass(frozen=True, slots=True)
class PolicyServices:
    """Figures and health of sessions; whom the company may write to."""

    policy: PolicyService
    suppressions: SuppressionService
    audit: AuditLog

    @classmethod
    def of(cls, context: Context) -> "PolicyServices":
        """Make them."""
        return cls(PolicyService(context), SuppressionService(context), AuditLog(context))
