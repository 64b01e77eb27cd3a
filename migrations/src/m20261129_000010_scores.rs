//! Judgings that score answers one by one instead of comparing them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::integer;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut samples = integer("samples");
        samples.default(0);
        manager.alter_table(Table::alter().table("judgings").add_column(samples).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("judgings").drop_column("samples").to_owned()).await
    }
}
