//! `users`.

use sea_orm::entity::prelude::*;

/// An account.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Address, lower case, unique.
    pub email: String,
    /// Display name.
    pub name: String,
    /// PHC string of Argon2id.
    pub password_hash: String,
    /// May do everything.
    pub maintainer: bool,
    /// When.
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
