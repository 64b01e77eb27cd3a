//! Pages of a report written into a prompt of exact length.

use serde_json::json;

use super::report::{Kind, Leaf, Question, Report};
use crate::card::Language;
use crate::families::prose;
use crate::haystack::planting_cost;
use crate::item::Item;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};
use crate::tokens;

const HEAD: &str = "Pages of a report follow. Read them; the question at the end is about one of them.\n\n";

/// Least canonical tokens of running text on a page.
const LEAST: u32 = 32;

/// Which pages of a report are given, in which order, and which one is asked about.
pub struct Binding {
    pub report: Report,
    pub numbers: Vec<u32>,
    pub asked: u32,
    /// Whether tables and charts are pictures.
    pub shown: bool,
}

/// What a page tells beside running text, and which of it is asked for.
pub struct Told {
    /// Sentences of a page of text.
    pub sentences: Vec<String>,
    /// The question.
    pub question: Question,
}

impl Told {
    /// Draws what is told and asked on a page.
    pub fn draw(leaf: &Leaf, rng: &mut Rng) -> Self {
        match leaf.kind {
            Kind::Text => {
                let questions = leaf.sentences(rng);
                let sentences = questions.iter().filter_map(|question| question.sentence.clone()).collect();
                let question = questions.get(rng.index(questions.len())).cloned();
                Self { sentences, question: question.unwrap_or_else(|| leaf.about_table(rng)) }
            }
            Kind::Table => Self { sentences: Vec::new(), question: leaf.about_table(rng) },
            Kind::Figure => Self { sentences: Vec::new(), question: leaf.about_figure(rng) },
        }
    }
}

impl Binding {
    /// The item.
    pub fn item(&self, task: &Task, request: &ItemRequest<'_>, rng: &mut Rng) -> Result<Item, GenerateError> {
        let variant = rng.next_u64();
        let leaves: Vec<(Leaf, Told)> = self.numbers.iter().map(|number| self.told(*number, variant)).collect();
        let Some((leaf, told)) = leaves.iter().find(|(leaf, _)| leaf.number == self.asked) else {
            return Err(prose::unsatisfiable(task, request, "the page with the answer is missing"));
        };
        let question = &told.question;
        let tail = format!("Question: {}\nAnswer in one short sentence.\nAnswer:", question.text);
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        let mut room = limit;
        loop {
            let (mut prompt, pending) = (Prompt::default(), tokens::count(&tail));
            prompt.push(HEAD);
            prompt.begin_document();
            for (place, page) in leaves.iter().enumerate() {
                let left = (leaves.len() - place) as u32;
                let share = room.saturating_sub(prompt.tokens() + pending) / left;
                self.push(&mut prompt, (task, request), page, (share, variant))?;
            }
            prompt.end_document();
            prompt.push(&tail);
            let excess = prompt.tokens().saturating_sub(limit);
            if excess == 0 {
                return Ok(prompt.finish(task, request, self.answer(leaf, question)));
            }
            room = room.saturating_sub(excess);
        }
    }

    fn told(&self, number: u32, variant: u64) -> (Leaf, Told) {
        let leaf = self.report.leaf(number);
        let told = Told::draw(&leaf, &mut Rng::from_path(&[variant, number.into(), 1]));
        (leaf, told)
    }

    fn answer(&self, leaf: &Leaf, question: &Question) -> Answer {
        Answer {
            references: vec![question.answer.clone()],
            gold: json!({
                "kind": leaf.kind.slug(),
                "question": question.text,
                "evidence_page": leaf.number,
                "pages": self.numbers.len(),
                "range": question.range.map(|(low, high)| [low, high]),
                "others": question.others,
            }),
            ..Answer::default()
        }
    }

    /// Writes a page of at most `share` canonical tokens.
    fn push(
        &self,
        prompt: &mut Prompt,
        (task, request): (&Task, &ItemRequest<'_>),
        (leaf, told): &(Leaf, Told),
        (share, variant): (u32, u64),
    ) -> Result<(), GenerateError> {
        let number = leaf.number;
        let asked = number == self.asked;
        let before = format!("[Page {number}]\n");
        let caption = leaf.caption();
        let table = if leaf.kind == Kind::Table && !self.shown { leaf.table().text() } else { String::new() };
        let planted: u32 = told.sentences.iter().map(|text| planting_cost(Language::English, text)).sum();
        // Empty lines around caption and table, and one token where the running text meets either.
        let fixed = planted + [&before, &caption, &table].map(|text| tokens::count(text)).iter().sum::<u32>() + 5;
        let Some(budget) = share.checked_sub(fixed).filter(|budget| *budget >= LEAST) else {
            let reason =
                format!("{} pages of {share} tokens leave no room for text: choose a longer one", self.numbers.len());
            return Err(prose::unsatisfiable(task, request, reason));
        };
        let mut rng = Rng::from_path(&[variant, number.into(), 2]);
        let passage = prose::running(request, Language::English, rng.next_u64())(budget)
            .map_err(|error| prose::unsatisfiable(task, request, error.to_string()))?;
        let plants: Vec<(usize, &str)> =
            told.sentences.iter().map(|text| (passage.break_at(rng.unit()), text.as_str())).collect();
        let mut page = passage.plant(&plants);
        let evidence = told.question.sentence.as_deref();
        page.needles.retain(|needle| asked && page.text.get(needle.bytes.clone()) == evidence);
        prompt.begin_page(number, asked);
        prompt.push(&before);
        prompt.push_planted(&page);
        if !caption.is_empty() {
            prompt.push("\n\n");
            let whole = if table.is_empty() { caption.clone() } else { format!("{caption}\n{table}") };
            if asked { prompt.push_needle(&whole) } else { prompt.push(&whole) }
        }
        if let Some(picture) = leaf.picture().filter(|_| self.shown) {
            prompt.push_picture(&picture, caption);
        }
        prompt.push("\n\n");
        prompt.end_page();
        Ok(())
    }
}
