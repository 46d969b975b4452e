"""Uploaded files, and who may read and write what: until that is said, everybody everything."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables, and the two grants that leave everything as it was."""
    _uploads()
    grants = op.create_table(
        "data_grants",
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("who", "use", "what", "place")),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.CheckConstraint("use IN ('read', 'write')", name=op.f("ck_data_grants_use")),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_data_grants")),
        sa.UniqueConstraint("account_id", "who", "use", "what", name=op.f("uq_data_grants_account_id_who_use_what")),
    )
    everybody = {"account_id": "main", "who": "*", "what": "*", "place": "*", "created_at": 0.0}
    op.bulk_insert(grants, [{**everybody, "grant_id": f"all-{use}", "use": use} for use in ("read", "write")])


def _uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("upload_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("owner_id", "name", "bucket")),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("access_count", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("created_at", "touched_at")),
        *(sa.Column(name, sa.Double(), nullable=True) for name in ("ready_at", "accessed_at", "deleted_at")),
        sa.PrimaryKeyConstraint("upload_id", name=op.f("pk_uploads")),
    )
    unfinished = sa.text("ready_at IS NULL OR deleted_at IS NOT NULL")
    op.create_index("ix_uploads_created", "uploads", ["account_id", "owner_id", "created_at"], unique=False)
    op.create_index(
        "ix_uploads_left",
        "uploads",
        ["touched_at"],
        unique=False,
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
