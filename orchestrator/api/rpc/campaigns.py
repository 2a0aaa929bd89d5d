"""ponte.v1.CampaignService."""

from google.protobuf.empty_pb2 import Empty

from orchestrator._generated.ponte.v1 import campaign_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import campaign_values as encode
from orchestrator.api.rpc import decode
from orchestrator.domain.campaign.campaign import Confirmation, RecipientStatus
from orchestrator.domain.campaign.state import CampaignState
from orchestrator.domain.campaign.variants import File, GivenVariant
from orchestrator.domain.campaign.wording import Language
from orchestrator.domain.content import Document, Image, MediaRef, Video
from orchestrator.domain.errors import INVALID_ARGUMENT, invalid_field
from orchestrator.services.campaign_services import CampaignServices
from orchestrator.services.campaigns import CampaignDraft

_WAIT_HOURS = 72
_FILE_KINDS: dict[int, type[File]] = {
    campaign_pb2.VariantFile.IMAGE: Image,
    campaign_pb2.VariantFile.VIDEO: Video,
    campaign_pb2.VariantFile.DOCUMENT: Document,
}


class CampaignMethods:
    """Campaigns of the caller's company."""

    service = "ponte.v1.CampaignService"

    def __init__(self, services: CampaignServices) -> None:
        self._services = services

    async def create_campaign(
        self, caller: Caller, request: campaign_pb2.CreateCampaignRequest
    ) -> campaign_pb2.Campaign:
        """Make a draft."""
        key = decode.idempotency_key(request)
        actor = caller.principal.key_id
        return encode.campaign(
            await self._services.campaigns.create(caller.scope, _draft(request), key, actor)
        )

    async def get_campaign(
        self, caller: Caller, request: campaign_pb2.GetCampaignRequest
    ) -> campaign_pb2.Campaign:
        """Look a campaign up."""
        return encode.campaign(await self._services.campaigns.get(caller.scope, request.campaign_id))

    async def list_campaigns(
        self, caller: Caller, request: campaign_pb2.ListCampaignsRequest
    ) -> campaign_pb2.ListCampaignsResponse:
        """List campaigns, newest first."""
        state = decode.choice(request.state, campaign_pb2.Campaign.State.Name, CampaignState, "state")
        page = await self._services.campaigns.list(caller.scope, state, decode.page(request))
        return campaign_pb2.ListCampaignsResponse(
            campaigns=[encode.campaign(campaign) for campaign in page.items], next_page_token=page.next_token
        )

    async def update_campaign(
        self, caller: Caller, request: campaign_pb2.UpdateCampaignRequest
    ) -> campaign_pb2.Campaign:
        """Replace a draft's settings."""
        campaigns = self._services.campaigns
        return encode.campaign(
            await campaigns.update(
                caller.scope, request.campaign_id, _draft(request), caller.principal.key_id
            )
        )

    async def delete_campaign(self, caller: Caller, request: campaign_pb2.DeleteCampaignRequest) -> Empty:
        """Remove a draft or an ended campaign."""
        await self._services.campaigns.delete(caller.scope, request.campaign_id, caller.principal.key_id)
        return Empty()

    async def plan_campaign(
        self, caller: Caller, request: campaign_pb2.PlanCampaignRequest
    ) -> campaign_pb2.CampaignPlan:
        """Foretell a campaign."""
        return encode.plan(await self._services.planner.plan(caller.scope, request.campaign_id))

    async def start_campaign(
        self, caller: Caller, request: campaign_pb2.StartCampaignRequest
    ) -> campaign_pb2.Campaign:
        """Begin."""
        return encode.campaign(
            await self._services.campaigns.start(caller.scope, request.campaign_id, caller.principal.key_id)
        )

    async def pause_campaign(
        self, caller: Caller, request: campaign_pb2.PauseCampaignRequest
    ) -> campaign_pb2.Campaign:
        """Take back what waits."""
        return encode.campaign(
            await self._services.campaigns.pause(caller.scope, request.campaign_id, caller.principal.key_id)
        )

    async def resume_campaign(
        self, caller: Caller, request: campaign_pb2.ResumeCampaignRequest
    ) -> campaign_pb2.Campaign:
        """Go on."""
        return encode.campaign(
            await self._services.campaigns.resume(caller.scope, request.campaign_id, caller.principal.key_id)
        )

    async def cancel_campaign(
        self, caller: Caller, request: campaign_pb2.CancelCampaignRequest
    ) -> campaign_pb2.Campaign:
        """End for good."""
        return encode.campaign(
            await self._services.campaigns.cancel(caller.scope, request.campaign_id, caller.principal.key_id)
        )

    async def list_campaign_recipients(
        self, caller: Caller, request: campaign_pb2.ListCampaignRecipientsRequest
    ) -> campaign_pb2.ListCampaignRecipientsResponse:
        """List recipients whose turn has come."""
        campaigns = self._services.campaigns
        status = decode.choice(
            request.status, campaign_pb2.CampaignRecipient.Status.Name, RecipientStatus, "status"
        )
        campaign = await campaigns.get(caller.scope, request.campaign_id)
        page = await campaigns.list_recipients(caller.scope, campaign.id, status, decode.page(request))
        return campaign_pb2.ListCampaignRecipientsResponse(
            recipients=[encode.recipient(recipient, campaign) for recipient in page.items],
            next_page_token=page.next_token,
        )

    async def get_campaign_results(
        self, caller: Caller, request: campaign_pb2.GetCampaignResultsRequest
    ) -> campaign_pb2.CampaignResults:
        """Tell how each variant did."""
        found = await self._services.campaigns.results(caller.scope, request.campaign_id)
        return campaign_pb2.CampaignResults(variants=[encode.result(result) for result in found])


def _draft(
    request: campaign_pb2.CreateCampaignRequest | campaign_pb2.UpdateCampaignRequest,
) -> CampaignDraft:
    confirmation = None
    if request.HasField("confirmation"):
        question = request.confirmation
        confirmation = Confirmation(
            question.text, tuple(question.yes_words), question.wait_hours or _WAIT_HOURS
        )
    return CampaignDraft(
        name=request.name,
        list_id=request.recipient_list_id,
        session_ids=tuple(request.session_ids),
        variants=[_variant(variant, position) for position, variant in enumerate(request.variants)],
        time_zone=request.time_zone or "UTC",
        language=request.language or Language.ENGLISH.value,
        start_at=decode.optional_moment(request, "start_at"),
        end_at=decode.optional_moment(request, "end_at"),
        confirmation=confirmation,
    )


def _variant(given: campaign_pb2.Variant, position: int) -> GivenVariant:
    if not given.HasField("file"):
        return GivenVariant(given.name, given.text)
    kind = _FILE_KINDS.get(given.file.kind)
    if kind is None:
        raise invalid_field(
            INVALID_ARGUMENT, f"variants[{position}].file.kind", "Give IMAGE, VIDEO or DOCUMENT."
        )
    if not given.file.media_id:
        raise invalid_field(
            INVALID_ARGUMENT, f"variants[{position}].file.media_id", "Give the id of an uploaded file."
        )
    return GivenVariant(given.name, given.text, kind(media=MediaRef(media_id=given.file.media_id)))
