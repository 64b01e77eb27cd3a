//! Battles: two answers to one item, seen with every judge's verdicts, and labelled by people who do not know whose
//! answers they are.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use longboard_store::answer::Answer;
use longboard_store::judging::{Judging, Verdict};
use longboard_suites::judging::{Label, OpenEnded, PROMPT_VERSION, suspect};
use longboard_suites::length::Length;
use longboard_suites::rng::Rng;
use serde::Serialize;
use uuid::Uuid;

use crate::account::Maintainer;
use crate::judge::HUMANS;
use crate::judging::judged_slug;
use crate::{AppError, Longboard};

/// A battle with all that was said about it.
#[derive(Debug, Clone, Serialize)]
pub struct Battle {
    /// Identity.
    pub id: Uuid,
    /// Suite.
    pub suite: String,
    /// Board that it counts on.
    pub board: String,
    /// Task.
    pub task: String,
    /// Bucket.
    pub length: String,
    /// Item.
    pub index: i32,
    /// What was asked, without the long text.
    pub question: String,
    /// A model answer, where there is one.
    pub reference: Option<String>,
    /// The two sides, by name.
    pub sides: Vec<Side>,
    /// Verdicts, by judge and order.
    pub verdicts: Vec<Heard>,
}

/// One answer.
#[derive(Debug, Clone, Serialize)]
pub struct Side {
    /// Entry.
    pub entry: String,
    /// Run.
    pub run: Uuid,
    /// Sample of the run.
    pub number: i32,
    /// The answer.
    pub answer: String,
    /// Score of the task's own metric, 0..1.
    pub score: Option<f64>,
    /// The known instruction to judges that it holds, if any.
    pub injection: Option<String>,
}

/// One verdict.
#[derive(Debug, Clone, Serialize)]
pub struct Heard {
    /// Judge.
    pub judge: String,
    /// Entry shown first.
    pub first: String,
    /// Label in the order shown; absent while it waits.
    pub label: Option<String>,
    /// Entry that won; absent for ties, invalid and waiting ones.
    pub winner: Option<String>,
    /// What was said.
    pub raw: String,
    /// How often the judge was asked.
    pub asks: i32,
    /// Version of the prompt.
    pub prompt_version: String,
    /// SHA-256 of the prompt.
    pub prompt_digest: Option<String>,
    /// Probability with which the comparison was chosen.
    pub propensity: f64,
    /// Why there is no verdict.
    pub cause: Option<String>,
}

/// A battle for a person: whose answers they are does not show.
#[derive(Debug, Clone)]
pub struct Blinded {
    /// Identity.
    pub battle: Uuid,
    /// 0 when the sides stand by name, 1 when turned.
    pub turn: i32,
    /// What was asked.
    pub question: String,
    /// A model answer.
    pub reference: Option<String>,
    /// The answers in the order shown.
    pub answers: [String; 2],
    /// Battles this person has labelled.
    pub done: usize,
}

