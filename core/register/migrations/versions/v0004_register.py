"""The register's columns: estimates and what pathology found stand in the same chain as decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXTS = {"centre": 100, "exam_date": 10, "bundle": 100, "identity": 64}


def upgrade() -> None:
    """Add the columns, which entries from before leave empty, and the indices of the register's lists."""
    for name, length in TEXTS.items():
        op.add_column("entries", sa.Column(name, sa.String(length), nullable=False, server_default=""))
    op.add_column("entries", sa.Column("details", sa.Text, nullable=False, server_default=""))
    op.add_column("entries", sa.Column("corrects", sa.Integer))
    is_told = sa.text("identity <> ''")
    op.create_index(
        "ix_entries_identity", "entries", ["identity"], unique=True, sqlite_where=is_told, postgresql_where=is_told
    )
    op.create_index("ix_entries_kind", "entries", ["kind", "patient", "number"])
    op.create_index(
        "ix_entries_register", "entries", ["kind", "number", "centre", "bundle_sha256", "exam_date", "patient"]
    )
