//! The schema, one source for SQLite and PostgreSQL.
//!
//! Forward-only in production; `down` exists so that tests prove each step reversible. Columns that are filtered or
//! sorted are real columns; JSON is payload only.

mod m20261124_000001_accounts;
mod m20261124_000002_benchmark;
mod m20261124_000003_runs;
mod m20261124_000004_records;
mod m20261125_000005_methods;
mod m20261125_000006_judging;
mod m20261125_000007_datasets;
mod m20261128_000008_beside;
mod m20261128_000009_strategies;
mod m20261129_000010_scores;
mod m20261129_000011_collections;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseConnection;

/// Applies every migration that is missing.
///
/// # Errors
/// When a statement fails.
pub async fn up(db: &DatabaseConnection) -> Result<(), DbErr> {
    Migrator::up(db, None).await
}

/// Takes every migration back.
///
/// # Errors
/// When a statement fails.
pub async fn down(db: &DatabaseConnection) -> Result<(), DbErr> {
    Migrator::down(db, None).await
}

/// Number of migrations that are missing; reads only.
///
/// # Errors
/// When the database does not answer.
pub async fn pending(db: &DatabaseConnection) -> Result<usize, DbErr> {
    Ok(Migrator::get_pending_migrations_read_only(db).await?.len())
}

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261124_000001_accounts::Migration),
            Box::new(m20261124_000002_benchmark::Migration),
            Box::new(m20261124_000003_runs::Migration),
            Box::new(m20261124_000004_records::Migration),
            Box::new(m20261125_000005_methods::Migration),
            Box::new(m20261125_000006_judging::Migration),
            Box::new(m20261125_000007_datasets::Migration),
            Box::new(m20261128_000008_beside::Migration),
            Box::new(m20261128_000009_strategies::Migration),
            Box::new(m20261129_000010_scores::Migration),
            Box::new(m20261129_000011_collections::Migration),
        ]
    }
}

/// An index over columns of a table, named after them.
fn index(table: &'static str, columns: &[&'static str], unique: bool) -> IndexCreateStatement {
    let mut statement = Index::create();
    let kind = if unique { "uq" } else { "ix" };
    statement.name(format!("{kind}_{table}_{}", columns.join("_"))).table(table);
    for column in columns {
        statement.col(*column);
    }
    if unique {
        statement.unique();
    }
    statement
}

/// Drops tables, dependants first.
async fn drop_all(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    for table in tables {
        manager.drop_table(Table::drop().table(*table).to_owned()).await?;
    }
    Ok(())
}
