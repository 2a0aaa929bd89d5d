"""The use cases of campaigns and their recipients, put together."""

from dataclasses import dataclass

from orchestrator.services.campaign_plan import CampaignPlanner
from orchestrator.services.campaigns import CampaignService
from orchestrator.services.context import Context
from orchestrator.services.outgoing_files import OutgoingFiles
from orchestrator.services.recipient_imports import RecipientImports
from orchestrator.services.recipient_lists import RecipientListService


@dataclass(frozen=True, slots=True)
class CampaignServices:
    """What the doors call for campaigns."""

    campaigns: CampaignService
    planner: CampaignPlanner
    lists: RecipientListService
    imports: RecipientImports

    @classmethod
    def of(cls, context: Context, files: OutgoingFiles) -> "CampaignServices":
        """Make them all."""
        campaigns = CampaignService(context, files)
        return cls(
            campaigns,
            CampaignPlanner(context, campaigns),
            RecipientListService(context),
            RecipientImports(context),
        )
