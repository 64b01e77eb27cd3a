//! What is measured: corpora, task versions, suites; and who is measured: endpoints.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, double_null, integer, integer_null, json_binary, json_binary_null, string, string_null, text,
    text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
};

use crate::{drop_all, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        tasks(manager).await?;
        suites(manager).await?;
        endpoints(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["endpoints", "suites", "tasks", "corpora"]).await
    }
}

async fn tasks(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("corpora")
                .col(string("slug").primary_key())
                .col(string("title"))
                .col(string("language"))
                .col(string("digest"))
                .col(text("body"))
                .col(timestamp_with_time_zone("created_at"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("tasks")
                .col(string("slug"))
                .col(integer("version"))
                .col(string("title"))
                .col(string("family"))
                .col(json_binary("params"))
                .col(string_null("corpus_slug"))
                .col(string("author"))
                .col(timestamp_with_time_zone("published_at"))
                .primary_key(Index::create().col("slug").col("version"))
                .foreign_key(ForeignKey::create().from("tasks", "corpus_slug").to("corpora", "slug"))
                .to_owned(),
        )
        .await
}

async fn suites(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("suites")
                .col(string("slug").primary_key())
                .col(string("title"))
                .col(text("description"))
                .col(json_binary("tasks"))
                .col(json_binary("lengths"))
                .col(integer("samples"))
                .col(boolean("imported"))
                .col(integer("position"))
                .col(big_integer("data_version"))
                .col(timestamp_with_time_zone("created_at"))
                .to_owned(),
        )
        .await
}

async fn endpoints(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("endpoints")
                .col(uuid("id").primary_key())
                .col(uuid("team_id"))
                .col(string("slug").unique_key())
                .col(string("name"))
                .col(text("description"))
                .col(string("kind"))
                .col(text("base_url"))
                .col(string("model"))
                .col(string("api"))
                .col(text_null("secret_ciphertext"))
                .col(integer("max_concurrency"))
                .col(integer("max_leases"))
                .col(integer_null("context_limit_tokens"))
                .col(big_integer("first_byte_timeout_ms"))
                .col(string("probe_state"))
                .col(json_binary_null("probe_report"))
                .col(timestamp_with_time_zone_null("probed_at"))
                .col(double_null("token_ratio"))
                .col(boolean("truncates"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone_null("retired_at"))
                .foreign_key(ForeignKey::create().from("endpoints", "team_id").to("teams", "id"))
                .to_owned(),
        )
        .await?;
    manager.create_index(index("endpoints", &["team_id"], false)).await
}
