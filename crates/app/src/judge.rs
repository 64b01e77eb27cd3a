//! Judges: enrolling, checking, retiring.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use longboard_protocol::judging::{HealthReport, HealthRequest, HealthWork, InjectionResult, JudgeSpec, Trial};
use longboard_store::endpoint::Endpoint;
use longboard_store::judge::Judge;
use longboard_store::queue::Shard;
use longboard_store::{EndpointKind, JudgeKind, StoreError};
use longboard_suites::judging::{BuiltinJudge, Label, PROMPT_VERSION, injections, parse_verdict};
use longboard_suites::length::Length;
use serde_json::json;
use uuid::Uuid;

use crate::account::Maintainer;
use crate::endpoint::Registration;
use crate::fleet::FleetMember;
use crate::predictions::operator_team;
use crate::slug::line;
use crate::{AppError, Bell, Fresh, Longboard};

/// Name under which people judge.
pub const HUMANS: &str = "humans";

/// Family of judges that are code.
const BUILTIN_FAMILY: &str = "longboard";

/// Shards of a built-in judge at a time.
const BUILTIN_LEASES: i32 = 4;

/// What health checks are made of: items of no season.
const HEALTH_TASK: &str = "long_span_qa";
const HEALTH_SEED: u64 = 0x6a75_6467;
const HEALTH_ITEMS: u32 = 3;

