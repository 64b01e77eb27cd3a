//! RULER's common words (arXiv 2404.06654, section 3): which ten words of a list occur most often.

use serde_json::json;

use crate::card::{Card, Diffusion, Scope};
use crate::families::{prose, words};
use crate::item::{Item, Scored};
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{
    Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, integer,
};
use crate::tokens::count_digits;

/// Counting words in a numbered list.
pub struct RulerCwe;

const PARAMETERS: [Parameter; 3] = [
    Parameter {
        name: "common",
        help: "Words that occur often, all asked for",
        kind: ParameterKind::Integer { min: 1, max: 20, default: 10 },
    },
    Parameter {
        name: "often",
        help: "Occurrences of a common word from 4k on; below, a fifth of it",
        kind: ParameterKind::Integer { min: 10, max: 100, default: 30 },
    },
    Parameter {
        name: "seldom",
        help: "Occurrences of every other word from 4k on; below, one",
        kind: ParameterKind::Integer { min: 1, max: 9, default: 3 },
    },
];

impl Family for RulerCwe {
    fn slug(&self) -> &'static str {
        "ruler_cwe"
    }

    fn title(&self) -> &'static str {
        "RULER common words"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            what: "Name the ten words that occur most often in a numbered list. One worked example stands first; the \
                   lead-in of the answer stands at the end of the user message."
                .into(),
            abilities: &["counting", "aggregation"],
            diffusion: Diffusion::High,
            scope: Scope::Wide,
            output_tokens: 120,
            ..super::ruler_card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let params = &task.definition().params;
        let mut rng = prose::stream(task, request);
        let short = request.length.tokens() < 4096;
        let (often, seldom) = (integer(params, "often"), integer(params, "seldom"));
        let (often, seldom) = if short { (often.div_ceil(5), 1) } else { (often, seldom) };
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        let common = integer(params, "common");
        // An entry costs at least five tokens, so this many words are always enough.
        let pool = words::made_up(&mut rng, common * 2 + 40 + limit as usize / (5 * seldom));
        let (sample, pool) = pool.split_at_checked(common + 20).unwrap_or((&pool, &[]));
        let (asked, others) = pool.split_at_checked(common).unwrap_or((pool, &[]));

        let mut prompt = Prompt::default();
        let tail = question(common, "");
        prompt.push(&example(sample, common));
        let budget = limit.saturating_sub(prompt.tokens() + prompt.count(tail.trim_end()));
        let mut entries: Vec<&str> = asked.iter().flat_map(|word| std::iter::repeat_n(word.as_str(), often)).collect();
        let mut cost: u32 = entries.iter().enumerate().map(|(at, word)| entry_cost(&mut prompt, at + 1, word)).sum();
        if cost > budget {
            return Err(prose::unsatisfiable(
                task,
                request,
                "the common words alone are longer; choose a longer length",
            ));
        }
        for word in others {
            let more: u32 = (1..=seldom).map(|copy| entry_cost(&mut prompt, entries.len() + copy, word)).sum();
            if cost + more > budget {
                break;
            }
            cost += more;
            entries.extend(std::iter::repeat_n(word.as_str(), seldom));
        }
        rng.shuffle(&mut entries);
        prompt.begin_document();
        prompt.push(&numbered(&entries));
        prompt.end_document();
        prompt.push(tail.trim_end());
        let answer = Answer { references: asked.to_vec(), depth_percent: None, ..Answer::default() };
        Ok(prompt.finish(task, request, answer))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "cwe", "Common words", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        super::all_contained(item, answer)
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.join(", ")
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        words::made_up(rng, item.references.len()).join(", ")
    }
}

/// Canonical tokens of `{number}. {word}\n`: digits, full stop, word with its space, line break.
fn entry_cost(prompt: &mut Prompt, number: usize, word: &str) -> u32 {
    count_digits(u32::try_from(number).unwrap_or(u32::MAX)) + 2 + prompt.count(&[" ", word].concat())
}

fn numbered(words: &[&str]) -> String {
    let mut list = String::with_capacity(words.len() * 16);
    for (at, word) in words.iter().enumerate() {
        list.push_str(&(at + 1).to_string());
        list.push_str(". ");
        list.push_str(word);
        list.push('\n');
    }
    list
}

fn question(common: usize, answer: &str) -> String {
    format!(
        "\nQuestion: Which {common} words occur most often in the list above?\nAnswer: The {common} words that occur \
         most often are: {answer}"
    )
}

/// A short list with its answer: the common words three times, the others once.
fn example(words: &[String], common: usize) -> String {
    let (asked, others) = words.split_at_checked(common).unwrap_or((words, &[]));
    let rounds = [asked, others, asked, asked];
    let entries: Vec<&str> = rounds.into_iter().flatten().map(String::as_str).collect();
    format!(
        "A numbered list of words follows. Some words occur more often than others; remember those.\n\nExample\n{}{}\n\n\
         List\n",
        numbered(&entries),
        question(common, &asked.join(", "))
    )
}
