//! Many requests at a time on one model: prompts are read in chunks between the steps of the answers under way.

mod drafting;

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use longboard_suites::item::Message;

use crate::error::ModelError;
use crate::model::{CHUNK, Feed, Model, greedy, log_sum_exp};
use crate::sequence::Sequence;
use crate::speculative::{Draft, Speculator, Tally};

/// Requests that may wait; further ones are refused.
const WAITING: usize = 256;

/// What an engine may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests worked on at the same time.
    pub running: usize,
    /// Most tokens of prompt and answer together.
    pub context_tokens: usize,
    /// Most bytes of cache of one request.
    pub cache_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { running: 8, context_tokens: 2 << 20, cache_bytes: 4 << 30 }
    }
}

/// One question.
#[derive(Debug, Clone)]
pub struct Request {
    /// The conversation.
    pub messages: Vec<Message>,
    /// Most tokens of the answer.
    pub max_tokens: usize,
    /// Texts that end the answer; they are not part of it.
    pub stop: Vec<String>,
    /// How many alternatives to report per token; `None` reports no probabilities.
    pub logprobs: Option<usize>,
}

/// A token and its probability.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenLogprob {
    /// Its text.
    pub text: String,
    /// Natural logarithm of its probability.
    pub logprob: f32,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model ended it, or a stop text came.
    Stop,
    /// The token limit.
    Length,
}

/// What a request took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens of the answer.
    pub completion_tokens: usize,
    /// What drafting did, where answers are drafted.
    pub drafting: Option<Tally>,
    /// Tokens stored per head where the policy decides, mean.
    pub kept_tokens: f64,
    /// Tokens stored where the policy decides, by the head that stores most.
    pub max_kept_tokens: usize,
    /// Bytes of the cache at the end.
    pub cache_bytes: usize,
    /// Milliseconds choosing pages.
    pub selection_ms: f64,
    /// Milliseconds reading them.
    pub attention_ms: f64,
    /// Floating-point operations of choosing and reading where the policy decides, counted.
    pub attention_flops: f64,
    /// Bytes of keys, values and summaries that were read for it, counted.
    pub attention_bytes: f64,
}

/// What comes of a request, in order.
#[derive(Debug)]
pub enum Event {
    /// A chunk of the prompt is read and there are more.
    Reading,
    /// A piece of the answer.
    Piece {
        /// Text; may be empty while a character is incomplete.
        text: String,
        /// The token and the most probable ones, when asked for.
        logprobs: Option<(TokenLogprob, Vec<TokenLogprob>)>,
    },
    /// The end.
    Done {
        /// Why.
        finish: Finish,
        /// What it took.
        usage: Usage,
    },
    /// There is no answer.
    Failed(ModelError),
}

/// Receives events; `false` when nobody listens any more.
pub type Listener = Box<dyn FnMut(Event) -> bool + Send>;

/// A model on a thread of its own. Dropping it ends the thread once everything handed in is answered.
pub struct Engine {
    jobs: SyncSender<(Request, Listener)>,
    thread: JoinHandle<()>,
}

impl Engine {
    /// Starts a thread for `model`.
    #[must_use]
    pub fn start(model: Model, limits: Limits) -> Self {
        Self::drafting(model, None, limits)
    }

    /// Starts a thread for `model`, whose answers are drafted where there is a speculator.
    #[must_use]
    pub fn drafting(model: Model, speculator: Option<Speculator>, limits: Limits) -> Self {
        let (jobs, incoming) = sync_channel(WAITING);
        let thread =
            std::thread::spawn(move || Shift { model, speculator, limits, incoming, running: Vec::new() }.work());
        Self { jobs, thread }
    }

    /// Whether it answers no more: its thread met a defect.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.thread.is_finished()
    }

    /// Hands in a request; the listener hears of everything else.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when too many wait.
    pub fn submit(&self, request: Request, listener: Listener) -> Result<(), ModelError> {
        self.jobs.try_send((request, listener)).map_err(|error| match error {
            TrySendError::Full(_) => ModelError::Invalid(format!("{WAITING} requests wait already; try again later")),
            TrySendError::Disconnected(_) => ModelError::Invalid("the model has stopped; start it again".to_owned()),
        })
    }
}

