//! NeedleBench (arXiv 2407.11963; open-compass/opencompass @ a5acc4bb), both versions.
//!
//! Scores here are in percent where the official evaluator prints percent, and 0..1 where a doc comment says so.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::catalogue::{Form, Metric, Source, metric};
use super::option_letter;
use super::python_text::{is_space, strip, words};

const SOURCE: Source =
    Source { benchmark: "NeedleBench", citation: "arXiv 2407.11963; open-compass/opencompass @ a5acc4bb" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 14] = [
    metric(SOURCE, "needlebench.v1_single_soft", "Single retrieval, edit similarity", Form::Official, 100.0),
    metric(
        SOURCE,
        "needlebench.v1_single_soft_trim",
        "Single retrieval, trimmed edit similarity",
        Form::Official,
        100.0,
    ),
    metric(SOURCE, "needlebench.v2_single_keyword", "Single retrieval, keyword", Form::Official, 100.0),
    metric(SOURCE, "needlebench.multi_retrieval_by_depth", "Multiple retrieval per depth", Form::Official, 100.0),
    metric(SOURCE, "needlebench.multi_retrieval", "Multiple retrieval of one answer", Form::Official, 1.0),
    metric(SOURCE, "needlebench.v1_multi_reasoning_keywords", "Multi-step reasoning, keywords", Form::Official, 100.0),
    metric(SOURCE, "needlebench.v2_atc_boxed", "Boxed answer", Form::Official, 100.0),
    metric(SOURCE, "needlebench.v1_atc_first_option", "First option letter", Form::Official, 1.0),
    metric(SOURCE, "needlebench.v1_atc_circular", "Circular evaluation", Form::Official, 100.0),
    metric(SOURCE, "needlebench_generator.v2_single", "Samples of single retrieval", Form::Official, 1.0),
    metric(SOURCE, "needlebench_generator.v2_multi_reasoning", "Samples of multi-step reasoning", Form::Official, 1.0),
    metric(SOURCE, "needlebench_generator.v2_multi_retrieval", "Samples of multiple retrieval", Form::Official, 1.0),
    metric(SOURCE, "needlebench_generator.v2_atc", "Samples of the ancestral trace", Form::Official, 1.0),
    metric(SOURCE, "needlebench_generator.v1_atc_choice", "Samples of the trace with options", Form::Official, 1.0),
];

/// v2 single retrieval: 100 when `keyword` occurs in the raw answer, else 0.
#[must_use]
pub fn single_v2(prediction: &str, keyword: &str) -> f64 {
    if prediction.contains(keyword) { 100.0 } else { 0.0 }
}

/// v1 single retrieval: 100 with the keyword, else a fifth of the normalised edit similarity to the needle.
#[must_use]
pub fn single_v1_soft(prediction: &str, needle: &str, keyword: &str) -> f64 {
    soft(prediction, &dense(prediction), &dense(needle), keyword)
}

/// [`single_v1_soft`] after cutting the answer to about the length of the needle.
#[must_use]
pub fn single_v1_soft_trim(prediction: &str, needle: &str, keyword: &str) -> f64 {
    let needle = dense(needle);
    soft(prediction, &trim(dense(prediction), &needle), &needle, keyword)
}

fn soft(raw: &str, prediction: &[char], needle: &[char], keyword: &str) -> f64 {
    if raw.contains(keyword) {
        return 100.0;
    }
    let longer = prediction.len().max(needle.len());
    let similarity = match longer {
        0 => 100.0,
        _ => 100.0 * (1.0 - as_f64(levenshtein(prediction, needle)) / as_f64(longer)),
    };
    0.2 * similarity
}

fn dense(text: &str) -> Vec<char> {
    text.chars().filter(|&scalar| !is_space(scalar)).collect()
}

/// Cuts at 1.2 times the needle's length, and from 0.8 on at the first occurrence of the needle's last scalar.
fn trim(mut prediction: Vec<char>, needle: &[char]) -> Vec<char> {
    let (lower, upper) = (scaled(needle.len(), 0.8), scaled(needle.len(), 1.2));
    prediction.truncate(upper);
    let end = needle.last().and_then(|last| prediction.iter().skip(lower).position(|scalar| scalar == last));
    if let Some(offset) = end {
        prediction.truncate(lower + offset + 1);
    }
    prediction
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "int() of a small non-negative product")]
fn scaled(length: usize, factor: f64) -> usize {
    (factor * as_f64(length)) as usize
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

/// Levenshtein distance over Unicode scalars.
#[must_use]
pub fn levenshtein(left: &[char], right: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, a) in left.iter().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, b) in row.iter_mut().skip(1).zip(right) {
            let best = (*cell + 1).min(before + 1).min(diagonal + usize::from(a != b));
            diagonal = std::mem::replace(cell, best);
            before = best;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// v1 multi-step reasoning: share of the words of `answer` found in the lower-cased answer, in percent.
///
/// An answer without words scores 0 where the official code divides by zero.
#[must_use]
pub fn multi_reasoning_v1(prediction: &str, answer: &str) -> f64 {
    let (prediction, answer) = (prediction.to_lowercase(), answer.to_lowercase());
    let keywords: Vec<&str> = words(&answer).collect();
    let matched = keywords.iter().filter(|keyword| prediction.contains(**keyword)).count();
    if keywords.is_empty() { 0.0 } else { 100.0 * as_f64(matched) / as_f64(keywords.len()) }
}

/// Multiple retrieval of one answer: share of `keywords` that occur in it, 0..1. No keywords score 0.
#[must_use]
pub fn multi_retrieval(prediction: &str, keywords: &[String]) -> f64 {
    let found = keywords.iter().filter(|keyword| prediction.contains(keyword.as_str())).count();
    if keywords.is_empty() { 0.0 } else { as_f64(found) / as_f64(keywords.len()) }
}

/// Gold of one multiple-retrieval prompt.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct PlantedKeywords {
    /// Keywords in order of depth.
    pub keywords: Vec<String>,
    /// Their depths in percent. Only those of the first prompt count, as in the official code.
    pub depths: Vec<i64>,
}

