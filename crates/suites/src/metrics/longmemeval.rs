//! LongMemEval (arXiv 2410.10813; xiaowu0162/LongMemEval @ 9e0b455f): retrieval of sessions, labels of a judge, means.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::catalogue::{Form, Metric, Source, metric};
use super::python_text::decimal;
use crate::template::filled;

const SOURCE: Source =
    Source { benchmark: "LongMemEval", citation: "arXiv 2410.10813; xiaowu0162/LongMemEval @ 9e0b455f" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 7] = [
    metric(SOURCE, "longmemeval.retrieval_at_k", "Evidence among the first k", Form::Official, 1.0),
    metric(SOURCE, "longmemeval.retrieval_turn_to_session_at_k", "Evidence sessions by turns", Form::Official, 1.0),
    metric(SOURCE, "longmemeval.judge_label", "Label of a judge", Form::Official, 1.0),
    metric(SOURCE, "longmemeval.judge_prompt", "Prompt of a judge, rendered", Form::Official, 1.0),
    metric(SOURCE, "longmemeval.aggregate", "Means by type, overall and of abstentions", Form::Official, 1.0),
    metric(SOURCE, "longmemeval.contains_answer", "Answer contained, days off by one", Form::Strict, 1.0),
    metric(SOURCE, "longmemeval.contains_answer.strict", "Answer in a short reply, exact", Form::Strict, 1.0),
];

/// The question types in the order in which upstream prints them.
pub const TYPES: [&str; 6] = [
    "single-session-user",
    "single-session-preference",
    "single-session-assistant",
    "multi-session",
    "temporal-reasoning",
    "knowledge-update",
];

/// How well a ranking finds the evidence, each 0..1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Retrieval {
    /// Whether any evidence is among the first k.
    pub recall_any: f64,
    /// Whether all of it is; 1 where there is none.
    pub recall_all: f64,
    /// Discounted gain, where upstream leaves the second place undiscounted.
    pub ndcg_any: f64,
}

/// Rates the first `k` of `rankings`, which are places in `corpus`. Places beyond the corpus, on which upstream raises,
/// find nothing.
#[must_use]
pub fn retrieval_at_k(rankings: &[usize], correct: &[String], corpus: &[String], k: usize) -> Retrieval {
    let wanted: HashSet<&str> = correct.iter().map(String::as_str).collect();
    let recalled: HashSet<&str> =
        rankings.iter().take(k).filter_map(|&place| corpus.get(place)).map(String::as_str).collect();
    let gain = |place: &usize| corpus.get(*place).is_some_and(|id| wanted.contains(id.as_str()));
    let found = rankings.iter().take(k).map(gain);
    let relevant = corpus.iter().filter(|id| wanted.contains(id.as_str())).count();
    let ideal = dcg((0..corpus.len().min(k)).map(|place| place < relevant));
    Retrieval {
        recall_any: f64::from(wanted.iter().any(|id| recalled.contains(id))),
        recall_all: f64::from(wanted.iter().all(|id| recalled.contains(id))),
        ndcg_any: if ideal > 0.0 { dcg(found) / ideal } else { 0.0 },
    }
}

#[expect(clippy::cast_precision_loss, reason = "places far below 2^53")]
fn dcg(gains: impl Iterator<Item = bool>) -> f64 {
    gains.enumerate().map(|(place, gain)| f64::from(gain) / ((place + 1) as f64).log2().max(1.0)).sum()
}

/// [`retrieval_at_k`] for turns: ids lose their last `_` part, and k grows until k sessions are among the first.
#[must_use]
pub fn retrieval_turn_to_session_at_k(
    rankings: &[usize],
    correct: &[String],
    corpus: &[String],
    k: usize,
) -> Retrieval {
    let session = |id: &String| id.rsplit_once('_').map_or(String::new(), |(session, _)| session.to_owned());
    let (correct, corpus): (Vec<String>, Vec<String>) =
        (correct.iter().map(session).collect(), corpus.iter().map(session).collect());
    let at = |place: usize| rankings.get(place).and_then(|&place| corpus.get(place));
    let mut seen: HashSet<&String> = (0..k.min(rankings.len())).filter_map(at).collect();
    let mut wide = k;
    while wide <= corpus.len() && seen.len() < k {
        seen.extend(at(wide));
        wide += 1;
    }
    retrieval_at_k(rankings, &correct, &corpus, wide)
}

/// A judge's label: whether the lower-cased reply contains `yes`.
#[must_use]
pub fn judge_label(reply: &str) -> bool {
    reply.to_lowercase().contains("yes")
}

/// The prompt for a judge: the official one of the question's type, or the one for abstentions, with its slots filled.
/// `None` for a type that upstream does not know.
///
/// The prompts are LongMemEval's own under MIT: see `data/longmemeval/LICENSE`.
#[must_use]
pub fn judge_prompt(kind: &str, abstention: bool, question: &str, answer: &str, reply: &str) -> Option<String> {
    let prompts: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../../data/longmemeval/judge_prompts.json")).ok()?;
    let template = prompts.get(if abstention { "abstention" } else { kind })?;
    Some(filled(template, &[("question", question), ("answer", answer), ("explanation", answer), ("response", reply)]))
}

/// A judged answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Judged {
    /// Question id; abstentions contain `_abs`.
    pub question_id: String,
    /// Question type.
    pub question_type: String,
    /// The judge's label.
    pub label: bool,
}

/// Means over judged answers, rounded to four decimals as upstream prints them; `None` where there is nothing to
/// average.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Aggregate {
    /// Accuracy per type, of the types that occur.
    pub by_type: BTreeMap<String, Option<f64>>,
    /// Mean of the six types' means.
    pub task_averaged: Option<f64>,
    /// Mean over answers.
    pub overall: Option<f64>,
    /// Mean over abstentions, which count in their type as well.
    pub abstention: Option<f64>,
}

