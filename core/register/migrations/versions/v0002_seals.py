"""Seals, and triggers through which entries can only be appended and the head of the chain only follows them."""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import context, op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

REFUSAL = "Entries of the board are only appended"
SQLITE = (
    """CREATE TRIGGER refuse_insert BEFORE INSERT ON entries
    WHEN NEW.seal = '' OR NOT EXISTS (SELECT 1 FROM head WHERE number = NEW.number - 1 AND hash = NEW.previous)
    BEGIN SELECT RAISE(ABORT, '{refusal}'); END""",
    """CREATE TRIGGER advance_head AFTER INSERT ON entries
    BEGIN UPDATE head SET number = NEW.number, hash = NEW.hash; END""",
    """CREATE TRIGGER refuse_head_update BEFORE UPDATE ON head
    WHEN NEW.id <> OLD.id OR NEW.number <> OLD.number + 1
        OR NOT EXISTS (SELECT 1 FROM entries WHERE number = NEW.number AND hash = NEW.hash)
    BEGIN SELECT RAISE(ABORT, '{refusal}'); END""",
    *(
        f"CREATE TRIGGER refuse_{name} BEFORE {when} BEGIN SELECT RAISE(ABORT, '{{refusal}}'); END"
        for name, when in (
            ("update", "UPDATE ON entries"),
            ("head_insert", "INSERT ON head"),
            ("head_delete", "DELETE ON head"),
        )
    ),
)
POSTGRES = (
    """CREATE FUNCTION append_entry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = {schema}, pg_temp AS $$ BEGIN
        PERFORM 1 FROM head WHERE number = NEW.number - 1 AND hash = NEW.previous FOR UPDATE;
        IF NOT FOUND OR NEW.seal = '' THEN RAISE EXCEPTION '{refusal}'; END IF;
        RETURN NEW;
    END $$""",
    """CREATE FUNCTION advance_head() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = {schema}, pg_temp AS $$ BEGIN
        UPDATE head SET number = NEW.number, hash = NEW.hash; RETURN NULL;
    END $$""",
    """CREATE FUNCTION follow_entries() RETURNS trigger LANGUAGE plpgsql
    SET search_path = {schema}, pg_temp AS $$ BEGIN
        PERFORM 1 FROM entries WHERE number = NEW.number AND hash = NEW.hash;
        IF NOT FOUND OR NEW.id <> OLD.id OR NEW.number <> OLD.number + 1 THEN RAISE EXCEPTION '{refusal}'; END IF;
        RETURN NEW;
    END $$""",
    "CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON entries FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER append_entry BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION append_entry()",
    "CREATE TRIGGER advance_head AFTER INSERT ON entries FOR EACH ROW EXECUTE FUNCTION advance_head()",
    "CREATE TRIGGER follow_entries BEFORE UPDATE ON head FOR EACH ROW EXECUTE FUNCTION follow_entries()",
    "CREATE TRIGGER refuse_change BEFORE INSERT OR DELETE ON head FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON head FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
)


def upgrade() -> None:
    """Add the seals' columns, seal the last entry and with it all before, and make the triggers."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute("DROP TRIGGER refuse_update" if is_sqlite else "DROP TRIGGER refuse_change ON entries")
    op.add_column("entries", sa.Column("key_id", sa.String(16), nullable=False, server_default=""))
    op.add_column("entries", sa.Column("seal", sa.String(64), nullable=False, server_default=""))
    op.create_index("ix_entries_cohort", "entries", ["cohort_sha256", "kind", "patient"])
    _seal_last(context.config.attributes["seal"])
    schema = "" if is_sqlite else op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
    for statement in SQLITE if is_sqlite else POSTGRES:
        op.execute(statement.format(schema=schema, refusal=REFUSAL))


def _seal_last(seal: Callable[[int, str], dict[str, str]]) -> None:
    entries = sa.table("entries", *map(sa.column, ("number", "hash", "key_id", "seal")))
    last = op.get_bind().execute(sa.select(entries.c.number, entries.c.hash).order_by(entries.c.number.desc())).first()
    if last is not None:
        op.execute(entries.update().where(entries.c.number == last.number).values(**seal(last.number, last.hash)))
