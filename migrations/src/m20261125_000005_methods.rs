//! The method of a reference endpoint, and what its answers cost.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer_null, double_null, json_binary_null};

/// Figures of an answer of the reference model that are fractions.
const FIGURES: [&str; 6] =
    ["kept_tokens", "max_kept_tokens", "selection_ms", "attention_ms", "attention_flops", "attention_bytes"];

/// The figure that is a whole number.
const CACHE_BYTES: &str = "cache_bytes";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add(manager, "endpoints", json_binary_null("method")).await?;
        for figure in FIGURES {
            add(manager, "answers", double_null(figure)).await?;
        }
        add(manager, "answers", big_integer_null(CACHE_BYTES)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for figure in FIGURES.into_iter().chain([CACHE_BYTES]) {
            take(manager, "answers", figure).await?;
        }
        take(manager, "endpoints", "method").await
    }
}

/// One column per statement: SQLite takes no more.
async fn add(manager: &SchemaManager<'_>, table: &'static str, column: ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await
}

async fn take(manager: &SchemaManager<'_>, table: &'static str, column: &'static str) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).drop_column(column).to_owned()).await
}
