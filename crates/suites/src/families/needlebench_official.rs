//! NeedleBench's own samples, rebuilt byte for byte (arXiv 2407.11963; open-compass/opencompass @ a5acc4bb).
//!
//! Needs Python's random numbers and a tokenizer; haystack, needles and names come from the caller: golden files, or imported data.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::metrics::python_random::PythonRandom;
use crate::metrics::python_text::strip;
use crate::template::filled;

/// Upstream's sentences by language, `English` or `Chinese`; licence in `data/needlebench/NOTICE`.
#[derive(Deserialize)]
struct Strings {
    relations: BTreeMap<String, Vec<(String, u32)>>,
    sentences_v1: BTreeMap<String, Vec<String>>,
    sentences_v2: BTreeMap<String, Vec<String>>,
    questions: BTreeMap<String, String>,
    questions_v1: BTreeMap<String, String>,
    /// Prompts around a document by kind, language and place of the question.
    frames: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>,
    traces: BTreeMap<String, Vec<String>>,
}

static STRINGS: LazyLock<Option<Strings>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/needlebench/official.json")).ok());

impl Strings {
    fn frame(&self, kind: &str, language: &str, place: &str) -> Option<&str> {
        Some(self.frames.get(kind)?.get(language)?.get(place)?)
    }
}

/// Splits text into tokens and joins them again.
pub trait Tokenizer {
    /// Tokens of `text`.
    fn encode(&self, text: &str) -> Vec<u32>;
    /// Text of `tokens`.
    fn decode(&self, tokens: &[u32]) -> String;
}

/// One token per Unicode scalar value.
pub struct Scalars;

impl Tokenizer for Scalars {
    fn encode(&self, text: &str) -> Vec<u32> {
        text.chars().map(u32::from).collect()
    }

    fn decode(&self, tokens: &[u32]) -> String {
        tokens.iter().filter_map(|&token| char::from_u32(token)).collect()
    }
}

/// OpenAI's cl100k_base, by which upstream measures.
pub struct Cl100k;

impl Tokenizer for Cl100k {
    fn encode(&self, text: &str) -> Vec<u32> {
        bpe_openai::cl100k_base().encode(text)
    }

    /// Half characters at a cut become replacement characters, as upstream.
    fn decode(&self, tokens: &[u32]) -> String {
        String::from_utf8_lossy(&bpe_openai::cl100k_base().bpe.decode_tokens(tokens)).into_owned()
    }
}

/// A line of the needle file.
#[derive(Debug, Clone, Deserialize)]
pub struct OfficialNeedle {
    /// The sentence.
    pub needle: String,
    /// What is asked for; must differ between the needles of one prompt.
    pub arg1: String,
    /// The keyword.
    pub arg2: String,
    /// The question.
    pub retrieval_question: String,
    /// `English` or `Chinese`.
    pub language: String,
}

/// Where and how a haystack is filled.
pub struct Setting<'a> {
    /// Tokenizer of the lengths.
    pub tokenizer: &'a dyn Tokenizer,
    /// Texts of the haystack file in its order.
    pub lines: &'a [String],
    /// `English` or `Chinese`.
    pub language: &'a str,
    /// Tokens of the whole prompt.
    pub length: usize,
    /// Tokens kept for prompt and answer.
    pub buffer: usize,
    /// Samples, one per repeat. Those before the first one only shuffle the haystack.
    pub repeats: Range<u64>,
    /// Place of the question, `End` or `Start`.
    pub question_at: &'a str,
}

/// A prompt with its gold string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficialSample {
    /// The prompt.
    pub prompt: String,
    /// The gold string as upstream stores it.
    pub answer: String,
}

