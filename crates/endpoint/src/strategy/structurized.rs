//! Structurization: every passage is rewritten as scope, aspects and descriptions, and the answer is read from these.

use std::collections::HashMap;

use futures_util::future::try_join_all;
use longboard_suites::metrics::lcs;
use longboard_suites::{bm25, chunk, tokens};

use super::card::{Card, Kind, Parameter, Settings};
use super::structure::Structure;
use super::{Asked, Meter};
use crate::model::{CallError, ChatModel, Reply};

pub(super) const CARD: Card = Card {
    slug: "structurized",
    title: "Structurization",
    citation: "Liu et al. 2024, Enhancing LLM's cognition via structurization, arXiv 2407.16434; code alibaba/struxgpt @ 982ad0b \
               (MIT)",
    what: "Has every passage of the document rewritten as a scope with numbered aspects and descriptions, and sends the \
           structures in place of the passages.",
    differs: "The endpoint itself rewrites, without fine-tuning, by a prompt of Longboard's own. A passage whose structure \
              breaks a rule is sent as it is.",
    cost: "ceil(N/passage) calls of one passage each, side by side, and 1 call of the structures, about N tokens",
    parameters: &[Parameter {
        name: "passage",
        help: "canonical tokens of a passage",
        default: 1024.0,
        least: 64.0,
        most: 65_536.0,
    }],
    reports: &[
        ("passages", "passages of the document"),
        ("valid_rate", "share of passages whose structure keeps all rules"),
        ("length_ratio", "canonical tokens that stand in place of the document, over the document's"),
        ("description_coverage", "mean ROUGE-L recall of descriptions against their passage"),
    ],
    kind: Kind::Structurized,
};

const FORM: &str = "Rewrite the text below as a structure of three layers: the scope, which says what the whole text is about; its \
                    aspects; and for each aspect the descriptions, in the words of the text and without leaving anything out. \
                    Reply in exactly this form, with four spaces before each description:\n\n```\nscope\n```\n\n```\n1. first \
                    aspect\n    1.1. first description\n    1.2. second description\n2. second aspect\n    2.1. first description\n```";

pub(super) async fn answer<M: ChatModel>(
    meter: &Meter<'_, M>,
    settings: &Settings,
    asked: &Asked<'_>,
) -> Result<Reply, CallError> {
    let passages = chunk::texts(asked.document, settings.count("passage"));
    // Numbers and indents come on top of what the passage says.
    let room = settings.count("passage").saturating_mul(2);
    let calls =
        passages.iter().map(|passage| meter.note(format!("{FORM}\n\n<text>\n{}\n</text>", passage.trim()), room));
    let replies = try_join_all(calls).await?;
    let structures: Vec<Option<Structure>> = replies.iter().map(|reply| Structure::parse(reply).ok()).collect();
    let context = joined(&passages, &structures);
    report(
        meter,
        &passages,
        &structures,
        f64::from(tokens::count(&context)) / f64::from(tokens::count(asked.document)),
    );
    meter.ask(asked.with(&context), asked.max_tokens).await
}

/// The passages in order, those with a structure by it; structures that follow each other are merged.
fn joined(passages: &[&str], structures: &[Option<Structure>]) -> String {
    let (mut parts, mut open) = (Vec::new(), Vec::new());
    let close = |open: &mut Vec<Structure>, parts: &mut Vec<String>| {
        parts.extend(Structure::merged(open).map(|structure| structure.to_string()));
        open.clear();
    };
    for (passage, structure) in passages.iter().zip(structures) {
        match structure {
            Some(structure) => open.push(structure.clone()),
            None => {
                close(&mut open, &mut parts);
                parts.push(passage.trim().to_owned());
            }
        }
    }
    close(&mut open, &mut parts);
    parts.join("\n\n")
}

fn report<M: ChatModel>(meter: &Meter<'_, M>, passages: &[&str], structures: &[Option<Structure>], length_ratio: f64) {
    meter.report("passages", passages.len() as f64);
    if passages.is_empty() {
        return;
    }
    let valid = structures.iter().flatten().count();
    meter.report("valid_rate", valid as f64 / passages.len() as f64);
    meter.report("length_ratio", length_ratio);
    let recalls: Vec<f64> = passages
        .iter()
        .zip(structures)
        .filter_map(|(passage, structure)| Some((passage, structure.as_ref()?)))
        .flat_map(|(passage, structure)| structure.descriptions().map(|description| recall(description, passage)))
        .collect();
    if !recalls.is_empty() {
        meter.report("description_coverage", recalls.iter().sum::<f64>() / recalls.len() as f64);
    }
}

/// ROUGE-L recall: the share of the description's words that stand in the passage in their order.
fn recall(description: &str, passage: &str) -> f64 {
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut numbers = |text: &str| -> Vec<u32> {
        let number = |word| {
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            *known.entry(word).or_insert(next)
        };
        bm25::words(text).into_iter().map(number).collect()
    };
    let (description, passage) = (numbers(description), numbers(passage));
    if description.is_empty() { 0.0 } else { lcs::length(&description, &passage) as f64 / description.len() as f64 }
}
