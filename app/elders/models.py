"""Elders, their phones, tags and families."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, one_of
from app.elders.tags import TAGS

STATUSES = ("active", "moved", "deceased")
RELATIONS = {
    "self": "本人",
    "spouse": "配偶",
    "child": "子女",
    "grandchild": "孙辈",
    "sibling": "兄弟姐妹",
    "relative": "亲属",
    "neighbour": "邻居",
    "community": "社区",
    "guardian": "监护人",
    "other": "其他",
}


class Elder(Base):
    __tablename__ = "elder"
    __table_args__ = (
        CheckConstraint("sex IN ('male', 'female', 'unknown')", name="sex"),
        CheckConstraint("gender_wish IN ('male', 'female')", name="gender_wish"),
        CheckConstraint(one_of("status", STATUSES), name="status"),
        CheckConstraint("source_crs IN ('wgs84', 'gcj02', 'bd09')", name="source_crs"),
        CheckConstraint("(lng IS NULL) = (lat IS NULL)", name="place"),
        CheckConstraint("division_code ~ '^[0-9]{6,12}$'", name="division_code"),
        Index(None, "id_number_index", unique=True),
        Index(None, "last4_index"),
        Index(None, "division_code", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    name_pinyin: Mapped[str] = mapped_column(Text)
    """The likeliest reading, e.g. "zengdeming"; every reading is in `elder_name_key`."""
    name_initials: Mapped[str] = mapped_column(Text)
    sex: Mapped[str] = mapped_column(Text)
    birth_date: Mapped[date | None]
    division_code: Mapped[str] = mapped_column(Text)
    lng: Mapped[float | None]
    lat: Mapped[float | None]
    """Home, WGS-84; null if unknown."""
    source_crs: Mapped[str | None] = mapped_column(Text)
    id_number: Mapped[bytes | None] = mapped_column(LargeBinary)
    """18 characters, upper case; a number of the first generation is stored upgraded."""
    id_number_raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    """As it was given."""
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    health_note: Mapped[bytes | None] = mapped_column(LargeBinary)
    last4_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Two bytes over district and last four of the ID number: many people share them, so they betray nobody."""
    gender_wish: Mapped[str | None] = mapped_column(Text)
    """The sex the caregiver should have."""
    dialect: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    """Where the record came from: desk, community, import, ..."""
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class ElderNameKey(Base):
    """What an operator may type for this name: characters, full pinyin in every reading, initials; also without
    the surname. Found by prefix."""

    __tablename__ = "elder_name_key"
    __table_args__ = (Index(None, "key", postgresql_ops={"key": "text_pattern_ops"}),)

    elder_id: Mapped[UUID] = mapped_column(ForeignKey("elder.id"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)


class ElderPhone(Base):
    __tablename__ = "elder_phone"
    __table_args__ = (
        CheckConstraint(one_of("relation", RELATIONS), name="relation"),
        Index(None, "phone_index"),
        Index(None, "last4_index"),
        Index(None, "elder_id", "position"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    elder_id: Mapped[UUID] = mapped_column(ForeignKey("elder.id"))
    phone: Mapped[bytes] = mapped_column(LargeBinary)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes] = mapped_column(LargeBinary)
    last4_index: Mapped[bytes] = mapped_column(LargeBinary)
    owner: Mapped[str | None] = mapped_column(Text)
    """Whose phone it is, when not the elder's own."""
    relation: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(SmallInteger)
    """0 is tried first."""


class ElderTag(Base):
    """A circumstance that matters for care or benefits, with the day it began and who says so."""

    __tablename__ = "elder_tag"
    __table_args__ = (
        CheckConstraint(one_of("tag", TAGS), name="tag"),
        CheckConstraint("valid_to >= valid_from", name="valid"),
        Index(None, "tag"),
    )

    elder_id: Mapped[UUID] = mapped_column(ForeignKey("elder.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(Text, primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    valid_to: Mapped[date | None]
    source: Mapped[str] = mapped_column(Text)


class FamilyMember(Base):
    """A relative who may call for the elder. Seeing the elder's orders needs `approved_at`."""

    __tablename__ = "family_member"
    __table_args__ = (
        CheckConstraint(one_of("relation", RELATIONS), name="relation"),
        Index(None, "elder_id"),
        Index(None, "phone_index"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    elder_id: Mapped[UUID] = mapped_column(ForeignKey("elder.id"))
    name: Mapped[str] = mapped_column(Text)
    relation: Mapped[str] = mapped_column(Text)
    phone: Mapped[bytes] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes] = mapped_column(LargeBinary)
    approved_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