impl Setting<'_> {
    /// Token lists of the needles and the haystack cut to what they leave.
    fn haystack(&self, order: &[usize], needles: &[String]) -> (Vec<Vec<u32>>, Vec<u32>) {
        let needles: Vec<Vec<u32>> = needles.iter().map(|needle| self.tokenizer.encode(needle)).collect();
        let planted: usize = needles.iter().map(Vec::len).sum();
        let budget = self.length.saturating_sub(self.buffer).saturating_sub(planted);
        let mut tokens = Vec::new();
        for text in order.iter().filter_map(|&line| self.lines.get(line)) {
            tokens.extend(self.tokenizer.encode(text));
            if tokens.len() >= budget {
                break;
            }
        }
        tokens.truncate(budget);
        (needles, tokens)
    }

    fn prompt(&self, kind: &str, context: &str, question: &str, last: &str) -> Option<String> {
        let frame = STRINGS.as_ref()?.frame(kind, self.language, self.question_at)?;
        Some(filled(frame, &[("context", context), ("question", question), ("last_person", last)]))
    }

    /// The order that the repeats before the first one leave.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.lines.len()).collect();
        (0..self.repeats.start).for_each(|seed| PythonRandom::new(seed).shuffle(&mut order));
        order
    }

    /// Single retrieval, version 2, at `depth` percent. `None` without a needle of the language.
    #[must_use]
    pub fn single(&self, depth: f64, needles: &[OfficialNeedle]) -> Option<Vec<OfficialSample>> {
        let fitting: Vec<&OfficialNeedle> = needles.iter().filter(|needle| needle.language == self.language).collect();
        let mut order = self.order();
        let sample = |seed| {
            PythonRandom::new(seed).shuffle(&mut order);
            let chosen = *PythonRandom::new(seed).choice(&fitting)?;
            let needle = format!("\n{}\n", chosen.needle);
            let (tokens, mut haystack) = self.haystack(&order, std::slice::from_ref(&needle));
            let place = scaled(haystack.len(), depth);
            insert(&mut haystack, place, tokens.first()?);
            let context = self.tokenizer.decode(&haystack);
            let prompt = self.prompt("single", &context, &chosen.retrieval_question, "")?;
            Some(OfficialSample { prompt, answer: format!("{needle}*{}", chosen.arg2) })
        };
        self.repeats.clone().map(sample).collect()
    }

    /// Multiple retrieval, version 2: one needle per depth. `process_seed` seeds the shuffle that upstream leaves to
    /// chance; `file` holds the needle file's lines.
    #[must_use]
    pub fn multi_retrieval(
        &self,
        depths: &[f64],
        file: &[OfficialNeedle],
        process_seed: u64,
    ) -> Option<Vec<OfficialSample>> {
        self.retrieval_of(depths, &self.chosen(file, depths.len(), process_seed))
    }

    /// The needles of multiple retrieval: the first `count` with different arguments after the shuffle.
    #[must_use]
    pub fn chosen<'n>(&self, file: &'n [OfficialNeedle], count: usize, process_seed: u64) -> Vec<&'n OfficialNeedle> {
        let mut shuffled: Vec<&OfficialNeedle> = file.iter().collect();
        PythonRandom::new(process_seed).shuffle(&mut shuffled);
        self.distinct(&shuffled, count)
    }

    /// Multiple retrieval of needles that are chosen already, one per depth.
    #[must_use]
    pub fn retrieval_of(&self, depths: &[f64], chosen: &[&OfficialNeedle]) -> Option<Vec<OfficialSample>> {
        let mut order = self.order();
        let sample = |seed| {
            PythonRandom::new(seed).shuffle(&mut order);
            let mut needles = chosen.to_vec();
            PythonRandom::new(seed).shuffle(&mut needles);
            let texts: Vec<String> = needles.iter().map(|needle| format!("\n{}\n", needle.needle)).collect();
            let (tokens, mut haystack) = self.haystack(&order, &texts);
            let (whole, mut before) = (haystack.len(), 0);
            for (needle, depth) in tokens.iter().zip(depths) {
                let place = (scaled(whole, *depth) + before).min(haystack.len());
                insert(&mut haystack, place, needle);
                before += needle.len();
            }
            let context = self.tokenizer.decode(&haystack);
            let prompt = self.prompt("multi_retrieval", &context, &self.joint_question(&needles)?, "")?;
            let keywords: Vec<&str> = needles.iter().map(|needle| needle.arg2.as_str()).collect();
            let depths: Vec<String> = depths.iter().map(ToString::to_string).collect();
            Some(OfficialSample { prompt, answer: format!("{}#{}", keywords.join("*"), depths.join("*")) })
        };
        self.repeats.clone().map(sample).collect()
    }

    /// The first `count` needles of the language with different arguments.
    fn distinct<'n>(&self, needles: &[&'n OfficialNeedle], count: usize) -> Vec<&'n OfficialNeedle> {
        let (mut first, mut second) = (HashSet::new(), HashSet::new());
        let own = needles.iter().filter(|needle| needle.language == self.language);
        let fresh = own.filter(|needle| {
            let fresh = !first.contains(&needle.arg1) && !second.contains(&needle.arg2);
            if fresh {
                let _ = (first.insert(&needle.arg1), second.insert(&needle.arg2));
            }
            fresh
        });
        fresh.take(count).copied().collect()
    }

    /// The questions in a row with one joint answer format. `None` where a question has no quoted format.
    fn joint_question(&self, needles: &[&OfficialNeedle]) -> Option<String> {
        let (mark, stop) = if self.language == "Chinese" { ("？", "。") } else { ("?", ".") };
        let question = |needle: &&OfficialNeedle| {
            let text = needle.retrieval_question.split(mark).next().unwrap_or_default();
            format!("{text}{mark}")
        };
        let questions: Vec<String> = needles.iter().map(question).collect();
        let format = |needle: &&OfficialNeedle| {
            let quoted = needle.retrieval_question.split('\'').nth(1)?;
            quoted.split(stop).next().map(str::to_owned)
        };
        let formats = needles.iter().map(format).collect::<Option<Vec<String>>>()?.join("、");
        let questions = questions.join("、");
        Some(match self.language {
            "Chinese" => format!("{questions}请按照'{formats}'的格式回答。"),
            _ => format!("{questions}Please answer in the format of '{formats}'"),
        })
    }

    /// Multi-step reasoning, version 2: a chain of `links` sentences, each `step` percent deeper and pushed on by the
    /// needles before it, whose lengths upstream counts twice.
    #[must_use]
    pub fn multi_reasoning(
        &self,
        depth: f64,
        step: f64,
        links: usize,
        names: &[String],
    ) -> Option<Vec<OfficialSample>> {
        let strings = STRINGS.as_ref()?;
        let mut order = self.order();
        let sample = |seed| {
            PythonRandom::new(seed).shuffle(&mut order);
            let mut random = PythonRandom::new(seed);
            let people = sampled(&mut random, names, links + 1);
            let mut story = story(&people, strings.sentences_v2.get(self.language)?, self.language, &mut random)?;
            random.shuffle(&mut story.sentences);
            let texts: Vec<String> = story.sentences.iter().map(|sentence| format!("\n{sentence}\n")).collect();
            let (needles, mut haystack) = self.haystack(&order, &texts);
            let mut places = drifting(haystack.len(), &needles, depth, step);
            for (turn, needle) in needles.iter().enumerate() {
                insert(&mut haystack, *places.get(turn)?, needle);
                places.iter_mut().skip(turn + 1).for_each(|place| *place += needle.len());
            }
            let last = people.last()?;
            let question = filled(strings.questions.get(self.language)?, &[("last_person", last)]);
            let prompt = self.prompt("multi_reasoning", &self.tokenizer.decode(&haystack), &question, last)?;
            Some(OfficialSample { prompt, answer: people.first()?.clone() })
        };
        self.repeats.clone().map(sample).collect()
    }
}

