//! Ada-LEval's BestAnswer (arXiv 2404.06480, section 3.2): one right answer among many to the same question.

use serde_json::json;

use crate::card::{Card, Diffusion, Language, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::lines::{self, Lines};
use crate::families::prose;
use crate::item::{Item, Scored};
use crate::metrics::ada_leval as metric;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};
use crate::world::{TownId, World};

/// Choose the answer that solves a sum told as a story.
pub struct AdaLevalBestAnswer;

const TAIL: &str = "\nExactly one of these answers works the question out without a mistake. Reply with its designation \
                    only, for example Answer: A2\nAnswer:";

impl Family for AdaLevalBestAnswer {
    fn slug(&self) -> &'static str {
        "ada_leval_bestanswer"
    }

    fn title(&self) -> &'static str {
        "Ada-LEval best answer"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            what: "Choose the one right answer to a question among answers that differ in small mistakes. There are \
                   more of them the longer the prompt, so guessing gets harder with the length."
                .to_owned(),
            abilities: &["reasoning", "semantic retrieval"],
            diffusion: Diffusion::High,
            scope: Scope::Wide,
            random_guess: 0.0,
            output_tokens: 16,
            metric: "ada_leval.bestanswer_accuracy",
            strict_metric: Some("ada_leval.bestanswer_accuracy.strict"),
            protocol: Protocol {
                post_processing: "the highest label found in the answer, else the highest number; strictly one label",
                ..Protocol::GENERATED
            },
            ..super::ada_leval_card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        prose::refuse_corpus(task, request)?;
        let mut rng = prose::stream(task, request);
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        let trip = Trip::new(World::new(request.seed), &mut rng);
        let head = format!(
            "A question was put to a travellers' board, and many people answered it.\n\nQuestion: {}\n\nAnswers\n\n",
            trip.question()
        );
        let mut prompt = Prompt::default();
        prompt.push(&head);
        prompt.begin_document();
        let budget = limit.saturating_sub(prompt.tokens() + prompt.count(TAIL));
        let mut lines = Lines::new(budget);
        let right = trip.answer(Slip::None, &mut rng);
        // The right answer's label has at most three tokens more than it has here.
        let reserve = lines.cost(&format!("A1:\n{right}\n")) + 3;
        lines.reserve(reserve);
        let mut wrong = Vec::new();
        loop {
            let answer = trip.answer(Slip::drawn(&mut rng), &mut rng);
            if !lines.offer(format!("A{}:\n{answer}\n", wrong.len() + 2)) {
                break;
            }
            wrong.push(answer);
        }
        if wrong.is_empty() {
            return Err(prose::unsatisfiable(task, request, "two answers do not fit"));
        }
        let place = rng.index(wrong.len() + 1);
        let closing = lines::remarks(lines.left(), &mut rng);
        wrong.insert(place, right);
        let count = wrong.len();
        for (number, answer) in (1..).zip(&wrong) {
            prompt.push(&format!("A{number}:\n"));
            if number == place + 1 {
                prompt.push_needle(answer)
            } else {
                prompt.push(answer)
            }
            prompt.push(if number == count { closing.as_str() } else { "" });
            prompt.push("\n\n");
        }
        prompt.end_document();
        prompt.push(TAIL);
        let label = format!("A{}", place + 1);
        let gold = json!({ "choices": count });
        Ok(prompt.finish(task, request, Answer { references: vec![label], gold, ..Answer::default() }))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "ada_leval_bestanswer", "One right answer of many", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let label = item.references.first().map_or("", String::as_str);
        let chosen = metric::chosen(answer, choices(item));
        Scored {
            score: metric::best_answer(answer, label, choices(item)),
            strict: Some(metric::best_answer_strict(answer, label)),
            well_formed: chosen.is_some(),
            extracted: chosen.map_or_else(|| "???".to_owned(), |one| format!("A{one}")),
        }
    }

    fn quotes_references(&self) -> bool {
        false
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        format!("Answer: {}", item.references.concat())
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        format!("Answer: A{}", rng.index(choices(item)) + 1)
    }

    fn chance(&self, _: &Task, item: &Item) -> f64 {
        1.0 / choices(item).max(1) as f64
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&super::ada_leval_files::BestAnswer)
    }
}

fn choices(item: &Item) -> usize {
    item.gold.get("choices").and_then(serde_json::Value::as_u64).unwrap_or_default() as usize
}

