//! NoLiMa's needle sets (`needle_set….json`, a list of experiments) with the books of the folder `rand_shuffle` beside
//! them, `….txt`.
//!
//! The placement is the official one: the needle stands at the end of a line, at the first one from which the window can
//! be laid so that the needle is exactly at its depth. A record is a question, a test and a book; its depth is that of the
//! item's index, one of 26. Not as upstream: tokens are canonical, a name is drawn by a stream of record and seed, and
//! every argument of a question is put in, not the last one only. Sets with distractors are refused, since their places
//! come from a process-wide seed.

use serde_json::{Map, Value, json};

use super::depth_percent;
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::prose;
use crate::item::Item;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};

/// Reader of the experiments.
pub(super) struct NeedleSets;

static SUBSETS: [Subset; 5] = [
    Subset { name: "needle_set", title: "NoLiMa" },
    Subset { name: "needle_set_hard", title: "NoLiMa hard" },
    Subset { name: "needle_set_mc", title: "NoLiMa multiple choice" },
    Subset { name: "needle_set_direct", title: "NoLiMa direct" },
    Subset { name: "needle_set_onlydirect", title: "NoLiMa direct questions" },
];

/// Folder of the books.
const BOOKS: &str = "rand_shuffle";

/// Slots are the official ones, the words our own.
const TEMPLATE: &str = "A piece of a book follows, and then a question about it.\n\n{haystack}\n\nAnswer from the piece of the book, by what it says or what clearly follows from it.\n\nQuestion: {question}\n\nWrite the answer alone, as short as possible and without reasons.";

impl Dataset for NeedleSets {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        let file = file_name.rsplit(['/', '\\']).next()?.to_ascii_lowercase();
        let stem = file.strip_suffix(".json")?;
        self.subsets().iter().find(|subset| subset.name == stem)
    }

    fn read_beside(
        &self,
        subset: &Subset,
        _: usize,
        line: &str,
        folder: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let experiment = Experiment::of(&fields)?;
        let books = match fields.get("book") {
            Some(Value::String(book)) => vec![("book".to_owned(), book.clone())],
            Some(_) => return Err(RecordError::new("book", "expected a text")),
            None => books(folder)?,
        };
        let mut records = Vec::new();
        for (name, book) in books {
            for (kind, question) in &experiment.questions {
                for test in &experiment.tests {
                    let put = |text: &str| filled(text, &test.arguments);
                    records.push(Record {
                        id: format!("{}_{}_{kind}_{name}", experiment.id, test.id),
                        subset: subset.name.to_owned(),
                        document: book.clone(),
                        question: put(question),
                        references: test.answers.clone(),
                        gold: json!({
                            "needle": put(&experiment.needle),
                            "characters": experiment.characters,
                            "system": experiment.system,
                            "template": experiment.template,
                            "type": kind,
                        }),
                        official_length: None,
                        evidence: Vec::new(),
                    });
                }
            }
        }
        Ok(records)
    }

    fn params(&self, _: &Subset) -> Value {
        json!({})
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let refuse = |reason: &str| prose::unsatisfiable(task, request, reason);
        let depth = depth_percent(request);
        let told = Told::of(record, request, depth).ok_or_else(|| refuse("the record has no needle to place"))?;
        let (head, tail) = told.frame();
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        let tokens = bpe_openai::o200k_base().encode(&record.document);
        let mut prompt = Prompt::default();
        let around = prompt.count(&head) + prompt.count(&tail) + prompt.count(&told.needle) + 2;
        let mut context = limit
            .checked_sub(around)
            .filter(|context| *context > 0)
            .ok_or_else(|| refuse("question and needle leave no room"))?;
        loop {
            let (before, after) = placed(&tokens, context as usize, depth / 100.0)
                .ok_or_else(|| refuse("the book is too short for this window and depth"))?;
            let mut prompt = Prompt::default();
            prompt.push(&head);
            prompt.begin_document();
            prompt.push(&before);
            prompt.push(" ");
            prompt.push_needle(&told.needle);
            prompt.push("\n");
            prompt.push(&after);
            prompt.end_document();
            prompt.push(&tail);
            let excess = prompt.tokens().saturating_sub(limit);
            if excess == 0 {
                let answer = Answer {
                    references: told.answers,
                    gold: json!({ "type": record.gold.get("type") }),
                    depth_percent: Some(depth.round() as u8),
                    ..Answer::default()
                };
                return Ok(prompt.finish(task, request, answer));
            }
            context = context
                .checked_sub(excess)
                .filter(|context| *context > 0)
                .ok_or_else(|| refuse("question and needle leave no room"))?;
        }
    }
}

