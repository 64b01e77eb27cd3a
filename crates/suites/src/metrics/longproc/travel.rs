//! Travel plans: cities with the length of the stay, else how far the search is right.

use std::sync::LazyLock;

use regex::Regex;

use super::super::infinitebench::normalise;
use super::super::needlebench::pattern;
use super::super::python_text::{int, strip};
use super::{ProcedureScore, share, tagged};

const PROCEDURE: &str = "<Solving Procedure>";

/// Scores an answer. `cities` and `days` are joined with `**` as in the official files; `trace` is the reference search
/// with its plan. A plan that goes on after the right stays is right.
#[must_use]
pub fn travel_planning(answer: &str, cities: &str, days: &str, trace: &str) -> ProcedureScore {
    let plan = tagged(answer, "Plan");
    let accuracy = plan.map_or(0.0, |plan| f64::from(begins_with(&stays(plan), &wanted(cities, days))));
    let partial = if accuracy > 0.0 { 1.0 } else { followed(answer, trace) };
    ProcedureScore { accuracy, partial, extracted: plan.is_some() }
}

/// 1 where the plan has the wanted stays and no others.
#[must_use]
pub fn travel_planning_strict(answer: &str, cities: &str, days: &str) -> f64 {
    let (given, wanted) = (tagged(answer, "Plan").map(stays).unwrap_or_default(), wanted(cities, days));
    f64::from(given.len() == wanted.len() && begins_with(&given, &wanted))
}

type Stay = (String, i64);

fn wanted(cities: &str, days: &str) -> Vec<Stay> {
    let parts = |text: &str| text.split("**").filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    parts(cities).into_iter().zip(parts(days)).map(|(city, days)| (city, number(&days))).collect()
}

fn begins_with(given: &[Stay], wanted: &[Stay]) -> bool {
    !wanted.is_empty() && given.starts_with(wanted)
}

static DAYS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\d+-\d+"));
static FLIGHT: LazyLock<Regex> = LazyLock::new(|| pattern(r".*Day (\d+).*from ([\p{L}\p{N}_]+) to ([\p{L}\p{N}_]+)"));
static TOTAL: LazyLock<Regex> = LazyLock::new(|| pattern(r"European cities for (\d+) days"));

/// A day; so far out that no stay matches where it is no day at all.
fn number(digits: &str) -> i64 {
    const FAR: i64 = i64::MAX / 8;
    int(digits).and_then(|digits| digits.parse().ok()).filter(|day| (0..FAR).contains(day)).unwrap_or(FAR)
}

/// City and length of each stay: the days between flights, both included.
fn stays(plan: &str) -> Vec<Stay> {
    let (mut total, mut last_day, mut flights) = (None, None, Vec::new());
    for line in plan.split('\n') {
        if let Some(found) = TOTAL.captures(line).and_then(|found| found.get(1)) {
            total = Some(number(found.as_str()));
        }
        if let Some(found) = DAYS.find(line) {
            let end = found.as_str().rsplit_once('-').map(|(_, end)| number(end));
            last_day = end;
            if end == total {
                break;
            }
        }
        if let Some(found) = FLIGHT.captures(line) {
            let part = |place| found.get(place).map(|part| part.as_str().to_owned()).unwrap_or_default();
            flights.push((number(&part(1)), part(2), part(3)));
        }
    }
    let (Some(last_day), Some((_, from, _))) = (last_day, flights.first()) else { return Vec::new() };
    let cities = std::iter::once(from).chain(flights.iter().map(|(_, _, to)| to));
    let ends = flights.iter().map(|(day, _, _)| *day).chain([last_day]);
    let starts = std::iter::once(1).chain(flights.iter().map(|(day, _, _)| *day));
    cities.zip(starts.zip(ends)).map(|(city, (start, end))| (city.clone(), end - start + 1)).collect()
}

/// Official share of the trace that was followed: the last line looked at over the reference's lines, from 0.
fn followed(answer: &str, trace: &str) -> f64 {
    let wanted = lines(trace);
    let mut looked_at = 0;
    for (given, wanted) in lines(answer).iter().zip(&wanted) {
        looked_at += 1;
        if !normalise(given).contains(&normalise(wanted)) {
            break;
        }
    }
    share(usize::saturating_sub(looked_at, 1), wanted.len())
}

/// Lines with text from the beginning of the search on; where it is opened twice only the first is read.
fn lines(text: &str) -> Vec<String> {
    let text = text.replace("Output the plan in the required format:", "");
    let mut parts = text.split(PROCEDURE);
    let (before, search) = (parts.next().unwrap_or_default(), parts.next());
    let text = search.map_or_else(|| before.to_owned(), |search| [PROCEDURE, search].concat());
    strip(&text).split('\n').filter(|line| !strip(line).is_empty()).map(str::to_owned).collect()
}