/// Multiple retrieval over a group of prompts: percent per depth, and their mean.
#[must_use]
pub fn multi_retrieval_by_depth(predictions: &[String], gold: &[PlantedKeywords]) -> (BTreeMap<i64, f64>, f64) {
    let depths = gold.first().map(|first| first.depths.as_slice()).unwrap_or_default();
    let mut by_depth: BTreeMap<i64, f64> = depths.iter().map(|&depth| (depth, 0.0)).collect();
    for (prediction, planted) in predictions.iter().zip(gold) {
        for (keyword, depth) in planted.keywords.iter().zip(depths) {
            if prediction.contains(keyword.as_str())
                && let Some(score) = by_depth.get_mut(depth)
            {
                *score += 100.0 / as_f64(predictions.len());
            }
        }
    }
    let average = if by_depth.is_empty() { 0.0 } else { by_depth.values().sum::<f64>() / as_f64(by_depth.len()) };
    (by_depth, average)
}

/// Content of the last `\boxed{…}`, cleaned of LaTeX; `None` without a closed, non-empty box.
#[must_use]
pub fn extract_boxed(prediction: &str) -> Option<String> {
    let content = last_box(prediction)?.strip_prefix("\\boxed{")?.strip_suffix('}')?;
    let inner = DOUBLE.captures(content).and_then(|found| found.get(1)).map_or(content, |found| found.as_str());
    if inner.is_empty() || inner == "None" { None } else { Some(clean_box(inner)) }
}

static DOUBLE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\A\{([^\n]*)\}\n?\z"));
static TEXT_COMMAND: LazyLock<Regex> = LazyLock::new(|| pattern(r"\\text\{([^}]+)\}"));
static BOX_COMMAND: LazyLock<Regex> = LazyLock::new(|| pattern(r"\\boxed\{([^}]+)\}"));
static MATH_BRACKET: LazyLock<Regex> = LazyLock::new(|| pattern(r"\\[\[\]]"));

#[expect(clippy::expect_used, reason = "constant patterns, compiled by a test")]
pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("constant pattern")
}

/// From the last `\boxed` (else the last `\fbox`) to the brace that closes its first group.
fn last_box(text: &str) -> Option<&str> {
    let start = text.rfind("\\boxed").or_else(|| text.rfind("\\fbox"))?;
    let tail = text.get(start..)?;
    let mut open = 0_i64;
    for (at, byte) in tail.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => {
                open -= 1;
                if open == 0 {
                    return tail.get(..=at);
                }
            }
            _ => {}
        }
    }
    None
}

fn clean_box(text: &str) -> String {
    let text = TEXT_COMMAND.replace_all(text, "$1");
    let text = BOX_COMMAND.replace_all(&text, "$1");
    let text = MATH_BRACKET.replace_all(&text, "").replace('\\', "");
    let mut spaced = String::with_capacity(text.len());
    for scalar in text.chars() {
        match is_space(scalar) {
            true if spaced.ends_with(' ') => {}
            true => spaced.push(' '),
            false => spaced.push(scalar),
        }
    }
    strip(&spaced).replace(['"', '\''], "").replace('~', " ")
}

/// v2 reasoning and Ancestral Trace Challenge: 1 when the boxed answer equals `answer`, case-sensitive; 0..1.
///
/// As in the official code an answer without a box reads as the literal `None`.
#[must_use]
pub fn boxed(prediction: &str, answer: &str) -> f64 {
    let found = extract_boxed(prediction).unwrap_or_else(|| "None".to_owned());
    f64::from(strip(&found) == strip(answer))
}

/// v1 Ancestral Trace Challenge: the first valid letter of `options` in the answer, empty without one.
#[must_use]
pub fn first_option(prediction: &str, options: &str) -> String {
    option_letter::first(prediction, options)
}

/// Scores of the circular evaluator, in percent, by the names it prints.
pub type Circular = BTreeMap<String, f64>;

struct Rotation<'a> {
    question: &'a str,
    pattern: &'a str,
    correct: bool,
    voted: char,
    truth: char,
}

