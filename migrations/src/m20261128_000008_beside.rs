//! What stands beside a data file belongs to its data set. Sets imported before say nothing about it: both columns are
//! null there, and their records stay as they are.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{json_binary_null, string_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [string_null("file_sha256"), json_binary_null("beside")] {
            manager.alter_table(Table::alter().table("datasets").add_column(column).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["beside", "file_sha256"] {
            manager.alter_table(Table::alter().table("datasets").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
