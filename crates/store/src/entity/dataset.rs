//! `datasets`.

use sea_orm::entity::prelude::*;

/// An imported data file, known by its bytes.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "datasets")]
pub struct Model {
    /// SHA-256 of the file in hex.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sha256: String,
    /// Family that reads it.
    pub family: String,
    /// Data set within the benchmark.
    pub subset: String,
    /// Name of the file as it came.
    pub file_name: String,
    /// Licence and terms, as the family's card states them.
    pub licence: String,
    /// Records in it.
    pub records: i32,
    /// Size of the file in bytes.
    pub bytes: i64,
    /// Who imported it.
    pub imported_by: String,
    /// When.
    pub imported_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