/// Adds judged answers up.
#[must_use]
pub fn aggregate(answers: &[Judged]) -> Aggregate {
    let of_type = |kind: &str| mean(answers.iter().filter(|one| one.question_type == kind));
    let by_type: Vec<(&str, Option<f64>)> = TYPES.iter().map(|kind| (*kind, of_type(kind))).collect();
    let sum = by_type.iter().map(|(_, accuracy)| *accuracy).sum::<Option<f64>>();
    Aggregate {
        by_type: by_type.iter().map(|(kind, accuracy)| ((*kind).to_owned(), accuracy.map(rounded))).collect(),
        task_averaged: sum.map(|sum| rounded(sum / 6.0)),
        overall: mean(answers.iter().filter(|one| TYPES.contains(&one.question_type.as_str()))).map(rounded),
        abstention: mean(answers.iter().filter(|one| one.question_id.contains("_abs"))).map(rounded),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn mean<'a>(answers: impl Iterator<Item = &'a Judged>) -> Option<f64> {
    let (right, all) = answers.fold((0_usize, 0_usize), |(right, all), one| (right + usize::from(one.label), all + 1));
    (all > 0).then(|| right as f64 / all as f64)
}

fn rounded(value: f64) -> f64 {
    super::ruler::round(value, 4)
}

/// Longboard's rule in place of a judge: 1 when the reply contains one of `accepted` as whole words, letters' case
/// aside, else 0. `days` accepts a number that is off by one, as the official prompt for temporal questions does.
#[must_use]
pub fn contains_answer(reply: &str, accepted: &[String], days: bool) -> f64 {
    let reply = spaced(reply);
    let found = |form: &str| reply.contains(&spaced(form));
    let near = |form: &str| {
        let number = form.parse::<u64>().ok().filter(|_| days);
        number.is_some_and(|number| found(&(number + 1).to_string()) || number > 1 && found(&(number - 1).to_string()))
    };
    f64::from(accepted.iter().any(|form| !form.trim().is_empty() && (found(form) || near(form))))
}

/// Words of a reply beside the answer that the strict form still takes for an answer.
const STRICT_WORDS: usize = 60;

/// [`contains_answer`] without the tolerance, 0 for a reply of more than sixty words: containment rewards reciting.
#[must_use]
pub fn contains_answer_strict(reply: &str, accepted: &[String]) -> f64 {
    let words = spaced(reply).split_ascii_whitespace().count();
    if words <= STRICT_WORDS { contains_answer(reply, accepted, false) } else { 0.0 }
}

/// Lower-cased words between single spaces, with a space at both ends; digits of every script become ASCII.
fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(' ');
    for scalar in text.chars().flat_map(char::to_lowercase) {
        match decimal(scalar) {
            Some(digit) => out.push(char::from(b'0' + digit)),
            None if scalar.is_alphanumeric() => out.push(scalar),
            None if out.ends_with(' ') => {}
            None => out.push(' '),
        }
    }
    if !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
        texts.map(str::to_owned).to_vec()
    }

    #[test]
    fn the_second_place_is_not_discounted() {
        let corpus = texts(["a", "b", "c", "d"]);
        let second = retrieval_at_k(&[1, 0, 2], &texts(["a"]), &corpus, 2);
        assert_eq!((second.recall_any, second.ndcg_any), (1.0, 1.0));
        let third = retrieval_at_k(&[1, 2, 0], &texts(["a"]), &corpus, 3);
        assert!((third.ndcg_any - 1.0 / 3_f64.log2()).abs() < 1e-12);
    }

    #[test]
    fn every_type_has_a_prompt() {
        for kind in TYPES {
            assert!(judge_prompt(kind, false, "{response}", "A", "R").unwrap().contains("{response}"));
        }
        assert!(judge_prompt("multi-session", false, "Q?", "A", "R").unwrap().contains("Q?"));
        assert_eq!(judge_prompt("other", false, "", "", ""), None);
    }

    #[test]
    fn days_may_be_off_by_one() {
        let answer = texts(["18"]);
        assert_eq!(contains_answer("It was 19 days.", &answer, true), 1.0);
        assert_eq!(contains_answer("It was 19 days.", &answer, false), 0.0);
        assert_eq!(contains_answer("It was 118 days.", &answer, true), 0.0);
        assert_eq!(contains_answer("18", &answer, true), 1.0);
        assert_eq!(contains_answer_strict(&"18 ".repeat(61), &answer), 0.0);
    }

    proptest! {
        #[test]
        fn any_text_is_scored(text in "\\PC{0,300}", form in "\\PC{0,8}", days: bool) {
            let value = contains_answer(&text, std::slice::from_ref(&form), days);
            prop_assert!(contains_answer_strict(&text, &[form]) <= value);
            prop_assert!(judge_prompt("multi-session", false, &text, &text, &text).unwrap().contains(&text));
        }

        #[test]
        fn any_ranking_is_rated(rankings in proptest::collection::vec(0_usize..9, 0..9), k in 0_usize..9) {
            let corpus = texts(["a_1", "a_2", "b_1", "c", "b_2"]);
            let correct = texts(["a_2", "b_1"]);
            for rate in [retrieval_at_k, retrieval_turn_to_session_at_k] {
                let rated = rate(&rankings, &correct, &corpus, k);
                prop_assert!(rated.recall_all <= rated.recall_any && rated.ndcg_any >= 0.0 && rated.ndcg_any.is_finite());
            }
        }
    }

    #[test]
    fn a_megabyte_is_scored() {
        assert_eq!(contains_answer(&"a 7 b.".repeat(170_000), &texts(["7"]), true), 1.0);
    }
}
