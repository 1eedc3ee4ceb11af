"""How a hook is told and signed for, the server's own keys, and what caused an event."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("apps", sa.Column("full_hooks", sa.Integer(), server_default="0", nullable=False))

    op.add_column("events", sa.Column("object", sa.Text(), nullable=True))
    op.add_column("events", sa.Column("unheard_reason", sa.Text(), nullable=True))
    op.add_column("events", sa.Column("cause", sa.Text(), nullable=True))
    op.add_column("events", sa.Column("depth", sa.Integer(), server_default="0", nullable=False))
    op.execute("UPDATE events SET unheard_reason = 'hook=false' WHERE NOT heard")

    op.add_column("hooks", sa.Column("format", sa.Text(), server_default="podio", nullable=False))
    op.add_column("hooks", sa.Column("signing", sa.Text(), server_default="hmac", nullable=False))
    op.add_column("hooks", sa.Column("former_secret_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("hooks", sa.Column("former_secret_until", sa.BigInteger(), nullable=True))

    op.create_table(
        "signing_keys",
        sa.Column("key_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("private_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("retires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_signing_keys")),
    )


def downgrade() -> None:
    raise NotImplementedError("Tidings does not go back; restore a backup instead")