impl Longboard {
    /// A battle.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn battle(&self, id: Uuid) -> Result<Battle, AppError> {
        let verdicts = self.store.verdicts_of_battle(id).await?;
        let Some(one) = verdicts.iter().find(|verdict| verdict.second_answer.is_some()).cloned() else {
            return Err(AppError::no("battle", id));
        };
        let judging = self.judging_of(&one).await?;
        let material = self.material(&one).await?;
        let answers = self.sides(&one).await?;
        let mut sides: Vec<Side> = [Some(one.first_entry.clone()), one.second_entry.clone()]
            .into_iter()
            .flatten()
            .zip(answers)
            .map(|(entry, answer)| Side {
                entry,
                run: answer.run_id,
                number: answer.number,
                score: answer.score,
                injection: suspect(&answer.body).map(ToOwned::to_owned),
                answer: answer.body,
            })
            .collect();
        sides.sort_by(|left, right| left.entry.cmp(&right.entry));
        Ok(Battle {
            id,
            board: judged_slug(&judging.suite_slug),
            suite: judging.suite_slug,
            task: one.task_slug.clone(),
            length: Length::new(one.length_tokens.cast_unsigned()).map(|length| length.to_string()).unwrap_or_default(),
            index: one.item_index,
            question: material.question,
            reference: material.reference,
            sides,
            verdicts: verdicts.into_iter().filter(|verdict| verdict.second_answer.is_some()).map(heard).collect(),
        })
    }

    async fn judging_of(&self, verdict: &Verdict) -> Result<Judging, AppError> {
        let found = self.store.judging(verdict.judging_id).await?;
        found.ok_or_else(|| AppError::no("judging", verdict.judging_id))
    }

    async fn material(&self, verdict: &Verdict) -> Result<OpenEnded, AppError> {
        let row = self.store.task(&verdict.task_slug, Some(verdict.task_version)).await?;
        let row = row.ok_or_else(|| AppError::no("task", &verdict.task_slug))?;
        let length =
            Length::new(verdict.length_tokens.cast_unsigned()).map_err(|error| AppError::Invalid(error.to_string()))?;
        let seed = self.texts(std::slice::from_ref(verdict)).await?.seed;
        let index = verdict.item_index.cast_unsigned();
        let press = self.press(&row, length, seed, [index]).await?;
        tokio::task::spawn_blocking(move || press.open_ended(index)).await.map_err(AppError::stopped)?
    }

    /// The answers in the order of the verdict.
    async fn sides(&self, verdict: &Verdict) -> Result<Vec<Answer>, AppError> {
        let ids: Vec<i64> = std::iter::once(verdict.first_answer).chain(verdict.second_answer).collect();
        let mut answers = self.store.answers_by_id(&ids).await?;
        answers.sort_by_key(|answer| ids.iter().position(|id| *id == answer.id));
        Ok(answers)
    }

    /// A battle of a suite that this person has not labelled; `None` when all are.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn next_blinded(&self, by: &Maintainer, suite: &str) -> Result<Option<Blinded>, AppError> {
        let person = by.user().email.as_str();
        let verdicts = self.store.verdicts_of_suite(suite).await?;
        let own: BTreeSet<Uuid> =
            verdicts.iter().filter(|verdict| verdict.labeller == person).map(|verdict| verdict.battle_id).collect();
        let open = verdicts.iter().filter(|verdict| {
            verdict.second_answer.is_some() && verdict.turn == 0 && !own.contains(&verdict.battle_id)
        });
        let Some(one) = open.min_by_key(|verdict| (shuffled(verdict.battle_id, person), verdict.id)) else {
            return Ok(None);
        };
        let material = self.material(one).await?;
        let turn = i32::from(shuffled(one.battle_id, person) % 2 == 1);
        let mut texts: Vec<String> = self.sides(one).await?.into_iter().map(|answer| answer.body).collect();
        if turn == 1 {
            texts.reverse();
        }
        let answers = texts.try_into().map_err(|_| AppError::no("answers of battle", one.battle_id))?;
        let battle = one.battle_id;
        let OpenEnded { question, reference, .. } = material;
        Ok(Some(Blinded { battle, turn, question, reference, answers, done: own.len() }))
    }

    /// Stores a person's verdict, in the order the answers were shown to them.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Store`] when they labelled it before.
    pub async fn label_battle(
        &self,
        by: &Maintainer,
        battle: Uuid,
        turn: i32,
        label: Label,
        now: DateTime<Utc>,
    ) -> Result<String, AppError> {
        let verdicts = self.store.verdicts_of_battle(battle).await?;
        let shown = verdicts.into_iter().find(|verdict| verdict.second_answer.is_some() && verdict.turn == turn);
        let shown = shown.ok_or_else(|| AppError::no("battle", battle))?;
        let suite = self.judging_of(&shown).await?.suite_slug;
        let row = Verdict {
            judge_slug: HUMANS.to_owned(),
            labeller: by.user().email.clone(),
            shard_id: None,
            label: Some(label.slug().to_owned()),
            rating: None,
            raw: Some(String::new()),
            asks: 1,
            cause: None,
            latency_ms: None,
            worker_id: None,
            prompt_version: PROMPT_VERSION.to_owned(),
            prompt_digest: None,
            created_at: now,
            decided_at: Some(now),
            ..shown
        };
        self.store.add_verdict(row).await?;
        self.store.raise_rating_version(&judged_slug(&suite)).await?;
        Ok(suite)
    }
}

/// The same order for one person, another for the next.
fn shuffled(battle: Uuid, person: &str) -> u64 {
    let (high, low) = battle.as_u64_pair();
    Rng::from_path(&[high, low, Rng::name(person)]).next_u64()
}

fn heard(verdict: Verdict) -> Heard {
    let winner = match verdict.label.as_deref().and_then(Label::parse) {
        Some(Label::First) => Some(verdict.first_entry.clone()),
        Some(Label::Second) => verdict.second_entry.clone(),
        _ => None,
    };
    // Who labelled stays with the database: people are shown together.
    Heard {
        judge: verdict.judge_slug,
        first: verdict.first_entry,
        label: verdict.label,
        winner,
        raw: verdict.raw.unwrap_or_default(),
        asks: verdict.asks,
        prompt_version: verdict.prompt_version,
        prompt_digest: verdict.prompt_digest,
        propensity: verdict.propensity,
        cause: verdict.cause,
    }
}
