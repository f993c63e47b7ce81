"""An index of the outcomes that were taken back, so that counts find those few among all entries."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TAKEN_BACK = sa.text("kind = 'outcome' AND details = '{}'")


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        "ix_entries_taken_back",
        "entries",
        ["details", "patient", "number"],
        sqlite_where=TAKEN_BACK,
        postgresql_where=TAKEN_BACK,
    )
