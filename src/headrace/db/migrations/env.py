"""Alembic runs this for each of its commands. The connection and its transaction are the caller's."""

from alembic import context

from headrace.db.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
