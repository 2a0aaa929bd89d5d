"""What all tables share: UTC times that keep their zone on every database, and short names for columns."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time; aware in, aware UTC out, also where the database keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class UtcTimes(TypeDecorator[tuple[datetime, ...]]):
    """A few points in time, as milliseconds since the epoch with commas between; empty text for none."""

    impl = String(200)
    cache_ok = True

    def process_bind_param(self, value: tuple[datetime, ...] | None, dialect: Dialect) -> str:
        return ",".join(str(round(moment.timestamp() * 1000)) for moment in value or ())

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[datetime, ...]:
        if not value:
            return ()
        return tuple(datetime.fromtimestamp(int(part) / 1000, UTC) for part in value.split(","))


Json = JSON().with_variant(JSONB(), "postgresql")
