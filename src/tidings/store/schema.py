"""The tables. One schema for both engines; Alembic's migrations make it (`store/migrations`).

What holds everywhere: ids are small integers that are never given twice; every `*_at` is microseconds since the epoch;
JSON is kept as text, as it was written, never re-serialised by a database; what was deleted keeps its row with
`deleted_at`, so that the record of its events still reads.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id(name: str) -> Column[int]:
    return Column(name, Integer, primary_key=True, autoincrement=True)


def _ref(name: str, target: str, *, null: bool = False, index: bool = False) -> Column[int]:
    return Column(name, Integer, ForeignKey(target), nullable=null, index=index)


def _moment(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


# --- the server itself ---------------------------------------------------------------------------------------------

server = Table(
    "server",
    metadata,
    # One row. `instance` makes message ids differ between two databases, so that a receiver which drops repeats is
    # not fooled by a database made anew. `hooks_version` grows with every change of a hook: whoever holds the hooks in
    # memory compares it, inside the transaction that relies on them.
    Column("server_id", Integer, primary_key=True, autoincrement=False),
    Column("instance", Text, nullable=False),
    Column("hooks_version", BigInteger, nullable=False, server_default="1"),
)

# --- workspace: what changes ---------------------------------------------------------------------------------------

users = Table(
    "users",
    metadata,
    _id("user_id"),
    Column("username", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("name", Text, nullable=False),
    _moment("created_at"),
)

clients = Table(
    "clients",
    metadata,
    # An API client: what asks for tokens. `client_id` is the text users see, `auth_client_id` the number in answers.
    _id("auth_client_id"),
    Column("client_id", Text, nullable=False, unique=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text),
    _ref("user_id", "users.user_id", null=True),
    _moment("created_at"),
)

tokens = Table(
    "tokens",
    metadata,
    _id("token_id"),
    Column("access_hash", LargeBinary, nullable=False, unique=True),
    Column("refresh_hash", LargeBinary, nullable=False, unique=True),
    _ref("auth_client_id", "clients.auth_client_id"),
    Column("ref_type", Text, nullable=False),  # user | app
    Column("ref_id", Integer, nullable=False),
    _moment("created_at"),
    _moment("expires_at"),
    _moment("refresh_expires_at"),
    _moment("revoked_at", null=True),
)

orgs = Table(
    "orgs",
    metadata,
    _id("org_id"),
    Column("name", Text, nullable=False),
    Column("url_label", Text, nullable=False, unique=True),
    _ref("created_by", "users.user_id"),
    _moment("created_at"),
    _moment("deleted_at", null=True),
)

org_members = Table(
    "org_members",
    metadata,
    _ref("org_id", "orgs.org_id"),
    _ref("user_id", "users.user_id", index=True),
    Column("role", Text, nullable=False),  # admin | regular
    _moment("created_at"),
    PrimaryKeyConstraint("org_id", "user_id"),
)

spaces = Table(
    "spaces",
    metadata,
    _id("space_id"),
    _ref("org_id", "orgs.org_id", index=True),
    Column("name", Text, nullable=False),
    Column("url_label", Text, nullable=False),
    Column("privacy", Text, nullable=False),  # open | closed
    Column("settings", Text, nullable=False, server_default="{}"),
    _ref("created_by", "users.user_id"),
    _moment("created_at"),
    _moment("deleted_at", null=True),
    UniqueConstraint("org_id", "url_label"),
)

space_members = Table(
    "space_members",
    metadata,
    _ref("space_id", "spaces.space_id"),
    _ref("user_id", "users.user_id", index=True),
    Column("role", Text, nullable=False),  # admin | regular | light
    _moment("created_at"),
    PrimaryKeyConstraint("space_id", "user_id"),
)

apps = Table(
    "apps",
    metadata,
    _id("app_id"),
    _ref("space_id", "spaces.space_id", index=True),
    Column("config", Text, nullable=False),
    Column("url_label", Text, nullable=False),
    Column("status", Text, nullable=False),  # active | inactive
    Column("token_sealed", LargeBinary, nullable=False),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("items_made", Integer, nullable=False, server_default="0"),  # gives app_item_id
    _ref("created_by", "users.user_id"),
    _moment("created_at"),
    _moment("deleted_at", null=True),
    UniqueConstraint("space_id", "url_label"),
)

fields = Table(
    "fields",
    metadata,
    _id("field_id"),
    _ref("app_id", "apps.app_id", index=True),
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
    _id("item_id"),
    _ref("app_id", "apps.app_id"),
    Column("app_item_id", Integer, nullable=False),
    Column("external_id", Text),
    Column("title", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    # {field_id: [value, ...]}: the values as Podio writes them. `item_values` repeats them for finding.
    Column("field_values", Text, nullable=False),
    Column("created_by", Text, nullable=False),  # an author, as `workspace/access.py` writes it
    _moment("created_at"),
    _moment("last_event_at"),
    _moment("deleted_at", null=True),
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
    Index("ix_item_values_field_id_number", "field_id", "number"),
    Index("ix_item_values_field_id_text", "field_id", "text"),
    sqlite_with_rowid=False,
)

item_revisions = Table(
    "item_revisions",
    metadata,
    Column("item_revision_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    _ref("item_id", "items.item_id"),
    Column("revision", Integer, nullable=False),
    Column("type", Text, nullable=False),  # creation | update | delete
    Column("app_revision", Integer, nullable=False),
    Column("field_values", Text, nullable=False),  # as they stood after this revision
    Column("created_by", Text, nullable=False),
    _moment("created_at"),
    UniqueConstraint("item_id", "revision"),
)

# --- events: the outbox --------------------------------------------------------------------------------------------

events = Table(
    "events",
    metadata,
    Column("event_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("type", Text, nullable=False),
    Column("app_id", Integer),
    Column("space_id", Integer),
    Column("object_type", Text, nullable=False),
    Column("object_id", Integer, nullable=False),
    Column("parameters", Text, nullable=False),  # JSON object, text to text: what the form says beside type and hook_id
    Column("field_ids", Text, nullable=False),  # JSON list: the fields that this change set, changed or took away
    Column("changes", Text, nullable=False),  # JSON list: each of those with its values before and after
    Column("heard", Boolean, nullable=False),  # false: the change was made with hook=false
    Column("hook_id", Integer),  # only this hook is meant (hook.verify)
    Column("created_by", Text, nullable=False),
    _moment("created_at"),
    Column("matched", Integer),  # how many hooks matched; null while the event waits for fan-out
    Index("ix_events_waiting", "event_id", sqlite_where=text("matched IS NULL"), postgresql_where=text("matched IS NULL")),
    Index("ix_events_object_type_object_id", "object_type", "object_id"),
    Index("ix_events_created_at", "created_at"),
    sqlite_autoincrement=True,
)

# --- hooks: who wants to know --------------------------------------------------------------------------------------

hooks = Table(
    "hooks",
    metadata,
    _id("hook_id"),
    Column("ref_type", Text, nullable=False),
    Column("ref_id", Integer, nullable=False),
    Column("app_id", Integer),
    Column("space_id", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("status", Text, nullable=False),  # active | inactive
    Column("reason", Text),  # why it is inactive: unverified | failing | gone
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("delivery_order", Text, nullable=False, server_default="none"),  # none | object
    Column("concurrency", Integer),  # null: the server's setting
    Column("preserve_query", Boolean, nullable=False),
    Column("ca", Text),  # PEM certificates trusted for this hook beside the system's
    Column("verify_code", Text),
    _moment("verify_expires_at", null=True),
    Column("verify_tries", Integer, nullable=False, server_default="0"),
    Column("created_by", Text, nullable=False),
    _moment("created_at"),
    _moment("activated_at", null=True),
    _moment("deactivated_at", null=True),
    _moment("deleted_at", null=True),
    Index("ix_hooks_ref_type_ref_id", "ref_type", "ref_id"),
)

# The two records that every batch of deliveries moves, kept out of `hooks` so that moving them never waits for somebody
# who edits a hook, nor one for the other.
hook_counters = Table(
    "hook_counters",
    metadata,
    _ref("hook_id", "hooks.hook_id"),
    Column("last_sequence", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("hook_id"),
)

hook_health = Table(
    "hook_health",
    metadata,
    _ref("hook_id", "hooks.hook_id"),
    Column("failures_in_row", Integer, nullable=False, server_default="0"),
    _moment("first_failure_at", null=True),  # of the present row of failures
    _moment("last_success_at", null=True),
    _moment("last_failure_at", null=True),
    Column("last_reason", Text),
    Column("last_status", Integer),
    Column("last_answer", LargeBinary),
    PrimaryKeyConstraint("hook_id"),
)

# --- delivery: how they are told -----------------------------------------------------------------------------------

leases = Table(
    "leases",
    metadata,
    # One row for each running engine. A delivery in `sending` names the lease it is held under; when that lease has run
    # out, anybody may claim the delivery. A lease that ran out is never renewed: its engine takes a new one.
    _id("lease_id"),
    Column("holder", Text, nullable=False),
    _moment("expires_at"),
    sqlite_autoincrement=True,
)

deliveries = Table(
    "deliveries",
    metadata,
    # A delivery is named by its hook and its number there: gapless, and in commit order.
    # No foreign keys: fan-out writes these by the thousand, and prune removes events, deliveries and attempts together.
    Column("hook_id", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("event_id", BigInteger, nullable=False),
    Column("lane", Text),  # the object whose events must stay in order; null where the hook does not ask for it
    Column("state", Text, nullable=False),  # pending | sending | delivered | exhausted | cancelled
    Column("attempts", Integer, nullable=False),  # exchanges that have ended
    _moment("due_at"),
    Column("lease_id", Integer, nullable=False),  # 0: held by nobody
    Column("reason", Text),  # of the last failure, or why it was cancelled
    _moment("created_at"),
    _moment("ended_at", null=True),
    PrimaryKeyConstraint("hook_id", "sequence"),
    UniqueConstraint("event_id", "hook_id"),
    # What is due (lease 0, by time), what a lease holds, and what is unfinished at all: one index, since each costs every
    # delivery two writes.
    Index(
        "ix_deliveries_unended",
        "lease_id",
        "due_at",
        "hook_id",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index(
        "ix_deliveries_lane",
        "hook_id",
        "lane",
        "sequence",
        sqlite_where=text("lane IS NOT NULL AND ended_at IS NULL"),
        postgresql_where=text("lane IS NOT NULL AND ended_at IS NULL"),
    ),
    sqlite_with_rowid=False,
)

attempts = Table(
    "attempts",
    metadata,
    # One HTTP exchange, named by when it began: where a lease ran out, two processes may both have made attempt 1, and both
    # are kept. `number` counts from 1 within the delivery. `sent` and the two answer columns are the bytes.
    Column("hook_id", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    _moment("started_at"),
    Column("reason", Text),  # null: it was delivered
    Column("detail", Text),
    Column("status", Integer),
    Column("address", Text),  # the very address that was dialled
    Column("sent", LargeBinary, nullable=False),
    Column("answer_head", LargeBinary),
    Column("answer_body", LargeBinary),
    # microseconds from `started_at`; null where that point was not reached
    Column("resolved_after", Integer),
    Column("connected_after", Integer),
    Column("secured_after", Integer),
    Column("answered_after", Integer),
    Column("ended_after", Integer, nullable=False),
    PrimaryKeyConstraint("hook_id", "sequence", "started_at"),
)
