//! CooK: knowledge cards are asked for passages, which are filtered and put before the prompt.
//!
//! A card is another endpoint with a name. Where none is registered, the cards are parts of the document: each is a run of
//! slices, and a sample of it is what the endpoint itself writes after reading one slice. Sampling is greedy, so five samples
//! of a card differ because they read different slices. The document stands in no other call then; with registered cards
//! the prompt keeps it.

use futures_util::future::try_join_all;
use longboard_suites::rng::Rng;
use longboard_suites::{bm25, chunk};

use super::bound::is_none;
use super::card::{Card, Kind, Parameter, Settings};
use super::knowledge::{Lexical, draw};
use super::retriever::Retriever;
use super::{Asked, Means, Meter};
use crate::model::{CallError, ChatModel, Reply};

pub(super) const CARD: Card = Card {
    slug: "cook",
    title: "Knowledge cards",
    citation: "Feng et al. 2023, Knowledge card: filling LLMs' knowledge gaps with plug-in specialized language models, arXiv \
               2305.09955; code BunsenFeng/Knowledge_Card (bottom_up.py, top_down_auto.py, factuality.py, config.py)",
    what: "Draws passages of knowledge from cards, keeps those that are relevant and likely true, and puts them before the \
           prompt: from all cards at once, or round by round as the endpoint asks for them.",
    differs: "Without other endpoints the cards are parts of the document. Entailment models are not used: support is the \
              share of a passage's words that a reference has, refutation is 0. The released bottom-up code sends the bare \
              prompt; here the knowledge is put before it, as in the paper. Only passages that are kept are shortened.",
    cost: "bottom-up: cards times samples calls side by side, of N tokens together where cards are parts of the document, at \
           most `kept` short calls and 1 call of the knowledge; top-down: at most 4 rounds of 2 calls and one card's samples",
    parameters: &[
        Parameter {
            name: "top-down",
            help: "1: the endpoint asks for knowledge in rounds",
            default: 0.0,
            least: 0.0,
            most: 1.0,
        },
        Parameter { name: "samples", help: "samples of a card, n1", default: 5.0, least: 1.0, most: 64.0 },
        Parameter {
            name: "relevant",
            help: "passages that stay after relevance, n2",
            default: 20.0,
            least: 1.0,
            most: 1024.0,
        },
        Parameter { name: "kept", help: "passages that are drawn, n3", default: 5.0, least: 1.0, most: 256.0 },
        Parameter {
            name: "sample-tokens",
            help: "tokens of a sample at most",
            default: 100.0,
            least: 16.0,
            most: 4096.0,
        },
        Parameter {
            name: "slice",
            help: "canonical tokens that a sample of a part reads",
            default: 2048.0,
            least: 64.0,
            most: 1_048_576.0,
        },
    ],
    reports: &[
        ("cards", "cards there were"),
        ("sampled", "samples that were drawn from cards"),
        ("relevant", "passages that stayed after relevance"),
        ("kept", "passages before the prompt"),
        ("rounds", "rounds of asking whether more is needed (top-down)"),
    ],
    kind: Kind::Cook,
};

/// Most rounds of the top-down form: its loop runs while the round, from 0, is at most 3.
const ROUNDS: u32 = 4;

/// Characters of a passage that needs no shortening.
const BRIEF: usize = 120;

/// Canonical tokens of a shortened passage, and of what the endpoint asks for.
const BRIEF_TOKENS: u32 = 48;

/// An endpoint that knows something, with a name that says what.
pub struct KnowledgeCard<'a, M> {
    /// What it knows about.
    pub name: String,
    /// The endpoint.
    pub model: &'a M,
}

/// Where samples come from.
enum Source<'a, M> {
    Endpoint(&'a KnowledgeCard<'a, M>),
    Part(&'a [&'a str]),
}

/// What every step needs.
struct Cook<'a, 'm, M> {
    meter: &'a Meter<'m, M>,
    settings: &'a Settings,
    asked: &'a Asked<'a>,
    sources: Vec<Source<'a, M>>,
    lexical: Lexical<'a>,
    rng: Rng,
    /// The prompt that knowledge is put before.
    prompt: String,
}

pub(super) async fn answer<M: ChatModel, R: Retriever>(
    meter: &Meter<'_, M>,
    means: &Means<'_, M, R>,
    settings: &Settings,
    asked: &Asked<'_>,
) -> Result<Reply, CallError> {
    let slices = chunk::texts(asked.document, settings.count("slice"));
    let registered: Vec<Source<'_, M>> = means.knowledge.iter().map(Source::Endpoint).collect();
    let parts = slices.chunks(settings.count("samples").max(1) as usize).map(Source::Part);
    let prompt = if registered.is_empty() { asked.with("") } else { asked.whole() };
    let sources = if registered.is_empty() { parts.collect() } else { registered };
    meter.report("cards", sources.len() as f64);
    let rng = Rng::from_path(&[asked.seed, Rng::name(CARD.slug)]);
    let cook = Cook { meter, settings, asked, sources, lexical: Lexical::new(asked.document), rng, prompt };
    if settings.on("top-down") { cook.top_down(means.retriever).await } else { cook.bottom_up(means.retriever).await }
}

