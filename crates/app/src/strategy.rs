//! Strategies around endpoints: each is a contestant of its own, with the address of the endpoint it works around.

use chrono::{DateTime, Utc};
use longboard_store::endpoint::Endpoint;
use uuid::Uuid;

use crate::{AppError, Longboard};

impl Longboard {
    /// The endpoint that a strategy works around; `None` for endpoints that are asked as they are.
    pub(crate) async fn plain(&self, endpoint: &Endpoint) -> Result<Option<Endpoint>, AppError> {
        let Some(id) = endpoint.plain_id else { return Ok(None) };
        let found = self.store.endpoint(id).await?;
        let gone = || AppError::Invalid("the endpoint of this strategy is gone".to_owned());
        found.filter(|row| row.retired_at.is_none()).ok_or_else(gone).map(Some)
    }

    /// The contestant that is `endpoint` under a strategy, made on first use; the endpoint itself without one.
    pub(crate) async fn under_strategy(
        &self,
        endpoint: Endpoint,
        strategy: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Endpoint, AppError> {
        let Some(strategy) = strategy.filter(|slug| !slug.is_empty() && *slug != PLAIN) else { return Ok(endpoint) };
        let title = title(&endpoint, strategy)?;
        let slug = format!("{}-{strategy}", endpoint.slug);
        if let Some(known) = self.store.endpoint_by_slug(&slug).await? {
            let same = known.plain_id == Some(endpoint.id) && known.retired_at.is_none();
            let taken = || AppError::Invalid(format!("another model is called {slug}; rename this endpoint"));
            return if same { Ok(known) } else { Err(taken()) };
        }
        let variant = Endpoint {
            id: Uuid::now_v7(),
            name: format!("{} + {title}", endpoint.name),
            description: format!("{title} around {}.", endpoint.name),
            slug,
            base_url: String::new(),
            secret_ciphertext: None,
            probe_report: None,
            probed_at: None,
            created_at: now,
            strategy: Some(strategy.to_owned()),
            plain_id: Some(endpoint.id),
            ..endpoint
        };
        Ok(self.store.add_endpoint(variant).await?)
    }
}

/// The name of asking an endpoint as it is.
pub const PLAIN: &str = "plain";

fn title(endpoint: &Endpoint, strategy: &str) -> Result<String, AppError> {
    let refuse = |text: String| Err(AppError::Invalid(text));
    if endpoint.plain_id.is_some() {
        return refuse(format!("{} is a strategy itself; choose the endpoint it works around", endpoint.name));
    }
    if endpoint.method.is_some() {
        return refuse(format!(
            "{} runs inside the worker; strategies work around endpoints with an address",
            endpoint.name
        ));
    }
    refuse(format!("there is no strategy `{strategy}`"))
}
