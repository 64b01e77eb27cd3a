//! Lessons: what the model is trained on, in the frame in which it will be asked.
//!
//! Most are items of the platform's own families, shorter than any suite uses, with further questions about the same
//! text; so one pass over a text teaches several answers. The rest are plain repetitions.

use longboard_suites::item::{Item, Message, Role};
use longboard_suites::length::Length;
use longboard_suites::rng::Rng;
use longboard_suites::task::{ItemRequest, Task, TaskDefinition};

use super::asked::Row;
use super::knots::Tags;
use super::likeness::{Narrowing, Sharing};
use super::walk::{linked, pairs, walk};
use crate::error::ModelError;
use crate::tokenizer::Tokenizer;

/// What a lesson teaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// One value of one key in prose or noise.
    Needle,
    /// The values of several keys.
    Needles,
    /// The value of an identifier among pairs of identifiers.
    Pair,
    /// A chain of pairs.
    Thread,
    /// A stretch that comes again.
    Repeat,
}

impl Subject {
    /// All, in the order of reports.
    pub const ALL: [Self; 5] = [Self::Needle, Self::Needles, Self::Pair, Self::Thread, Self::Repeat];

    /// Name in reports.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Needle => "needle",
            Self::Needles => "needles",
            Self::Pair => "pair",
            Self::Thread => "thread",
            Self::Repeat => "repeat",
        }
    }
}

/// Tokens and which of them are to be predicted.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// What it teaches.
    pub subject: Subject,
    /// Tokens.
    pub ids: Vec<u32>,
    /// Stretches of `ids` that are answers.
    pub answers: Vec<std::ops::Range<usize>>,
}

impl Lesson {
    /// What is asked.
    #[must_use]
    pub fn row(&self) -> Row<'_> {
        Row { ids: &self.ids, answers: &self.answers }
    }
}

/// How lessons are written. Courses of one recipe differ in it; the plain manner is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Manner {
    /// Lists name each key again after its value: what comes next then follows the same words in the question, and need not
    /// be found by a key that stands a value further back.
    pub chained: bool,
    /// Short matches mislead more often: in most texts the keys of needles share words, and further pairs of a text with a
    /// thread lead on.
    pub hard: bool,
}

/// Questions about several keys of one text; the first asks for one key more than there are questions.
const LISTS: usize = 3;

/// Tokens below which a lesson asks for a key less, and above which a thread may stand among more pairs.
const SHORT: usize = 340;

/// Writes lessons of a course without end.
pub struct Teacher<'a> {
    tokenizer: &'a Tokenizer,
    tags: Tags,
    needle: [Task; 4],
    needles: Task,
    crowd: Task,
    pair: Task,
    thread: [Task; 3],
    manner: Manner,
}

fn task(slug: &str, family: &str, params: serde_json::Value) -> Result<Task, ModelError> {
    Task::new(TaskDefinition::generated(family, slug, slug, params))
        .map_err(|error| ModelError::Invalid(error.to_string()))
}

fn builtin(slug: &str) -> Result<Task, ModelError> {
    Task::find(slug).cloned().map_err(|error| ModelError::Invalid(error.to_string()))
}

impl<'a> Teacher<'a> {
    /// A teacher who writes in the tokens of `tokenizer`.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when a family refuses its parameters.
    pub fn new(tokenizer: &'a Tokenizer) -> Result<Self, ModelError> {
        let thread =
            |steps: u32| task("thread", "needle_threading", serde_json::json!({"kind": "threading", "steps": steps}));
        Ok(Self {
            tokenizer,
            tags: Tags::of(tokenizer)?,
            needle: [
                builtin("niah_single_1")?,
                builtin("niah_single_2")?,
                builtin("niah_multikey_1")?,
                builtin("niah_multikey_2")?,
            ],
            needles: builtin("niah_multiquery")?,
            crowd: builtin("niah_multikey_2")?,
            pair: builtin("needle_threading_single")?,
            thread: [thread(2)?, thread(3)?, thread(3)?],
            manner: Manner::default(),
        })
    }