impl<M: ChatModel> Cook<'_, '_, M> {
    /// All cards, then the filters.
    async fn bottom_up<R: Retriever>(mut self, retriever: &R) -> Result<Reply, CallError> {
        let drawn = try_join_all(self.sources.iter().map(|source| self.samples(source))).await?;
        let passages: Vec<String> = drawn.into_iter().flatten().collect();
        self.meter.report("sampled", passages.len() as f64);
        let texts: Vec<&str> = passages.iter().map(String::as_str).filter(|text| !is_none(text)).collect();
        let scores = self.meter.scores(retriever, self.asked.question(), &texts).await?;
        let relevant = bm25::best(&scores, self.settings.count("relevant") as usize);
        let relevant: Vec<&str> = relevant.into_iter().filter_map(|place| texts.get(place).copied()).collect();
        self.meter.report("relevant", relevant.len() as f64);
        let factual: Vec<f64> = relevant.iter().map(|text| self.lexical.factuality(text)).collect();
        let chosen = draw(&factual, self.settings.count("kept") as usize, &mut self.rng);
        self.meter.report("kept", chosen.len() as f64);
        let mut knowledge: Vec<String> = Vec::with_capacity(chosen.len());
        for (at, place) in chosen.iter().enumerate() {
            // A passage that is drawn again is shortened once.
            let before = chosen.iter().take(at).position(|earlier| earlier == place);
            let text = relevant.get(*place).copied().unwrap_or_default();
            let brief = match before.and_then(|before| knowledge.get(before).cloned()) {
                Some(brief) => brief,
                None => self.brief(text).await?,
            };
            knowledge.push(brief);
        }
        self.ask(&knowledge.join(" "), self.prompt.clone()).await
    }

    /// Rounds in which the endpoint says whether and what it needs.
    async fn top_down<R: Retriever>(mut self, retriever: &R) -> Result<Reply, CallError> {
        let (mut knowledge, mut sampled, mut kept, mut rounds) = (String::new(), 0, 0, 0);
        let task = self.asked.task();
        while rounds < ROUNDS {
            rounds += 1;
            let more = self.meter.note(preceded(&knowledge, &format!("{task}\n\n{MORE}")), 8).await?;
            if says_no(&more) {
                break;
            }
            let kind = self.meter.note(preceded(&knowledge, &format!("{task}\n\n{WHAT}")), BRIEF_TOKENS).await?;
            let Some(source) = self.nearest(retriever, &kind).await? else { break };
            let passages = self.samples(source).await?;
            sampled += passages.len();
            let fresh: Vec<&String> =
                passages.iter().filter(|text| !is_none(text) && !knowledge.contains(text.as_str())).collect();
            let factual: Vec<f64> = fresh.iter().map(|text| self.lexical.factuality(text)).collect();
            if let Some(text) = draw(&factual, 1, &mut self.rng).first().and_then(|place| fresh.get(*place)) {
                knowledge = format!("{text}\n{knowledge}");
                kept += 1;
            }
        }
        self.meter.report("sampled", sampled as f64);
        self.meter.report("kept", f64::from(kept));
        self.meter.report("rounds", f64::from(rounds));
        self.ask(knowledge.trim_end(), self.prompt.clone()).await
    }

    /// The source whose name, or text, is most like what is asked for.
    async fn nearest<R: Retriever>(&self, retriever: &R, kind: &str) -> Result<Option<&Source<'_, M>>, CallError> {
        let names: Vec<String> = self.sources.iter().map(Source::name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let scores = self.meter.scores(retriever, kind, &names).await?;
        Ok(bm25::ranked(&scores).first().and_then(|place| self.sources.get(*place)))
    }

    /// The samples of a card, side by side.
    async fn samples(&self, source: &Source<'_, M>) -> Result<Vec<String>, CallError> {
        let most = self.settings.count("sample-tokens");
        match source {
            Source::Endpoint(card) => {
                let (task, count) = (self.asked.task(), self.settings.count("samples"));
                let prompt = |number| {
                    format!("{task}\n\n{KNOW} This is passage {number} of {count}: say what the others do not.")
                };
                try_join_all((1..=count).map(|number| self.meter.note_of(card.model, prompt(number), most))).await
            }
            Source::Part(slices) => {
                try_join_all(slices.iter().map(|slice| self.meter.note(self.asked.about(slice, READ), most))).await
            }
        }
    }

    /// A passage in at most one short sentence.
    async fn brief(&self, passage: &str) -> Result<String, CallError> {
        if passage.chars().count() <= BRIEF {
            return Ok(passage.to_owned());
        }
        self.meter.note(format!("{SHORTEN}\n\n{passage}"), BRIEF_TOKENS).await
    }

    async fn ask(&self, knowledge: &str, prompt: String) -> Result<Reply, CallError> {
        self.meter.ask(preceded(knowledge, &prompt), self.asked.max_tokens).await
    }
}

impl<M> Source<'_, M> {
    fn name(&self) -> String {
        match self {
            Source::Endpoint(card) => card.name.clone(),
            Source::Part(slices) => slices.concat(),
        }
    }
}

const MORE: &str = "Do not do the task yet. Do you need more information? (Yes or No)";

const WHAT: &str = "Do not do the task yet. What kind of information do you need? Reply with a few words.";

const KNOW: &str = "Do not do the task. Write down in at most 70 words what you know for certain that helps with it.";

const READ: &str = "Do not do the task. Write down in at most 70 words what this text says that helps with it, with names and \
                    numbers as they are written. If it says nothing that helps, write NONE.";

const SHORTEN: &str =
    "Say the following in one sentence of at most 20 words, with names and numbers as they are written.";

/// Knowledge, an empty line, and the prompt.
fn preceded(knowledge: &str, prompt: &str) -> String {
    if knowledge.is_empty() { prompt.to_owned() } else { format!("Knowledge: {}\n\n{prompt}", knowledge.trim_end()) }
}

/// Whether the first word is "no".
fn says_no(reply: &str) -> bool {
    bm25::words(reply).first().is_some_and(|word| word == "no")
}
