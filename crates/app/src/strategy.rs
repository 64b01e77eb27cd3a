//! Strategies around endpoints: each is a contestant of its own, with the address of the endpoint it works around.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use longboard_endpoint::strategy::{Card, Parameter, Strategy};
use longboard_protocol::api::{
    MethodDifference, StrategiesReport, StrategyCard, StrategyCost, StrategyParameter, StrategyRow,
};
use longboard_store::EndpointCall;
use longboard_store::endpoint::Endpoint;
use longboard_store::run::{Run, one_per_endpoint};
use longboard_store::strategy::CostCell;
use longboard_suites::length::Length;
use longboard_suites::paraformer::ALPHA;
use longboard_suites::searching::Searching;
use longboard_suites::task::{ItemRequest, Task};
use uuid::Uuid;

use crate::compare::{Common, common, paired, same_items};
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
        let strategy = strategy.map(str::trim).filter(|label| !label.is_empty() && *label != PLAIN);
        let Some(strategy) = strategy else { return Ok(endpoint) };
        let Chosen { label, title } = chosen(&endpoint, strategy)?;
        let slug = format!("{}-{}", endpoint.slug, label.replace([' ', '=', '.'], "-"));
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
            strategy: Some(label),
            plain_id: Some(endpoint.id),
            ..endpoint
        };
        Ok(self.store.add_endpoint(variant).await?)
    }
}

impl Longboard {
    /// What strategies gained and cost on a suite: the asked one, or the first that has such runs.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn strategies_report(&self, suite: Option<&str>) -> Result<StrategiesReport, AppError> {
        let variants = self.store.strategies().await?;
        let ids: Vec<Uuid> = variants.iter().map(|variant| variant.id).collect();
        let run = self.store.suites_run_by(&ids).await?;
        let all = self.store.suites().await?.into_iter().map(|suite| suite.slug);
        let suites: Vec<String> = all.filter(|slug| run.contains(slug)).collect();
        let suite = suites.iter().find(|slug| suite.is_none_or(|suite| suite == *slug)).cloned();
        let rows = match &suite {
            Some(slug) => self.strategy_rows(&variants, &self.store.runs_on(slug).await?).await?,
            None => Vec::new(),
        };
        Ok(StrategiesReport { known: cards(), suites, suite, rows })
    }

    async fn strategy_rows(&self, variants: &[Endpoint], runs: &[Run]) -> Result<Vec<StrategyRow>, AppError> {
        let newest = one_per_endpoint(runs.to_vec());
        let mut rows = Vec::new();
        for variant in variants {
            let own = newest.iter().find(|run| run.endpoint_id == variant.id);
            let (Some(own), Some(plain_id)) = (own, variant.plain_id) else { continue };
            let Some(plain) = self.store.endpoint(plain_id).await? else { continue };
            let beside = beside(own, plain_id, runs);
            let ids: Vec<Uuid> = std::iter::once(own).chain(beside).map(|run| run.id).collect();
            let cells = self.store.cost_cells(&ids).await?;
            let shared = match beside.filter(|beside| same_items(own, beside)) {
                Some(beside) => common(self.store.scores(own.id).await?, self.store.scores(beside.id).await?),
                None => Vec::new(),
            };
            let pair = Pair { variant, plain: &plain, own, beside };
            rows.extend(pair.rows(&cells, &gains(&shared)));
        }
        Ok(rows)
    }
}

/// The run of the plain endpoint with most in common: of the same items at all lengths of `own`, else its newest.
fn beside<'a>(own: &Run, plain: Uuid, runs: &'a [Run]) -> Option<&'a Run> {
    let mut all = runs.iter().filter(|run| run.endpoint_id == plain);
    let covers = |run: &&Run| {
        same_items(own, run)
            && run.samples >= own.samples
            && own.lengths.0.iter().all(|length| run.lengths.0.contains(length))
    };
    all.clone().find(covers).or_else(|| all.next())
}

/// Paired differences by task and length in tokens.
type Gains = BTreeMap<(String, i32), MethodDifference>;

fn gains(shared: &[Common]) -> Gains {
    let mut cells: BTreeMap<(String, i32), Vec<&Common>> = BTreeMap::new();
    for one in shared {
        cells.entry((one.task().to_owned(), one.length_tokens())).or_default().push(one);
    }
    let difference = |((task, length), items): ((String, i32), Vec<&Common>)| {
        let part = paired(task.clone(), None, &items);
        let n = u32::try_from(part.n).unwrap_or(u32::MAX);
        let value = MethodDifference { value: part.a - part.b, ci95: part.ci95, n, paired: true };
        ((task, length), value)
    };
    cells.into_iter().map(difference).collect()
}

/// A model under a strategy and the model it works around.
struct Pair<'a> {
    variant: &'a Endpoint,
    plain: &'a Endpoint,
    own: &'a Run,
    beside: Option<&'a Run>,
}

