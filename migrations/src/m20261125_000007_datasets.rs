//! Official data files as records, and prediction files as a family of their own.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, double_null, integer, integer_null, json_binary, string, string_null, text, timestamp_with_time_zone,
};

use crate::drop_all;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        tables(manager).await?;
        add(manager, "tasks", string_null("data_sha256")).await?;
        add(manager, "answers", integer_null("tokens_removed")).await?;
        add(manager, "answers", double_null("evidence_left")).await?;
        rename_family(manager, "infinitebench", "predictions").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rename_family(manager, "predictions", "infinitebench").await?;
        for (table, column) in [("answers", "evidence_left"), ("answers", "tokens_removed"), ("tasks", "data_sha256")] {
            manager.alter_table(Table::alter().table(table).drop_column(column).to_owned()).await?;
        }
        drop_all(manager, &["dataset_records", "documents", "datasets"]).await
    }
}

async fn tables(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut datasets = Table::create();
    datasets
        .table("datasets")
        .col(string("sha256").primary_key())
        .col(string("family"))
        .col(string("subset"))
        .col(string("file_name"))
        .col(string("licence"))
        .col(integer("records"))
        .col(big_integer("bytes"))
        .col(string("imported_by"))
        .col(timestamp_with_time_zone("imported_at"));
    manager.create_table(datasets).await?;
    let mut documents = Table::create();
    documents.table("documents").col(string("sha256").primary_key()).col(text("body"));
    manager.create_table(documents).await?;
    let mut records = Table::create();
    records
        .table("dataset_records")
        .col(string("dataset_sha256"))
        .col(integer("ordinal"))
        .col(string("document_sha256"))
        .col(json_binary("body"))
        .primary_key(Index::create().col("dataset_sha256").col("ordinal"))
        .foreign_key(ForeignKey::create().from("dataset_records", "dataset_sha256").to("datasets", "sha256"))
        .foreign_key(ForeignKey::create().from("dataset_records", "document_sha256").to("documents", "sha256"));
    manager.create_table(records).await
}

async fn add(manager: &SchemaManager<'_>, table: &'static str, column: ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await
}

async fn rename_family(manager: &SchemaManager<'_>, from: &'static str, to: &'static str) -> Result<(), DbErr> {
    let mut update = Query::update();
    update.table("tasks").value("family", to).and_where(Expr::col("family").eq(from));
    manager.execute(update).await
}
