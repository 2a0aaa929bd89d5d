"""What is known of files: rows that refer to stored bytes by their hash."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, Table, delete, exists, insert, select, update

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.media import Media, MediaFacts, MediaSource
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.models import MediaRow

_media: Table = MediaRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


async def add(tx: Transaction, scope: CompanyScope, media: Media) -> None:
    """Note a file whose bytes are stored."""
    await tx.connection.execute(
        insert(_media).values(
            id=media.id,
            company_id=scope.company_id,
            sha256=media.sha256,
            mime_type=media.mime_type,
            size=media.size,
            file_name=media.file_name,
            source=media.source.value,
            width=media.facts.width,
            height=media.facts.height,
            seconds=media.facts.seconds,
            created_at=media.created_at,
            expires_at=media.expires_at,
        )
    )


async def get(tx: Transaction, scope: CompanyScope, media_id: str) -> Media | None:
    """Look a file up; None where the company has none of this id."""
    query = select(_media).where(_media.c.company_id == scope.company_id, _media.c.id == media_id)
    row = (await tx.connection.execute(query)).mappings().one_or_none()
    return _to_media(row) if row else None


async def keep_until(tx: Transaction, scope: CompanyScope, media_id: str, moment: datetime) -> None:
    """Let retention spare a file until then; never shortens what it has."""
    await tx.connection.execute(
        update(_media)
        .where(
            _media.c.company_id == scope.company_id,
            _media.c.id == media_id,
            _media.c.expires_at.is_not(None),
            _media.c.expires_at < moment,
        )
        .values(expires_at=moment)
    )


async def remove(tx: Transaction, scope: CompanyScope, media_id: str) -> str | None:
    """Forget a file; gives the hash of its bytes, None where there is none."""
    statement = (
        delete(_media)
        .where(_media.c.company_id == scope.company_id, _media.c.id == media_id)
        .returning(_media.c.sha256)
    )
    found: str | None = (await tx.connection.execute(statement)).scalar_one_or_none()
    return found


async def is_referred_to(tx: Transaction, scope: CompanyScope, sha256: str) -> bool:
    """Tell whether any row of the company still refers to these bytes."""
    query = select(exists().where(_media.c.company_id == scope.company_id, _media.c.sha256 == sha256))
    return bool((await tx.connection.execute(query)).scalar_one())


async def list_expired(
    tx: Transaction, scope: SystemScope, now: datetime, limit: int
) -> Sequence[tuple[CompanyScope, str]]:
    """List files whose time is over, as (company, id), the oldest first."""
    del scope  # The transaction was opened for all companies.
    query = (
        select(_media.c.company_id, _media.c.id)
        .where(_media.c.expires_at <= now)
        .order_by(_media.c.expires_at)
        .limit(limit)
    )
    return [(CompanyScope(row.company_id), row.id) for row in await tx.connection.execute(query)]


async def remove_expired(tx: Transaction, scope: CompanyScope, media_id: str, now: datetime) -> str | None:
    """As `remove`, unless the file was used since it was listed and is kept longer."""
    statement = (
        delete(_media)
        .where(_media.c.company_id == scope.company_id, _media.c.id == media_id, _media.c.expires_at <= now)
        .returning(_media.c.sha256)
    )
    found: str | None = (await tx.connection.execute(statement)).scalar_one_or_none()
    return found


def _to_media(row: RowMapping) -> Media:
    return Media(
        id=row["id"],
        company_id=row["company_id"],
        sha256=row["sha256"],
        mime_type=row["mime_type"],
        size=row["size"],
        file_name=row["file_name"],
        source=MediaSource(row["source"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        facts=MediaFacts(row["width"], row["height"], row["seconds"]),
    )
