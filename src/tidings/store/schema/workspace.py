"""What changes: organizations, spaces, apps, fields and items, with the people in them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text, UniqueConstraint, text

from tidings.store.schema.columns import id_column, metadata, moment, ref

orgs = Table(
    "orgs",
    metadata,
    id_column("org_id"),
    Column("name", Text, nullable=False),
    Column("url_label", Text, nullable=False, unique=True),
    ref("created_by", "users.user_id"),
    moment("created_at"),
    moment("deleted_at", null=True),
)

org_members = Table(
    "org_members",
    metadata,
    ref("org_id", "orgs.org_id"),
    ref("user_id", "users.user_id", index=True),
    Column("role", Text, nullable=False),  # admin | regular
    moment("created_at"),
    PrimaryKeyConstraint("org_id", "user_id"),
)

spaces = Table(
    "spaces",
    metadata,
    id_column("space_id"),
    ref("org_id", "orgs.org_id", index=True),
    Column("name", Text, nullable=False),
    Column("url_label", Text, nullable=False),
    Column("privacy", Text, nullable=False),  # open | closed
    Column("settings", Text, nullable=False, server_default="{}"),
    ref("created_by", "users.user_id"),
    moment("created_at"),
    moment("deleted_at", null=True),
    UniqueConstraint("org_id", "url_label"),
)

space_members = Table(
    "space_members",
    metadata,
    ref("space_id", "spaces.space_id"),
    ref("user_id", "users.user_id", index=True),
    Column("role", Text, nullable=False),  # admin | regular | light
    moment("created_at"),
    PrimaryKeyConstraint("space_id", "user_id"),
)

apps = Table(
    "apps",
    metadata,
    id_column("app_id"),
    ref("space_id", "spaces.space_id", index=True),
    Column("config", Text, nullable=False),
    Column("url_label", Text, nullable=False),
    Column("status", Text, nullable=False),  # active | inactive
    Column("token_sealed", LargeBinary, nullable=False),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("items_made", Integer, nullable=False, server_default="0"),  # gives app_item_id
    Column("items_deleted", Integer, nullable=False, server_default="0"),  # of those; the others are its live items
    Column("full_hooks", Integer, nullable=False, server_default="0"),  # hooks on it and its fields that are told more than ids
    ref("created_by", "users.user_id"),
    moment("created_at"),
    moment("deleted_at", null=True),
    UniqueConstraint("space_id", "url_label"),
)

fields = Table(
    "fields",
    metadata,
    id_column("field_id"),
    ref("app_id", "apps.app_id", index=True),
    Column("external_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False),  # active | deleted
    Column("config", Text, nullable=False),
    Column("position", Integer, nullable=False),
    UniqueConstraint("app_id", "external_id"),
)

items = Table(
    "items",
    metadata,
    id_column("item_id"),
    ref("app_id", "apps.app_id"),
    Column("app_item_id", Integer, nullable=False),
    Column("external_id", Text),
    Column("title", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    # {field_id: [value, ...]}: the values as Podio writes them. `item_values` repeats them for finding.
    Column("field_values", Text, nullable=False),
    Column("created_by", Text, nullable=False),  # an author, as `workspace/access.py` writes it
    moment("created_at"),
    moment("last_event_at"),
    # How many of each hang on it, so that whoever reads an item asks only for what is there.
    Column("comment_count", Integer, nullable=False, server_default="0"),
    Column("file_count", Integer, nullable=False, server_default="0"),
    Column("task_count", Integer, nullable=False, server_default="0"),
    Column("tag_count", Integer, nullable=False, server_default="0"),
    moment("deleted_at", null=True),
    UniqueConstraint("app_id", "app_item_id"),
    Index(
        "ix_items_app_id_external_id",
        "app_id",
        "external_id",
        sqlite_where=text("external_id IS NOT NULL"),
        postgresql_where=text("external_id IS NOT NULL"),
    ),
    Index(
        "ix_items_app_id_live", "app_id", "item_id", sqlite_where=text("deleted_at IS NULL"), postgresql_where=text("deleted_at IS NULL")
    ),
    Index(
        "ix_items_app_id_last_event_at",
        "app_id",
        "last_event_at",
        "item_id",
        sqlite_where=text("deleted_at IS NULL"),
        postgresql_where=text("deleted_at IS NULL"),
    ),
)

item_values = Table(
    "item_values",
    metadata,
    # What a filter or a sort compares: a number (also dates, as seconds, and ids) or the first 200 characters of a text, lower-cased.
    Column("item_id", Integer, nullable=False),
    Column("field_id", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("number", Float(53)),
    Column("text", Text),
    PrimaryKeyConstraint("item_id", "field_id", "position"),
    # A value has a number or a text, and a row in one of the two.
    Index(
        "ix_item_values_field_id_number",
        "field_id",
        "number",
        "item_id",
        sqlite_where=text("number IS NOT NULL"),
        postgresql_where=text("number IS NOT NULL"),
    ),
    Index(
        "ix_item_values_field_id_text",
        "field_id",
        "text",
        "item_id",
        sqlite_where=text("text IS NOT NULL"),
        postgresql_where=text("text IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

item_revisions = Table(
    "item_revisions",
    metadata,
    Column("item_revision_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    ref("item_id", "items.item_id"),
    Column("revision", Integer, nullable=False),
    Column("type", Text, nullable=False),  # creation | update | delete
    Column("app_revision", Integer, nullable=False),
    Column("field_values", Text, nullable=False),  # as they stood after this revision
    Column("created_by", Text, nullable=False),
    moment("created_at"),
    UniqueConstraint("item_id", "revision"),
)
