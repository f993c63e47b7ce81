"""PostgreSQL: a role for the app that can read and append entries, and nothing else."""

from sqlalchemy import Connection, text

from core.errors import UsageError

GRANTS = (
    "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC, {role}",
    "REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {role}",
    "GRANT USAGE ON SCHEMA {schema} TO {role}",
    "GRANT SELECT, INSERT ON {schema}.entries TO {role}",
    "GRANT SELECT ON {schema}.head, {schema}.alembic_version TO {role}",
)
MAY_CHANGE = text(
    "SELECT rolsuper OR pg_has_role(rolname, (SELECT tableowner FROM pg_tables "
    "WHERE schemaname = current_schema() AND tablename = 'entries'), 'MEMBER') "
    "FROM pg_roles WHERE rolname = COALESCE(:role, current_user)"
)


def grant_app_role(connection: Connection, role: str) -> None:
    """Let a role read and append entries, and take every other right on them from it."""
    if connection.dialect.name != "postgresql":
        raise UsageError("Roles are PostgreSQL's; a SQLite file is guarded by its owner alone.")
    may_change = connection.scalar(MAY_CHANGE, {"role": role})
    if may_change is None:
        raise UsageError(f"There is no role '{role[:63]}'; make it first: CREATE ROLE ... LOGIN PASSWORD '...'.")
    if may_change:
        raise UsageError("This role owns the tables or is a superuser, so it can't be held to appending; name another.")
    quoted = connection.dialect.identifier_preparer.quote_identifier(role)
    schema = connection.scalar(text("SELECT quote_ident(current_schema())"))
    for statement in GRANTS:
        connection.execute(text(statement.format(schema=schema, role=quoted)))


def may_change_entries(connection: Connection) -> bool:
    """Whether the role of a connection could change entries: it owns the tables or is a superuser."""
    return connection.dialect.name == "postgresql" and bool(connection.scalar(MAY_CHANGE, {"role": None}))