/// A journey with its costs.
struct Trip {
    from: String,
    to: String,
    sacks: u64,
    price: u64,
    boats: u64,
    toll: u64,
    nights: u64,
    lodging: u64,
}

/// The mistake in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slip {
    /// None.
    None,
    /// A product is wrong by so much: which one, and how much.
    Product(usize, u64),
    /// The total is wrong by so much.
    Total(u64),
    /// One number is not that of the question: which one, and how much more.
    Reading(usize, u64),
    /// One cost is left out: which one.
    Left(usize),
}

impl Slip {
    fn drawn(rng: &mut Rng) -> Self {
        let part = rng.index(3);
        match rng.index(8) {
            0 => Self::Left(part),
            1 | 2 => Self::Total(rng.between(1, 40)),
            3..=5 => Self::Product(part, rng.between(1, 30)),
            _ => Self::Reading(part, rng.between(1, 9)),
        }
    }
}

const NAMES: [&str; 3] = ["the rye", "the toll", "the lodging"];
const OPENINGS: [&str; 6] = [
    "I made this trip last autumn.",
    "This is easy enough to work out.",
    "My brother asks me the same every year.",
    "Let me reckon it for you.",
    "I keep the books of a carter, so here is how I see it.",
    "Do not listen to the others.",
];

impl Trip {
    fn new(world: World, rng: &mut Rng) -> Self {
        let town = TownId(rng.below(1 << 20) as u32);
        let other = rng.choose(&world.neighbours(town)).copied().unwrap_or(town);
        let name = |town| world.town(town).name.of(Language::English);
        Self {
            from: name(town),
            to: name(other),
            sacks: rng.between(12, 89),
            price: rng.between(13, 94),
            boats: rng.between(3, 19),
            toll: rng.between(11, 68),
            nights: rng.between(4, 23),
            lodging: rng.between(12, 79),
        }
    }

    fn question(&self) -> String {
        let Self { from, to, sacks, price, boats, toll, nights, lodging } = self;
        format!(
            "I travel from {from} to {to} with {boats} boats and pay a toll of {toll} pence for each boat. On the way I \
             stay {nights} nights at {lodging} pence a night, and at {to} I buy {sacks} sacks of rye at {price} pence a \
             sack. How many pence does all of it cost together?"
        )
    }

    /// An answer with `slip`, told step by step. Every slip makes steps or total wrong.
    fn answer(&self, slip: Slip, rng: &mut Rng) -> String {
        let mut counts = [self.sacks, self.boats, self.nights];
        let prices = [self.price, self.toll, self.lodging];
        if let Slip::Reading(part, more) = slip
            && let Some(count) = counts.get_mut(part)
        {
            *count += more;
        }
        let mut text = rng.choose(&OPENINGS).copied().unwrap_or_default().to_owned();
        let mut order = [0, 1, 2];
        rng.shuffle(&mut order);
        let mut total = 0;
        for part in order {
            let (count, price) = (counts.get(part).copied().unwrap_or(0), prices.get(part).copied().unwrap_or(0));
            let (mut cost, name) = (count * price, NAMES.get(part).copied().unwrap_or_default());
            match slip {
                Slip::Left(left) if left == part => continue,
                Slip::Product(wrong, more) if wrong == part => cost += more,
                _ => {}
            }
            total += cost;
            text.push_str(&format!(" For {name} you pay {count} times {price}, which is {cost} pence."));
        }
        if let Slip::Total(more) = slip {
            total += more;
        }
        text.push_str(&format!(" Altogether that makes {total} pence."));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::python_text::digit_runs;

    #[test]
    fn only_the_right_answer_has_the_right_total() {
        let mut rng = Rng::from_path(&[4]);
        for seed in 0..60 {
            let trip = Trip::new(World::new(seed), &mut rng);
            let total = trip.sacks * trip.price + trip.boats * trip.toll + trip.nights * trip.lodging;
            let said = |text: &str| digit_runs(text).last().and_then(|run| run.parse::<u64>().ok());
            assert_eq!(said(&trip.answer(Slip::None, &mut rng)), Some(total));
            for _ in 0..50 {
                let slip = Slip::drawn(&mut rng);
                assert_ne!(said(&trip.answer(slip, &mut rng)), Some(total), "{slip:?}");
            }
        }
    }
}
