"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("hook_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("sent", sa.LargeBinary(), nullable=False),
        sa.Column("answer_head", sa.LargeBinary(), nullable=True),
        sa.Column("answer_body", sa.LargeBinary(), nullable=True),
        sa.Column("resolved_after", sa.Integer(), nullable=True),
        sa.Column("connected_after", sa.Integer(), nullable=True),
        sa.Column("secured_after", sa.Integer(), nullable=True),
        sa.Column("answered_after", sa.Integer(), nullable=True),
        sa.Column("ended_after", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hook_id", "sequence", "started_at", name=op.f("pk_attempts")),
    )
    op.create_table(
        "deliveries",
        sa.Column("hook_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("hook_id", "sequence", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("event_id", "hook_id", name=op.f("uq_deliveries_event_id_hook_id")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_deliveries_lane",
            ["hook_id", "lane", "sequence"],
            unique=False,
            sqlite_where=sa.text("lane IS NOT NULL AND ended_at IS NULL"),
            postgresql_where=sa.text("lane IS NOT NULL AND ended_at IS NULL"),
        )
        batch_op.create_index(
            "ix_deliveries_unended",
            ["lease_id", "due_at", "hook_id"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "events",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("app_id", sa.Integer(), nullable=True),
        sa.Column("space_id", sa.Integer(), nullable=True),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Integer(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("field_ids", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("heard", sa.Boolean(), nullable=False),
        sa.Column("hook_id", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("matched", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index("ix_events_created_at", ["created_at"], unique=False)
        batch_op.create_index("ix_events_object_type_object_id", ["object_type", "object_id"], unique=False)
        batch_op.create_index(
            "ix_events_waiting",
            ["event_id"],
            unique=False,
            sqlite_where=sa.text("matched IS NULL"),
            postgresql_where=sa.text("matched IS NULL"),
        )

    op.create_table(
        "hooks",
        sa.Column("hook_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("ref_type", sa.Text(), nullable=False),
        sa.Column("ref_id", sa.Integer(), nullable=False),
        sa.Column("app_id", sa.Integer(), nullable=True),
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_order", sa.Text(), server_default="none", nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=True),
        sa.Column("preserve_query", sa.Boolean(), nullable=False),
        sa.Column("ca", sa.Text(), nullable=True),
        sa.Column("verify_code", sa.Text(), nullable=True),
        sa.Column("verify_expires_at", sa.BigInteger(), nullable=True),
        sa.Column("verify_tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("activated_at", sa.BigInteger(), nullable=True),
        sa.Column("deactivated_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("hook_id", name=op.f("pk_hooks")),
    )
    with op.batch_alter_table("hooks", schema=None) as batch_op:
        batch_op.create_index("ix_hooks_ref_type_ref_id", ["ref_type", "ref_id"], unique=False)

    op.create_table(
        "item_values",
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("field_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.Float(precision=53), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("item_id", "field_id", "position", name=op.f("pk_item_values")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("item_values", schema=None) as batch_op:
        batch_op.create_index("ix_item_values_field_id_number", ["field_id", "number"], unique=False)
        batch_op.create_index("ix_item_values_field_id_text", ["field_id", "text"], unique=False)

    op.create_table(
        "leases",
        sa.Column("lease_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lease_id", name=op.f("pk_leases")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "server",
        sa.Column("server_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("hooks_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("server_id", name=op.f("pk_server")),
    )
    op.create_table(
        "users",
        sa.Column("user_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_users")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    op.create_table(
        "clients",
        sa.Column("auth_client_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_clients_user_id")),
        sa.PrimaryKeyConstraint("auth_client_id", name=op.f("pk_clients")),
        sa.UniqueConstraint("client_id", name=op.f("uq_clients_client_id")),
    )
    op.create_table(
        "hook_counters",
        sa.Column("hook_id", sa.Integer(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["hook_id"], ["hooks.hook_id"], name=op.f("fk_hook_counters_hook_id")),
        sa.PrimaryKeyConstraint("hook_id", name=op.f("pk_hook_counters")),
    )
    op.create_table(
        "hook_health",
        sa.Column("hook_id", sa.Integer(), nullable=False),
        sa.Column("failures_in_row", sa.Integer(), server_default="0", nullable=False),
        sa.Column("first_failure_at", sa.BigInteger(), nullable=True),
        sa.Column("last_success_at", sa.BigInteger(), nullable=True),
        sa.Column("last_failure_at", sa.BigInteger(), nullable=True),
        sa.Column("last_reason", sa.Text(), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_answer", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["hook_id"], ["hooks.hook_id"], name=op.f("fk_hook_health_hook_id")),
        sa.PrimaryKeyConstraint("hook_id", name=op.f("pk_hook_health")),
    )
    op.create_table(
        "orgs",
        sa.Column("org_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url_label", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["users.user_id"], name=op.f("fk_orgs_created_by")),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_orgs")),
        sa.UniqueConstraint("url_label", name=op.f("uq_orgs_url_label")),
    )
    op.create_table(
        "org_members",
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.org_id"], name=op.f("fk_org_members_org_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_org_members_user_id")),
        sa.PrimaryKeyConstraint("org_id", "user_id", name=op.f("pk_org_members")),
    )
    with op.batch_alter_table("org_members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_org_members_user_id"), ["user_id"], unique=False)

    op.create_table(
        "spaces",
        sa.Column("space_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url_label", sa.Text(), nullable=False),
        sa.Column("privacy", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), server_default="{}", nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["users.user_id"], name=op.f("fk_spaces_created_by")),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.org_id"], name=op.f("fk_spaces_org_id")),
        sa.PrimaryKeyConstraint("space_id", name=op.f("pk_spaces")),
        sa.UniqueConstraint("org_id", "url_label", name=op.f("uq_spaces_org_id_url_label")),
    )
    with op.batch_alter_table("spaces", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spaces_org_id"), ["org_id"], unique=False)

    op.create_table(
        "tokens",
        sa.Column("token_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("access_hash", sa.LargeBinary(), nullable=False),
        sa.Column("refresh_hash", sa.LargeBinary(), nullable=False),
        sa.Column("auth_client_id", sa.Integer(), nullable=False),
        sa.Column("ref_type", sa.Text(), nullable=False),
        sa.Column("ref_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("refresh_expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["auth_client_id"], ["clients.auth_client_id"], name=op.f("fk_tokens_auth_client_id")),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("access_hash", name=op.f("uq_tokens_access_hash")),
        sa.UniqueConstraint("refresh_hash", name=op.f("uq_tokens_refresh_hash")),
    )
    op.create_table(
        "apps",
        sa.Column("app_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("url_label", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("token_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("items_made", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["users.user_id"], name=op.f("fk_apps_created_by")),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.space_id"], name=op.f("fk_apps_space_id")),
        sa.PrimaryKeyConstraint("app_id", name=op.f("pk_apps")),
        sa.UniqueConstraint("space_id", "url_label", name=op.f("uq_apps_space_id_url_label")),
    )
    with op.batch_alter_table("apps", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_apps_space_id"), ["space_id"], unique=False)

    op.create_table(
        "space_members",
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.space_id"], name=op.f("fk_space_members_space_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_space_members_user_id")),
        sa.PrimaryKeyConstraint("space_id", "user_id", name=op.f("pk_space_members")),
    )
    with op.batch_alter_table("space_members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_space_members_user_id"), ["user_id"], unique=False)

    op.create_table(
        "fields",
        sa.Column("field_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("app_id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.app_id"], name=op.f("fk_fields_app_id")),
        sa.PrimaryKeyConstraint("field_id", name=op.f("pk_fields")),
        sa.UniqueConstraint("app_id", "external_id", name=op.f("uq_fields_app_id_external_id")),
    )
    with op.batch_alter_table("fields", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fields_app_id"), ["app_id"], unique=False)

    op.create_table(
        "items",
        sa.Column("item_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("app_id", sa.Integer(), nullable=False),
        sa.Column("app_item_id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("field_values", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_event_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["apps.app_id"], name=op.f("fk_items_app_id")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_items")),
        sa.UniqueConstraint("app_id", "app_item_id", name=op.f("uq_items_app_id_app_item_id")),
    )
    with op.batch_alter_table("items", schema=None) as batch_op:
        batch_op.create_index(
            "ix_items_app_id_external_id",
            ["app_id", "external_id"],
            unique=False,
            sqlite_where=sa.text("external_id IS NOT NULL"),
            postgresql_where=sa.text("external_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_items_app_id_live",
            ["app_id", "item_id"],
            unique=False,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "item_revisions",
        sa.Column("item_revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("app_revision", sa.Integer(), nullable=False),
        sa.Column("field_values", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.item_id"], name=op.f("fk_item_revisions_item_id")),
        sa.PrimaryKeyConstraint("item_revision_id", name=op.f("pk_item_revisions")),
        sa.UniqueConstraint("item_id", "revision", name=op.f("uq_item_revisions_item_id_revision")),
    )


def downgrade() -> None:
    raise NotImplementedError("Tidings does not go back; restore a backup instead")
