"""What stands of each estimate, kept by triggers beside the entries, so that no list has to search the chain for it."""

import sqlalchemy as sa
from alembic import op

from core.register.models import STANDING

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ADD = """INSERT INTO estimates VALUES (
    NEW.number, NEW.patient, NEW.centre, NEW.exam_date, NEW.bundle, NEW.bundle_sha256,
    (SELECT min(number) FROM entries WHERE kind = 'outcome' AND patient = NEW.patient), 0)"""
FIND = "UPDATE estimates SET first_outcome = NEW.number WHERE patient = NEW.patient AND first_outcome IS NULL"
WITHDRAW = """UPDATE estimates SET withdrawals = withdrawals + CASE NEW.kind WHEN 'withdrawal' THEN 1 ELSE -1 END
    WHERE number = NEW.corrects"""
STEPS = {
    "NEW.kind = 'registered'": ADD,
    "NEW.kind = 'outcome'": FIND,
    "NEW.kind IN ('withdrawal', 'reinstatement')": WITHDRAW,
}
FUNCTION = """CREATE FUNCTION keep_estimate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = {schema}, pg_temp AS $$ BEGIN {steps} RETURN NULL; END $$"""
TRIGGER = "CREATE TRIGGER keep_estimate AFTER INSERT ON entries FOR EACH ROW EXECUTE FUNCTION keep_estimate()"


def upgrade() -> None:
    """Make the table of what stands, fill it from the entries, and let it follow them."""
    op.create_table(
        "estimates",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("patient", sa.String(64), nullable=False),
        sa.Column("centre", sa.String(100), nullable=False),
        sa.Column("exam_date", sa.String(10), nullable=False),
        sa.Column("bundle", sa.String(100), nullable=False),
        sa.Column("bundle_sha256", sa.String(64), nullable=False),
        sa.Column("first_outcome", sa.Integer),
        sa.Column("withdrawals", sa.Integer, nullable=False),
    )
    op.execute(f"INSERT INTO estimates {STANDING}")
    op.create_index("ix_estimates_patient", "estimates", ["patient"])
    op.create_index("ix_estimates_search", "estimates", ["number", "patient", "withdrawals"])
    op.create_index(
        "ix_estimates_sums", "estimates", ["centre", "bundle_sha256", "withdrawals", "first_outcome", "number"]
    )
    op.drop_index("ix_entries_register", "entries")
    if op.get_bind().dialect.name == "sqlite":
        for place, (when, step) in enumerate(STEPS.items()):
            op.execute(f"CREATE TRIGGER keep_estimate_{place} AFTER INSERT ON entries WHEN {when} BEGIN {step}; END")
    else:
        schema = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
        steps = " ".join(f"IF {when} THEN {step}; END IF;" for when, step in STEPS.items())
        op.execute(FUNCTION.format(schema=schema, steps=steps))
        op.execute(TRIGGER)
