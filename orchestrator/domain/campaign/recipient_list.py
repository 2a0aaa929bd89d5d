"""Lists of recipients, and the imports that fill them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.campaign.reasons import PassedOver


@dataclass(frozen=True, slots=True)
class RecipientList:
    """A company's list. Recipients have positions from 1 to `recipients`, without gaps.

    `region` (ISO 3166, such as BR) is that of numbers without a country code; `field_counts` says how many recipients
    have a value for each variable, `zone_counts` how many are in each time zone.
    """

    id: str
    company_id: str
    name: str
    region: str
    created_at: datetime
    recipients: int = 0
    field_counts: Mapping[str, int] = field(default_factory=dict)
    zone_counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Someone on a list. `phone_number` is E.164; `values` are the own fields that have a value."""

    position: int
    phone_number: str
    name: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


class ImportState(StrEnum):
    """Where an import stands."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    """It ended early; what was taken in before stays, and the same file can be imported again."""


@dataclass(frozen=True, slots=True)
class RecipientImport:
    """An import and its count of lines. SUPPRESSED and NOT_OPTED_IN lines are on the list all the same: a campaign
    passes them over unless that has changed when their turn comes. The others are not."""

    id: str
    list_id: str
    file_name: str
    state: ImportState
    started_at: datetime
    updated_at: datetime
    lines: int = 0
    accepted: int = 0
    reported: Mapping[PassedOver, int] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True)
class ReportedLine:
    """A line of a file that was not simply taken in. `given` is what stood in its column phone_number."""

    line: int
    given: str
    reason: PassedOver