    /// The same teacher with another manner.
    #[must_use]
    pub fn in_manner(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    /// Names of cuts, in case lessons are tied.
    #[must_use]
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    /// The lesson of `subject` with `seed`, of at most `limit` tokens.
    ///
    /// # Errors
    /// [`ModelError`] when its text cannot be made.
    pub fn lesson(&self, subject: Subject, seed: u64, limit: usize) -> Result<Lesson, ModelError> {
        let mut rng = Rng::from_path(&[Rng::name("lesson"), Rng::name(subject.slug()), seed]);
        let mut lesson = match subject {
            Subject::Needle => self.needle(&mut rng, limit),
            Subject::Needles => self.needles(&mut rng, limit),
            Subject::Pair => self.pair(&mut rng, limit),
            Subject::Thread => self.thread(&mut rng, limit),
            Subject::Repeat => Ok(self.repeat(&mut rng, limit)),
        }?;
        lesson.ids.truncate(limit);
        lesson.answers.retain(|answer| answer.end <= limit);
        Ok(lesson)
    }

    /// The shortest item of at least `tokens` that the task can make.
    fn item(&self, task: &Task, rng: &mut Rng, tokens: usize) -> Result<Item, ModelError> {
        const STEP: u32 = 64;
        const TRIES: u32 = 12;
        let invalid = |error: &dyn std::fmt::Display| ModelError::Invalid(error.to_string());
        let tokens = u32::try_from(tokens).unwrap_or(u32::MAX).clamp(*Length::RANGE.start(), 1 << 20);
        let (seed, index) = (rng.next_u64(), u32::try_from(rng.below(1000)).unwrap_or(0));
        let mut refused = ModelError::Invalid("no length was tried".to_owned());
        for try_number in 0..TRIES {
            let length = Length::new(tokens + try_number * STEP).map_err(|error| invalid(&error))?;
            match task.family().generate(task, &ItemRequest::new(seed, index, length)) {
                Ok(item) => return Ok(item),
                Err(error) => refused = invalid(&error),
            }
        }
        Err(refused)
    }

    fn needle(&self, rng: &mut Rng, limit: usize) -> Result<Lesson, ModelError> {
        let Some(task) = rng.choose(&self.needle) else { return Err(ModelError::Invalid("no tasks".to_owned())) };
        let item = self.item(task, rng, limit * 3 / 5 + 128)?;
        let (text, question) = asked(&item);
        let sharing = self.sharing(rng, &text);
        let (text, question) = (sharing.apply(&text), sharing.apply(&question));
        let planted = planted(&text);
        let Some((key, value)) = planted.iter().find(|(_, value)| item.references.contains(value)).cloned() else {
            return Err(ModelError::Invalid(format!("{} plants nothing", item.task)));
        };
        let mut sheet = self.sheet(Subject::Needle, &text)?;
        let opening = opening(&question);
        sheet.answer(&question, &format!("{opening}{}", stated(&key, &value)))?;
        let mut others = planted;
        rng.shuffle(&mut others);
        for (other, value) in others {
            sheet.ask(&question.replace(&key, &other), &format!("{opening}{}", stated(&other, &value)))?;
        }
        Ok(sheet.lesson)
    }

    /// Lists of keys of one text: those of the task, or of a text of needles alone.
    fn needles(&self, rng: &mut Rng, limit: usize) -> Result<Lesson, ModelError> {
        let item = self.item(&self.needles, rng, limit * 3 / 5 + 128)?;
        let (mut text, question) = asked(&item);
        if rng.below(2) == 0 {
            text = asked(&self.item(&self.crowd, rng, limit * 2 / 5 + 128)?).0;
        }
        text = self.sharing(rng, &text).apply(&text);
        let mut planted = planted(&text);
        let opening = opening(&question);
        let listed = question.lines().last().unwrap_or_default();
        let listed = listed.strip_prefix(opening).and_then(|rest| rest.strip_suffix(" are:")).unwrap_or_default();
        let mut sheet = self.sheet(Subject::Needles, &text)?;
        for turn in 0..LISTS {
            rng.shuffle(&mut planted);
            let most = if limit < SHORT { LISTS - turn } else { LISTS + 1 - turn };
            let asked = planted.get(..most).unwrap_or(&planted);
            let keys: Vec<&str> = asked.iter().map(|(key, _)| key.as_str()).collect();
            let answers: Vec<String> = asked
                .iter()
                .enumerate()
                .map(|(place, (key, value))| match keys.get(place + 1) {
                    Some(_) if self.manner.chained => format!("{}, {key}", stated(key, value)),
                    _ => stated(key, value),
                })
                .collect();
            let question = question.replace(listed, &enumerated(&keys));
            let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
            let answer = format!("{opening}{}", enumerated(&answers));
            if turn == 0 { sheet.answer(&question, &answer)? } else { sheet.ask(&question, &answer)? }
        }
        Ok(sheet.lesson)
    }

    fn sharing(&self, rng: &mut Rng, text: &str) -> Sharing {
        // Plain lessons draw nothing here: the same seed gives the same ones whatever else a course can do.
        if !self.manner.hard {
            return Sharing::default();
        }
        let planted = if rng.below(3) > 0 { planted(text) } else { Vec::new() };
        Sharing::draw(rng, &planted.iter().map(|(key, _)| key.as_str()).collect())
    }

    fn pair(&self, rng: &mut Rng, limit: usize) -> Result<Lesson, ModelError> {
        let item = self.item(&self.pair, rng, 96 + limit * 9 / 20)?;
        let narrow = Narrowing::draw(rng);
        let (text, question) = asked(&item);
        let (text, question) = (narrow.apply(&text), narrow.apply(&question));
        self.walks(rng, Subject::Pair, &text, &question)
    }

    fn thread(&self, rng: &mut Rng, limit: usize) -> Result<Lesson, ModelError> {
        let Some(task) = rng.choose(&self.thread) else { return Err(ModelError::Invalid("no tasks".to_owned())) };
        let spare = rng.index(limit.saturating_sub(SHORT) * 3 / 4 + 1);
        let item = self.item(task, rng, 96 + limit * 9 / 20 + spare)?;
        let narrow = Narrowing::draw(rng);
        let (text, question) = asked(&item);
        let (mut text, question) = (narrow.apply(&text), narrow.apply(&question));
        if self.manner.hard {
            text = linked(rng, text);
        }
        self.walks(rng, Subject::Thread, &text, &question)
    }

    /// The question about its own key, then about the other ones.
    fn walks(&self, rng: &mut Rng, subject: Subject, text: &str, question: &str) -> Result<Lesson, ModelError> {
        let pairs = pairs(text);
        let Some(start) = pairs.iter().map(|(key, _)| key).find(|key| question.contains(key.as_str())) else {
            return Err(ModelError::Invalid("the asked key is not there".to_owned()));
        };
        let mut sheet = self.sheet(subject, text)?;
        sheet.answer(question, &walk(&pairs, start))?;
        let mut keys: Vec<&String> = pairs.iter().map(|(key, _)| key).collect();
        rng.shuffle(&mut keys);
        for other in keys {
            sheet.ask(&question.replace(start, other), &walk(&pairs, other))?;
        }
        Ok(sheet.lesson)
    }

    /// Stretches of random tokens, then all of them again in another order. A small alphabet makes short matches
    /// ambiguous, so that long ones are learnt.
    fn repeat(&self, rng: &mut Rng, limit: usize) -> Lesson {
        const SURE: usize = 3;
        let size = self.tokenizer.size() as u64;
        let kinds = rng.choose(&[8, 16, 64, 512]).copied().unwrap_or(8);
        let alphabet: Vec<u32> = (0..kinds).map(|_| u32::try_from(8 + rng.below(size - 8)).unwrap_or(8)).collect();
        let length = 8 + rng.index(40);
        let count = (limit / (2 * length + 2)).max(1);
        let mut stretches: Vec<Vec<u32>> =
            (0..count).map(|_| (0..length).filter_map(|_| rng.choose(&alphabet).copied()).collect()).collect();
        let mut ids: Vec<u32> = self.tokenizer.start().into_iter().collect();
        ids.extend(stretches.iter().flatten());
        rng.shuffle(&mut stretches);
        let mut answers = Vec::new();
        for stretch in &stretches {
            ids.extend(stretch);
            answers.push(ids.len() - stretch.len() + SURE..ids.len());
        }
        Lesson { subject: Subject::Repeat, ids, answers }
    }

    fn sheet(&self, subject: Subject, text: &str) -> Result<Sheet<'a>, ModelError> {
        let mut ids: Vec<u32> = self.tokenizer.start().into_iter().collect();
        ids.extend(self.tokenizer.opener(Role::User));
        let lesson = Lesson { subject, ids, answers: Vec::new() };
        Ok(Sheet { tokenizer: self.tokenizer, lesson, text: text.to_owned() })
    }

