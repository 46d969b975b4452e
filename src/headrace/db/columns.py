"""What all tables are made of: where they are kept together, how things are named, columns that many have."""

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Integer, MetaData, Text, text

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def account() -> Column[str]:
    """Whose row it is."""
    return Column("account_id", Text, nullable=False, server_default="main")


def counted() -> Column[int]:
    """An id that rises and is never given twice."""
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


def json(name: str, *, nullable: bool = True) -> Column[object]:
    """A JSON value; NULL is no value."""
    return Column(name, JSON(none_as_null=True), nullable=nullable)


def one_of(column: str, *values: str) -> CheckConstraint:
    """A column that holds one of these texts."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


# Those of a table that are not deleted.
LIVE = text("deleted_at IS NULL")
