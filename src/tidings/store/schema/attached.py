"""What people add to apps, spaces and items: comments, files, tasks, statuses, tags, contacts and forms.

What hangs on something names it by `ref_type` and `ref_id`, as Podio does, and repeats the app and the space it is in.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, Text

from tidings.store.schema.columns import id_column, metadata, moment, ref

comments = Table(
    "comments",
    metadata,
    id_column("comment_id"),
    Column("ref_type", Text, nullable=False),  # item | status | task
    Column("ref_id", Integer, nullable=False),
    Column("app_id", Integer),
    Column("space_id", Integer),
    Column("value", Text, nullable=False),
    Column("external_id", Text),
    Column("embed_url", Text),
    Column("created_by", Text, nullable=False),
    moment("created_at"),
    moment("deleted_at", null=True),
    Index("ix_comments_ref_type_ref_id", "ref_type", "ref_id"),
)

files = Table(
    "files",
    metadata,
    # Until it is attached (ref_type null), a file is seen by who uploaded it alone. The bytes lie under `storage_key`, which
    # a copy shares with its original.
    id_column("file_id"),
    Column("name", Text, nullable=False),
    Column("mimetype", Text, nullable=False),
    Column("size", BigInteger, nullable=False),  # bytes
    Column("description", Text),
    Column("storage_key", Text, nullable=False, index=True),
    Column("ref_type", Text),  # item | comment | status | task | space
    Column("ref_id", Integer),
    ref("field_id", "fields.field_id", null=True),  # of the item: the file came as a value of this field and is no attachment
    Column("app_id", Integer, index=True),
    Column("space_id", Integer, index=True),
    ref("replaced_by", "files.file_id", null=True),
    Column("created_by", Text, nullable=False),
    moment("created_at"),
    moment("deleted_at", null=True),
    Index("ix_files_ref_type_ref_id", "ref_type", "ref_id"),
)

tasks = Table(
    "tasks",
    metadata,
    # A task hangs on an item, an app, a space or a status, or on nothing: then it is its people's own.
    id_column("task_id"),
    Column("ref_type", Text),
    Column("ref_id", Integer),
    Column("app_id", Integer),
    Column("space_id", Integer, index=True),
    Column("external_id", Text),
    Column("text", Text, nullable=False),
    Column("description", Text),
    Column("private", Boolean, nullable=False),
    Column("status", Text, nullable=False),  # active | completed
    Column("due_on", Text),  # YYYY-MM-DD
    Column("due_time", Text),  # HH:MM:SS UTC; only where there is a day
    Column("labels", Text, nullable=False, server_default="[]"),  # JSON list of texts
    Column("reminder", Integer),  # minutes before it is due
    ref("responsible_id", "users.user_id", null=True, index=True),
    Column("created_by", Text, nullable=False),
    moment("created_at"),
    Column("completed_by", Text),
    moment("completed_at", null=True),
    moment("deleted_at", null=True),
    Index("ix_tasks_ref_type_ref_id", "ref_type", "ref_id"),
)

statuses = Table(
    "statuses",
    metadata,
    id_column("status_id"),
    ref("space_id", "spaces.space_id", index=True),
    Column("value", Text, nullable=False),
    Column("embed_url", Text),
    Column("question", Text),  # JSON: {"text", "options": [...]}
    Column("created_by", Text, nullable=False),
    moment("created_at"),
    moment("deleted_at", null=True),
)

tags = Table(
    "tags",
    metadata,
    Column("ref_type", Text, nullable=False),  # item
    Column("ref_id", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("app_id", Integer),
    moment("created_at"),
    PrimaryKeyConstraint("ref_type", "ref_id", "text"),
    Index("ix_tags_app_id_text", "app_id", "text"),
)

contacts = Table(
    "contacts",
    metadata,
    # People outside: a contact of a space. `details` is the rest of Podio's profile, as it was written.
    id_column("profile_id"),
    ref("space_id", "spaces.space_id", index=True),
    Column("external_id", Text),
    Column("name", Text, nullable=False),
    Column("details", Text, nullable=False, server_default="{}"),  # JSON: {"mail": [...], "phone": [...], ...}
    Column("created_by", Text, nullable=False),
    moment("created_at"),
    moment("deleted_at", null=True),
)

forms = Table(
    "forms",
    metadata,
    # Web forms of an app.
    id_column("form_id"),
    ref("app_id", "apps.app_id", index=True),
    Column("status", Text, nullable=False),  # active | disabled
    Column("config", Text, nullable=False),  # JSON: {"settings", "domains", "fields", "attachments"}
    Column("created_by", Text, nullable=False),
    moment("created_at"),
    moment("deleted_at", null=True),
)
