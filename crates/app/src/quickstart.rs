//! The first start: the baselines and the reference model as contestants of the quickstart suite.

use chrono::{DateTime, Utc};
use longboard_protocol::method::Method;
use longboard_store::endpoint::Endpoint;
use longboard_store::run::{Progress, Run};
use longboard_store::{EndpointCall, EndpointKind, MethodColumn, RunState};
use longboard_suites::length::Length;
use uuid::Uuid;

use crate::predictions::operator_team;
use crate::run::{OPERATOR_RUNS, RunRequest};
use crate::{AppError, Bell, Longboard};

/// The suite that built-in contestants run at first start.
const SUITE: &str = "quickstart";

/// A built-in contestant.
#[derive(Debug, Clone)]
pub struct Builtin {
    /// Slug and model name.
    pub slug: String,
    /// What it is.
    pub description: String,
    /// Who answers.
    pub place: Place,
    /// Which call it takes.
    pub api: EndpointCall,
    /// Most requests in flight.
    pub max_concurrency: u32,
    /// Its run of the quickstart suite at first start; absent where there is none.
    pub first_run: Option<FirstRun>,
}

/// Who answers for a built-in contestant.
#[derive(Debug, Clone)]
pub enum Place {
    /// A baseline that listens at this base URL now.
    Address(String),
    /// The reference model under a policy, in workers with the label `reference`.
    Worker(Box<Method>),
}

/// How much of the quickstart suite a contestant runs at first start. Absent values are the suite's.
#[derive(Debug, Clone, Default)]
pub struct FirstRun {
    /// Some of its lengths.
    pub lengths: Option<Vec<Length>>,
    /// Samples per (task, length).
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
    /// Adds the built-in contestants that are missing, tells where they listen and what is known about them, and queues
    /// the first run of those that had none.
    ///
    /// # Errors
    /// [`AppError`] when the store fails.
    pub async fn welcome(&self, builtins: &[Builtin], now: DateTime<Utc>) -> Result<(), AppError> {
        let team = operator_team(&self.store, now).await?;
        for builtin in builtins {
            let endpoint = match self.store.endpoint_by_slug(&builtin.slug).await? {
                None => self.store.add_endpoint(contestant(builtin, team.id, now)).await?,
                Some(known) => {
                    self.refresh(&known, &builtin.place).await?;
                    known
                }
            };
            let Some(first) = &builtin.first_run else { continue };
            if !self.store.runs_of_endpoint(endpoint.id, 1).await?.is_empty() {
                continue;
            }
            let request = RunRequest {
                suite: SUITE.to_owned(),
                lengths: first.lengths.clone(),
                samples: first.samples,
                ..RunRequest::default()
            };
            self.queue_run(&endpoint, request, &team.name, OPERATOR_RUNS, now).await?;
        }
        self.ring(Bell::Queue);
        Ok(())
    }

    async fn refresh(&self, known: &Endpoint, place: &Place) -> Result<(), AppError> {
        match place {
            Place::Address(base_url) => self.store.move_baseline(&known.slug, base_url).await?,
            Place::Worker(method) => self.store.describe_method(known, method.card.clone()).await?,
        }
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
    let (kind, base_url, method) = match &builtin.place {
        Place::Address(base_url) => (EndpointKind::Baseline, base_url.clone(), None),
        Place::Worker(method) => (EndpointKind::Reference, String::new(), Some(MethodColumn(Method::clone(method)))),
    };
    Endpoint {
        description: builtin.description.clone(),
        base_url,
        method,
        api: builtin.api,
        max_concurrency: builtin.max_concurrency.cast_signed(),
        max_leases: 2,
        ..Endpoint::new(team_id, kind, &builtin.slug, &builtin.slug, now)
    }
}
