"""Table of the gateways that are alive."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from orchestrator.store.models.base import UtcDateTime


class GatewayRow(SQLModel, table=True):
    """A gateway process: it belongs to no company. Dead once `alive_until` has passed."""

    __tablename__ = "gateway"

    name: str = Field(primary_key=True, max_length=80)
    room: int
    alive_until: datetime = Field(sa_type=UtcDateTime)