/// What stands before and after the needle in a window of `context` tokens; `None` where the book ends too early.
fn placed(tokens: &[u32], context: usize, depth: f64) -> Option<(String, String)> {
    let decode = |part: &[u32]| String::from_utf8_lossy(&bpe_openai::o200k_base().bpe.decode_tokens(part)).into_owned();
    let ends_line =
        |place: usize| place == 0 || tokens.get(place).is_some_and(|token| decode(&[*token]).contains('\n'));
    let least = (depth * (context as f64 + 1.0)).ceil() as usize;
    let place = (least..tokens.len()).find(|place| ends_line(*place))?;
    let start = place.checked_sub((context as f64 * depth).round_ties_even() as usize)?;
    let before = decode(tokens.get(start..=place)?);
    let after = decode(tokens.get(place + 1..(start + context).max(place + 1))?);
    let kept = before.rfind('\n').and_then(|end| before.get(..end)).unwrap_or_default();
    Some((kept.to_owned(), after))
}

/// A record with its name drawn.
struct Told {
    needle: String,
    question: String,
    answers: Vec<String>,
    template: String,
    system: String,
}

impl Told {
    fn of(record: &Record, request: &ItemRequest<'_>, depth: f64) -> Option<Self> {
        let text = |name: &str| record.gold.get(name).and_then(Value::as_str);
        let needle = text("needle")?;
        let characters: Vec<&str> =
            record.gold.get("characters")?.as_array()?.iter().filter_map(Value::as_str).collect();
        let stream = [request.seed, Rng::name(&record.id), depth.to_bits()];
        let character =
            if needle.contains("{CHAR}") { Some(*Rng::from_path(&stream).choose(&characters)?) } else { None };
        let put = |text: &str| character.map_or_else(|| text.to_owned(), |name| text.replace("{CHAR}", name));
        Some(Self {
            needle: put(needle),
            question: put(&record.question),
            answers: character.map_or_else(|| record.references.clone(), |name| vec![name.to_owned()]),
            template: text("template")?.to_owned(),
            system: text("system")?.to_owned(),
        })
    }

    /// What stands before and after the book. A system prompt of the set stands first.
    fn frame(&self) -> (String, String) {
        let (before, after) = self.template.split_once("{haystack}").unwrap_or((&self.template, ""));
        let put = |text: &str| text.replace("{question}", &self.question);
        let system = if self.system.is_empty() { String::new() } else { format!("{}\n\n", self.system) };
        (system + &put(before), put(after))
    }
}

/// An experiment of a needle set.
struct Experiment {
    id: String,
    needle: String,
    questions: Vec<(String, String)>,
    tests: Vec<Test>,
    characters: Vec<String>,
    template: String,
    system: String,
}

struct Test {
    id: String,
    arguments: Vec<String>,
    answers: Vec<String>,
}

impl Experiment {
    fn of(fields: &Map<String, Value>) -> Result<Self, RecordError> {
        if fields.contains_key("distractors") {
            let reason = "not read: the places of distractors come from a process-wide seed upstream";
            return Err(RecordError::new("distractors", reason));
        }
        let needle = dataset::text(fields, "needle")?;
        let optional = |name: &str| match fields.get(name) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(_) => dataset::text(fields, name),
        };
        let template = match optional("task_template")? {
            own if own.is_empty() => TEMPLATE.to_owned(),
            own if own.contains("{haystack}") && own.contains("{question}") => own,
            _ => return Err(RecordError::new("task_template", "expected {haystack} and {question} in it")),
        };
        let characters =
            if fields.contains_key("character_set") { dataset::texts(fields, "character_set")? } else { Vec::new() };
        let named = needle.contains("{CHAR}");
        if named && characters.is_empty() {
            return Err(RecordError::new("character_set", "the needle names {CHAR}, and no names are given"));
        }
        Ok(Self {
            id: dataset::text(fields, "id")?,
            needle,
            questions: questions(fields)?,
            tests: tests(fields, named)?,
            characters,
            template,
            system: optional("system_prompt")?,
        })
    }
}