impl Longboard {
    /// Adds the built-in judges that are missing. What exists stays as it is.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn install_judges(&self, now: DateTime<Utc>) -> Result<(), AppError> {
        let team = operator_team(&self.store, now).await?;
        for builtin in BuiltinJudge::ALL {
            if self.store.judge(builtin.slug()).await?.is_some() {
                continue;
            }
            let endpoint = match self.store.endpoint_by_slug(builtin.slug()).await? {
                Some(endpoint) => endpoint,
                None => self.store.add_endpoint(builtin_endpoint(builtin, team.id, now)).await?,
            };
            let judge = Judge {
                endpoint_id: Some(endpoint.id),
                ..judge(builtin.slug(), builtin.slug(), JudgeKind::Builtin, BUILTIN_FAMILY, "longboard", now)
            };
            once(self.store.add_judge(judge, Some(&endpoint)).await)?;
        }
        if self.store.judge(HUMANS).await?.is_none() {
            let people = judge(HUMANS, "Maintainers, blinded", JudgeKind::Humans, HUMANS, "longboard", now);
            once(self.store.add_judge(people, None).await)?;
        }
        Ok(())
    }

    /// Enrols a model as judge: registers its endpoint, which is probed, and queues its health check.
    ///
    /// # Errors
    /// [`AppError::Invalid`] names the field; [`AppError::Store`] when the name is taken.
    pub async fn enrol_judge(
        &self,
        by: &str,
        form: Registration,
        family: &str,
        fresh: Fresh,
        now: DateTime<Utc>,
    ) -> Result<Judge, AppError> {
        let family = line("the judge's family", family, 60)?.to_lowercase();
        let team = operator_team(&self.store, now).await?;
        let endpoint = Endpoint {
            kind: EndpointKind::Judge,
            family: Some(family.clone()),
            ..self.sealed(team.id, form, fresh, now)?
        };
        let endpoint = self.store.add_endpoint(endpoint).await?;
        let row = Judge {
            endpoint_id: Some(endpoint.id),
            ..judge(&endpoint.slug, &endpoint.name, JudgeKind::Model, &family, by, now)
        };
        let added = self.store.add_judge(row, Some(&endpoint)).await?;
        let detail = json!({"family": family, "model": endpoint.model, "prompt": PROMPT_VERSION});
        self.note(by, "enrol_judge", &added.slug, detail, now).await?;
        self.ring(Bell::Queue);
        Ok(added)
    }

    /// Queues another health check.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also for people.
    pub async fn check_judge(&self, by: &Maintainer, slug: &str, now: DateTime<Utc>) -> Result<(), AppError> {
        let judge = self.store.judge(slug).await?.ok_or_else(|| AppError::no("judge", slug))?;
        let endpoint = match judge.endpoint_id {
            Some(id) => self.store.endpoint(id).await?,
            None => None,
        };
        let endpoint = endpoint.ok_or_else(|| AppError::no("judge with an endpoint", slug))?;
        self.store.queue_health(&endpoint, now).await?;
        self.note(&by.user().email, "check_judge", slug, json!({}), now).await?;
        self.ring(Bell::Queue);
        Ok(())
    }

    /// Takes a judge off new judgings; its verdicts stay.
    ///
    /// # Errors
    /// [`AppError::Store`] without such a judge.
    pub async fn retire_judge(&self, by: &Maintainer, slug: &str, now: DateTime<Utc>) -> Result<(), AppError> {
        self.store.retire_judge(slug, now).await?;
        self.note(&by.user().email, "retire_judge", slug, json!({}), now).await
    }

    pub(crate) async fn health_work(&self, shard: &Shard) -> Result<HealthWork, AppError> {
        let row = self.store.task(HEALTH_TASK, None).await?.ok_or_else(|| AppError::no("task", HEALTH_TASK))?;
        let task = self.task_spec(&row, 0..HEALTH_ITEMS).await?;
        Ok(HealthWork {
            judge: self.judge_spec(shard.endpoint_id).await?,
            task,
            length_tokens: Length::new(4096).map_err(|error| AppError::Invalid(error.to_string()))?.tokens(),
            seed: HEALTH_SEED,
            items: HEALTH_ITEMS,
        })
    }

    pub(crate) async fn judge_spec(&self, endpoint: Uuid) -> Result<JudgeSpec, AppError> {
        let gone = || AppError::Invalid("the judge is gone".to_owned());
        let judge = self.store.judge_of_endpoint(endpoint).await?.ok_or_else(gone)?;
        let builtin = (judge.kind == JudgeKind::Builtin).then(|| judge.slug.clone());
        Ok(JudgeSpec { slug: judge.slug, builtin, prompt_version: judge.prompt_version })
    }

    /// Stores how a judge did in its health check.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`AppError::Invalid`] for a report that is none.
    pub async fn record_health(
        &self,
        by: &FleetMember,
        shard: Uuid,
        request: HealthRequest,
        now: DateTime<Utc>,
    ) -> Result<(), AppError> {
        let most = HEALTH_ITEMS as usize * (1 + 2 * (1 + injections().len()));
        if request.trials.is_empty() || request.trials.len() > most {
            return Err(AppError::Invalid(format!("a health check has 1 to {most} trials")));
        }
        let report =
            serde_json::to_value(health(&request.trials)).map_err(|error| AppError::Invalid(error.to_string()))?;
        self.store.record_health(shard, by.worker().id, request.fence, report, now).await?;
        self.ring(Bell::Queue);
        Ok(())
    }
}