/// A request under way.
struct Job {
    request: Request,
    listener: Listener,
    sequence: Sequence,
    prompt: Vec<u32>,
    read: usize,
    answer: Vec<u32>,
    told: usize,
    draft: Option<Draft>,
}

struct Shift {
    model: Model,
    speculator: Option<Speculator>,
    limits: Limits,
    incoming: Receiver<(Request, Listener)>,
    running: Vec<Job>,
}

impl Shift {
    fn work(mut self) {
        while self.admit() {
            if self.speculator.is_some() { self.draft() } else { self.step() }
        }
    }

    /// Takes requests in while there is room, and waits for one while there is nothing to do. `false` when there never
    /// will be. Others stay in the channel, whose bound refuses what is too much.
    fn admit(&mut self) -> bool {
        while self.running.len() < self.limits.running.max(1) {
            let idle = self.running.is_empty();
            let next = if idle { self.incoming.recv().ok() } else { self.incoming.try_recv().ok() };
            let Some((request, mut listener)) = next else { return !idle };
            match self.begin(&request) {
                Ok(prompt) => self.running.push(Job {
                    sequence: self.model.sequence_for(prompt.len()),
                    draft: self.speculator.as_ref().map(|speculator| speculator.begin(&prompt)),
                    request,
                    listener,
                    prompt,
                    read: 0,
                    answer: Vec::new(),
                    told: 0,
                }),
                Err(error) => {
                    listener(Event::Failed(error));
                }
            }
        }
        true
    }

    fn begin(&self, request: &Request) -> Result<Vec<u32>, ModelError> {
        let prompt = self.model.encode(&request.messages)?;
        let answer = request.max_tokens.min(1 << 24);
        let tokens = prompt.len() + answer;
        let limit = self.limits.context_tokens;
        if prompt.len() >= limit || tokens > limit {
            let (prompt, answer) = (prompt.len(), request.max_tokens);
            return Err(ModelError::TooLong { prompt, answer, limit });
        }
        let drafting = self.speculator.as_ref().map_or(0, |speculator| speculator.cache_bytes(prompt.len(), answer));
        let needed = self.model.cache_bytes(tokens) + drafting;
        if needed > self.limits.cache_bytes {
            return Err(ModelError::Memory {
                tokens,
                needed_mib: needed >> 20,
                allowed_mib: self.limits.cache_bytes >> 20,
            });
        }
        Ok(prompt)
    }

    /// The next chunk of the oldest open prompt and the next token of every answer, in one pass.
    fn step(&mut self) {
        let mut feeds = Vec::with_capacity(self.running.len());
        let mut fed = Vec::with_capacity(self.running.len());
        let mut reading = false;
        for (place, job) in self.running.iter_mut().enumerate() {
            let (ids, prompt_ends) = if job.read < job.prompt.len() {
                if std::mem::replace(&mut reading, true) {
                    continue;
                }
                let to = (job.read + CHUNK).min(job.prompt.len());
                let ids = job.prompt.get(job.read..to).unwrap_or_default();
                job.read = to;
                (ids, to == job.prompt.len())
            } else {
                (job.answer.last().map(std::slice::from_ref).unwrap_or_default(), false)
            };
            fed.push(place);
            feeds.push(Feed { sequence: &mut job.sequence, ids, wanted: 1, prompt_ends });
        }
        let outcome = self.model.forward(&mut feeds);
        drop(feeds);
        let mut over = vec![false; self.running.len()];
        match outcome {
            Ok(rows) => {
                for (place, logits) in fed.into_iter().zip(rows) {
                    let (Some(job), Some(logits)) = (self.running.get_mut(place), logits.last()) else { continue };
                    let ended = if job.read < job.prompt.len() {
                        !(job.listener)(Event::Reading)
                    } else {
                        job.extend(&self.model, logits)
                    };
                    if let Some(over) = over.get_mut(place) {
                        *over = ended;
                    }
                }
            }
            Err(error) => {
                let detail = error.to_string();
                for job in &mut self.running {
                    (job.listener)(Event::Failed(ModelError::Invalid(detail.clone())));
                }
                over.fill(true);
            }
        }
        let mut over = over.into_iter();
        self.running.retain(|_| !over.next().unwrap_or(false));
    }
}

