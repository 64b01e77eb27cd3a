//! Long-span question answering (arXiv 2406.00179): questions that need many places of one long text, made by code.
//!
//! The paper lets a long-context model write questions from whole novels; here they are made from the fact store behind
//! the annals, so each comes with facts that code can check. Facts checked and the score are Longboard's own.

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::families::prose;
use crate::families::span_question::{self, Kind, Question};
use crate::haystack::Planted;
use crate::item::{Item, Scored};
use crate::judging::{FactReport, OpenEnded, Standing};
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};
use crate::world::{Annals, World};

/// A question over the whole of the annals, answered in sentences.
pub struct LongSpanQa;

const HEAD: &str = "Read the annals below with care, from the first year to the last. A question about them follows at the end.\n\nAnnals\n\n";
const OUTPUT_TOKENS: u32 = 512;
/// Room for head and question when the annals are first measured.
const FRAME_TOKENS: u32 = 320;
const ANNALS_TRIED: u32 = 16;

impl Family for LongSpanQa {
    fn slug(&self) -> &'static str {
        "long_span_qa"
    }

    fn title(&self) -> &'static str {
        "Long-span question answering"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            benchmark: "Long-Span QA",
            what: "Answer in sentences what needs many places of the annals: an office over the years, a life, harvests, events in order."
                .to_owned(),
            citation: "Long-span question answering, arXiv 2406.00179; no official code. Questions, facts and score are Longboard's",
            licence: "annals and questions here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::ModelTokens,
            tokenizer: "the model's own",
            abilities: &["retrieval", "reasoning", "aggregation"],
            diffusion: Diffusion::High,
            scope: Scope::Wide,
            random_guess: 0.0,
            output_tokens: OUTPUT_TOKENS,
            metric: "long_span_qa.fact_recall",
            strict_metric: Some("long_span_qa.fact_recall.strict"),
            min_tokens: 4096,
            open_ended: true,
            protocol: Protocol::GENERATED,
            importable: None,
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let identity = Identity::of_request(task, request);
        if request.corpus.is_some() {
            let reason = "its questions come from the built-in annals: run it without a corpus";
            return Err(prose::unsatisfiable(task, request, reason));
        }
        let Some((annals, question)) = identity.question() else {
            return Err(prose::unsatisfiable(
                task,
                request,
                "the annals tell too little for a question: choose a longer one",
            ));
        };
        let tail = format!("\n\nQuestion: {}\nAnswer:", question.text);
        let limit = request.length.tokens().saturating_sub(OUTPUT_TOKENS);
        let mut budget = limit.saturating_sub(crate::tokens::count(HEAD) + crate::tokens::count(&tail));
        loop {
            let told = annals.tell(budget, &question.evidence);
            let planted = Planted { tokens: told.passage.tokens, text: told.passage.text, needles: told.marks };
            let mut prompt = Prompt::default();
            prompt.push(HEAD);
            prompt.begin_document();
            prompt.push_planted(&planted);
            prompt.end_document();
            prompt.push(&tail);
            let excess = prompt.tokens().saturating_sub(limit);
            if excess == 0 {
                let answer = Answer { references: vec![question.answer], depth_percent: None, ..Answer::default() };
                return Ok(prompt.finish(task, request, answer));
            }
            budget = budget.saturating_sub(excess);
        }
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "long_span_qa", "Questions over the whole annals", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let facts = Identity::of_item(item).question().map(|(_, question)| question.facts).unwrap_or_default();
        let report = FactReport::new(&facts, answer);
        let [right, wrong] = [Standing::Right, Standing::Wrong].map(|standing| report.count(standing));
        Scored {
            score: report.recall,
            strict: Some(report.strict),
            extracted: format!("{right} of {} facts right, {wrong} wrong", facts.len()),
            well_formed: !answer.trim().is_empty(),
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.join(", ")
    }

    fn guess(&self, _: &Task, _: &Item, rng: &mut Rng) -> String {
        let names = super::kinship::names(Language::English, rng, 3);
        format!("The office was held by {}.", names.join(", then by "))
    }

    fn open_ended(&self, _: &Task, item: &Item) -> Option<OpenEnded> {
        let (_, question) = Identity::of_item(item).question()?;
        Some(OpenEnded { question: question.text, reference: Some(question.answer), facts: question.facts })
    }
}

/// What fixes an item's question.
struct Identity {
    rng: Rng,
    seed: u64,
    index: u32,
    tokens: u32,
}

impl Identity {
    fn of_request(task: &Task, request: &ItemRequest<'_>) -> Self {
        Self {
            rng: prose::stream(task, request),
            seed: request.seed,
            index: request.index,
            tokens: request.length.tokens(),
        }
    }

    fn of_item(item: &Item) -> Self {
        Self { rng: prose::stream_of(item), seed: item.seed, index: item.index, tokens: item.length.tokens() }
    }

    /// Annals and question: the kind whose turn it is, or the next one for which the annals tell enough. Short annals
    /// may tell too little for any; then others are opened.
    fn question(mut self) -> Option<(Annals, Question)> {
        let budget = self.tokens.saturating_sub(OUTPUT_TOKENS + FRAME_TOKENS);
        (0..ANNALS_TRIED).find_map(|_| {
            let annals = Annals::new(World::new(self.seed), self.rng.next_u64(), budget);
            let last = annals.tell(budget, &[]).last_year;
            let turns = Kind::ALL.iter().cycle().skip(self.index as usize % Kind::ALL.len()).take(Kind::ALL.len());
            let question = turns.filter_map(|kind| span_question::ask(&annals, last, *kind, &mut self.rng)).next()?;
            Some((annals, question))
        })
    }
}
