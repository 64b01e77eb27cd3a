//! Judgings: asking for one, its rounds, what workers get and what they bring back.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use longboard_endpoint::model::cleaned;
use longboard_protocol::judging::{JudgeWork, Question, RefusedVerdict, Spoken, VerdictsReply, VerdictsRequest};
use longboard_store::judge::Judge;
use longboard_store::judging::{Decision, Docket, Judging, PoolAnswer, Verdict};
use longboard_store::queue::Shard;
use longboard_store::rating_board::RatingBoard as BoardRow;
use longboard_store::run::{Run, one_per_endpoint};
use longboard_store::{JudgeKind, JudgingState, Names, RatingSource, ShardKind, StoreError};
use longboard_suites::item::prompt_digest;
use longboard_suites::judging::{Ask, Label, OpenEnded, parse_rating, parse_score};
use longboard_suites::length::Length;
use longboard_suites::task::Task;
use serde_json::json;
use uuid::Uuid;

use crate::fleet::FleetMember;
use crate::judge::label;
use crate::pairing::{Contestant, Pool, PoolItem, Seat};
use crate::sample::Press;
use crate::standing::{Stand, stand};
use crate::{AppError, Bell, Fresh, Longboard};

/// Most questions of one judging.
const BUDGET: u32 = 1_000_000;

/// Most scores of one answer by one judge.
const SAMPLES: u32 = 20;

/// Most questions of one shard: some minutes of a slow judge.
const DOCKET: usize = 32;

/// Verdicts of one batch.
const BATCH: usize = 256;

/// Letters of a judge's reply that are kept.
const RAW_CHARS: usize = 20_000;

/// What a maintainer asks for.
#[derive(Debug, Clone, Default)]
pub struct JudgingRequest {
    /// Suite slug.
    pub suite: String,
    /// Judges by slug; all that are enrolled when empty.
    pub judges: Vec<String>,
    /// Most questions, ratings included.
    pub budget: u32,
    /// Scores from 1 to 5 of one answer by one judge; 0 to compare answers instead.
    pub samples: u32,
}

/// Slug of the board that a suite's judgings fill.
#[must_use]
pub fn judged_slug(suite: &str) -> String {
    format!("{suite}-judged")
}

