//! The first start: the built-in baselines as contestants of the quickstart suite.

use chrono::{DateTime, Utc};
use longboard_store::endpoint::Endpoint;
use longboard_store::run::{Progress, Run};
use longboard_store::{EndpointKind, RunState};
use uuid::Uuid;

use crate::predictions::operator_team;
use crate::run::RunRequest;
use crate::{AppError, Bell, Longboard};

/// The suite that baselines run at first start.
const SUITE: &str = "quickstart";

/// Runs of the operator's team at the same time.
const OPEN_RUNS: u64 = 100;

/// A baseline that listens somewhere.
#[derive(Debug, Clone)]
pub struct Baseline {
    /// Slug and model name.
    pub slug: String,
    /// What it is.
    pub description: String,
    /// Where it listens now.
    pub base_url: String,
    /// Most requests in flight.
    pub max_concurrency: u32,
}

/// A baseline's run with where it stands.
#[derive(Debug, Clone)]
pub struct BaselineRun {
    /// Slug of the baseline.
    pub slug: String,
    /// Its newest run of the quickstart suite.
    pub run: Run,
    /// Where it stands.
    pub progress: Progress,
}

impl Longboard {
    /// Tells where the baselines listen, and queues the runs of those that are new.
    ///
    /// # Errors
    /// [`AppError`] when the store fails.
    pub async fn welcome_baselines(&self, baselines: &[Baseline], now: DateTime<Utc>) -> Result<(), AppError> {
        let team = operator_team(&self.store, now).await?;
        for baseline in baselines {
            if self.store.endpoint_by_slug(&baseline.slug).await?.is_some() {
                self.store.move_baseline(&baseline.slug, &baseline.base_url).await?;
                continue;
            }
            let endpoint = self.store.add_endpoint(contestant(baseline, team.id, now)).await?;
            let request = RunRequest { suite: SUITE.to_owned(), ..RunRequest::default() };
            self.queue_run(&endpoint, request, &team.name, OPEN_RUNS, now).await?;
        }
        self.ring(Bell::Queue);
        Ok(())
    }

    /// Where the baselines stand; those without a run are left out.
    ///
    /// # Errors
    /// [`AppError`] when the store fails.
    pub async fn baseline_runs(&self, slugs: &[String]) -> Result<Vec<BaselineRun>, AppError> {
        let mut found = Vec::with_capacity(slugs.len());
        for slug in slugs {
            let Some(endpoint) = self.store.endpoint_by_slug(slug).await? else { continue };
            let runs = self.store.runs_of_endpoint(endpoint.id, 10).await?;
            let Some(run) = runs.into_iter().find(|run| run.suite_slug == SUITE) else { continue };
            let progress = self.store.progress(&run).await?;
            found.push(BaselineRun { slug: slug.clone(), run, progress });
        }
        Ok(found)
    }
}

impl BaselineRun {
    /// Whether nothing more will come by itself.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.run.state != RunState::Open
    }
}

fn contestant(baseline: &Baseline, team_id: Uuid, now: DateTime<Utc>) -> Endpoint {
    Endpoint {
        description: baseline.description.clone(),
        base_url: baseline.base_url.clone(),
        max_concurrency: baseline.max_concurrency.cast_signed(),
        max_leases: 2,
        ..Endpoint::new(team_id, EndpointKind::Baseline, &baseline.slug, &baseline.slug, now)
    }
}
