//! `datasets`.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// Files that stand beside a data file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Beside(pub Vec<BesideFile>);

/// A file beside a data file, from which records took something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BesideFile {
    /// Path in the data file's folder.
    pub path: String,
    /// SHA-256 of the file in hex.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: i64,
}

/// An imported data set, known by the bytes of its files.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "datasets")]
pub struct Model {
    /// Digest in hex: the data file's SHA-256 where nothing stands beside it, else the SHA-256 over the lines that
    /// `sha256sum` would begin with, one for each file.
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
    /// SHA-256 of the data file itself in hex; `None` for a set imported before digests covered what stands beside it.
    pub file_sha256: Option<String>,
    /// What stood beside the data file, by path; `None` for such a set.
    pub beside: Option<Beside>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
