//! What an open-ended answer states, fact by fact.

use longboard_store::task::Task as TaskRow;
use longboard_suites::item::Item;
use longboard_suites::judging::{FactReport, OpenEnded, Standing};
use longboard_suites::safe::{FactStore, K_MAXIMUM, K_MEDIAN, RatedFact, Support, rate};
use longboard_suites::task::Task;
use serde::Serialize;

use crate::AppError;

/// An answer held against the facts of its item.
#[derive(Debug, Clone, Serialize)]
pub struct Factuality {
    /// Every fact the answer should state, with how it stands to it: `right`, `wrong` or `missing`.
    pub asked: Vec<(String, &'static str)>,
    /// What the answer says, cut into facts, each with verdict and evidence.
    pub said: Vec<RatedFact>,
    /// Facts said that the store supports.
    pub supported: u64,
    /// Facts said that it does not.
    pub unsupported: u64,
    /// F1@K in percent by K: the paper's median and largest number of facts, and the number this item asks for.
    pub f1_at: Vec<(u64, f64)>,
}

/// Holds an answer against the facts of its item, which the caller has rebuilt; `None` where answers are closed or the
/// item has no facts.
///
/// # Errors
/// [`AppError::Invalid`] for a task that this version does not know.
pub async fn factuality(row: &TaskRow, item: Item, answer: String) -> Result<Option<Factuality>, AppError> {
    let task = Task::new(row.definition()).map_err(|error| AppError::Invalid(error.to_string()))?;
    let found = tokio::task::spawn_blocking(move || checked(&task.open_ended(&item)?, &answer));
    found.await.map_err(AppError::stopped)
}

fn checked(material: &OpenEnded, answer: &str) -> Option<Factuality> {
    if material.facts.is_empty() {
        return None;
    }
    let standings = FactReport::new(&material.facts, answer).standings;
    let asked = material.facts.iter().zip(standings).map(|(fact, standing)| {
        let word = match standing {
            Standing::Right => "right",
            Standing::Wrong => "wrong",
            Standing::Missing => "missing",
        };
        (fact.statement.clone(), word)
    });
    let report = rate(answer, &FactStore::new(material.facts.clone()));
    let own = u64::try_from(material.facts.len()).unwrap_or(u64::MAX);
    let f1_at = [own, K_MEDIAN, K_MAXIMUM].into_iter().filter_map(|k| Some((k, 100.0 * report.f1_at(k)?)));
    Some(Factuality {
        asked: asked.collect(),
        supported: report.count(Support::Supported),
        unsupported: report.count(Support::NotSupported),
        f1_at: f1_at.collect(),
        said: report.facts,
    })
}
