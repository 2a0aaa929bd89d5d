"""All tables; importing this module fills `SQLModel.metadata`."""

from orchestrator.store.models.call import CallRow
from orchestrator.store.models.campaign import (
    CampaignRecipientRow,
    CampaignRow,
    CampaignSessionRow,
    CampaignVariantRow,
    RecipientImportRow,
    RecipientListRow,
    RecipientRow,
    ReportedLineRow,
)
from orchestrator.store.models.company import (
    ApiKeyRow,
    CompanyRow,
    EventCounterRow,
    IdempotencyRow,
    MetadataRow,
)
from orchestrator.store.models.consent import AuditRow, OptInRow, SuppressionRow
from orchestrator.store.models.event import EventRow, WebhookDeliveryRow, WebhookRow
from orchestrator.store.models.gateway import GatewayRow
from orchestrator.store.models.group import ChatGroupParticipantRow, ChatGroupRow, GroupReadingRow
from orchestrator.store.models.imports import ConversationImportRow, HistoryMessageRow
from orchestrator.store.models.media import MediaDownloadRow, MediaRow
from orchestrator.store.models.message import ContactRow, MessageRow
from orchestrator.store.models.message_receipt import MessageReceiptRow
from orchestrator.store.models.number_check import NumberCheckRow
from orchestrator.store.models.person_key import PersonKeyRow
from orchestrator.store.models.policy import ChatPolicyRow, SessionPolicyRow, SessionSendRow
from orchestrator.store.models.session import (
    ArchivedCredentialsRow,
    AuthCredentialsRow,
    AuthKeyRow,
    SessionRow,
)

__all__ = [
    "ApiKeyRow",
    "ArchivedCredentialsRow",
    "AuditRow",
    "AuthCredentialsRow",
    "AuthKeyRow",
    "CallRow",
    "CampaignRecipientRow",
    "CampaignRow",
    "CampaignSessionRow",
    "CampaignVariantRow",
    "ChatGroupParticipantRow",
    "ChatGroupRow",
    "ChatPolicyRow",
    "CompanyRow",
    "ContactRow",
    "ConversationImportRow",
    "EventCounterRow",
    "EventRow",
    "GatewayRow",
    "GroupReadingRow",
    "HistoryMessageRow",
    "IdempotencyRow",
    "MediaDownloadRow",
    "MediaRow",
    "MessageReceiptRow",
    "MessageRow",
    "MetadataRow",
    "NumberCheckRow",
    "OptInRow",
    "PersonKeyRow",
    "RecipientImportRow",
    "RecipientListRow",
    "RecipientRow",
    "ReportedLineRow",
    "SessionPolicyRow",
    "SessionRow",
    "SessionSendRow",
    "SuppressionRow",
    "WebhookDeliveryRow",
    "WebhookRow",
]
