"""Executions by the hour, for the dashboard."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table, and what it is filled by."""
    op.add_column("accounts", sa.Column("summed_until", sa.Integer(), nullable=True))
    op.create_table(
        "execution_hours",
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "hour", name=op.f("pk_execution_hours")),
    )
    op.create_index("ix_executions_created", "executions", ["account_id", "created_at", "status"], unique=False)
