"""The line: the server itself, events, the hooks that want them, and the deliveries that tell."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from tidings.store.schema.columns import id_column, metadata, moment, ref

# --- the server itself -----------------------------------------------------------------------------------------------

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

# --- events: the outbox ----------------------------------------------------------------------------------------------

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
    Column("object", Text),  # JSON: the item as it stood after the change; null where no hook of its app is told so much
    Column("heard", Boolean, nullable=False),
    Column("unheard_reason", Text),  # why it is not heard: hook=false | quiet | loop
    Column("cause", Text),  # the delivery that led to it, as `hook_id-sequence`
    Column("depth", Integer, nullable=False, server_default="0"),  # how many such causes lie behind it, one behind the other
    Column("hook_id", Integer),  # only this hook is meant (hook.verify, and what was sent to try a hook)
    Column("test", Boolean, nullable=False, server_default=false()),  # nothing has happened: somebody tries the hook
    Column("created_by", Text, nullable=False),
    moment("created_at"),
    Column("matched", Integer),  # how many hooks matched; null while the event waits for fan-out
    Index("ix_events_waiting", "event_id", sqlite_where=text("matched IS NULL"), postgresql_where=text("matched IS NULL")),
    Index("ix_events_object_type_object_id", "object_type", "object_id"),
    Index("ix_events_created_at", "created_at"),
    # What is for one hook, so that it can be left out where the hook's deliveries are counted.
    Index("ix_events_hook_id", "hook_id", sqlite_where=text("hook_id IS NOT NULL"), postgresql_where=text("hook_id IS NOT NULL")),
    sqlite_autoincrement=True,
)

# --- hooks: who wants to know ----------------------------------------------------------------------------------------

hooks = Table(
    "hooks",
    metadata,
    id_column("hook_id"),
    Column("ref_type", Text, nullable=False),
    Column("ref_id", Integer, nullable=False),
    Column("app_id", Integer),
    Column("space_id", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("next_url", Text),  # asked for in place of `url`, which is used until this one has been verified
    Column("status", Text, nullable=False),  # active | inactive
    moment("paused_at", null=True),  # what it hears of since then waits
    Column("reason", Text),  # why it is inactive: unverified | failing | gone
    Column("format", Text, nullable=False, server_default="podio"),  # podio | json | cloudevents | cloudevents-binary
    Column("signing", Text, nullable=False, server_default="hmac"),  # hmac: with its own secret | ed25519: with the server's key
    Column("secret_sealed", LargeBinary, nullable=False),  # empty where it has none of its own
    Column("former_secret_sealed", LargeBinary),  # signs beside the present one
    moment("former_secret_until", null=True),
    Column("delivery_order", Text, nullable=False, server_default="none"),  # none | object
    Column("concurrency", Integer),  # null: the server's setting
    Column("preserve_query", Boolean, nullable=False),
    Column("ca", Text),  # PEM certificates trusted for this hook beside the system's
    Column("verify_code", Text),
    moment("verify_expires_at", null=True),
    Column("verify_tries", Integer, nullable=False, server_default="0"),
    Column("created_by", Text, nullable=False),
    moment("created_at"),
    moment("activated_at", null=True),
    moment("deactivated_at", null=True),
    moment("deleted_at", null=True),
    Index("ix_hooks_ref_type_ref_id", "ref_type", "ref_id"),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    # What the server signs with for the hooks that ask for `ed25519`. The newest has no end; at most one other still signs.
    id_column("key_id"),
    Column("public", LargeBinary, nullable=False),
    Column("private_sealed", LargeBinary, nullable=False),
    moment("created_at"),
    moment("retires_at", null=True),
)

# The two records that every batch of deliveries moves, kept out of `hooks` so that moving them never waits for somebody
# who edits a hook, nor one for the other.
hook_counters = Table(
    "hook_counters",
    metadata,
    ref("hook_id", "hooks.hook_id"),
    Column("last_sequence", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("hook_id"),
)

hook_health = Table(
    "hook_health",
    metadata,
    ref("hook_id", "hooks.hook_id"),
    Column("failures_in_row", Integer, nullable=False, server_default="0"),
    moment("first_failure_at", null=True),  # of the present row of failures
    moment("last_success_at", null=True),
    moment("last_failure_at", null=True),
    Column("last_reason", Text),
    Column("last_status", Integer),
    Column("last_answer", LargeBinary),
    PrimaryKeyConstraint("hook_id"),
)

hook_slots = Table(
    "hook_slots",
    metadata,
    # How the attempts of a hook went, a quarter of an hour a row; moved with every batch that is settled.
    Column("hook_id", Integer, nullable=False),
    Column("began_at", BigInteger, nullable=False),  # microseconds since the epoch, a multiple of the quarter
    Column("delivered", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    PrimaryKeyConstraint("hook_id", "began_at"),
    sqlite_with_rowid=False,
)

# --- delivery: how they are told -------------------------------------------------------------------------------------

leases = Table(
    "leases",
    metadata,
    # One row for each running engine. A delivery in `sending` names the lease it is held under; when that lease has run
    # out, anybody may claim the delivery. A lease that ran out is never renewed: its engine takes a new one.
    id_column("lease_id"),
    Column("holder", Text, nullable=False),
    moment("expires_at"),
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
    moment("due_at"),
    Column("lease_id", Integer, nullable=False),  # 0: held by nobody; below: waits for the hook of that number
    Column("reason", Text),  # of the last failure, or why it was cancelled
    moment("created_at"),
    moment("ended_at", null=True),
    Column("earlier", Integer),  # attempts from before it was last asked for again; null: it was not
    Column("replay_id", Integer),  # the replay that asked for it last; null: nobody did, or somebody for it alone
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
        "ended_at",
        sqlite_where=text("lane IS NOT NULL AND ended_at IS NULL"),
        postgresql_where=text("lane IS NOT NULL AND ended_at IS NULL"),
    ),
    # For people who ask what of a hook waits, and what was given up. The second costs only those that fail.
    # `ended_at` stands in this one and the one above, always null, because SQLite believes that it has to look it up, and then
    # rather walks along the primary key, over all that the hook was ever told.
    Index(
        "ix_deliveries_waiting",
        "hook_id",
        "sequence",
        "ended_at",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index(
        "ix_deliveries_undelivered",
        "hook_id",
        "state",
        "sequence",
        sqlite_where=text("state IN ('exhausted', 'cancelled')"),
        postgresql_where=text("state IN ('exhausted', 'cancelled')"),
    ),
    # How far the deliveries of a replay have come: holds what was asked for again, and nothing else.
    Index(
        "ix_deliveries_replay",
        "replay_id",
        "state",
        sqlite_where=text("replay_id IS NOT NULL"),
        postgresql_where=text("replay_id IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

replays = Table(
    "replays",
    metadata,
    # Deliveries of one hook that somebody asks for again, many at a time: which ones, how fast, and how far it has come.
    id_column("replay_id"),
    ref("hook_id", "hooks.hook_id", index=True),
    Column("states", Text, nullable=False),  # JSON list of states
    Column("types", Text, nullable=False),  # JSON list of event types; empty: all
    moment("since", null=True),  # events committed from then on
    moment("until", null=True),  # and before then
    Column("rate", Integer, nullable=False),  # deliveries a second at most
    Column("total", Integer, nullable=False),  # how many it meant when it was planned
    Column("released", Integer, nullable=False, server_default="0"),  # given to the line so far
    Column("next_sequence", BigInteger, nullable=False),  # where it goes on
    Column("last_sequence", BigInteger, nullable=False),  # where it ends: what came later is not meant
    moment("due_at"),  # when the next may go
    Column("state", Text, nullable=False),  # running | finished | stopped
    Column("created_by", Text, nullable=False),
    moment("created_at"),
    moment("ended_at", null=True),
    Index("ix_replays_running", "replay_id", sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
)

attempts = Table(
    "attempts",
    metadata,
    # One HTTP exchange, named by when it began: where a lease ran out, two processes may both have made attempt 1, and both
    # are kept. `number` counts from 1 within the delivery. `sent` and the two answer columns are the bytes.
    Column("hook_id", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    moment("started_at"),
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
