"""Bells that write down who was rung."""

from orchestrator.domain.company import CompanyScope


class RecordingBells:
    """Implements services.ports.Bells in memory."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        """(company id, session id) for each ring of messages_due."""
        self.events: list[str] = []
        """Company id for each ring of events_recorded."""
        self.sessions: list[tuple[str, str]] = []
        """(company id, session id) for each ring of session_changed."""

    async def messages_due(self, scope: CompanyScope, session_id: str) -> None:
        self.messages.append((scope.company_id, session_id))

    async def events_recorded(self, scope: CompanyScope) -> None:
        self.events.append(scope.company_id)

    async def session_changed(self, scope: CompanyScope, session_id: str) -> None:
        self.sessions.append((scope.company_id, session_id))

    def forget(self) -> None:
        """Start anew."""
        self.messages.clear()
        self.events.clear()
        self.sessions.clear()
