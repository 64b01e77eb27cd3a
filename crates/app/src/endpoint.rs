//! Endpoints: registering, probing, retiring.

use chrono::{DateTime, Utc};
use longboard_store::endpoint::Endpoint;
use longboard_store::{EndpointCall, EndpointKind};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use uuid::Uuid;

use crate::slug::{line, slug};
use crate::team::Member;
use crate::{AppError, Bell, Fresh, Longboard};

/// Endpoints of one team.
const ENDPOINTS: usize = 50;

/// Shards of one endpoint in work at the same time.
const LEASES: i32 = 2;

/// What a team fills in.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Display name; its slug is the model's path.
    pub name: String,
    /// What it is, for the model page; may be empty.
    pub description: String,
    /// Base URL with the version prefix.
    pub base_url: String,
    /// Model name sent in requests.
    pub model: String,
    /// Which call.
    pub api: EndpointCall,
    /// Bearer secret.
    pub secret: Option<SecretString>,
    /// Most requests in flight.
    pub max_concurrency: u32,
    /// Declared context limit in its own tokens.
    pub context_limit_tokens: Option<u32>,
    /// Longest wait for the first byte in seconds.
    pub first_byte_timeout_s: u32,
    /// Family of models it belongs to, e.g. `llama`; may be empty. Judges of the same family do not judge it.
    pub family: String,
    /// What an embedder wants before a query; may be empty.
    pub query_prefix: String,
    /// What an embedder wants before a document; may be empty.
    pub document_prefix: String,
}

impl Longboard {
    /// Registers an endpoint and queues its probe.
    ///
    /// # Errors
    /// [`AppError::Invalid`] names the field or what the address policy refuses; [`AppError::Store`] when the name is taken.
    pub async fn register_endpoint(
        &self,
        by: &Member,
        form: Registration,
        fresh: Fresh,
        now: DateTime<Utc>,
    ) -> Result<Endpoint, AppError> {
        if self.store.endpoints(Some(by.team().id)).await?.len() >= ENDPOINTS {
            return Err(AppError::Invalid(format!("the team has {ENDPOINTS} endpoints; ask a maintainer for more")));
        }
        let added = self.store.add_endpoint(self.sealed(by.team().id, form, fresh, now)?).await?;
        let detail = json!({"name": added.slug, "base_url": added.base_url, "model": added.model});
        self.note(&by.user().email, "register_endpoint", added.id, detail, now).await?;
        self.ring(Bell::Queue);
        Ok(added)
    }

    /// A checked row with its secret sealed.
    pub(crate) fn sealed(
        &self,
        team_id: Uuid,
        form: Registration,
        fresh: Fresh,
        now: DateTime<Utc>,
    ) -> Result<Endpoint, AppError> {
        let mut row = self.checked(team_id, &form, now)?;
        if let Some(secret) = form.secret.filter(|secret| !secret.expose_secret().is_empty()) {
            row.secret_ciphertext = Some(self.store.vault().seal(row.team_id, row.id, &secret, nonce(fresh))?);
        }
        Ok(row)
    }

    fn checked(&self, team_id: Uuid, form: &Registration, now: DateTime<Utc>) -> Result<Endpoint, AppError> {
        let name = line("the model's name", &form.name, 80)?;
        let base_url = self.policy.check_url(&form.base_url)?;
        let within = |what: &str, value: u32, most: u32| {
            if (1..=most).contains(&value) {
                return Ok(value.cast_signed());
            }
            Err(AppError::Invalid(format!("{what} is a whole number from 1 to {most}")))
        };
        let limit =
            form.context_limit_tokens.map(|limit| within("the context limit", limit, 100_000_000)).transpose()?;
        let timeout_s = within("the longest wait for the first byte, in seconds,", form.first_byte_timeout_s, 3600)?;
        Ok(Endpoint {
            description: form.description.trim().chars().filter(|letter| *letter != '\0').take(2000).collect(),
            base_url: base_url.as_str().trim_end_matches('/').to_owned(),
            model: line("the model name sent in requests", &form.model, 200)?,
            api: form.api,
            max_concurrency: within("the number of requests in flight", form.max_concurrency, 256)?,
            max_leases: LEASES,
            context_limit_tokens: limit,
            first_byte_timeout_ms: i64::from(timeout_s) * 1000,
            family: family(&form.family)?,
            query_prefix: prefix("query", &form.query_prefix)?,
            document_prefix: prefix("document", &form.document_prefix)?,
            ..Endpoint::new(team_id, EndpointKind::Endpoint, &slug(&name)?, &name, now)
        })
    }