impl Longboard {
    /// Opens a judging of a suite and plans its first round.
    ///
    /// # Errors
    /// [`AppError::Invalid`] names what is missing: open-ended tasks, judges, answers, or an end of the open judging.
    pub async fn request_judging(
        &self,
        by: &str,
        request: JudgingRequest,
        fresh: Fresh,
        now: DateTime<Utc>,
    ) -> Result<Judging, AppError> {
        let suite = self.store.suite(&request.suite).await?.ok_or_else(|| AppError::no("suite", &request.suite))?;
        if !(2..=BUDGET).contains(&request.budget) {
            return Err(AppError::Invalid(format!("the budget is a whole number of questions from 2 to {BUDGET}")));
        }
        if request.samples > SAMPLES {
            return Err(AppError::Invalid(format!("a judge scores an answer at most {SAMPLES} times")));
        }
        if self.store.judgings(Some(&suite.slug), 50).await?.iter().any(|other| other.state == JudgingState::Open) {
            return Err(AppError::Invalid("a judging of this suite is open; wait until it has ended".to_owned()));
        }
        let judges = self.bench(&request.judges).await?;
        let seed = fresh.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes));
        let judging = Judging {
            id: Uuid::now_v7(),
            suite_slug: suite.slug.clone(),
            judges: Names(judges.iter().map(|judge| judge.slug.clone()).collect()),
            budget: request.budget.cast_signed(),
            samples: request.samples.cast_signed(),
            rounds: 0,
            seed,
            state: JudgingState::Open,
            ended_by: None,
            requested_by: by.to_owned(),
            created_at: now,
            closed_at: None,
        };
        let pool = self.pool(&judging).await?.pool;
        if pool.items.is_empty() {
            return Err(AppError::Invalid(format!(
                "there is nothing to judge: {} needs open-ended tasks that {} answered",
                suite.title,
                if request.samples > 0 { "an entry" } else { "at least two entries" }
            )));
        }
        let judging = self.store.add_judging(judging).await?;
        let board = BoardRow {
            slug: judged_slug(&suite.slug),
            title: format!("{}, judged", suite.title),
            suite_slug: Some(suite.slug.clone()),
            source: RatingSource::Judging,
            remarks: Names::default(),
            data_version: 0,
            created_by: by.to_owned(),
            created_at: now,
        };
        if judging.samples == 0 {
            self.store.touch_judged_board(board).await?;
        }
        let detail = json!({"suite": suite.slug, "judges": judging.judges.0, "budget": judging.budget, "samples": judging.samples});
        self.note(by, "request_judging", judging.id, detail, now).await?;
        self.advance(&judging, now).await?;
        Ok(judging)
    }

    /// The judges of a new judging: those named, or all that can judge by themselves.
    async fn bench(&self, named: &[String]) -> Result<Vec<Judge>, AppError> {
        let enrolled: Vec<Judge> = self.store.judges().await?;
        let able = |judge: &&Judge| judge.kind != JudgeKind::Humans && judge.retired_at.is_none();
        if named.is_empty() {
            return Ok(enrolled.iter().filter(able).cloned().collect());
        }
        let find = |slug: &String| {
            let found = enrolled.iter().filter(able).find(|judge| judge.slug == *slug);
            found.cloned().ok_or_else(|| AppError::Invalid(format!("`{slug}` is no judge that can judge by itself")))
        };
        named.iter().collect::<BTreeSet<_>>().into_iter().map(find).collect()
    }

    /// Plans the next round of every open judging that waits for nobody, or ends it. What two servers do at once happens
    /// once.
    pub(crate) async fn advance_judgings(&self, now: DateTime<Utc>) -> Result<(), AppError> {
        for judging in self.store.idle_judgings().await? {
            self.advance(&judging, now).await?;
        }
        Ok(())
    }

    async fn advance(&self, judging: &Judging, now: DateTime<Utc>) -> Result<(), AppError> {
        let Ground { pool, judges } = self.pool(judging).await?;
        let asked = self.store.verdicts_of_judging(judging.id).await?;
        let row = judging.clone();
        let (round, why) =
            tokio::task::spawn_blocking(move || plan(&pool, &row, &asked, now)).await.map_err(AppError::stopped)?;
        if let Some(why) = why {
            if self.store.close_judging(judging.id, why, now).await? {
                self.store.raise_rating_version(&judged_slug(&judging.suite_slug)).await?;
            }
            return Ok(());
        }
        if self.store.add_round(judging, self.dockets(round, &judges).await?, now).await? {
            self.store.raise_rating_version(&judged_slug(&judging.suite_slug)).await?;
            self.ring(Bell::Queue);
        }
        Ok(())
    }

    async fn dockets(&self, round: Vec<Verdict>, judges: &[Judge]) -> Result<Vec<Docket>, AppError> {
        let mut cells: BTreeMap<(String, String, i32, i32), Vec<Verdict>> = BTreeMap::new();
        for verdict in round {
            let (judge, task) = (verdict.judge_slug.clone(), verdict.task_slug.clone());
            cells.entry((judge, task, verdict.task_version, verdict.length_tokens)).or_default().push(verdict);
        }
        let mut dockets = Vec::new();
        for ((judge, task_slug, task_version, length_tokens), verdicts) in cells {
            let id = judges.iter().find(|row| row.slug == judge).and_then(|row| row.endpoint_id);
            let endpoint = match id {
                Some(id) => self.store.endpoint(id).await?,
                None => None,
            };
            let endpoint = endpoint.ok_or_else(|| AppError::no("endpoint of the judge", &judge))?;
            dockets.extend(verdicts.chunks(DOCKET).map(|part| Docket {
                endpoint: endpoint.clone(),
                task_slug: task_slug.clone(),
                task_version,
                length_tokens,
                verdicts: part.to_vec(),
            }));
        }
        Ok(dockets)
    }

    /// What a judging may compare now.
    async fn pool(&self, judging: &Judging) -> Result<Ground, AppError> {
        let gone = || AppError::no("suite", &judging.suite_slug);
        let suite = self.store.suite(&judging.suite_slug).await?.ok_or_else(gone)?;
        let mut tasks = Vec::new();
        for slug in &suite.tasks.0 {
            let Some(row) = self.store.task(slug, None).await?.filter(|row| !row.imported()) else { continue };
            let task = Task::new(row.definition()).map_err(|error| AppError::Invalid(error.to_string()))?;
            if task.card().open_ended {
                tasks.push(slug.clone());
            }
        }
        let runs = same_season(one_per_endpoint(self.store.runs_of_suite(&suite.slug).await?));
        let mut contestants = Vec::with_capacity(runs.len());
        for run in &runs {
            let Some(endpoint) = self.store.endpoint(run.endpoint_id).await? else { continue };
            contestants.push((run.id, Contestant { slug: endpoint.slug, family: endpoint.family }));
        }
        contestants.sort_by(|left, right| left.1.slug.cmp(&right.1.slug));
        let runs: Vec<Uuid> = contestants.iter().map(|(run, _)| *run).collect();
        let least = if judging.samples > 0 { 1 } else { 2 };
        let items = items(&runs, self.store.pool(&runs, &tasks).await?, least);
        let judges: Vec<Judge> =
            self.store.judges().await?.into_iter().filter(|judge| judging.judges.0.contains(&judge.slug)).collect();
        let seats = judges.iter().map(|row| Seat {
            slug: row.slug.clone(),
            family: row.family.clone(),
            prompt_version: row.prompt_version.clone(),
        });
        let contestants = contestants.into_iter().map(|(_, contestant)| contestant).collect();
        Ok(Ground { pool: Pool { contestants, items, judges: seats.collect() }, judges })
    }

    pub(crate) async fn judge_work(&self, shard: &Shard) -> Result<JudgeWork, AppError> {
        let gone = |what: &str| AppError::Invalid(format!("the {what} is gone"));
        let row = self.store.task(&shard.task_slug, Some(shard.task_version)).await?.ok_or_else(|| gone("task"))?;
        let open: Vec<Verdict> = self.store.verdicts_of_shard(shard.id).await?;
        let open: Vec<Verdict> = open.into_iter().filter(|verdict| verdict.decided_at.is_none()).collect();
        let task = self.task_spec(&row, indices(&open)).await?;
        let texts = self.texts(&open).await?;
        let text = |id: i64| texts.bodies.get(&id).cloned().ok_or_else(|| gone("answer"));
        let questions = open.iter().map(|verdict| {
            Ok(Question {
                position: verdict.position.cast_unsigned(),
                index: verdict.item_index.cast_unsigned(),
                first: text(verdict.first_answer)?,
                second: verdict.second_answer.map(text).transpose()?,
                nonce: verdict.nonce.clone(),
            })
        });
        Ok(JudgeWork {
            judge: self.judge_spec(shard.endpoint_id).await?,
            task,
            length_tokens: shard.length_tokens.cast_unsigned(),
            seed: texts.seed.cast_unsigned(),
            scores: self.scores(&open).await?,
            questions: questions.collect::<Result<_, AppError>>()?,
        })
    }

    /// Whether questions of a shard are for scores.
    async fn scores(&self, questions: &[Verdict]) -> Result<bool, AppError> {
        let Some(question) = questions.first() else { return Ok(false) };
        Ok(self.store.judging(question.judging_id).await?.is_some_and(|judging| judging.samples > 0))
    }

    /// The answers that questions are about, and the season they belong to.
    pub(crate) async fn texts(&self, verdicts: &[Verdict]) -> Result<Texts, AppError> {
        let ids: BTreeSet<i64> = verdicts
            .iter()
            .flat_map(|verdict| std::iter::once(verdict.first_answer).chain(verdict.second_answer))
            .collect();
        let answers = self.store.answers_by_id(&ids.into_iter().collect::<Vec<_>>()).await?;
        let run = match answers.first() {
            Some(answer) => self.store.run(answer.run_id).await?,
            None => None,
        };
        let seed = run.map_or(crate::run::SEASON_SEED, |run| run.seed);
        Ok(Texts { bodies: answers.into_iter().map(|answer| (answer.id, answer.body)).collect(), seed })
    }

    /// Stores what a judge said. Every prompt is rebuilt and every verdict read here; posting again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when the shard is somebody else's; [`AppError::Invalid`] for a batch that is too big.
    pub async fn record_verdicts(
        &self,
        by: &FleetMember,
        shard: Uuid,
        request: VerdictsRequest,
        now: DateTime<Utc>,
    ) -> Result<VerdictsReply, AppError> {
        if request.verdicts.len() > BATCH {
            return Err(AppError::Invalid(format!("a batch holds at most {BATCH} verdicts; send smaller ones")));
        }
        let owner = by.worker().id;
        let shard = self.store.leased(shard, owner, request.fence).await?;
        if shard.kind != ShardKind::Judge {
            return Err(AppError::Invalid("this shard has no questions to a judge".to_owned()));
        }
        let row = self.store.task(&shard.task_slug, Some(shard.task_version)).await?;
        let row = row.ok_or_else(|| AppError::no("task", &shard.task_slug))?;
        let length = Length::new(shard.length_tokens.cast_unsigned())
            .map_err(|error| AppError::Store(StoreError::Corrupt(error.to_string())))?;
        let questions = self.store.verdicts_of_shard(shard.id).await?;
        let texts = self.texts(&questions).await?;
        let press = self.press(&row, length, texts.seed, indices(&questions)).await?;
        let scores = self.scores(&questions).await?;
        let desk = Reading { press, questions, scores, bodies: texts.bodies };
        let examined = tokio::task::spawn_blocking(move || desk.examine(request.verdicts));
        let (decisions, refused) = examined.await.map_err(AppError::stopped)?;
        let accepted = decisions.len();
        let held = (shard.id, owner, request.fence);
        let stored = self.store.record_decisions(held, decisions, self.lease, now).await?;
        for refusal in &refused {
            tracing::warn!(shard = %shard.id, position = refusal.position, reason = refusal.reason, "a verdict is refused");
        }
        let stored = u32::try_from(stored).unwrap_or(u32::MAX);
        let duplicates = u32::try_from(accepted).unwrap_or(u32::MAX).saturating_sub(stored);
        Ok(VerdictsReply { stored, duplicates, refused })
    }
}

