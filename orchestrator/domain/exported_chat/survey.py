"""A first look through an exported chat: how many messages it has, who wrote them, in which order its dates stand."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.domain.exported_chat.lines import DateOrder, Head, moment_of, plain_name, read_head

_MOST_AUTHORS: Final = 1_000
_MOST_NAMED: Final = 10
_LAST_DAY: Final = 31
_LONG_YEAR: Final = 4


@dataclass(slots=True)
class _Tally:
    """What the file would be with one order of dates: `steps_back` are messages before the one above them."""

    messages: int = 0
    steps_back: int = 0
    last: datetime | None = None

    def count(self, moment: datetime) -> None:
        self.messages += 1
        self.steps_back += self.last is not None and moment < self.last
        self.last = moment

    def fits_better_than(self, other: "_Tally") -> bool:
        """Tell whether the file surely has this order: a few lines more may be quoted, but then time goes back."""
        more = self.messages - other.messages
        return more > 0 and (self.steps_back <= other.steps_back or more > other.messages // 2 + 1)


class Survey:
    """Takes the lines of a file one by one.

    `given` is the order of its dates where the caller knows it, `exported_by` when the file was there already.
    """

    def __init__(
        self,
        own_name: str,
        zone: tzinfo,
        given: DateOrder | None = None,
        exported_by: datetime | None = None,
    ) -> None:
        self._own_name = plain_name(own_name)
        self._zone = zone
        self._given = given
        self._exported_by = exported_by
        self._tallies = {order: _Tally() for order in DateOrder}
        self._authors: Counter[str] = Counter()
        self._orders_differ = False
        self._short_years_first = 0

    def take(self, line: str) -> None:
        """Look at the next line."""
        head = read_head(line, self._own_name)
        if head is None:
            return
        moments = {
            order: moment
            for order in DateOrder
            if (moment := moment_of(head, order, self._zone, self._exported_by)) is not None
        }
        for order, moment in moments.items():
            self._tallies[order].count(moment)
        self._short_years_first += DateOrder.YEAR_FIRST in moments and _may_be_a_day(head)
        days, months = moments.get(DateOrder.DAY_FIRST), moments.get(DateOrder.MONTH_FIRST)
        self._orders_differ |= days is not None and months is not None and days != months
        begins = self._given in moments if self._given else bool(moments)
        if begins and head.author and self._is_counted(head.author):
            self._authors[head.author] += 1

    @property
    def total(self) -> int:
        """Messages and lines of the app itself, in the order of dates that was found."""
        return self._tallies[self.order()].messages

    def order(self) -> DateOrder:
        """Say in which order the dates stand.

        It is the one that was given, else that in which most dates are possible, then the one in which time goes back
        least; as long as none fits better. Raises EXPORT_WITHOUT_MESSAGES, EXPORT_DATES_AMBIGUOUS.
        """
        order = self._given or self._likeliest()
        found = self._tallies[order]
        code = errors.EXPORT_DATES_AMBIGUOUS if found.messages else errors.EXPORT_WITHOUT_MESSAGES
        for other, tally in self._tallies.items():
            if tally.fits_better_than(found):
                raise PonteError(
                    code,
                    f"Read {order}, {found.messages} of the file's lines begin a message; read {other}, "
                    f"{tally.messages} do: give date_order {other}.",
                )
        if not found.messages:
            raise PonteError(code)
        return order

    def check_own_name(self) -> None:
        """Raise EXPORT_OWN_NAME_UNKNOWN where nobody of that name wrote, with the names of those who wrote most."""
        if self._own_name in self._authors:
            return
        names = ", ".join(f"'{name}'" for name, _ in self._authors.most_common(_MOST_NAMED))
        found = f"in the file wrote {names}" if names else "in the file nobody wrote"
        raise PonteError(
            errors.EXPORT_OWN_NAME_UNKNOWN,
            f"Nobody is named '{self._own_name}' in the file; give as own_name how the person who exported it is named "
            f"there: {found}.",
        )

    def _is_counted(self, author: str) -> bool:
        has_room = len(self._authors) < _MOST_AUTHORS
        return has_room or author == self._own_name or author in self._authors

    def _likeliest(self) -> DateOrder:
        """A year of two digits comes first only where the caller says so, or no day is as large."""
        tallies = dict(self._tallies)
        if self._short_years_first * 2 > tallies[DateOrder.YEAR_FIRST].messages:
            del tallies[DateOrder.YEAR_FIRST]
        most = max(tally.messages for tally in tallies.values())
        likely = {order: tally for order, tally in tallies.items() if tally.messages == most}
        least = min(tally.steps_back for tally in likely.values())
        best = [order for order, tally in likely.items() if tally.steps_back == least]
        if len(best) > 1 and self._orders_differ:
            raise PonteError(errors.EXPORT_DATES_AMBIGUOUS)
        return best[0]


def _may_be_a_day(head: Head) -> bool:
    return head.widths[0] != _LONG_YEAR and head.date[0] <= _LAST_DAY