    /// Texts from which a tokenizer learns: prompts and answers of all subjects.
    ///
    /// # Errors
    /// [`ModelError`] when a text cannot be made.
    pub fn reading(count: u32, seed: u64) -> Result<Vec<String>, ModelError> {
        let tasks = ["niah_multikey_1", "niah_multiquery", "niah_single_1", "needle_threading_single"];
        let mut rng = Rng::from_path(&[Rng::name("reading"), seed]);
        let mut texts = Vec::new();
        for index in 0..count {
            for slug in tasks {
                let task = builtin(slug)?;
                let length = Length::new(2048).map_err(|error| ModelError::Invalid(error.to_string()))?;
                let request = ItemRequest::new(rng.next_u64(), index, length);
                let item = task.family().generate(&task, &request);
                texts.push(item.map_err(|error| ModelError::Invalid(error.to_string()))?.joined());
            }
        }
        Ok(texts)
    }
}

/// A conversation under construction.
struct Sheet<'a> {
    tokenizer: &'a Tokenizer,
    lesson: Lesson,
    text: String,
}

impl Sheet<'_> {
    /// Ends the first message with `question` and answers it.
    fn answer(&mut self, question: &str, answer: &str) -> Result<(), ModelError> {
        let message = format!("{}\n\n{question}", std::mem::take(&mut self.text));
        self.turn(&message, answer)
    }

    /// A further message.
    fn ask(&mut self, question: &str, answer: &str) -> Result<(), ModelError> {
        self.lesson.ids.extend(self.tokenizer.opener(Role::User));
        self.turn(question, answer)
    }

    fn turn(&mut self, message: &str, answer: &str) -> Result<(), ModelError> {
        let ids = &mut self.lesson.ids;
        ids.extend(self.tokenizer.encode(message)?);
        ids.push(self.tokenizer.end());
        ids.extend(self.tokenizer.opener(Role::Assistant));
        let from = ids.len();
        ids.extend(self.tokenizer.encode(answer)?);
        ids.push(self.tokenizer.end());
        self.lesson.answers.push(from..ids.len());
        Ok(())
    }
}

