//! The schema, one source for SQLite and PostgreSQL.
