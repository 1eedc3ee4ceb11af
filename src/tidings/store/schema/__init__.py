"""The tables. One schema for both engines; Alembic's migrations make it (`store/migrations`).

What holds everywhere: ids are small integers that are never given twice; every `*_at` is microseconds since the epoch;
JSON is kept as text, as it was written, never re-serialised by a database; what was deleted keeps its row with
`deleted_at`, so that the record of its events still reads.
"""

from tidings.store.schema.attached import comments, contacts, files, forms, statuses, tags, tasks
from tidings.store.schema.columns import metadata
from tidings.store.schema.line import (
    attempts,
    deliveries,
    events,
    hook_counters,
    hook_health,
    hook_slots,
    hooks,
    leases,
    replays,
    server,
    signing_keys,
)
from tidings.store.schema.people import auth_codes, clients, sessions, tokens, users
from tidings.store.schema.workspace import (
    apps,
    fields,
    item_revisions,
    item_values,
    items,
    org_members,
    orgs,
    space_members,
    spaces,
)

__all__ = [
    "apps",
    "attempts",
    "auth_codes",
    "clients",
    "comments",
    "contacts",
    "deliveries",
    "events",
    "fields",
    "files",
    "forms",
    "hook_counters",
    "hook_health",
    "hook_slots",
    "hooks",
    "item_revisions",
    "item_values",
    "items",
    "leases",
    "metadata",
    "org_members",
    "orgs",
    "replays",
    "server",
    "sessions",
    "signing_keys",
    "space_members",
    "spaces",
    "statuses",
    "tags",
    "tasks",
    "tokens",
    "users",
]