fn questions(fields: &Map<String, Value>) -> Result<Vec<(String, String)>, RecordError> {
    let refuse = || RecordError::new("questions", "expected an object of questions by type");
    let asked = fields.get("questions").and_then(Value::as_object).filter(|asked| !asked.is_empty());
    let pair = |(kind, text): (&String, &Value)| Some((kind.clone(), text.as_str()?.to_owned()));
    asked.and_then(|asked| asked.iter().map(pair).collect()).ok_or_else(refuse)
}

fn tests(fields: &Map<String, Value>, named: bool) -> Result<Vec<Test>, RecordError> {
    let refuse = || RecordError::new("tests", "expected an object of tests, each with input_args");
    let tests = fields.get("tests").and_then(Value::as_object).filter(|tests| !tests.is_empty()).ok_or_else(refuse)?;
    let read = |(id, test): (&String, &Value)| {
        let at = |error: RecordError| RecordError::new(&format!("tests.{id}.{}", error.field), error.reason);
        let fields = test.as_object().ok_or_else(refuse)?;
        let answers = match fields.get("gold_answers") {
            Some(Value::String(answer)) if !answer.is_empty() => vec![answer.clone()],
            Some(Value::Array(_)) => dataset::texts(fields, "gold_answers").map_err(at)?,
            _ => Vec::new(),
        };
        if answers.is_empty() && !named {
            return Err(at(RecordError::new("gold_answers", "missing, and the needle names no {CHAR}")));
        }
        Ok(Test { id: id.clone(), arguments: dataset::texts(fields, "input_args").map_err(at)?, answers })
    };
    tests.iter().map(read).collect()
}

/// A text with its arguments `{1}`, `{2}` … put in.
fn filled(text: &str, arguments: &[String]) -> String {
    let numbered = (1..).zip(arguments);
    numbered.fold(text.to_owned(), |text, (number, argument)| text.replace(&format!("{{{number}}}"), argument))
}

/// The books by name.
fn books(folder: &dyn Folder) -> Result<Vec<(String, String)>, RecordError> {
    let names = folder.names(BOOKS);
    let texts = names.iter().filter_map(|name| Some((name, name.strip_suffix(".txt")?)));
    let books: Vec<(String, String)> = texts
        .map(|(name, stem)| Ok((stem.to_owned(), folder.text(&format!("{BOOKS}/{name}"))?)))
        .collect::<Result<_, RecordError>>()?;
    if books.is_empty() {
        let reason = "no folder of this name with books, ….txt, stands beside the file";
        return Err(RecordError::new(BOOKS, reason));
    }
    Ok(books)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides_so_that_the_depth_is_exact() {
        let book: String = (0..400).map(|line| format!("Line {line} of the book says nothing at all.\n")).collect();
        let tokens = bpe_openai::o200k_base().encode(&book);
        for depth in [0.0, 0.04, 0.5, 0.96, 1.0] {
            let (before, after) = placed(&tokens, 1000, depth).unwrap();
            let (left, right) = (crate::tokens::count(&before), crate::tokens::count(&after));
            assert!(book.contains(&before) && book.contains(&after));
            assert!(depth == 0.0 || book.contains(&format!("{before}\n{after}")), "nothing is lost but the line end");
            assert!((f64::from(left) - 1000.0 * depth).abs() <= 2.0, "{depth}: {left} + {right}");
            assert!(left + right >= 996 && left + right <= 1002, "{depth}: {left} + {right}");
        }
        assert!(placed(&tokens, 1_000_000, 0.5).is_none());
    }
}
