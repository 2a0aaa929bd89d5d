"""The first look through a file: the order of its dates, its messages, its names."""

from datetime import UTC, datetime

import pytest

from orchestrator.domain import errors
from orchestrator.domain.errors import ErrorCode, PonteError
from orchestrator.domain.exported_chat.lines import DateOrder
from orchestrator.domain.exported_chat.survey import Survey


def survey_of(
    *dates: str,
    own_name: str = "Ana",
    given: DateOrder | None = None,
    exported_by: datetime | None = None,
) -> Survey:
    survey = Survey(own_name, UTC, given, exported_by)
    for date in dates:
        survey.take(f"{date}, 12:00 - Ana: Hello")
        survey.take("a line more")
    return survey


def code_of(survey: Survey) -> ErrorCode:
    with pytest.raises(PonteError) as refused:
        survey.order()
    return refused.value.code


@pytest.mark.parametrize(
    ("dates", "order"),
    [
        (["31/12/2024"], DateOrder.DAY_FIRST),
        (["12/31/2024"], DateOrder.MONTH_FIRST),
        (["2024/01/02"], DateOrder.YEAR_FIRST),
        (["40/01/02"], DateOrder.YEAR_FIRST),
        (["01/02/24", "13/02/24"], DateOrder.DAY_FIRST),
        # In one of the two orders time goes back.
        (["05/04/24", "03/05/24"], DateOrder.DAY_FIRST),
        (["04/05/24", "05/03/24"], DateOrder.MONTH_FIRST),
        # Somebody quotes another file: most dates decide.
        (["01/13/24", "01/14/24", "15/01/24"], DateOrder.MONTH_FIRST),
    ],
)
def test_the_order_of_dates_is_found(dates: list[str], order: DateOrder) -> None:
    assert survey_of(*dates).order() is order


def test_dates_that_are_the_same_in_both_orders_need_none() -> None:
    assert survey_of("05/05/24", "06/06/24").order() is DateOrder.DAY_FIRST


def test_dates_that_can_be_read_in_two_orders_are_refused_until_one_is_given() -> None:
    assert code_of(survey_of("03/04/24", "05/06/24")) is errors.EXPORT_DATES_AMBIGUOUS
    assert survey_of("03/04/24", given=DateOrder.MONTH_FIRST).order() is DateOrder.MONTH_FIRST
    assert survey_of("24/05/06", given=DateOrder.YEAR_FIRST).order() is DateOrder.YEAR_FIRST


@pytest.mark.parametrize(
    ("dates", "given", "fits"),
    [
        (["1/31/24", "2/5/24", "2/15/24"], DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST),
        (["1/31/24", "2/5/24"], DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST),
        # Messages that came late stand after younger ones.
        (["2/5/24", "2/15/24", "2/14/24", "2/16/24"], DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST),
        (["31/12/24", "05/01/25"], DateOrder.MONTH_FIRST, DateOrder.DAY_FIRST),
        (["24/12/10", "24/12/11", "25/01/03", "25/01/12"], None, DateOrder.YEAR_FIRST),
    ],
)
def test_an_order_of_dates_is_refused_where_another_fits_better(
    dates: list[str], given: DateOrder | None, fits: DateOrder
) -> None:
    with pytest.raises(PonteError, match=f"give date_order {fits}") as refused:
        survey_of(*dates, given=given).order()
    assert refused.value.code is errors.EXPORT_DATES_AMBIGUOUS


def test_a_quoted_line_of_another_file_speaks_against_no_order() -> None:
    dates = ("01/02/24", "02/02/24", "12/31/23", "03/02/24")
    assert survey_of(*dates, given=DateOrder.DAY_FIRST).order() is DateOrder.DAY_FIRST


def test_dates_after_the_export_are_none() -> None:
    dates, exported_by = ("04/03/24", "05/06/24"), datetime(2024, 5, 7, tzinfo=UTC)
    assert code_of(survey_of(*dates)) is errors.EXPORT_DATES_AMBIGUOUS
    assert survey_of(*dates, exported_by=exported_by).order() is DateOrder.MONTH_FIRST


def test_years_of_two_digits_that_come_first_count_as_many_messages_as_there_are() -> None:
    assert survey_of("40/01/02", "40/12/31", "31/01/02").total == 3


def test_a_file_in_which_no_message_begins_is_refused() -> None:
    assert code_of(survey_of()) is errors.EXPORT_WITHOUT_MESSAGES
    assert code_of(survey_of("31/12/2567")) is errors.EXPORT_WITHOUT_MESSAGES
    with pytest.raises(PonteError, match="give date_order DAY_FIRST") as refused:
        survey_of("31/12/2024", given=DateOrder.MONTH_FIRST).order()
    assert refused.value.code is errors.EXPORT_WITHOUT_MESSAGES


def test_what_begins_is_counted_with_the_lines_of_the_app() -> None:
    survey = survey_of("31/12/2024", "99/12/2024")
    survey.take("31/12/2024, 12:00 - Messages are end-to-end encrypted.")
    assert survey.total == 2


def test_an_own_name_that_nobody_has_is_refused_with_the_names_that_there_are() -> None:
    survey = survey_of("31/12/2024", own_name="Bia")
    for number in range(1_200):
        survey.take(f"31/12/2024, 12:00 - Person {number}: Hello")
    survey.take("31/12/2024, 12:00 - Person 7: Hello again")
    with pytest.raises(PonteError) as refused:
        survey.check_own_name()
    assert refused.value.code is errors.EXPORT_OWN_NAME_UNKNOWN
    assert "'Person 7', 'Ana', 'Person 0'" in refused.value.sentence
    assert refused.value.sentence.count("Person") == 9
    survey.take("31/12/2024, 12:00 - Bia: Hello")
    survey.check_own_name()
    survey_of("31/12/2024").check_own_name()


def test_a_name_has_no_nul_which_no_error_may_show() -> None:
    survey = Survey("Bia", UTC)
    survey.take("31/12/2024, 12:00 - A\0na: Hello")
    with pytest.raises(PonteError, match="wrote 'Ana'"):
        survey.check_own_name()


def test_a_file_in_which_only_the_app_writes_names_nobody() -> None:
    survey = Survey("Bia", UTC)
    survey.take("31/12/2024, 12:00 - Messages are end-to-end encrypted.")
    with pytest.raises(PonteError, match="nobody wrote"):
        survey.check_own_name()
