//! Runs, their shards with leases, and the answers.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, double_null, integer, integer_null, json_binary, pk_auto, string, string_null, text,
    text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};

use crate::{drop_all, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        runs(manager).await?;
        shards(manager).await?;
        answers(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["answers", "run_events", "shards", "runs"]).await
    }
}

async fn runs(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("runs")
                .col(uuid("id").primary_key())
                .col(uuid("endpoint_id"))
                .col(uuid("team_id"))
                .col(string("suite_slug"))
                .col(big_integer("seed"))
                .col(integer("samples"))
                .col(json_binary("tasks"))
                .col(json_binary("lengths"))
                .col(string("state"))
                .col(boolean("counts"))
                .col(integer("total"))
                .col(string("submitted_by"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone_null("started_at"))
                .col(timestamp_with_time_zone_null("closed_at"))
                .foreign_key(ForeignKey::create().from("runs", "endpoint_id").to("endpoints", "id"))
                .foreign_key(ForeignKey::create().from("runs", "suite_slug").to("suites", "slug"))
                .to_owned(),
        )
        .await?;
    manager.create_index(index("runs", &["endpoint_id"], false)).await?;
    manager.create_index(index("runs", &["suite_slug", "state"], false)).await?;
    manager.create_index(index("runs", &["team_id", "state"], false)).await?;
    manager
        .create_table(
            Table::create()
                .table("run_events")
                .col(pk_auto("id").big_integer())
                .col(uuid("run_id"))
                .col(timestamp_with_time_zone("at"))
                .col(string("kind"))
                .col(text("detail"))
                .foreign_key(ForeignKey::create().from("run_events", "run_id").to("runs", "id"))
                .to_owned(),
        )
        .await?;
    manager.create_index(index("run_events", &["run_id", "id"], false)).await
}

async fn shards(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("shards")
                .col(uuid("id").primary_key())
                .col(uuid_null("run_id"))
                .col(uuid("endpoint_id"))
                .col(uuid("team_id"))
                .col(string("kind"))
                .col(string("task_slug"))
                .col(integer("task_version"))
                .col(integer("length_tokens"))
                .col(integer("first_index"))
                .col(integer("item_count"))
                .col(integer("repetitions"))
                .col(string("requires"))
                .col(integer("priority"))
                .col(integer("position"))
                .col(string("state"))
                .col(integer("fence"))
                .col(integer("failures"))
                .col(uuid_null("lease_owner"))
                .col(timestamp_with_time_zone_null("lease_until"))
                .col(timestamp_with_time_zone("not_before"))
                .col(integer("done_count"))
                .col(integer("in_flight"))
                .col(string_null("last_cause"))
                .col(text_null("last_detail"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(ForeignKey::create().from("shards", "run_id").to("runs", "id"))
                .foreign_key(ForeignKey::create().from("shards", "endpoint_id").to("endpoints", "id"))
                .to_owned(),
        )
        .await?;
    manager.create_index(index("shards", &["state", "not_before"], false)).await?;
    manager.create_index(index("shards", &["run_id", "state"], false)).await?;
    manager.create_index(index("shards", &["endpoint_id", "state"], false)).await?;
    manager.create_index(index("shards", &["team_id", "state"], false)).await
}

async fn answers(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("answers")
        .col(pk_auto("id").big_integer())
        .col(uuid("run_id"))
        .col(uuid_null("shard_id"))
        .col(integer("number"))
        .col(string("task_slug"))
        .col(integer("task_version"))
        .col(integer("length_tokens"))
        .col(integer("item_index"))
        .col(integer("repetition"))
        .col(text_null("item_key"))
        .col(string("prompt_digest"))
        .col(integer("prompt_tokens"))
        .col(text("body"))
        .col(text_null("reference"))
        .col(string("outcome"))
        .col(double_null("score"))
        .col(double_null("strict"))
        .col(text("extracted"))
        .col(integer_null("depth_percent"))
        .col(string_null("finish_reason"))
        .col(integer_null("reported_prompt_tokens"))
        .col(integer_null("reported_completion_tokens"))
        .col(integer_null("first_token_ms"))
        .col(integer_null("latency_ms"))
        .col(integer("attempts"))
        .col(json_binary("retry_causes"))
        .col(string_null("cause"))
        .col(text_null("detail"))
        .col(uuid_null("worker_id"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(ForeignKey::create().from("answers", "run_id").to("runs", "id"))
        .foreign_key(ForeignKey::create().from("answers", "shard_id").to("shards", "id"));
    manager.create_table(table).await?;
    let key = ["run_id", "task_slug", "length_tokens", "item_index", "repetition"];
    manager.create_index(index("answers", &key, true)).await?;
    manager.create_index(index("answers", &["run_id", "number"], true)).await?;
    manager.create_index(index("answers", &["shard_id"], false)).await
}
