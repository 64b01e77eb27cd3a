//! Documents that the queries of a data set search, by name.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, integer, string};

use crate::{drop_all, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut documents = Table::create();
        documents
            .table("dataset_documents")
            .col(string("dataset_sha256"))
            .col(integer("number"))
            .col(string("name"))
            .col(string("document_sha256"))
            .col(boolean("picture"))
            .primary_key(Index::create().col("dataset_sha256").col("number"))
            .foreign_key(ForeignKey::create().from("dataset_documents", "dataset_sha256").to("datasets", "sha256"))
            .foreign_key(ForeignKey::create().from("dataset_documents", "document_sha256").to("documents", "sha256"));
        manager.create_table(documents).await?;
        manager.create_index(index("dataset_documents", &["dataset_sha256", "name"], true)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["dataset_documents"]).await
    }
}
