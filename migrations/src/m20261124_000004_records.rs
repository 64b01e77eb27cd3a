//! Published snapshots, the audit chain and settings.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, json_binary, string, text, timestamp_with_time_zone};

use crate::{drop_all, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("snapshots")
                    .col(string("board_slug"))
                    .col(string("digest"))
                    .col(big_integer("data_version"))
                    .col(timestamp_with_time_zone("published_at"))
                    .col(text("body"))
                    .primary_key(Index::create().col("board_slug").col("digest"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("snapshots", &["board_slug", "published_at"], false)).await?;
        manager
            .create_table(
                Table::create()
                    .table("audit")
                    .col(big_integer("sequence").primary_key())
                    .col(timestamp_with_time_zone("at"))
                    .col(string("actor"))
                    .col(string("action"))
                    .col(string("subject"))
                    .col(json_binary("detail"))
                    .col(string("previous_hash"))
                    .col(string("hash"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create().table("settings").col(string("name").primary_key()).col(text("value")).to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["settings", "audit", "snapshots"]).await
    }
}
