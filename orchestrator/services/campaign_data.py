"""A campaign as it stands in events: the same names as in the API's JSON."""

from orchestrator.domain.campaign.campaign import Campaign
from orchestrator.domain.campaign.results import TALLY_FIELDS
from orchestrator.domain.events import EventType, NewEvent


def campaign_event(event_type: EventType, campaign: Campaign) -> NewEvent:
    """Make the event that tells of a campaign; no recipient is named."""
    tally = campaign.tally
    progress: dict[str, object] = {name: getattr(tally, name) for name in TALLY_FIELDS}
    progress |= {
        "recipients": campaign.recipients,
        "passed_over": sum(campaign.passed_over.values()),
        "done": campaign.done,
    }
    data: dict[str, object] = {
        "id": campaign.id,
        "name": campaign.name,
        "state": campaign.state.value,
        "progress": progress,
    }
    if campaign.stop_cause is not None:
        data |= {"stop_cause": campaign.stop_cause.value, "stop_detail": campaign.stop_detail}
    return NewEvent(event_type, session_id="", data=data)