impl Pair<'_> {
    fn rows(&self, cells: &[CostCell], gains: &Gains) -> Vec<StrategyRow> {
        cells.iter().filter(|cell| cell.run_id == self.own.id).filter_map(|cell| self.row(cell, cells, gains)).collect()
    }

    fn row(&self, cell: &CostCell, cells: &[CostCell], gains: &Gains) -> Option<StrategyRow> {
        let plain = self.beside.and_then(|beside| {
            let same = |other: &&CostCell| {
                let place = (other.task_slug.as_str(), other.length_tokens);
                other.run_id == beside.id && place == (cell.task_slug.as_str(), cell.length_tokens)
            };
            cells.iter().find(same)
        });
        let unpaired =
            plain.map(|plain| MethodDifference { value: score(cell) - score(plain), ci95: None, n: 0, paired: false });
        Some(StrategyRow {
            model: self.variant.slug.clone(),
            plain: self.plain.slug.clone(),
            strategy: self.variant.strategy.clone()?,
            task: cell.task_slug.clone(),
            length: Length::new(cell.length_tokens.cast_unsigned()).ok()?.to_string(),
            n: u32::try_from(cell.n).unwrap_or(u32::MAX),
            score: score(cell),
            cost: cost(cell),
            plain_score: plain.map(score),
            plain_cost: plain.map(cost),
            gain: gains.get(&(cell.task_slug.clone(), cell.length_tokens)).cloned().or(unpaired),
        })
    }
}

/// 0..100.
#[expect(clippy::cast_precision_loss, reason = "counts of samples")]
fn score(cell: &CostCell) -> f64 {
    100.0 * cell.total / cell.n.max(1) as f64
}

/// Answers of one call carry no figures of their own: they sent their prompt.
fn cost(cell: &CostCell) -> StrategyCost {
    StrategyCost {
        calls: cell.calls.unwrap_or(1.0),
        sent_tokens: cell.sent_tokens.unwrap_or(cell.prompt_tokens),
        written_tokens: cell.written_tokens.or(cell.reported_tokens),
        latency_ms: cell.latency_ms,
    }
}

/// All strategies.
#[must_use]
pub fn cards() -> Vec<StrategyCard> {
    let chat = Card::all().iter().filter(|card| card.slug != PLAIN).map(|card| StrategyCard {
        slug: card.slug.to_owned(),
        title: card.title.to_owned(),
        around: "chat".to_owned(),
        what: card.what.to_owned(),
        differs: card.differs.to_owned(),
        parameters: card.parameters.iter().map(parameter).collect(),
        citation: card.citation.to_owned(),
        cost: card.cost.to_owned(),
    });
    let embedders = Searching::all().into_iter().map(|searching| StrategyCard {
        slug: searching.label(),
        title: searching.title().to_owned(),
        around: "embedder".to_owned(),
        what: String::new(),
        differs: String::new(),
        parameters: numbers(searching),
        citation: searching.citation().to_owned(),
        cost: searching.cost().to_owned(),
    });
    chat.chain(embedders).collect()
}

fn parameter(known: &Parameter) -> StrategyParameter {
    StrategyParameter {
        name: known.name.to_owned(),
        help: known.help.to_owned(),
        default: known.default,
        least: known.least,
        most: known.most,
    }
}

/// What a strategy around embedders can be given.
fn numbers(searching: Searching) -> Vec<StrategyParameter> {
    match searching {
        Searching::Encoding(_) => Vec::new(),
        Searching::Paraformer(_) => vec![StrategyParameter {
            name: "alpha".to_owned(),
            help: "share of the sentences' vectors; the rest is BM25".to_owned(),
            default: ALPHA,
            least: 0.0,
            most: 1.0,
        }],
    }
}

/// The name of asking an endpoint as it is.
pub const PLAIN: &str = "plain";

/// A strategy as it is kept and as it is called.
struct Chosen {
    /// Name and the settings that are not the defaults: equal labels are equal strategies.
    label: String,
    title: String,
}

fn chosen(endpoint: &Endpoint, strategy: &str) -> Result<Chosen, AppError> {
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
    let invalid = |error: &dyn std::fmt::Display| AppError::Invalid(error.to_string());
    match endpoint.api {
        EndpointCall::Chat | EndpointCall::Completions => {
            let strategy = Strategy::from_str(strategy).map_err(|error| invalid(&error))?;
            let label = strategy.label();
            let settings = label.strip_prefix(strategy.card().slug).map(str::trim).filter(|given| !given.is_empty());
            let settings = settings.map(|given| format!(" ({given})")).unwrap_or_default();
            Ok(Chosen { title: format!("{}{settings}", strategy.card().title), label })
        }
        EndpointCall::Embeddings => {
            let searching = Searching::from_str(strategy).map_err(|error| invalid(&error))?;
            Ok(Chosen { title: searching.title().to_owned(), label: searching.label() })
        }
        EndpointCall::Rerank | EndpointCall::TrueFalse => {
            refuse("rerankers read documents as they are; strategies are for others".to_owned())
        }
    }
}

/// Whether items of a task can be asked under a strategy; a task on a data file is seen to when it runs.
pub(crate) fn divisible(task: &Task) -> Result<(), AppError> {
    if task.definition().data.is_some() || task.retrieval().is_some() {
        return Ok(());
    }
    let length = Length::new(task.min_tokens().max(1024)).map_err(|error| AppError::Invalid(error.to_string()))?;
    let item = task.item(&ItemRequest::new(0, 0, length)).map_err(|error| AppError::Invalid(error.to_string()))?;
    if item.document.is_some() {
        return Ok(());
    }
    let slug = task.slug();
    Err(AppError::Invalid(format!("`{slug}` has no document apart from its question, which strategies need")))
}
