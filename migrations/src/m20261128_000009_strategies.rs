//! Strategies around endpoints, prefixes of embedders, and what the calls behind an answer took.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer_null, integer_null, json_binary_null, string, string_null, uuid_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut prefixes = ["query_prefix", "document_prefix"].map(string);
        for column in &mut prefixes {
            column.default("");
        }
        let endpoint = [string_null("strategy"), uuid_null("plain_id")].into_iter().chain(prefixes);
        for column in endpoint {
            manager.alter_table(Table::alter().table("endpoints").add_column(column).to_owned()).await?;
        }
        let answer = [
            integer_null("calls"),
            big_integer_null("sent_tokens"),
            big_integer_null("written_tokens"),
            json_binary_null("reports"),
        ];
        for column in answer {
            manager.alter_table(Table::alter().table("answers").add_column(column).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["reports", "written_tokens", "sent_tokens", "calls"] {
            manager.alter_table(Table::alter().table("answers").drop_column(column).to_owned()).await?;
        }
        for column in ["document_prefix", "query_prefix", "plain_id", "strategy"] {
            manager.alter_table(Table::alter().table("endpoints").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
