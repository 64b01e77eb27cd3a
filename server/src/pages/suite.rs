//! Suites: what is in them, and what they cost before anything runs.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query, ServiceConfig, get};
use askama::Template;
use longboard_app::cost::{Cost, Rates, SuiteCost};
use longboard_app::report::suite_report;
use longboard_app::{AppError, Longboard, Suite};
use serde::Deserialize;

use crate::pages::page;
use crate::refusal::PageError;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/suites", get().to(suites)).route("/suites/{slug}", get().to(suite));
}

#[derive(Template)]
#[template(path = "suites/list.html")]
struct SuitesPage {
    suites: Vec<Line>,
}

struct Line {
    slug: String,
    title: String,
    description: String,
    tasks: usize,
    lengths: String,
    input: String,
    items: u64,
}

async fn suites(longboard: Data<Longboard>) -> Result<HttpResponse, PageError> {
    let mut suites = Vec::new();
    for suite in longboard.store().suites().await? {
        let cost = longboard.suite_cost(&suite, &Rates::default()).await?;
        let report = suite_report(&suite);
        suites.push(Line {
            slug: report.slug,
            title: report.title,
            description: report.description,
            tasks: report.tasks.len(),
            lengths: report.lengths.join(", "),
            input: if suite.imported { "none".to_owned() } else { count(cost.total.input_tokens) },
            items: cost.total.items,
        });
    }
    page(&SuitesPage { suites })
}

/// Prices and speeds as the form gives them: text, since an empty field is no number.
#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    input_price: String,
    #[serde(default)]
    output_price: String,
    #[serde(default)]
    input_speed: String,
    #[serde(default)]
    output_speed: String,
}

impl Form {
    fn rates(&self) -> Result<Rates, String> {
        Ok(Rates {
            input_price: amount("the price of prompt tokens", &self.input_price)?,
            output_price: amount("the price of answer tokens", &self.output_price)?,
            input_speed: amount("the speed of prompt tokens", &self.input_speed)?,
            output_speed: amount("the speed of answer tokens", &self.output_speed)?,
        })
    }
}

fn amount(what: &str, text: &str) -> Result<Option<f64>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && (0.0..1e9).contains(&number) => Ok(Some(number)),
        _ => Err(format!("{what} is a number from 0 to a billion, e.g. 2.50")),
    }
}

#[derive(Template)]
#[template(path = "suites/suite.html")]
struct SuitePage {
    slug: String,
    title: String,
    description: String,
    imported: bool,
    samples: u32,
    tasks: Vec<(String, String)>,
    form: Form,
    complaint: Option<String>,
    rows: Vec<Row>,
    choices: Vec<(Row, String, bool)>,
    official: Option<Official>,
}

struct Row {
    name: String,
    items: String,
    input: String,
    output: String,
    price: Option<String>,
    hours: Option<String>,
}

struct Official {
    source: &'static str,
    input: String,
    times: String,
}

async fn suite(slug: Path<String>, form: Query<Form>, longboard: Data<Longboard>) -> Result<HttpResponse, PageError> {
    let suite = longboard.store().suite(&slug).await?;
    let suite = suite.ok_or_else(|| AppError::NotFound(format!("suite `{}`", slug.as_str())))?;
    let (rates, complaint) = match form.rates() {
        Ok(rates) => (rates, None),
        Err(complaint) => (Rates::default(), Some(complaint)),
    };
    let cost = longboard.suite_cost(&suite, &rates).await?;
    let mut tasks = Vec::with_capacity(suite.tasks.0.len());
    for task in &suite.tasks.0 {
        tasks.push((task.clone(), longboard.task(task, None).await?.title));
    }
    page(&SuitePage::new(suite, tasks, form.into_inner(), complaint, &cost))
}

impl SuitePage {
    fn new(
        suite: Suite,
        tasks: Vec<(String, String)>,
        form: Form,
        complaint: Option<String>,
        cost: &SuiteCost,
    ) -> Self {
        let mut rows: Vec<Row> = cost.lengths.iter().map(|(length, cost)| row(length.to_string(), cost)).collect();
        rows.push(row("all".to_owned(), &cost.total));
        let choices = cost.choices.iter().map(|choice| {
            (row(choice.samples.to_string(), &choice.cost), format!("{:.1}", choice.detectable), choice.own)
        });
        let official = cost.official.map(|sweep| Official {
            source: sweep.source,
            input: count(sweep.input_tokens()),
            times: ratio(sweep.input_tokens(), cost.total.input_tokens),
        });
        Self {
            choices: choices.collect(),
            slug: suite.slug,
            title: suite.title,
            description: suite.description,
            imported: suite.imported,
            samples: suite.samples.cast_unsigned(),
            tasks,
            form,
            complaint,
            rows,
            official,
        }
    }
}

fn row(name: String, cost: &Cost) -> Row {
    Row {
        name,
        items: cost.items.to_string(),
        input: count(cost.input_tokens),
        output: count(cost.output_tokens),
        price: cost.price.map(|price| format!("{price:.2}")),
        hours: cost.hours.map(duration),
    }
}

/// `18.4 M`: three figures and their unit.
fn count(tokens: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with three figures")]
    let tokens = tokens as f64;
    let (number, unit) = match tokens {
        tokens if tokens >= 1e9 => (tokens / 1e9, " billion"),
        tokens if tokens >= 1e6 => (tokens / 1e6, " million"),
        tokens if tokens >= 1e3 => (tokens / 1e3, " thousand"),
        tokens => (tokens, ""),
    };
    if unit.is_empty() || number >= 100.0 {
        format!("{number:.0}{unit}")
    } else {
        format!("{number:.3}").chars().take(4).collect::<String>().trim_end_matches('.').to_owned() + unit
    }
}

fn duration(hours: f64) -> String {
    if hours >= 1.0 { format!("{hours:.1} h") } else { format!("{:.0} min", (60.0 * hours).ceil()) }
}

fn ratio(whole: u64, part: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with two figures")]
    let times = whole as f64 / part.max(1) as f64;
    format!("{times:.0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_a_unit_and_three_figures() {
        let shown = [0, 812, 1500, 258_048, 1_677_312_000].map(count);
        assert_eq!(shown, ["0", "812", "1.50 thousand", "258 thousand", "1.67 billion"]);
        assert_eq!([duration(0.01), duration(2.25)], ["1 min", "2.2 h"]);
    }

    #[test]
    fn an_empty_field_is_no_price_and_nonsense_is_named() {
        assert_eq!(amount("x", " "), Ok(None));
        assert_eq!(amount("x", "2.5"), Ok(Some(2.5)));
        for text in ["-1", "NaN", "inf", "two"] {
            assert!(amount("the price", text).unwrap_err().contains("the price"), "{text}");
        }
    }
}
