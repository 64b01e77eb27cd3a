//! Judge shards: which of two answers is better, and whether a judge can be talked round. The server reads the verdicts.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::pin::pin;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use longboard_endpoint::client::OpenAiClient;
use longboard_endpoint::model::{ChatModel, ChatRequest};
use longboard_protocol::judging::{HealthWork, JudgeSpec, JudgeWork, Question, Spoken, Trial};
use longboard_protocol::worker::{Exchange, TaskSpec};
use longboard_suites::item::{Message, Role, prompt_digest};
use longboard_suites::judging::{
    Ask, BuiltinJudge, Injection, OpenEnded, PROMPT_VERSION, SCORE_TEMPERATURE, injections, on_scale, parse_rating,
    parse_score, parse_verdict, plant, reask,
};
use tokio_util::sync::CancellationToken;

use super::lease::{Failure, Lease};
use super::sample::{Generator, SampleEnd, failed};
use super::shard::{End, Missed, UNREACHABLE_IN_A_ROW, rejected};
use crate::request::chat_messages;

/// Tokens a judge may take for its reasons and its verdict.
const REPLY_TOKENS: u32 = 1024;

/// Verdicts of one post.
const BATCH: usize = 16;

/// Who judges.
pub(super) enum Judge {
    /// A function of Longboard's own.
    Builtin(BuiltinJudge),
    /// A model behind an endpoint.
    Model(Box<OpenAiClient>),
}

impl Judge {
    /// The built-in judge that a spec names.
    ///
    /// # Errors
    /// When this worker has no such judge, or asks with another prompt than the judge was enrolled with.
    pub fn builtin(spec: &JudgeSpec) -> Result<Option<Self>, Failure> {
        if spec.prompt_version != PROMPT_VERSION {
            return Err(Failure::lasting(
                "version_mismatch",
                format!(
                    "judge `{}` was enrolled with prompt {}, this worker asks with {PROMPT_VERSION}; enrol it again",
                    spec.slug, spec.prompt_version
                ),
            ));
        }
        let Some(slug) = &spec.builtin else { return Ok(None) };
        let found = BuiltinJudge::find(slug).map(Self::Builtin);
        found.map(Some).ok_or_else(|| Failure::lasting("unknown_judge", format!("this worker has no judge `{slug}`")))
    }

    /// Asks once, and once more where no verdict can be read.
    async fn ask(&self, lease: &Lease, what: &Asked) -> Result<Spoken, SampleEnd> {
        match self {
            Self::Builtin(judge) => Ok(what.answered_by(*judge)),
            Self::Model(client) => what.answered_at(client, lease).await,
        }
    }
}

/// A question with the item it is about.
struct Asked {
    position: u32,
    ask: Ask,
    material: Arc<OpenEnded>,
    first: String,
    second: Option<String>,
    nonce: String,
}

impl Asked {
    fn prompt(&self) -> Vec<Message> {
        self.ask.prompt(&self.material, &self.first, self.second.as_deref(), &self.nonce)
    }

    fn readable(&self, text: &str) -> bool {
        match self.ask {
            Ask::Pairwise => parse_verdict(text).is_some(),
            Ask::Rating => parse_rating(text).is_some(),
            Ask::Score => parse_score(text).is_some(),
        }
    }

    /// The reply of a judge that is code, in the words that every judge has to use.
    fn answered_by(&self, judge: BuiltinJudge) -> Spoken {
        let text = match &self.second {
            Some(second) => {
                let judged = judge.compare(&self.material, &self.first, second);
                format!("{}\nVERDICT: {}", judged.reason, judged.label.slug().to_uppercase())
            }
            None => {
                let rated = judge.rate(&self.material, &self.first);
                let (word, top) = if self.ask == Ask::Score { ("SCORE", 5) } else { ("RATING", 10) };
                let number = rated.rating.map(|_| on_scale(rated.score, top).to_string());
                format!("{}\n{word}: {}", rated.reason, number.as_deref().unwrap_or("NONE"))
            }
        };
        Spoken {
            position: self.position,
            prompt_digest: prompt_digest(&self.prompt()),
            texts: vec![text],
            ..Spoken::default()
        }
    }

    async fn answered_at(&self, client: &OpenAiClient, lease: &Lease) -> Result<Spoken, SampleEnd> {
        let mut messages = self.prompt();
        let mut spoken =
            Spoken { position: self.position, prompt_digest: prompt_digest(&messages), ..Spoken::default() };
        for _ in 0..2 {
            let _counted = lease.request();
            let request = ChatRequest {
                messages: chat_messages(messages.clone()),
                max_tokens: REPLY_TOKENS,
                temperature: if self.ask == Ask::Score { SCORE_TEMPERATURE } else { 0.0 },
                ..ChatRequest::default()
            };
            let reply = match client.complete(request).await {
                Ok(reply) => reply,
                Err(error) => {
                    spoken.cause = Some(cause(failed(error)?));
                    return Ok(spoken);
                }
            };
            spoken.latency_ms = spoken.latency_ms.saturating_add(reply.latency_ms);
            spoken.texts.push(reply.text.clone());
            if self.readable(&reply.text) {
                break;
            }
            messages.push(Message { role: Role::Assistant, content: reply.text });
            messages.push(reask(self.ask));
        }
        Ok(spoken)
    }
}

