//! People, teams, sessions and tokens. Secrets are stored as hashes only.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    boolean, string, string_null, text, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
};

use crate::{drop_all, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        people(manager).await?;
        manager
            .create_table(
                Table::create()
                    .table("sessions")
                    .col(string("token_hash").primary_key())
                    .col(uuid("user_id"))
                    .col(string("csrf"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("seen_at"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .foreign_key(ForeignKey::create().from("sessions", "user_id").to("users", "id"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("sessions", &["user_id"], false)).await?;
        tokens(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["workers", "api_tokens", "sessions", "memberships", "teams", "users"]).await
    }
}

async fn people(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("users")
                .col(uuid("id").primary_key())
                .col(string("email").unique_key())
                .col(string("name"))
                .col(text("password_hash"))
                .col(boolean("maintainer"))
                .col(timestamp_with_time_zone("created_at"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("teams")
                .col(uuid("id").primary_key())
                .col(string("slug").unique_key())
                .col(string("name"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("touched_at"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("memberships")
                .col(uuid("team_id"))
                .col(uuid("user_id"))
                .col(string("role"))
                .col(timestamp_with_time_zone("created_at"))
                .primary_key(Index::create().col("team_id").col("user_id"))
                .foreign_key(ForeignKey::create().from("memberships", "team_id").to("teams", "id"))
                .foreign_key(ForeignKey::create().from("memberships", "user_id").to("users", "id"))
                .to_owned(),
        )
        .await?;
    manager.create_index(index("memberships", &["user_id"], false)).await
}

async fn tokens(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("api_tokens")
                .col(uuid("id").primary_key())
                .col(uuid("team_id"))
                .col(uuid("user_id"))
                .col(string("name"))
                .col(string("prefix"))
                .col(string("token_hash").unique_key())
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone_null("used_at"))
                .col(timestamp_with_time_zone_null("revoked_at"))
                .foreign_key(ForeignKey::create().from("api_tokens", "team_id").to("teams", "id"))
                .foreign_key(ForeignKey::create().from("api_tokens", "user_id").to("users", "id"))
                .to_owned(),
        )
        .await?;
    manager.create_index(index("api_tokens", &["team_id"], false)).await?;
    manager
        .create_table(
            Table::create()
                .table("workers")
                .col(uuid("id").primary_key())
                .col(string("name").unique_key())
                .col(string("token_hash").unique_key())
                .col(text("labels"))
                .col(string_null("version"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone_null("seen_at"))
                .col(timestamp_with_time_zone_null("revoked_at"))
                .to_owned(),
        )
        .await
}
