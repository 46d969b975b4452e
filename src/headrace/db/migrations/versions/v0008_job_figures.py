"""The rows that an execution read and wrote, and the figures of each job by hours and days."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table and the columns. What has ended before is added to the figures by and by, without its rows."""
    op.add_column("accounts", sa.Column("figures_until", sa.Double(), nullable=True))
    for name in ("rows_read", "rows_written"):
        op.add_column("executions", sa.Column(name, sa.BigInteger(), nullable=True))
    op.create_table(
        "job_figures",
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("hours", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("canceled", sa.Integer(), nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("rows_written", sa.BigInteger(), nullable=False),
        sa.Column("ran", sa.Text(), nullable=False),
        sa.Column("waited", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "hours", "first_hour", "job_id", name=op.f("pk_job_figures")),
    )
