"""The login's subject of each entry's author, which no two people share."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; entries from before keep their hash, and are told by the author's name."""
    op.add_column("entries", sa.Column("author_key", sa.String(255), nullable=False, server_default=""))
