"""Campaigns that too many leave."""

import pytest

from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.opt_out_share import opt_out_share_objection
from orchestrator.domain.policy.settings import DEFAULTS

FIGURES = DEFAULTS.reactions


@pytest.mark.parametrize(("sent", "opted_out"), [(49, 49), (50, 1), (100, 2), (1_000, 20), (0, 0)])
def test_few_opt_outs_or_few_messages_say_nothing(sent: int, opted_out: int) -> None:
    assert opt_out_share_objection(sent, opted_out, FIGURES) is None


@pytest.mark.parametrize(("sent", "opted_out"), [(50, 2), (100, 3), (1_000, 21)])
def test_more_than_two_in_a_hundred_stop_it(sent: int, opted_out: int) -> None:
    assert opt_out_share_objection(sent, opted_out, FIGURES) == Reason(
        ReasonCode.OPT_OUT_SHARE, "recipients who opted out", used=opted_out, most=sent
    )