/// The text of an item and the question after it.
fn asked(item: &Item) -> (String, String) {
    let joined = item.joined();
    let (text, question) = joined.rsplit_once("\n\n").unwrap_or(("", joined.as_str()));
    (text.to_owned(), question.to_owned())
}

/// Keys and values of all needles that a text of the RULER family hides, asked for or not.
fn planted(text: &str) -> Vec<(String, String)> {
    let sentences = text.split("One of the hidden ").skip(1);
    let pairs = sentences.filter_map(|sentence| {
        let (key, value) = sentence.split_once('.')?.0.split_once(" for ")?.1.split_once(" is ")?;
        Some((key.to_owned(), value.to_owned()))
    });
    pairs.collect()
}

/// The last line of a question up to its first key: an answer that begins like it finds its key there.
fn opening(question: &str) -> &str {
    let line = question.lines().last().unwrap_or_default();
    line.find(" for ").and_then(|at| line.get(..at + " for ".len())).unwrap_or_default()
}

/// "a, b and c".
fn enumerated(keys: &[&str]) -> String {
    match keys {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A value with its key, which is what the model looks for while it writes.
fn stated(key: &str, value: &str) -> String {
    format!("{key} is {value}")
}

/// One message as the platform sends it.
#[must_use]
pub fn message(content: &str) -> Message {
    Message { role: Role::User, content: content.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokenizer() -> Tokenizer {
        Tokenizer::parse(include_bytes!("../../checkpoint/tokenizer.json"), crate::chat::Frame::default()).unwrap()
    }

    #[test]
    fn every_subject_asks_within_its_limit() {
        let tokenizer = tokenizer();
        let teacher = Teacher::new(&tokenizer).unwrap();
        for subject in Subject::ALL {
            let answers: usize = (0..20)
                .map(|seed| {
                    let lesson = teacher.lesson(subject, seed, 384).unwrap();
                    assert!(lesson.ids.len() <= 384);
                    assert!(lesson.answers.iter().all(|answer| !answer.is_empty() && answer.end <= lesson.ids.len()));
                    lesson.answers.len()
                })
                .sum();
            assert!(answers >= 20, "{}: {answers} answers in 20 lessons", subject.slug());
        }
    }

    #[test]
    fn a_chained_list_comes_back_to_each_key() {
        let tokenizer = tokenizer();
        let lists = |chained: bool| {
            let teacher = Teacher::new(&tokenizer).unwrap().in_manner(Manner { chained, ..Manner::default() });
            let lesson = teacher.lesson(Subject::Needles, 3, 512).unwrap();
            let answer = lesson.answers.first().unwrap().clone();
            tokenizer.decode(&lesson.ids[answer])
        };
        let (plain, chained) = (lists(false), lists(true));
        let first = plain.split(" for ").nth(1).unwrap().split(" is ").next().unwrap();
        assert_eq!(plain.matches(first).count(), 1, "{plain}");
        assert_eq!(chained.matches(first).count(), 2, "{chained}");
        let second = plain.split(", ").nth(1).unwrap().split(" is ").next().unwrap();
        assert!(chained.contains(&format!(", {first}, {second} is ")), "{chained}");
    }

    #[test]
    fn hard_lessons_are_others_than_plain_ones() {
        let tokenizer = tokenizer();
        let lesson = |subject, hard| {
            let teacher = Teacher::new(&tokenizer).unwrap().in_manner(Manner { hard, ..Manner::default() });
            (0..4).map(|seed| teacher.lesson(subject, seed, 512).unwrap().ids).collect::<Vec<_>>()
        };
        for subject in [Subject::Needle, Subject::Needles, Subject::Thread] {
            assert_ne!(lesson(subject, true), lesson(subject, false), "{}", subject.slug());
        }
        assert_eq!(lesson(Subject::Pair, true), lesson(Subject::Pair, false));
    }

    #[test]
    fn what_is_planted_is_found_and_listed() {
        let text =
            "Dull. One of the hidden numbers for calm-harbor is 7951939. More. One of the hidden numbers for a-b is 1.";
        let found = planted(text);
        assert_eq!(
            found,
            [("calm-harbor", "7951939"), ("a-b", "1")].map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
        assert_eq!(enumerated(&["a", "b", "c"]), "a, b and c");
        assert_eq!((enumerated(&["a"]), enumerated(&[])), ("a".to_owned(), String::new()));
    }
}
