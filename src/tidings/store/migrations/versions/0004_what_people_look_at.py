"""What the developer section shows and does: hooks that are paused, moved and tried; how they did; what is sent again."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("test", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        "ix_events_hook_id",
        "events",
        ["hook_id"],
        sqlite_where=sa.text("hook_id IS NOT NULL"),
        postgresql_where=sa.text("hook_id IS NOT NULL"),
    )
    op.add_column("hooks", sa.Column("next_url", sa.Text(), nullable=True))
    op.add_column("hooks", sa.Column("paused_at", sa.BigInteger(), nullable=True))

    op.create_table(
        "hook_slots",
        sa.Column("hook_id", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hook_id", "began_at", name=op.f("pk_hook_slots")),
        sqlite_with_rowid=False,
    )

    op.add_column("deliveries", sa.Column("earlier", sa.Integer(), nullable=True))
    op.add_column("deliveries", sa.Column("replay_id", sa.Integer(), nullable=True))
    op.drop_index("ix_deliveries_lane", "deliveries")
    op.create_index(
        "ix_deliveries_lane",
        "deliveries",
        ["hook_id", "lane", "sequence", "ended_at"],
        sqlite_where=sa.text("lane IS NOT NULL AND ended_at IS NULL"),
        postgresql_where=sa.text("lane IS NOT NULL AND ended_at IS NULL"),
    )
    op.create_index(
        "ix_deliveries_waiting",
        "deliveries",
        ["hook_id", "sequence", "ended_at"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_deliveries_undelivered",
        "deliveries",
        ["hook_id", "state", "sequence"],
        sqlite_where=sa.text("state IN ('exhausted', 'cancelled')"),
        postgresql_where=sa.text("state IN ('exhausted', 'cancelled')"),
    )

    op.create_index(
        "ix_deliveries_replay",
        "deliveries",
        ["replay_id", "state"],
        sqlite_where=sa.text("replay_id IS NOT NULL"),
        postgresql_where=sa.text("replay_id IS NOT NULL"),
    )

    op.create_table(
        "replays",
        sa.Column("replay_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("hook_id", sa.Integer(), nullable=False),
        sa.Column("states", sa.Text(), nullable=False),
        sa.Column("types", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("released", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["hook_id"], ["hooks.hook_id"], name=op.f("fk_replays_hook_id_hooks")),
        sa.PrimaryKeyConstraint("replay_id", name=op.f("pk_replays")),
    )
    op.create_index("ix_replays_hook_id", "replays", ["hook_id"])
    op.create_index(
        "ix_replays_running",
        "replays",
        ["replay_id"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("Tidings does not go back; restore a backup instead")