/// Another server added it in the same moment.
fn once(added: Result<Judge, StoreError>) -> Result<(), AppError> {
    match added {
        Ok(_) | Err(StoreError::Taken(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn judge(slug: &str, name: &str, kind: JudgeKind, family: &str, by: &str, now: DateTime<Utc>) -> Judge {
    Judge {
        slug: slug.to_owned(),
        name: name.to_owned(),
        kind,
        family: family.to_owned(),
        endpoint_id: None,
        prompt_version: PROMPT_VERSION.to_owned(),
        health: None,
        health_at: None,
        enrolled_by: by.to_owned(),
        enrolled_at: now,
        retired_at: None,
    }
}

fn builtin_endpoint(builtin: BuiltinJudge, team_id: Uuid, now: DateTime<Utc>) -> Endpoint {
    let description = match builtin {
        BuiltinJudge::Lexical => "Code: overlap of an answer's words with the reference. No model.",
        BuiltinJudge::Fact => "Code: checks what an answer says against the facts the text was written from. No model.",
    };
    Endpoint {
        description: description.to_owned(),
        family: Some(BUILTIN_FAMILY.to_owned()),
        max_concurrency: BUILTIN_LEASES,
        max_leases: BUILTIN_LEASES,
        ..Endpoint::new(team_id, EndpointKind::Judge, builtin.slug(), builtin.slug(), now)
    }
}

/// A judge's stored health report; `None` before the first, or for one of another version.
#[must_use]
pub fn health_report(judge: &Judge) -> Option<HealthReport> {
    serde_json::from_value(judge.health.clone()?).ok()
}

/// The verdict of a judge's replies: the last one counts.
pub(crate) fn label(texts: &[String]) -> Label {
    texts.iter().rev().find_map(|text| parse_verdict(text)).unwrap_or(Label::Invalid)
}

/// Whether a trial's verdict prefers the right answer; `None` without a verdict.
fn right(trial: &Trial) -> Option<bool> {
    match (label(&trial.texts), trial.turn) {
        (Label::Invalid, _) => None,
        (Label::First, 0) | (Label::Second, 1) => Some(true),
        _ => Some(false),
    }
}

/// Sums trials up. An instruction counts as moving the judge where the same comparison without it went the other way.
fn health(trials: &[Trial]) -> HealthReport {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let plain: Vec<&Trial> = trials.iter().filter(|trial| trial.injection.is_none() && !trial.same).collect();
    let same: Vec<Label> = trials.iter().filter(|trial| trial.same).map(|trial| label(&trial.texts)).collect();
    let sound: BTreeMap<(u32, u32), bool> =
        plain.iter().map(|trial| ((trial.index, trial.turn), right(trial) == Some(true))).collect();
    let results = injections().iter().map(|injection| {
        let own = trials.iter().filter(|trial| trial.injection.as_deref() == Some(injection.slug));
        let own = own.filter(|trial| sound.get(&(trial.index, trial.turn)) == Some(&true));
        let verdicts: Vec<Option<bool>> = own.map(right).collect();
        InjectionResult {
            slug: injection.slug.to_owned(),
            trials: count(verdicts.len()),
            moved: count(verdicts.iter().filter(|verdict| **verdict == Some(false)).count()),
        }
    });
    HealthReport {
        plain: count(plain.len()),
        right: count(sound.values().filter(|right| **right).count()),
        same: count(same.len()),
        same_first: count(same.iter().filter(|label| **label == Label::First).count()),
        same_ties: count(same.iter().filter(|label| **label == Label::Tie).count()),
        invalid: count(trials.iter().filter(|trial| label(&trial.texts) == Label::Invalid).count()),
        trials: count(trials.len()),
        injections: results.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(index: u32, turn: u32, injection: Option<&str>, reply: &str) -> Trial {
        let injection = injection.map(ToOwned::to_owned);
        Trial { index, turn, injection, same: false, texts: vec![reply.to_owned()] }
    }

    #[test]
    fn a_judge_that_is_talked_round_shows_it() {
        let planted = injections()[0].slug;
        let (first, second) = ("Better.\nVERDICT: FIRST", "VERDICT: SECOND");
        let report = health(&[
            trial(0, 0, None, first),
            trial(0, 1, None, second),
            trial(0, 0, Some(planted), second),
            trial(0, 1, Some(planted), second),
            Trial { same: true, ..trial(0, 0, None, first) },
            trial(1, 0, None, "I cannot say"),
            trial(1, 0, Some(planted), second),
        ]);
        assert_eq!((report.plain, report.right, report.invalid, report.trials), (3, 2, 1, 7));
        assert_eq!((report.same, report.same_first, report.same_ties), (1, 1, 0));
        let moved = &report.injections[0];
        assert_eq!((moved.slug.as_str(), moved.trials, moved.moved), (planted, 2, 1));
    }

    #[test]
    fn a_second_reply_counts_and_an_earlier_verdict_stands_when_it_has_none() {
        let say = |texts: &[&str]| label(&texts.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(say(&["hm", "VERDICT: TIE"]), Label::Tie);
        assert_eq!(say(&["hm", "still nothing"]), Label::Invalid);
        assert_eq!(say(&[]), Label::Invalid);
    }
}
