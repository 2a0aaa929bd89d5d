"""Campaigns and recipients to messages of the public contract."""

from orchestrator._generated.ponte.v1 import campaign_pb2, recipient_pb2
from orchestrator.api.rpc.encode import moment
from orchestrator.domain.campaign.campaign import Campaign, CampaignRecipient, RecipientStatus
from orchestrator.domain.campaign.recipient_list import ImportState, RecipientImport, RecipientList
from orchestrator.domain.campaign.results import VariantResult
from orchestrator.domain.campaign.state import CampaignState
from orchestrator.domain.campaign.variants import Variant
from orchestrator.services.campaign_plan import Plan

_STATE = {state: campaign_pb2.Campaign.State.Value(state.value) for state in CampaignState}
_STATUS = {status: campaign_pb2.CampaignRecipient.Status.Value(status.value) for status in RecipientStatus}
_IMPORT_STATE = {state: recipient_pb2.RecipientImport.State.Value(state.value) for state in ImportState}


def campaign(value: Campaign) -> campaign_pb2.Campaign:
    """Encode a campaign."""
    encoded = campaign_pb2.Campaign(
        id=value.id,
        name=value.name,
        state=_STATE[value.state],
        recipient_list_id=value.list_id,
        session_ids=value.session_ids,
        variants=[_variant(variant) for variant in value.variants],
        time_zone=value.time_zone,
        language=value.language.value,
        start_at=moment(value.start_at),
        end_at=moment(value.end_at),
        progress=_progress(value),
        created_at=moment(value.created_at),
        started_at=moment(value.started_at),
        ended_at=moment(value.ended_at),
        stop_cause=value.stop_cause.value if value.stop_cause else "",
        stop_detail=value.stop_detail,
    )
    if value.confirmation is not None:
        question = value.confirmation
        encoded.confirmation.text = question.text
        encoded.confirmation.yes_words.extend(question.yes_words)
        encoded.confirmation.wait_hours = question.wait_hours
    return encoded


def _variant(value: Variant) -> campaign_pb2.Variant:
    encoded = campaign_pb2.Variant(name=value.name, text=value.text)
    if value.file is not None:
        encoded.file.kind = campaign_pb2.VariantFile.Kind.Value(value.file.kind.upper())
        encoded.file.media_id = value.file.media.media_id
    return encoded


def _progress(value: Campaign) -> campaign_pb2.CampaignProgress:
    tally = value.tally
    return campaign_pb2.CampaignProgress(
        recipients=value.recipients,
        done=value.done,
        sent=tally.sent,
        delivered=tally.delivered,
        read=tally.read,
        replied=tally.replied,
        failed=tally.failed,
        cancelled=tally.cancelled,
        opted_out=tally.opted_out,
        confirmed=tally.confirmed,
        queued=tally.outstanding,
        passed_over={reason.value: count for reason, count in value.passed_over.items()},
    )


def plan(value: Plan) -> campaign_pb2.CampaignPlan:
    """Encode a forecast."""
    told = value.forecast
    return campaign_pb2.CampaignPlan(
        recipients=value.recipients,
        starts_at=moment(told.starts_at),
        ends_at=moment(told.ends_at),
        curve=[campaign_pb2.PlannedHour(at=moment(at), messages=count) for at, count in told.curve.items()],
        caps=[
            campaign_pb2.BindingCap(
                code=cap.code.value,
                words=cap.words,
                seconds=round(cap.seconds),
                first_at=moment(cap.first_at),
            )
            for cap in told.caps
        ],
        risks=value.risks,
        simulated=told.simulated,
        unreachable=told.unreachable,
    )


def recipient(value: CampaignRecipient, of: Campaign) -> campaign_pb2.CampaignRecipient:
    """Encode a recipient of a campaign."""
    return campaign_pb2.CampaignRecipient(
        position=value.position,
        phone_number=value.phone_number,
        session_id=value.session_id,
        status=_STATUS[value.status],
        variant=of.variants[value.variant].name if value.variant is not None else "",
        message_id=value.message_id,
        follow_up_message_id=value.follow_up_id,
        reason=value.reason.value if value.reason else "",
        replied=value.replied,
        opted_out=value.opted_out,
        updated_at=moment(value.updated_at),
    )


def result(value: VariantResult) -> campaign_pb2.VariantResult:
    """Encode a variant's result."""
    tally = value.tally
    return campaign_pb2.VariantResult(
        name=value.name,
        sent=tally.sent,
        delivered=tally.delivered,
        read=tally.read,
        replied=tally.replied,
        failed=tally.failed,
        opted_out=tally.opted_out,
        confirmed=tally.confirmed,
        reply_share=value.reply_share,
        reply_share_low=value.reply_low,
        reply_share_high=value.reply_high,
        leads=value.leads,
    )


def recipient_list(value: RecipientList) -> recipient_pb2.RecipientList:
    """Encode a list."""
    return recipient_pb2.RecipientList(
        id=value.id,
        name=value.name,
        region=value.region,
        recipients=value.recipients,
        fields=value.field_counts,
        created_at=moment(value.created_at),
    )


def recipient_import(value: RecipientImport) -> recipient_pb2.RecipientImport:
    """Encode an import."""
    return recipient_pb2.RecipientImport(
        id=value.id,
        recipient_list_id=value.list_id,
        file_name=value.file_name,
        state=_IMPORT_STATE[value.state],
        lines=value.lines,
        accepted=value.accepted,
        reported={reason.value: count for reason, count in value.reported.items()},
        error=value.error,
        started_at=moment(value.started_at),
        updated_at=moment(value.updated_at),
    )
