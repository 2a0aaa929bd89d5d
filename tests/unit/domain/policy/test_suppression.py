"""Who may be written to."""

from dataclasses import replace

import pytest

from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.snapshot import Candidate
from orchestrator.domain.policy.suppression import opt_in_objection, suppression_objection
from tests.support.policy_snapshots import NOON, campaign, notification, reply, session


@pytest.mark.parametrize("candidate", [campaign(), notification(), reply()])
def test_one_who_opted_out_gets_nothing(candidate: Candidate) -> None:
    assert suppression_objection(session(), candidate, NOON) is None
    suppressed = replace(candidate, suppressed=True)
    assert suppression_objection(session(), suppressed, NOON) == Reason(
        ReasonCode.SUPPRESSED, "the contact is on the suppression list"
    )


def test_an_unreadable_list_holds() -> None:
    assert suppression_objection(session(), reply(suppressed=None), NOON) == Reason(
        ReasonCode.SUPPRESSION_UNKNOWN, "the suppression list could not be read"
    )


@pytest.mark.parametrize("suppressed", [True, None])
def test_the_confirmation_of_an_opt_out_may_leave(suppressed: bool | None) -> None:
    confirmation = reply(suppressed=suppressed, confirms_opt_out=True)
    assert suppression_objection(session(), confirmation, NOON) is None


def test_campaigns_need_an_opt_in() -> None:
    assert opt_in_objection(session(), campaign(), NOON) is None
    assert opt_in_objection(session(), campaign(opted_in=False), NOON) == Reason(
        ReasonCode.NOT_OPTED_IN, "the contact has no opt-in on record"
    )
    assert opt_in_objection(session(), campaign(opted_in=None), NOON) == Reason(
        ReasonCode.OPT_IN_UNKNOWN, "the opt-in record could not be read"
    )


def test_other_messages_need_none() -> None:
    assert opt_in_objection(session(), notification(opted_in=False), NOON) is None
    assert opt_in_objection(session(), reply(opted_in=None), NOON) is None