    /// An endpoint of the member's team.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also for the endpoint of another team.
    pub async fn own_endpoint(&self, by: &Member, slug: &str) -> Result<Endpoint, AppError> {
        let found = self.store.endpoint_by_slug(slug).await?;
        found.filter(|row| row.team_id == by.team().id).ok_or_else(|| AppError::no("endpoint of your team named", slug))
    }

    /// Changes where an endpoint is, its secret or its limits, and probes it again. An empty secret keeps the old one,
    /// unless the address changes: nobody moves a secret they do not know to another host.
    ///
    /// # Errors
    /// [`AppError::Invalid`] names the field; [`AppError::NotFound`].
    pub async fn change_endpoint(
        &self,
        by: &Member,
        slug: &str,
        form: Registration,
        fresh: Fresh,
        now: DateTime<Utc>,
    ) -> Result<Endpoint, AppError> {
        let old = self.own_endpoint(by, slug).await?;
        if old.kind != EndpointKind::Endpoint || old.plain_id.is_some() {
            return Err(AppError::Invalid("only registered endpoints can be changed".to_owned()));
        }
        let form = Registration { name: old.name.clone(), ..form };
        let mut row = Endpoint { id: old.id, ..self.checked(old.team_id, &form, now)? };
        row.secret_ciphertext = match form.secret.filter(|secret| !secret.expose_secret().is_empty()) {
            Some(secret) => Some(self.store.vault().seal(row.team_id, row.id, &secret, nonce(fresh))?),
            None => old.secret_ciphertext.filter(|_| old.base_url == row.base_url),
        };
        let row = self.store.change_endpoint(&row).await?;
        let detail = json!({"base_url": row.base_url, "model": row.model, "secret": row.secret_ciphertext.is_some()});
        self.note(&by.user().email, "change_endpoint", row.id, detail, now).await?;
        self.probe_again(by, slug, now).await
    }

    /// Queues another probe.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn probe_again(&self, by: &Member, slug: &str, now: DateTime<Utc>) -> Result<Endpoint, AppError> {
        let endpoint = self.own_endpoint(by, slug).await?;
        self.store.queue_probe(endpoint.id, now).await?;
        self.note(&by.user().email, "probe_endpoint", endpoint.id, json!({}), now).await?;
        self.ring(Bell::Queue);
        Ok(endpoint)
    }

    /// Takes an endpoint off new runs; its results stay.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn retire_endpoint(&self, by: &Member, slug: &str, now: DateTime<Utc>) -> Result<(), AppError> {
        let endpoint = self.own_endpoint(by, slug).await?;
        self.store.retire_endpoint(endpoint.id, now).await?;
        self.note(&by.user().email, "retire_endpoint", endpoint.id, json!({}), now).await
    }
}

/// White space at its end counts: `query: `.
fn prefix(of: &str, given: &str) -> Result<String, AppError> {
    if given.chars().count() > 500 || given.chars().any(char::is_control) {
        return Err(AppError::Invalid(format!("the {of} prefix is one line of at most 500 characters")));
    }
    Ok(given.to_owned())
}

fn family(given: &str) -> Result<Option<String>, AppError> {
    if given.trim().is_empty() {
        return Ok(None);
    }
    Ok(Some(line("the model's family", given, 60)?.to_lowercase()))
}

fn nonce(fresh: Fresh) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce.iter_mut().zip(fresh).for_each(|(to, from)| *to = from);
    nonce
}
