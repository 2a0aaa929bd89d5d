"""The use cases that the doors call."""

from dataclasses import dataclass

from orchestrator.services.campaign_services import CampaignServices
from orchestrator.services.channels import ChannelService
from orchestrator.services.chats import ChatService
from orchestrator.services.companies import CompanyService
from orchestrator.services.contacts import ContactService
from orchestrator.services.events import EventService
from orchestrator.services.exports import ExportService
from orchestrator.services.group_services import GroupServices
from orchestrator.services.imports import ImportService
from orchestrator.services.keys import KeyService
from orchestrator.services.media import MediaService
from orchestrator.services.messages import MessageService
from orchestrator.services.older_messages import OlderMessages
from orchestrator.services.policy_services import PolicyServices
from orchestrator.services.sessions import SessionService
from orchestrator.services.webhooks import WebhookService


@dataclass(frozen=True, slots=True)
class ApiServices:
    """Handed over by the composition root."""

    companies: CompanyService
    keys: KeyService
    sessions: SessionService
    messages: MessageService
    contacts: ContactService
    chats: ChatService
    channels: ChannelService
    groups: GroupServices
    events: EventService
    webhooks: WebhookService
    media: MediaService
    imports: ImportService
    exports: ExportService
    older_messages: OlderMessages
    policies: PolicyServices
    campaigns: CampaignServices
