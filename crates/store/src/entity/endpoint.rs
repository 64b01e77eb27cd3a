//! `endpoints`.

use sea_orm::entity::prelude::*;

use super::kind::{EndpointCall, EndpointKind, MethodColumn, ProbeState};

/// A contestant: a served model, a baseline or a set of prediction files.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "endpoints")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Owner.
    pub team_id: Uuid,
    /// Slug, unique: the name of the model in paths.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Kind.
    pub kind: EndpointKind,
    /// Base URL with the version prefix; empty for predictions and methods.
    pub base_url: String,
    /// Model name sent in requests.
    pub model: String,
    /// Which call.
    pub api: EndpointCall,
    /// Bearer secret, sealed by the vault.
    pub secret_ciphertext: Option<String>,
    /// Most requests in flight.
    pub max_concurrency: i32,
    /// Most shards at a time.
    pub max_leases: i32,
    /// Declared limit in its own tokens.
    pub context_limit_tokens: Option<i32>,
    /// Longest wait for the first byte.
    pub first_byte_timeout_ms: i64,
    /// Where its probe stands.
    pub probe_state: ProbeState,
    /// Last checklist.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub probe_report: Option<Json>,
    /// When it was probed.
    pub probed_at: Option<DateTimeUtc>,
    /// Reported over canonical tokens.
    pub token_ratio: Option<f64>,
    /// The probe saw silent truncation.
    pub truncates: bool,
    /// When.
    pub created_at: DateTimeUtc,
    /// When its team took it back.
    pub retired_at: Option<DateTimeUtc>,
    /// The policy that the reference model runs in the worker; absent for everything that has an address.
    pub method: Option<MethodColumn>,
    /// Family of models it belongs to, as its team says; judges of the same family do not judge it.
    pub family: Option<String>,
    /// What is done around the endpoint `plain_id`; absent for endpoints to which items are sent as they are.
    pub strategy: Option<String>,
    /// The endpoint around which a strategy works: address, secret and limits are its own.
    pub plain_id: Option<Uuid>,
    /// What an embedder wants before a query.
    pub query_prefix: String,
    /// What an embedder wants before a document.
    pub document_prefix: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