/// Answers by id, with the seed their items follow from.
pub(crate) struct Texts {
    pub bodies: HashMap<i64, String>,
    pub seed: i64,
}

/// What a judging may compare, with its judges.
struct Ground {
    pool: Pool,
    judges: Vec<Judge>,
}

/// Only answers to the same items can be compared: the runs of the newest run's season.
fn same_season(runs: Vec<Run>) -> Vec<Run> {
    let seed = runs.first().map(|run| run.seed);
    runs.into_iter().filter(|run| Some(run.seed) == seed).collect()
}

/// Items that at least so many runs answered, with contestants by place of their run.
fn items(runs: &[Uuid], pool: Vec<PoolAnswer>, least: usize) -> Vec<PoolItem> {
    let mut items: BTreeMap<(String, i32, i32, i32), BTreeMap<usize, i64>> = BTreeMap::new();
    for answer in pool {
        let Some(place) = runs.iter().position(|run| *run == answer.run_id) else { continue };
        let key = (answer.task_slug, answer.task_version, answer.length_tokens, answer.item_index);
        items.entry(key).or_default().insert(place, answer.id);
    }
    let several = items.into_iter().filter(|(_, answers)| answers.len() >= least);
    several
        .map(|((task_slug, task_version, length_tokens, item_index), answers)| PoolItem {
            task_slug,
            task_version,
            length_tokens,
            item_index,
            answers,
        })
        .collect()
}

