"""Alembic's entry: migrate on the connection that the store has locked."""

from alembic import context

from core.register.models import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
