//! Parallel windows: every window of the document is answered on its own, and a last call merges the answers.

use futures_util::future::try_join_all;
use longboard_suites::chunk;

use super::bound::{bounded, is_none};
use super::card::{Card, Kind, Parameter, Settings};
use super::{Asked, Meter, plain};
use crate::model::{CallError, ChatModel, Reply};

pub(super) const CARD: Card = Card {
    slug: "parallel-windows",
    title: "Parallel windows",
    citation: "Ratner et al. 2023, Parallel context windows for large language models, arXiv 2212.10947",
    what: "Asks the question of every window of the document on its own and merges the answers with a last call.",
    differs: "The paper masks attention inside the model; here the windows meet only as text, in the last call. A document \
              of one window is sent as it is.",
    cost: "ceil(N/window) calls of one window each, side by side, and 1 call of the answers",
    parameters: &[
        Parameter {
            name: "window",
            help: "canonical tokens of a window",
            default: 8192.0,
            least: 64.0,
            most: 1_048_576.0,
        },
        Parameter {
            name: "merge",
            help: "canonical tokens of all answers that are merged",
            default: 8192.0,
            least: 64.0,
            most: 1_048_576.0,
        },
    ],
    reports: &[("windows", "windows"), ("silent_windows", "windows that held no answer")],
    kind: Kind::ParallelWindows,
};

const PART: &str = "The text is one part of a longer one. Do the task as far as this part allows; if it holds nothing for the \
                    task, write NONE alone.";

pub(super) async fn answer<M: ChatModel>(
    meter: &Meter<'_, M>,
    settings: &Settings,
    asked: &Asked<'_>,
) -> Result<Reply, CallError> {
    let windows = chunk::texts(asked.document, settings.count("window"));
    meter.report("windows", windows.len() as f64);
    if windows.len() < 2 {
        return plain::answer(meter, asked).await;
    }
    // The client's own limit decides how many are in flight.
    let calls = windows.iter().map(|window| meter.note(asked.about(window, PART), asked.max_tokens));
    let answers = try_join_all(calls).await?;
    let told: Vec<(usize, &String)> = (1..).zip(&answers).filter(|(_, answer)| !is_none(answer)).collect();
    meter.report("silent_windows", (windows.len() - told.len()) as f64);
    let share = settings.count("merge") / u32::try_from(told.len().max(1)).unwrap_or(u32::MAX);
    let told: Vec<String> =
        told.iter().map(|(part, answer)| format!("Part {part}: {}", bounded(answer, share.max(1)))).collect();
    let context = format!(
        "The text was too long to be read at once. These answers were given by those who read one part each, out of {}:\n\n{}",
        windows.len(),
        if told.is_empty() { "no part holds anything for the task".to_owned() } else { told.join("\n\n") }
    );
    meter.ask(asked.with(&context), asked.max_tokens).await
}
