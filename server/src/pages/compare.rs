//! Two models side by side, on the same items.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query, ServiceConfig, get};
use askama::Template;
use longboard_app::Longboard;
use longboard_app::compare::{Comparison, Differing, Paired};
use longboard_app::stats::equivalence::Verdict;
use longboard_app::stats::paired::Table;
use serde::Deserialize;

use crate::charts::{CurvePoint, Series, curve};
use crate::pages::page;
use crate::refusal::{ApiError, PageError};

/// Differing answers on one page.
const PAGE: usize = 50;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/compare.json", get().to(json)).route("/compare", get().to(compare));
}

/// The state of the page, all of it.
#[derive(Deserialize)]
struct Pair {
    #[serde(default)]
    a: String,
    #[serde(default)]
    b: String,
    #[serde(default)]
    suite: String,
    /// `a` or `b`: only answers that this one did better on.
    #[serde(default)]
    won: String,
    /// Page of the differing answers, from 1.
    #[serde(default)]
    page: usize,
}

impl Pair {
    fn link(&self, won: &str, page: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs([("suite", &self.suite), ("a", &self.a), ("b", &self.b)]);
        if !won.is_empty() {
            query.append_pair("won", won);
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
        format!("/compare?{}", query.finish())
    }

    fn shows(&self, differing: &Differing) -> bool {
        match self.won.as_str() {
            "a" => differing.a > differing.b,
            "b" => differing.b > differing.a,
            _ => true,
        }
    }
}

#[derive(Template)]
#[template(path = "compare/compare.html")]
struct ComparePage {
    pair: Pair,
    suites: Vec<(String, String)>,
    models: Vec<String>,
    complaint: Option<String>,
    shown: Option<Shown>,
}

struct Shown {
    comparison: Comparison,
    verdict: String,
    detail: String,
    curve: String,
    /// Title, what Holm is over, lines.
    tables: Vec<(&'static str, String, Vec<Line>)>,
    cells: Vec<Line>,
    table: Option<TwoByTwo>,
    differing: Differences,
}

struct TwoByTwo {
    counts: Table,
    p: String,
    mid_p: String,
}

/// A page of the answers that differ.
struct Differences {
    lines: Vec<DifferingLine>,
    total: usize,
    first: usize,
    /// Title, link, whether it is chosen.
    filters: Vec<(String, String, bool)>,
    before: Option<String>,
    after: Option<String>,
}

struct DifferingLine {
    task: String,
    length: String,
    item: String,
    a: String,
    b: String,
    a_link: Option<String>,
    b_link: Option<String>,
}

struct Line {
    what: String,
    n: usize,
    a: String,
    b: String,
    difference: String,
    interval: String,
    p: String,
    holm: String,
    /// Certain at 5 % after Holm.
    sure: bool,
    detectable: String,
}

async fn json(pair: Query<Pair>, longboard: Data<Longboard>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(longboard.compare(&pair.suite, &pair.a, &pair.b).await?))
}

async fn compare(pair: Query<Pair>, longboard: Data<Longboard>) -> Result<HttpResponse, PageError> {
    let pair = pair.into_inner();
    let store = longboard.store();
    let suites: Vec<(String, String)> =
        store.suites().await?.into_iter().map(|suite| (suite.slug, suite.title)).collect();
    let models = store.endpoints(None).await?.into_iter().map(|row| row.slug).collect();
    let (complaint, shown) = if pair.a.is_empty() || pair.b.is_empty() {
        (None, None)
    } else {
        match longboard.compare(&pair.suite, &pair.a, &pair.b).await {
            Ok(comparison) => (None, Some(shown(comparison, &pair))),
            Err(error) => (Some(error.to_string()), None),
        }
    };
    page(&ComparePage { pair, suites, models, complaint, shown })
}

fn shown(comparison: Comparison, pair: &Pair) -> Shown {
    let points = |score: fn(&Paired) -> f64| {
        let point = |part: &Paired| CurvePoint {
            length: part.name.clone(),
            tokens: part.length_tokens.unwrap_or_default(),
            score: score(part),
            ci95: None,
        };
        comparison.by_length.iter().map(point).collect::<Vec<_>>()
    };
    let series = [
        Series { name: comparison.a.clone(), points: points(|part| part.a) },
        Series { name: comparison.b.clone(), points: points(|part| part.b) },
    ];
    let lines = |parts: &[Paired]| parts.iter().map(line).collect::<Vec<_>>();
    let over = |parts: &[Paired], what: &str| format!("p, Holm over {} {what}", parts.len());
    Shown {
        verdict: verdict(&comparison),
        detail: detail(&comparison),
        curve: if comparison.by_length.len() > 1 { curve(&series) } else { String::new() },
        tables: vec![
            ("All", String::new(), lines(std::slice::from_ref(&comparison.overall))),
            ("By length", over(&comparison.by_length, "lengths"), lines(&comparison.by_length)),
            ("By task", over(&comparison.by_task, "tasks"), lines(&comparison.by_task)),
        ],
        cells: lines(&comparison.by_cell),
        table: comparison.overall.table.map(|counts| TwoByTwo {
            counts,
            p: chance(comparison.overall.mcnemar_p),
            mid_p: chance(comparison.overall.mid_p),
        }),
        differing: differences(&comparison, pair),
        comparison,
    }
}

fn verdict(comparison: &Comparison) -> String {
    let size = (comparison.overall.a - comparison.overall.b).abs();
    let better = |name: &str| format!("{name} is better, by {size:.1} points.");
    match comparison.verdict {
        Verdict::FirstBetter => better(&comparison.a),
        Verdict::SecondBetter => better(&comparison.b),
        Verdict::Equivalent => format!("Equivalent within {} points.", comparison.margin),
        Verdict::NotEnoughData => "Not enough data to say which one is better.".to_owned(),
    }
}

/// What the verdict rests on.
fn detail(comparison: &Comparison) -> String {
    let overall = &comparison.overall;
    let test = if overall.binary { "exact McNemar test" } else { "paired t, clustered by item" };
    let mut text = format!("{} common answers, {test}: p {}.", overall.n, chance(overall.p));
    if let Some([low, high]) = overall.ci95 {
        text.push_str(&format!(" 95 % interval of the difference {low:+.1} to {high:+.1} points."));
    }
    if let Some(p) = comparison.equivalence_p {
        text.push_str(&format!(" Two one-sided tests of {} points: p {}.", comparison.margin, chance(Some(p))));
    }
    if let Some(detectable) = overall.detectable {
        text.push_str(&format!(" So many items would show a difference of {detectable:.1} points in 80 % of cases."));
    }
    text
}

/// A p value as readers write it.
fn chance(p: Option<f64>) -> String {
    match p {
        None => "–".to_owned(),
        Some(p) if p < 0.001 => "< 0.001".to_owned(),
        Some(p) => format!("{p:.3}"),
    }
}

fn line(part: &Paired) -> Line {
    let adjusted = part.p_holm.or(part.p);
    Line {
        what: part.name.clone(),
        n: part.n,
        a: format!("{:.1}", part.a),
        b: format!("{:.1}", part.b),
        difference: format!("{:+.1}", part.a - part.b),
        interval: part.ci95.map_or_else(|| "–".to_owned(), |[low, high]| format!("{low:+.1} to {high:+.1}")),
        p: chance(part.p),
        holm: chance(adjusted),
        sure: adjusted.is_some_and(|p| p < 0.05),
        detectable: part.detectable.map_or_else(|| "–".to_owned(), |points| format!("{points:.1}")),
    }
}

fn differences(comparison: &Comparison, pair: &Pair) -> Differences {
    let matching: Vec<&Differing> = comparison.differing.iter().filter(|one| pair.shows(one)).collect();
    let page = pair.page.max(1).min(matching.len().div_ceil(PAGE).max(1));
    let first = (page - 1) * PAGE;
    let won = |name: &str| {
        comparison.differing.iter().filter(|one| if name == "a" { one.a > one.b } else { one.b > one.a }).count()
    };
    let filter = |title: String, won: &str| (title, pair.link(won, 1), pair.won == won);
    let [run_a, run_b] = comparison.runs;
    let link = |run, number: Option<i32>| number.map(|number| format!("/runs/{run}/samples/{number}"));
    let line = |one: &&Differing| DifferingLine {
        task: one.task.clone(),
        length: one.length.clone(),
        item: if one.repetition == 0 {
            one.index.to_string()
        } else {
            format!("{} ({})", one.index, one.repetition + 1)
        },
        a: format!("{:.1}", one.a),
        b: format!("{:.1}", one.b),
        a_link: link(run_a, one.a_sample),
        b_link: link(run_b, one.b_sample),
    };
    Differences {
        lines: matching.iter().skip(first).take(PAGE).map(line).collect(),
        first: first + 1,
        filters: vec![
            filter(format!("All {}", comparison.differing.len()), ""),
            filter(format!("{} better {}", comparison.a, won("a")), "a"),
            filter(format!("{} better {}", comparison.b, won("b")), "b"),
        ],
        before: (page > 1).then(|| pair.link(&pair.won, page - 1)),
        after: (first + PAGE < matching.len()).then(|| pair.link(&pair.won, page + 1)),
        total: matching.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_hold_the_whole_state() {
        let pair = Pair { a: "x".to_owned(), b: "y&z".to_owned(), suite: "s".to_owned(), won: "a".to_owned(), page: 2 };
        assert_eq!(pair.link("", 1), "/compare?suite=s&a=x&b=y%26z");
        assert_eq!(pair.link("b", 3), "/compare?suite=s&a=x&b=y%26z&won=b&page=3");
    }

    #[test]
    fn small_chances_are_bounded() {
        assert_eq!([None, Some(0.000_2), Some(0.038_574)].map(chance), ["–", "< 0.001", "0.039"]);
    }
}
