//! `memberships`.

use sea_orm::entity::prelude::*;

use super::kind::Role;

/// Who belongs to a team.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "memberships")]
pub struct Model {
    /// Team.
    #[sea_orm(primary_key, auto_increment = false)]
    pub team_id: Uuid,
    /// User.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// What they may do.
    pub role: Role,
    /// When.
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