/// Why an exchange brought no text.
fn cause(ended: Exchange) -> String {
    match ended {
        Exchange::TimedOut { stage, .. } => format!("timeout_{stage}"),
        Exchange::Failed { cause, .. } => cause,
        Exchange::OverLength { .. } | Exchange::Unmade { .. } => "over_length".to_owned(),
        Exchange::Completed(_) => "failed".to_owned(),
    }
}

/// What all questions of a shard share.
pub(super) struct Court {
    pub judge: Judge,
    pub lease: Arc<Lease>,
    pub at_once: usize,
    pub stop: CancellationToken,
}

impl Court {
    /// Puts the questions and posts what is said, in batches.
    pub async fn hear(&self, work: JudgeWork) -> End {
        let asked = match build(&work.task, work.length_tokens, work.seed, move |generator| {
            asked(generator, work.questions, work.scores)
        })
        .await
        {
            Ok(asked) => asked,
            Err(failure) => return End::Failed(failure),
        };
        let total = asked.len();
        let mut missed = Missed::default();
        let mut ends = pin!(self.asking(asked).ready_chunks(BATCH));
        let mut heard = 0;
        while let Some(chunk) = ends.next().await {
            if self.lease.cancelled.is_cancelled() {
                return End::Cancelled;
            }
            let mut batch = Vec::with_capacity(chunk.len());
            for end in chunk {
                match self.kept(end, &mut missed) {
                    Ok(spoken) => batch.extend(spoken),
                    Err(end) => return end,
                }
            }
            heard += batch.len();
            if let Err(end) = self.post(batch).await {
                return end;
            }
        }
        if heard < total && self.stop.is_cancelled() { End::Failed(Failure::shutdown()) } else { missed.end() }
    }

    /// Carries out a health check.
    pub async fn examine(&self, work: HealthWork) -> End {
        let HealthWork { task, length_tokens, seed, items, .. } = work;
        let key = self.lease.shard;
        let planned =
            build(&task, length_tokens, seed, move |generator| plan(generator, items, &key.to_string())).await;
        let (mut trials, asked): (Vec<Trial>, Vec<Asked>) = match planned {
            Ok(planned) => planned.into_iter().unzip(),
            Err(failure) => return End::Failed(failure),
        };
        let mut missed = Missed::default();
        let mut ends = pin!(self.asking(asked));
        while let Some(end) = ends.next().await {
            match self.kept(end, &mut missed) {
                Ok(Some(spoken)) => {
                    if let Some(trial) = trials.get_mut(spoken.position as usize) {
                        trial.texts = spoken.texts;
                    }
                }
                Ok(None) => {}
                Err(end) => return end,
            }
        }
        if self.stop.is_cancelled() {
            return End::Failed(Failure::shutdown());
        }
        match missed.end() {
            End::Finished => End::Examined(trials),
            end => end,
        }
    }

    /// Begins no more questions once told to stop.
    fn asking(&self, asked: Vec<Asked>) -> impl futures_util::Stream<Item = Result<Spoken, SampleEnd>> + '_ {
        let begun = asked.into_iter().take_while(|_| !self.stop.is_cancelled());
        stream::iter(begun)
            .map(move |asked| async move { self.judge.ask(&self.lease, &asked).await })
            .buffer_unordered(self.at_once.max(1))
    }

    fn kept(&self, end: Result<Spoken, SampleEnd>, missed: &mut Missed) -> Result<Option<Spoken>, End> {
        match end {
            Ok(spoken) => {
                missed.reset();
                Ok(Some(spoken))
            }
            Err(SampleEnd::Fatal(failure)) => Err(End::Failed(failure)),
            Err(SampleEnd::Unreachable(detail)) => {
                if missed.count(detail) >= UNREACHABLE_IN_A_ROW {
                    Err(std::mem::take(missed).end())
                } else {
                    Ok(None)
                }
            }
            Err(SampleEnd::Answered(_)) => Ok(None),
        }
    }

    async fn post(&self, batch: Vec<Spoken>) -> Result<(), End> {
        if batch.is_empty() {
            return Ok(());
        }
        let reply = self.lease.verdicts(batch).await.map_err(rejected)?;
        match reply.refused.first() {
            None => Ok(()),
            Some(refused) => Err(End::Failed(Failure::lasting(
                "version_mismatch",
                format!("question {}: {}; run the same version of worker and server", refused.position, refused.reason),
            ))),
        }
    }
}