/// `int(total * (percent / 100))`.
fn scaled(total: usize, percent: f64) -> usize {
    (total as f64 * (percent / 100.0)) as usize
}

/// Places as upstream computes them before it inserts anything.
fn drifting(total: usize, needles: &[Vec<u32>], depth: f64, step: f64) -> Vec<usize> {
    let mut places: Vec<usize> = Vec::with_capacity(needles.len());
    let mut before = 0;
    for (turn, needle) in needles.iter().enumerate() {
        let place = match (places.last(), turn.checked_sub(1).and_then(|turn| needles.get(turn))) {
            (Some(place), Some(previous)) => ((place + previous.len()) as f64 + total as f64 * (step / 100.0)) as usize,
            _ => scaled(total, depth),
        };
        places.push(place.min(total + before));
        before += needle.len();
    }
    places
}

/// Inserts at `place`, at the end where that lies beyond.
fn insert(tokens: &mut Vec<u32>, place: usize, needle: &[u32]) {
    let place = place.min(tokens.len());
    let _ = tokens.splice(place..place, needle.iter().copied());
}

fn sampled(random: &mut PythonRandom, names: &[String], count: usize) -> Vec<String> {
    random.sample(names.len(), count).into_iter().filter_map(|index| names.get(index)).cloned().collect()
}

/// A chain told in sentences.
struct Story {
    sentences: Vec<String>,
    generations: u32,
}

fn story(people: &[String], templates: &[String], language: &str, random: &mut PythonRandom) -> Option<Story> {
    let relations = STRINGS.as_ref()?.relations.get(language)?;
    let mut told = Story { sentences: Vec::with_capacity(people.len()), generations: 0 };
    for (elder, younger) in people.iter().zip(people.iter().skip(1)) {
        let template = random.choice(templates)?;
        let (relation, span) = random.choice(relations)?;
        told.sentences.push(filled(template, &[("A", elder), ("B", younger), ("relationship", relation)]));
        told.generations += span;
    }
    Some(told)
}