const ROTATIONS: [&str; 4] = ["ABCD", "BCDA", "CDAB", "DABC"];

/// v1 Ancestral Trace Challenge over four rotations. `references` are `<id>--<letter>--<pattern>`.
///
/// Empty when there are no predictions; malformed references are left out.
#[must_use]
pub fn circular(predictions: &[String], references: &[String]) -> Circular {
    let rows: Vec<Rotation<'_>> = predictions.iter().zip(references).filter_map(rotation).collect();
    let total = as_f64(predictions.len());
    let mut scores = Circular::new();
    if rows.is_empty() {
        return scores;
    }
    for (rotations, name) in [(4_u32, "4"), (1, "1")] {
        let counted: Vec<&Rotation<'_>> = rows.iter().filter(|row| counts(row.pattern, rotations)).collect();
        let correct = counted.iter().filter(|row| row.correct).count();
        let _ = scores.insert(format!("acc_{name}"), as_f64(correct) / total * 4.0 / f64::from(rotations) * 100.0);
        group_scores(&rows, &counted, rotations, &mut scores);
    }
    for letter in ["A", "B", "C", "D", "-"] {
        let given = predictions.iter().filter(|prediction| prior(prediction) == letter).count();
        let _ = scores.insert(format!("prior_{letter}"), as_f64(given) / total * 100.0);
    }
    scores
}

fn counts(pattern: &str, rotations: u32) -> bool {
    if rotations == 4 { ROTATIONS.contains(&pattern) } else { pattern == "ABCD" }
}

fn prior(prediction: &str) -> &str {
    if ["A", "B", "C", "D"].contains(&prediction) { prediction } else { "-" }
}

fn rotation<'a>((prediction, reference): (&'a String, &'a String)) -> Option<Rotation<'a>> {
    let mut parts = reference.split("--");
    let (question, letter, pattern) = (parts.next()?, parts.next()?, parts.next()?);
    let original = |letter: &str| {
        let index = ["A", "B", "C", "D"].iter().position(|name| *name == letter)?;
        pattern.chars().nth(index)
    };
    Some(Rotation {
        question,
        pattern,
        correct: prediction == letter,
        voted: original(prediction).unwrap_or('-'),
        truth: original(letter)?,
    })
}

/// `more_i_j`, `perf_i` and `vote_i`: per question, how many rotations are right, and the most frequent vote.
fn group_scores(rows: &[Rotation<'_>], counted: &[&Rotation<'_>], rotations: u32, scores: &mut Circular) {
    let mut questions: Vec<(&str, char)> = Vec::new();
    for row in rows {
        if questions.iter().all(|(question, _)| *question != row.question) {
            questions.push((row.question, row.truth));
        }
    }
    let share = |hits: usize| as_f64(hits) / as_f64(questions.len()) * 100.0;
    let of = |question: &str| counted.iter().filter(move |row| row.question == question).collect::<Vec<_>>();
    let correct: Vec<usize> =
        questions.iter().map(|(question, _)| of(question).iter().filter(|row| row.correct).count()).collect();
    for least in 0..=rotations {
        let hits = correct.iter().filter(|&&right| right >= least as usize).count();
        let _ = scores.insert(format!("more_{rotations}_{least}"), share(hits));
        if least == rotations {
            let _ = scores.insert(format!("perf_{rotations}"), share(hits));
        }
    }
    let votes: Vec<(char, Vec<char>)> = questions
        .iter()
        .map(|(question, truth)| (*truth, of(question).iter().map(|row| row.voted).collect()))
        .collect();
    let won = votes.iter().filter(|(truth, voted)| most_common(voted) == Some(*truth)).count();
    let _ = scores.insert(format!("vote_{rotations}"), share(won));
}

/// The most frequent scalar, the earliest on a tie.
fn most_common(votes: &[char]) -> Option<char> {
    let count = |vote: char| votes.iter().filter(|other| **other == vote).count();
    votes.iter().copied().rev().max_by_key(|vote| count(*vote))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_over_scalars() {
        let scalars = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(levenshtein(&scalars("kitten"), &scalars("sitting")), 3);
        assert_eq!(levenshtein(&scalars(""), &scalars("张强")), 2);
        assert_eq!(levenshtein(&scalars("张强"), &scalars("")), 2);
    }

    #[test]
    fn boxes_are_matched_by_braces() {
        assert_eq!(extract_boxed("\\boxed{{Ann}}").as_deref(), Some("Ann"));
        assert_eq!(extract_boxed("x \\boxed{\\text{Ann Lee}} y").as_deref(), Some("Ann Lee"));
        assert_eq!(extract_boxed("\\fbox{Ann}"), None);
        assert_eq!(extract_boxed("\\boxed{Ann"), None);
        assert_eq!(boxed("nothing", "None"), 1.0);
    }

    #[test]
    fn an_echo_scores_in_full_and_silence_nothing() {
        assert_eq!(single_v1_soft("", "needle", "key"), 0.0);
        assert_eq!(single_v1_soft("a key", "needle", "key"), 100.0);
        assert_eq!(multi_retrieval("a b", &["a".into(), "c".into()]), 0.5);
    }
}