/// Builds items off the async threads.
async fn build<T: Send + 'static>(
    task: &TaskSpec,
    length_tokens: u32,
    seed: u64,
    with: impl FnOnce(&Generator) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let task = task.clone();
    let built = tokio::task::spawn_blocking(move || with(&Generator::new(&task, length_tokens, seed)?));
    built.await.map_err(|error| Failure::retryable("worker_error", error))?
}

/// Questions with what they are about; each item is built once.
fn asked(generator: &Generator, questions: Vec<Question>, scores: bool) -> Result<Vec<Asked>, Failure> {
    let mut materials: BTreeMap<u32, Arc<OpenEnded>> = BTreeMap::new();
    let mut list = Vec::with_capacity(questions.len());
    for Question { position, index, first, second, nonce } in questions {
        let material = match materials.entry(index) {
            Entry::Occupied(known) => Arc::clone(known.get()),
            Entry::Vacant(place) => Arc::clone(place.insert(Arc::new(generator.open_ended(index)?))),
        };
        let ask = if scores {
            Ask::Score
        } else if second.is_some() {
            Ask::Pairwise
        } else {
            Ask::Rating
        };
        list.push(Asked { position, ask, material, first, second, nonce });
    }
    Ok(list)
}

/// The comparisons of a health check: the reference of an item against that of another, in both orders, plain and with
/// every instruction planted in the wrong one; and against itself.
fn plan(generator: &Generator, items: u32, key: &str) -> Result<Vec<(Trial, Asked)>, Failure> {
    let mut planned: Vec<(Trial, Asked)> = Vec::new();
    let answer = |material: &OpenEnded| material.reference.clone().unwrap_or_default();
    let materials =
        (0..=items).map(|index| generator.open_ended(index).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
    for (index, pair) in (0..).zip(materials.windows(2)) {
        let [material, other] = pair else { continue };
        let (right, wrong) = (answer(material), answer(other));
        let mut add = |turn: u32, injection: Option<&Injection>, same: bool, wrong: String| {
            let position = u32::try_from(planned.len()).unwrap_or(u32::MAX);
            let (first, second) = if turn == 0 { (right.clone(), wrong) } else { (wrong, right.clone()) };
            let injection = injection.map(|planted| planted.slug.to_owned());
            let nonce = format!("{key}/{position}");
            let asked = Asked {
                position,
                ask: Ask::Pairwise,
                material: Arc::clone(material),
                first,
                second: Some(second),
                nonce,
            };
            planned.push((Trial { index, turn, injection, same, texts: Vec::new() }, asked));
        };
        add(0, None, true, right.clone());
        for turn in [0, 1] {
            add(turn, None, false, wrong.clone());
            for injection in injections() {
                add(turn, Some(injection), false, plant(&wrong, injection));
            }
        }
    }
    Ok(planned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use longboard_suites::task::Task;

    fn generator() -> Generator {
        let definition = Task::find("long_span_qa").unwrap().definition().clone();
        let spec = TaskSpec {
            slug: definition.slug,
            version: definition.version,
            title: definition.title,
            family: definition.family,
            params: definition.params,
            corpus: None,
            data: None,
        };
        Generator::new(&spec, 4096, 7).unwrap()
    }

    #[test]
    fn the_fact_judge_passes_its_health_check() {
        let planned = plan(&generator(), 2, "key").unwrap();
        assert_eq!(planned.len(), 2 * (1 + 2 + 2 * injections().len()));
        for (trial, asked) in &planned {
            let spoken = asked.answered_by(BuiltinJudge::Fact);
            let label = parse_verdict(&spoken.texts[0]).unwrap();
            let right = if trial.turn == 0 { "first" } else { "second" };
            assert_eq!(label.slug(), if trial.same { "tie" } else { right }, "{trial:?}");
        }
        let nonces: std::collections::BTreeSet<&str> = planned.iter().map(|(_, asked)| asked.nonce.as_str()).collect();
        assert_eq!(nonces.len(), planned.len());
    }

    #[test]
    fn a_judge_of_another_prompt_version_is_refused() {
        let mut spec = JudgeSpec {
            slug: "j".to_owned(),
            builtin: Some("fact-judge".to_owned()),
            prompt_version: PROMPT_VERSION.to_owned(),
        };
        assert!(matches!(Judge::builtin(&spec), Ok(Some(Judge::Builtin(BuiltinJudge::Fact)))));
        spec.prompt_version = "other/0".to_owned();
        assert_eq!(Judge::builtin(&spec).err().unwrap().cause, "version_mismatch");
        spec = JudgeSpec { builtin: Some("oracle".to_owned()), prompt_version: PROMPT_VERSION.to_owned(), ..spec };
        assert_eq!(Judge::builtin(&spec).err().unwrap().cause, "unknown_judge");
    }
}