/// The next round, or why there is none.
fn plan(pool: &Pool, judging: &Judging, asked: &[Verdict], now: DateTime<Utc>) -> (Vec<Verdict>, Option<&'static str>) {
    let left = usize::try_from(judging.budget).unwrap_or(0).saturating_sub(asked.len());
    if judging.samples > 0 {
        let round = pool.scores(judging, asked, left, now);
        let left_over = || !pool.scores(judging, asked, usize::MAX, now).is_empty();
        let why = round.is_empty().then(|| if left_over() { "budget" } else { "every answer is scored" });
        return (round, why);
    }
    let slugs: Vec<&str> = pool.contestants.iter().map(|contestant| contestant.slug.as_str()).collect();
    let standing = match stand(&slugs, asked) {
        Stand::Decided => return (Vec::new(), Some("decided")),
        Stand::Open(standing) => Some(standing),
        Stand::Unknown => None,
    };
    let round = pool.round(judging, asked, standing, left, now);
    let why = round.is_empty().then(|| if left < 4 * pool.judges.len() { "budget" } else { "nothing left to compare" });
    (round, why)
}

fn indices(verdicts: &[Verdict]) -> BTreeSet<u32> {
    verdicts.iter().map(|verdict| verdict.item_index.cast_unsigned()).collect()
}

