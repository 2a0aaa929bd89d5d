"""Table of the keys that make names of persons for the audit log."""

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel


class PersonKeyRow(SQLModel, table=True):
    """A company's key, encrypted."""

    __tablename__ = "person_key"

    company_id: str = Field(primary_key=True, max_length=36)
    key_id: str = Field(max_length=16)
    ciphertext: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
