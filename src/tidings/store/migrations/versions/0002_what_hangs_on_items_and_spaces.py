"""What hangs on items and spaces."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "comments",
        sa.Column("comment_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("ref_type", sa.Text(), nullable=False),
        sa.Column("ref_id", sa.Integer(), nullable=False),
        sa.Column("app_id", sa.Integer(), nullable=True),
        sa.Column("space_id", sa.Integer(), nullable=True),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("embed_url", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_comments")),
    )
    with op.batch_alter_table("comments", schema=None) as batch_op:
        batch_op.create_index("ix_comments_ref_type_ref_id", ["ref_type", "ref_id"], unique=False)

    op.create_table(
        "files",
        sa.Column("file_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mimetype", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("ref_type", sa.Text(), nullable=True),
        sa.Column("ref_id", sa.Integer(), nullable=True),
        sa.Column("field_id", sa.Integer(), nullable=True),
        sa.Column("app_id", sa.Integer(), nullable=True),
        sa.Column("space_id", sa.Integer(), nullable=True),
        sa.Column("replaced_by", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["field_id"], ["fields.field_id"], name=op.f("fk_files_field_id")),
        sa.ForeignKeyConstraint(["replaced_by"], ["files.file_id"], name=op.f("fk_files_replaced_by")),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_files")),
    )
    with op.batch_alter_table("files", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_files_app_id"), ["app_id"], unique=False)
        batch_op.create_index("ix_files_ref_type_ref_id", ["ref_type", "ref_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_files_space_id"), ["space_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_files_storage_key"), ["storage_key"], unique=False)

    op.create_table(
        "tags",
        sa.Column("ref_type", sa.Text(), nullable=False),
        sa.Column("ref_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("app_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ref_type", "ref_id", "text", name=op.f("pk_tags")),
    )
    with op.batch_alter_table("tags", schema=None) as batch_op:
        batch_op.create_index("ix_tags_app_id_text", ["app_id", "text"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("session_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "tasks",
        sa.Column("task_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("ref_type", sa.Text(), nullable=True),
        sa.Column("ref_id", sa.Integer(), nullable=True),
        sa.Column("app_id", sa.Integer(), nullable=True),
        sa.Column("space_id", sa.Integer(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=True),
        sa.Column("due_time", sa.Text(), nullable=True),
        sa.Column("labels", sa.Text(), server_default="[]", nullable=False),
        sa.Column("reminder", sa.Integer(), nullable=True),
        sa.Column("responsible_id", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("completed_by", sa.Text(), nullable=True),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["responsible_id"], ["users.user_id"], name=op.f("fk_tasks_responsible_id")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_tasks")),
    )
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.create_index("ix_tasks_ref_type_ref_id", ["ref_type", "ref_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tasks_responsible_id"), ["responsible_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tasks_space_id"), ["space_id"], unique=False)

    op.create_table(
        "auth_codes",
        sa.Column("auth_code_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("auth_client_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("challenge", sa.Text(), nullable=True),
        sa.Column("challenge_method", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("token_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["auth_client_id"], ["clients.auth_client_id"], name=op.f("fk_auth_codes_auth_client_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_auth_codes_user_id")),
        sa.PrimaryKeyConstraint("auth_code_id", name=op.f("pk_auth_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_auth_codes_code_hash")),
    )
    op.create_table(
        "contacts",
        sa.Column("profile_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), server_default="{}", nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.space_id"], name=op.f("fk_contacts_space_id")),
        sa.PrimaryKeyConstraint("profile_id", name=op.f("pk_contacts")),
    )
    with op.batch_alter_table("contacts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contacts_space_id"), ["space_id"], unique=False)

    op.create_table(
        "statuses",
        sa.Column("status_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("embed_url", sa.Text(), nullable=True),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.space_id"], name=op.f("fk_statuses_space_id")),
        sa.PrimaryKeyConstraint("status_id", name=op.f("pk_statuses")),
    )
    with op.batch_alter_table("statuses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statuses_space_id"), ["space_id"], unique=False)

    op.create_table(
        "forms",
        sa.Column("form_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("app_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["apps.app_id"], name=op.f("fk_forms_app_id")),
        sa.PrimaryKeyConstraint("form_id", name=op.f("pk_forms")),
    )
    with op.batch_alter_table("forms", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_forms_app_id"), ["app_id"], unique=False)

    with op.batch_alter_table("clients", schema=None) as batch_op:
        batch_op.add_column(sa.Column("domains", sa.Text(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("calls_per_hour", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("limited_calls_per_hour", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("deleted_at", sa.BigInteger(), nullable=True))

    with op.batch_alter_table("items", schema=None) as batch_op:
        batch_op.add_column(sa.Column("comment_count", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("file_count", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("task_count", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("tag_count", sa.Integer(), server_default="0", nullable=False))

    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.add_column(sa.Column("scope", sa.Text(), server_default="global:all", nullable=False))
        batch_op.add_column(sa.Column("family_id", sa.Integer(), server_default="0", nullable=False))
        batch_op.create_index(batch_op.f("ix_tokens_family_id"), ["family_id"], unique=False)
    make_finding_faster()


def make_finding_faster() -> None:
    """Nobody counts the live items of an app any more, and no row of values stands in an index that it has no key for."""
    with op.batch_alter_table("apps", schema=None) as batch_op:
        batch_op.add_column(sa.Column("items_deleted", sa.Integer(), server_default="0", nullable=False))
    op.execute(
        "UPDATE apps SET items_deleted = (SELECT count(*) FROM items WHERE items.app_id = apps.app_id AND items.deleted_at IS NOT NULL)"
    )

    with op.batch_alter_table("item_values", schema=None) as batch_op:
        for column in ("number", "text"):
            there = sa.text(f"{column} IS NOT NULL")
            batch_op.drop_index(f"ix_item_values_field_id_{column}")
            batch_op.create_index(
                f"ix_item_values_field_id_{column}",
                ["field_id", column, "item_id"],
                unique=False,
                sqlite_where=there,
                postgresql_where=there,
            )

    with op.batch_alter_table("items", schema=None) as batch_op:
        batch_op.create_index(
            "ix_items_app_id_last_event_at",
            ["app_id", "last_event_at", "item_id"],
            unique=False,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )


def downgrade() -> None:
    raise NotImplementedError("Tidings does not go back; restore a backup instead")
