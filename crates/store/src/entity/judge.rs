//! `judges`.

use sea_orm::entity::prelude::*;

use super::kind::JudgeKind;

/// Somebody who compares answers.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "judges")]
pub struct Model {
    /// Identity, and its name in paths.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slug: String,
    /// Display name.
    pub name: String,
    /// Who judges.
    pub kind: JudgeKind,
    /// Family of models; contestants of the same family are not judged.
    pub family: String,
    /// The endpoint its shards belong to; absent for people.
    pub endpoint_id: Option<Uuid>,
    /// Version of the prompt that every verdict was asked with.
    pub prompt_version: String,
    /// Last health report.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub health: Option<Json>,
    /// When.
    pub health_at: Option<DateTimeUtc>,
    /// Who enrolled it.
    pub enrolled_by: String,
    /// When.
    pub enrolled_at: DateTimeUtc,
    /// When it was taken off new judgings.
    pub retired_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
