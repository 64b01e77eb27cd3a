//! The first start: the baselines and the reference model as contestants of the quickstart suite.

use chrono::{DateTime, Utc};
use longboard_store::endpoint::Endpoint;
use longboard_store::run::{Progress, Run};
use longboard_store::{EndpointKind, RunState};
use longboard_suites::length::Length;
use uuid::Uuid;

use crate::predictions::operator_team;
use crate::run::RunRequest;
use crate::{AppError, Bell, Longboard};

/// The suite that built-in contestants run at first start.
const SUITE: &str = "quickstart";

/// Runs of the operator's team at the same time.
const OPEN_RUNS: u64 = 100;

/// A built-in contestant that listens somewhere.
#[derive(Debug, Clone)]
pub struct Builtin {
    /// Baseline or reference model.
    pub kind: EndpointKind,
    /// Slug and model name.
    pub slug: String,
    /// What it is.
    pub description: String,
    /// Where it listens now.
    pub base_url: String,
    /// Most requests in flight.
    pub max_concurrency: u32,
    /// Longest prompt in tokens that it takes, where it is limited.
    pub context_limit_tokens: Option<u32>,
    /// Some of the suite's lengths, where all would take too long.
    pub lengths: Option<Vec<Length>>,
    /// Samples per (task, length), where the suite's would take too long.
    pub samples: Option<u32>,
}

/// A built-in contestant's run with where it stands.
#[derive(Debug, Clone)]
pub struct BuiltinRun {
    /// Slug of the contestant.
    pub slug: String,
    /// Its newest run of the quickstart suite.
    pub run: Run,
    /// Where it stands.
    pub progress: Progress,
}

impl Longboard {
    /// Tells where the built-in contestants listen, and queues the runs of those that are new.
    ///
    /// # Errors
    /// [`AppError`] when the store fails.
    pub async fn welcome(&self, builtins: &[Builtin], now: DateTime<Utc>) -> Result<(), AppError> {
        let team = operator_team(&self.store, now).await?;
        for builtin in builtins {
            if self.store.endpoint_by_slug(&builtin.slug).await?.is_some() {
                self.store.move_builtin(&builtin.slug, &builtin.base_url).await?;
                continue;
            }
            let endpoint = self.store.add_endpoint(contestant(builtin, team.id, now)).await?;
            let request = RunRequest {
                suite: SUITE.to_owned(),
                lengths: builtin.lengths.clone(),
                samples: builtin.samples,
                ..RunRequest::default()
            };
            self.queue_run(&endpoint, request, &team.name, OPEN_RUNS, now).await?;
        }
        self.ring(Bell::Queue);
        Ok(())
    }

    /// Where the built-in contestants stand; those without a run are left out.
    ///
    /// # Errors
    /// [`AppError`] when the store fails.
    pub async fn builtin_runs(&self, slugs: &[String]) -> Result<Vec<BuiltinRun>, AppError> {
        let mut found = Vec::with_capacity(slugs.len());
        for slug in slugs {
            let Some(endpoint) = self.store.endpoint_by_slug(slug).await? else { continue };
            let runs = self.store.runs_of_endpoint(endpoint.id, 10).await?;
            let Some(run) = runs.into_iter().find(|run| run.suite_slug == SUITE) else { continue };
            let progress = self.store.progress(&run).await?;
            found.push(BuiltinRun { slug: slug.clone(), run, progress });
        }
        Ok(found)
    }
}

impl BuiltinRun {
    /// Whether nothing more will come by itself.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.run.state != RunState::Open
    }
}

fn contestant(builtin: &Builtin, team_id: Uuid, now: DateTime<Utc>) -> Endpoint {
    Endpoint {
        description: builtin.description.clone(),
        base_url: builtin.base_url.clone(),
        max_concurrency: builtin.max_concurrency.cast_signed(),
        context_limit_tokens: builtin.context_limit_tokens.map(u32::cast_signed),
        max_leases: 2,
        ..Endpoint::new(team_id, builtin.kind, &builtin.slug, &builtin.slug, now)
    }
}