impl Job {
    /// Appends the most probable token; `true` when the answer is over or nobody listens.
    fn extend(&mut self, model: &Model, logits: &[f32]) -> bool {
        self.append(model, greedy(logits), logits)
    }

    fn append(&mut self, model: &Model, next: u32, logits: &[f32]) -> bool {
        let ends = model.tokenizer.is_end(next);
        if ends || self.request.max_tokens == 0 {
            let finish = if ends { Finish::Stop } else { Finish::Length };
            self.finish(finish);
            return true;
        }
        self.answer.push(next);
        let text = model.tokenizer.decode(&self.answer);
        let stop = self.request.stop.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| text.find(stop)).min();
        let whole = stop.unwrap_or_else(|| text.trim_end_matches('\u{fffd}').len());
        let piece = text.get(self.told..whole).unwrap_or_default().to_owned();
        self.told = self.told.max(whole);
        let logprobs = self.request.logprobs.map(|count| logprobs(model, logits, next, count));
        if !(self.listener)(Event::Piece { text: piece, logprobs }) {
            return true;
        }
        let finish = if stop.is_some() {
            Finish::Stop
        } else if self.answer.len() >= self.request.max_tokens {
            Finish::Length
        } else {
            return false;
        };
        self.finish(finish);
        true
    }

    fn finish(&mut self, finish: Finish) {
        let cost = self.sequence.cost();
        let (kept_tokens, max_kept_tokens) = self.sequence.stored();
        let usage = Usage {
            prompt_tokens: self.prompt.len(),
            completion_tokens: self.answer.len(),
            drafting: self.draft.as_ref().map(Draft::tally),
            kept_tokens,
            max_kept_tokens,
            cache_bytes: self.sequence.bytes() + self.draft.as_ref().map_or(0, Draft::bytes),
            selection_ms: cost.selecting.as_secs_f64() * 1e3,
            attention_ms: cost.reading.as_secs_f64() * 1e3,
            attention_flops: cost.flops,
            attention_bytes: cost.bytes,
        };
        (self.listener)(Event::Done { finish, usage });
    }
}

fn logprobs(model: &Model, logits: &[f32], chosen: u32, count: usize) -> (TokenLogprob, Vec<TokenLogprob>) {
    let total = log_sum_exp(logits);
    let of = |id: u32| TokenLogprob {
        text: model.tokenizer.decode(&[id]),
        logprob: logits.get(id as usize).copied().unwrap_or(f32::NEG_INFINITY) - total,
    };
    let best = crate::policy::top(logits, count);
    let mut best: Vec<TokenLogprob> = best.into_iter().filter_map(|id| u32::try_from(id).ok()).map(of).collect();
    best.sort_by(|a, b| b.logprob.total_cmp(&a.logprob));
    (of(chosen), best)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use longboard_suites::item::Role;

    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::policy::Card;

    fn request(words: usize) -> Request {
        let content = "one two three four ".repeat(words / 4);
        Request {
            messages: vec![Message { role: Role::User, content }],
            max_tokens: 1,
            stop: Vec::new(),
            logprobs: None,
        }
    }

    #[test]
    fn a_prompt_is_left_when_nobody_listens_and_the_next_one_is_read() {
        let card = Card::find("dense").unwrap();
        let Checkpoint { decoder, tokenizer } = Checkpoint::builtin().unwrap();
        let model = Model::new(decoder, tokenizer, card.build(&card.settings(&[]).unwrap()));
        let engine = Engine::start(model, Limits { running: 1, ..Limits::default() });
        let (told, heard) = channel();
        for patience in [1, usize::MAX] {
            let (told, mut chunks) = (told.clone(), 0);
            let listener = Box::new(move |event| {
                chunks += usize::from(matches!(event, Event::Reading));
                let over = chunks >= patience || matches!(event, Event::Done { .. });
                if over {
                    told.send((matches!(event, Event::Done { .. }), chunks)).unwrap();
                }
                !over
            });
            engine.submit(request(2 * CHUNK), listener).unwrap();
        }
        drop(told);
        assert_eq!(heard.recv().unwrap(), (false, 1), "left after its first chunk");
        let (done, chunks) = heard.recv().unwrap();
        assert!(done && chunks >= 2, "read whole: {chunks}");
        assert!(heard.recv().is_err() && !engine.has_stopped());
    }
}
