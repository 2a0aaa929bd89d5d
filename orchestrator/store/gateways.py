"""Gateways that are alive: each says so with every renewal of its leases."""

from datetime import datetime, timedelta

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from orchestrator.store.database import Transaction
from orchestrator.store.models import GatewayRow

_gateways: Table = GatewayRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_FORGOTTEN_AFTER = timedelta(hours=1)
"""Rows of gateways that died without a word are removed so long after."""


async def note_alive(tx: Transaction, name: str, room: int, now: datetime, alive_until: datetime) -> None:
    """A gateway with room for so many sessions is alive; forgets those that have been dead for long."""
    make = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    values = {"room": room, "alive_until": alive_until}
    statement = make(_gateways).values(name=name, **values)
    await tx.connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
    await tx.connection.execute(delete(_gateways).where(_gateways.c.alive_until < now - _FORGOTTEN_AFTER))


async def forget(tx: Transaction, name: str) -> None:
    """A gateway takes no more sessions."""
    await tx.connection.execute(delete(_gateways).where(_gateways.c.name == name))


async def rooms_of_others(tx: Transaction, name: str, now: datetime) -> list[int]:
    """For how many sessions each of the other living gateways has room."""
    query = select(_gateways.c.room).where(_gateways.c.name != name, _gateways.c.alive_until > now)
    return list((await tx.connection.execute(query)).scalars())
