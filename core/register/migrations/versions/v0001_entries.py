"""Entries, the head of their chain, and triggers that let nobody change or delete an entry."""

import sqlalchemy as sa
from alembic import op

from core.register.chain import START

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXTS = {"patient": 64, "cohort_sha256": 64, "author": 100, "role": 20, "kind": 20}
HASHES = {"bundle_sha256": 64, "input_sha256": 64, "group": 10, "previous": 64, "hash": 64}
REFUSAL = "Entries of the board are never changed or deleted"
FUNCTION = f"""
CREATE FUNCTION refuse_change() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION '{REFUSAL}'; END; $$ LANGUAGE plpgsql
"""


def upgrade() -> None:
    """Make both tables and the triggers."""
    op.create_table(
        "entries",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("time_utc", sa.String(32), nullable=False),
        *(sa.Column(name, sa.String(length), nullable=False) for name, length in TEXTS.items()),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("agrees", sa.Boolean),
        *(sa.Column(name, sa.Float) for name in ("probability", "low", "high")),
        *(sa.Column(name, sa.String(length), nullable=False) for name, length in HASHES.items()),
    )
    op.create_index("ix_entries_patient", "entries", ["patient"])
    head = op.create_table(
        "head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "hash": START}])
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER refuse_{verb.lower()} BEFORE {verb} ON entries "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
    else:
        op.execute(FUNCTION)
        op.execute(
            "CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON entries "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
