"""The life of a campaign."""

import pytest

from orchestrator.domain.campaign.state import ENDED, TRANSITIONS, Action, CampaignState, transition
from orchestrator.domain.errors import PonteError


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("state", CampaignState)
def test_each_action_leads_where_the_table_says_or_is_refused_in_words(
    state: CampaignState, action: Action
) -> None:
    if state in TRANSITIONS[action]:
        assert transition(state, action) is TRANSITIONS[action][state]
        return
    with pytest.raises(PonteError, match=state.value) as refused:
        transition(state, action)
    assert refused.value.code.name == "CAMPAIGN_STATE"


def test_a_campaign_that_has_ended_stays_ended() -> None:
    assert not any(ENDED & set(moves) for moves in TRANSITIONS.values())


def test_every_other_state_can_be_cancelled() -> None:
    assert set(TRANSITIONS[Action.CANCEL]) == set(CampaignState) - ENDED


def test_every_state_can_be_reached() -> None:
    reached = {state for moves in TRANSITIONS.values() for state in moves.values()}
    assert reached == set(CampaignState) - {CampaignState.DRAFT}