/// What a version 2 trace asks for, in the order of upstream's question types.
pub const TRACES: [&str; 4] = ["ELDEST_ANCESTOR", "NTH_ANCESTOR", "NTH_DESCENDANT", "RELATIONSHIP_DISTANCE"];

/// Ancestral Trace Challenge, version 2: repeat `repeat` of question type `kind`, a place in [`TRACES`].
#[must_use]
pub fn trace(language: &str, links: usize, names: &[String], kind: usize, repeat: u64) -> Option<OfficialSample> {
    let strings = STRINGS.as_ref()?;
    let mut random = PythonRandom::new(repeat + 1 + 10_000 * kind as u64);
    let people = sampled(&mut random, names, links + 1);
    let mut story = story(&people, strings.sentences_v2.get(language)?, language, &mut random)?;
    random.shuffle(&mut story.sentences);
    let (eldest, youngest, n) = (people.first()?, people.last()?, story.generations.to_string());
    let person = if kind == 2 { eldest } else { youngest };
    let slots = [
        ("shuffled_story", story.sentences.concat()),
        ("last_person", youngest.clone()),
        ("person", person.clone()),
        ("n", n.clone()),
        ("person_a", eldest.clone()),
        ("person_b", youngest.clone()),
    ];
    let slots: Vec<(&str, &str)> = slots.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let prompt = filled(strings.traces.get(language)?.get(kind)?, &slots);
    let answer = match kind {
        0 | 1 => eldest.clone(),
        2 => youngest.clone(),
        _ => n,
    };
    Some(OfficialSample { prompt, answer })
}

/// A question with four options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficialChoice {
    /// Story, question and options.
    pub question: String,
    /// The options, A to D.
    pub options: [String; 4],
    /// `<id>--<letter>--<pattern>`.
    pub answer: String,
}

/// The four rotations of the options; the right one is the pattern's `A`.
pub const ROTATIONS: [&str; 4] = ["ABCD", "BCDA", "CDAB", "DABC"];

/// Ancestral Trace Challenge, version 1, with options: question `id` of `people` names in a rotation of [`ROTATIONS`].
#[must_use]
pub fn choice(language: &str, people: usize, names: &[String], id: u64, rotation: usize) -> Option<OfficialChoice> {
    let strings = STRINGS.as_ref()?;
    let mut random = PythonRandom::new(id);
    let mut chosen = sampled(&mut random, names, people);
    let mut sentences = story(&chosen, strings.sentences_v1.get(language)?, language, &mut random)?.sentences;
    // Upstream splits the story at its separators, which leaves an empty piece to be shuffled as well.
    sentences.push(String::new());
    random.shuffle(&mut sentences);
    let asked = filled(strings.questions_v1.get(language)?, &[("last_person", chosen.last()?)]);
    let story = format!("{} {asked}", sentences.concat());
    if chosen.len() < 4 {
        let others: Vec<String> = names.iter().filter(|name| !chosen.contains(name)).cloned().collect();
        chosen.extend(sampled(&mut random, &others, 4 - chosen.len()));
    }
    let pattern = ROTATIONS.get(rotation)?;
    let original = |letter: u8| chosen.get(usize::from(letter.saturating_sub(b'A'))).cloned();
    let options: [String; 4] = pattern.bytes().map(original).collect::<Option<Vec<String>>>()?.try_into().ok()?;
    let letter = pattern.bytes().zip('A'..='D').find(|(original, _)| *original == b'A')?.1;
    let lines: String = ('A'..='D').zip(&options).map(|(letter, option)| format!("{letter}. {option}\n")).collect();
    Some(OfficialChoice {
        question: format!("{}\n{lines}", strip(&story)),
        options,
        answer: format!("{id}--{letter}--{pattern}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strings_are_there() {
        let strings = STRINGS.as_ref().unwrap();
        for language in ["English", "Chinese"] {
            assert_eq!(strings.relations[language].len(), 10);
            assert_eq!(strings.traces[language].len(), TRACES.len());
            for kind in ["single", "multi_retrieval", "multi_reasoning"] {
                for place in ["End", "Start"] {
                    let frame = strings.frame(kind, language, place).unwrap();
                    assert!(frame.contains("{context}") && frame.contains("{question}"), "{kind} {language} {place}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_built_is_none() {
        assert_eq!(trace("French", 3, &[], 0, 0), None);
        assert_eq!(trace("English", 3, &[], 0, 0), None);
        assert_eq!(choice("English", 3, &["Ann".to_owned()], 0, 0), None);
        assert_eq!(choice("English", 3, &["Ann".to_owned()], 0, 9), None);
    }
}
