//! Judges, rounds of judging with their verdicts, and boards made of votes from elsewhere.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, double, double_null, integer, integer_null, json_binary, json_binary_null, pk_auto,
    string, string_null, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};

use crate::{drop_all, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut endpoints = Table::alter();
        endpoints.table("endpoints").add_column(string_null("family"));
        manager.alter_table(endpoints.to_owned()).await?;
        judges(manager).await?;
        judgings(manager).await?;
        verdicts(manager).await?;
        rating_boards(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["ballots", "rating_boards", "verdicts", "judgings", "judges"]).await?;
        manager.alter_table(Table::alter().table("endpoints").drop_column("family").to_owned()).await
    }
}

async fn judges(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("judges")
        .col(string("slug").primary_key())
        .col(string("name"))
        .col(string("kind"))
        .col(string("family"))
        .col(uuid_null("endpoint_id"))
        .col(string("prompt_version"))
        .col(json_binary_null("health"))
        .col(timestamp_with_time_zone_null("health_at"))
        .col(string("enrolled_by"))
        .col(timestamp_with_time_zone("enrolled_at"))
        .col(timestamp_with_time_zone_null("retired_at"))
        .foreign_key(ForeignKey::create().from("judges", "endpoint_id").to("endpoints", "id"));
    manager.create_table(table).await
}

async fn judgings(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("judgings")
        .col(uuid("id").primary_key())
        .col(string("suite_slug"))
        .col(json_binary("judges"))
        .col(integer("budget"))
        .col(integer("rounds"))
        .col(big_integer("seed"))
        .col(string("state"))
        .col(string_null("ended_by"))
        .col(string("requested_by"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("closed_at"))
        .foreign_key(ForeignKey::create().from("judgings", "suite_slug").to("suites", "slug"));
    manager.create_table(table).await?;
    manager.create_index(index("judgings", &["suite_slug", "state"], false)).await
}

async fn verdicts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("verdicts")
        .col(pk_auto("id").big_integer())
        .col(uuid("judging_id"))
        .col(string("judge_slug"))
        .col(string("labeller"))
        .col(uuid("battle_id"))
        .col(uuid_null("shard_id"))
        .col(integer("position"))
        .col(string("task_slug"))
        .col(integer("task_version"))
        .col(integer("length_tokens"))
        .col(integer("item_index"))
        .col(big_integer("first_answer"))
        .col(big_integer_null("second_answer"))
        .col(string("first_entry"))
        .col(string_null("second_entry"))
        .col(integer("turn"))
        .col(string("nonce"))
        .col(double("propensity"))
        .col(string("prompt_version"))
        .col(string_null("prompt_digest"))
        .col(string_null("label"))
        .col(double_null("rating"))
        .col(text_null("raw"))
        .col(integer("asks"))
        .col(string_null("cause"))
        .col(integer_null("latency_ms"))
        .col(uuid_null("worker_id"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("decided_at"))
        .foreign_key(ForeignKey::create().from("verdicts", "judging_id").to("judgings", "id"))
        .foreign_key(ForeignKey::create().from("verdicts", "judge_slug").to("judges", "slug"))
        .foreign_key(ForeignKey::create().from("verdicts", "shard_id").to("shards", "id"))
        .foreign_key(ForeignKey::create().from("verdicts", "first_answer").to("answers", "id"))
        .foreign_key(ForeignKey::create().from("verdicts", "second_answer").to("answers", "id"));
    manager.create_table(table).await?;
    let key = ["judging_id", "judge_slug", "labeller", "battle_id", "turn"];
    manager.create_index(index("verdicts", &key, true)).await?;
    manager.create_index(index("verdicts", &["shard_id", "position"], false)).await?;
    manager.create_index(index("verdicts", &["battle_id"], false)).await?;
    manager.create_index(index("verdicts", &["judge_slug"], false)).await
}

async fn rating_boards(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut board = Table::create();
    board
        .table("rating_boards")
        .col(string("slug").primary_key())
        .col(string("title"))
        .col(string_null("suite_slug"))
        .col(string("source"))
        .col(json_binary("remarks"))
        .col(big_integer("data_version"))
        .col(string("created_by"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(ForeignKey::create().from("rating_boards", "suite_slug").to("suites", "slug"));
    manager.create_table(board).await?;
    let mut ballot = Table::create();
    ballot
        .table("ballots")
        .col(pk_auto("id").big_integer())
        .col(string("board_slug"))
        .col(string("first_entry"))
        .col(string("second_entry"))
        .col(string("winner"))
        .col(string("question"))
        .col(string("judge"))
        .col(double("weight"))
        .col(double_null("first_length"))
        .col(double_null("second_length"))
        .foreign_key(ForeignKey::create().from("ballots", "board_slug").to("rating_boards", "slug"));
    manager.create_table(ballot).await?;
    manager.create_index(index("ballots", &["board_slug", "id"], false)).await
}