/// What is needed to read the verdicts of a shard.
struct Reading {
    press: Press,
    questions: Vec<Verdict>,
    scores: bool,
    bodies: HashMap<i64, String>,
}

impl Reading {
    fn examine(&self, spoken: Vec<Spoken>) -> (Vec<Decision>, Vec<RefusedVerdict>) {
        let mut materials = BTreeMap::new();
        let (mut decisions, mut refused) = (Vec::with_capacity(spoken.len()), Vec::new());
        for said in spoken {
            let position = said.position;
            match self.decide(said, &mut materials) {
                Ok(decision) => decisions.push(decision),
                Err(reason) => refused.push(RefusedVerdict { position, reason }),
            }
        }
        (decisions, refused)
    }

    fn decide(&self, said: Spoken, materials: &mut Materials) -> Result<Decision, String> {
        let position = said.position.cast_signed();
        let question = self.questions.iter().find(|question| question.position == position);
        let question = question.ok_or("outside the shard")?;
        let digest = self.digest(question, materials)?;
        if !digest.eq_ignore_ascii_case(&said.prompt_digest) {
            return Err("prompt digest differs: the worker asks otherwise than this server; update it".to_owned());
        }
        let texts: Vec<String> = said.texts.into_iter().take(2).map(|text| kept(&text)).collect();
        let (rating, label) = match self.ask(question) {
            Ask::Pairwise => (None, label(&texts).slug()),
            Ask::Rating => absolute(rating(&texts), "rated"),
            Ask::Score => absolute(score(&texts), "scored"),
        };
        Ok(Decision {
            position,
            label: label.to_owned(),
            rating,
            asks: i32::try_from(texts.len()).unwrap_or(0),
            raw: texts.join("\n\n[asked again]\n\n"),
            prompt_digest: digest,
            cause: said.cause.map(|cause| cleaned(&cause).chars().take(60).collect()),
            latency_ms: i32::try_from(said.latency_ms).ok(),
        })
    }

    fn digest(&self, question: &Verdict, materials: &mut Materials) -> Result<String, String> {
        let index = question.item_index.cast_unsigned();
        let build = || self.press.open_ended(index).map_err(|error| error.to_string());
        let built = materials.entry(index).or_insert_with(build);
        let material = built.as_ref().map_err(Clone::clone)?;
        let body = |id: i64| self.bodies.get(&id).map(String::as_str).ok_or("the answer is gone");
        let first = body(question.first_answer)?;
        let second = question.second_answer.map(body).transpose()?;
        Ok(prompt_digest(&self.ask(question).prompt(material, first, second, &question.nonce)))
    }

    fn ask(&self, question: &Verdict) -> Ask {
        match question.second_answer {
            Some(_) => Ask::Pairwise,
            None if self.scores => Ask::Score,
            None => Ask::Rating,
        }
    }
}

/// What judges see, by item: built once per batch.
type Materials = BTreeMap<u32, Result<OpenEnded, String>>;

/// A rating of 1 to 10 as a share; the last reply counts.
fn rating(texts: &[String]) -> Option<f64> {
    texts.iter().rev().find_map(|text| parse_rating(text)).map(|rating| (f64::from(rating) - 1.0) / 9.0)
}

/// A score of 1 to 5 as a share; the last reply counts.
fn score(texts: &[String]) -> Option<f64> {
    texts.iter().rev().find_map(|text| parse_score(text)).map(|score| (f64::from(score) - 1.0) / 4.0)
}

fn absolute(share: Option<f64>, label: &'static str) -> (Option<f64>, &'static str) {
    (share, if share.is_some() { label } else { Label::Invalid.slug() })
}

/// PostgreSQL has no text with U+0000; the end is kept, where the verdict stands.
fn kept(text: &str) -> String {
    let text = text.replace('\0', "\u{fffd}");
    let over = text.chars().count().saturating_sub(RAW_CHARS);
    text.chars().skip(over).collect()
}
