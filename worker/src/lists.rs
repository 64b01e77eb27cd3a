//! `tasks`, `metrics`, `policies`: one line each, the slug first.

use std::io::Write;
use std::process::ExitCode;

use longboard_refmodel::policy::Card;
use longboard_suites::metrics;
use longboard_suites::task::Task;

pub fn tasks() -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for task in Task::builtin() {
        let card = task.card();
        writeln!(
            out,
            "{:<34} {:<16} {} {:<28} unit: {}; output {} tokens; from {} tokens; metric {}; {}",
            task.slug(),
            card.benchmark,
            card.language.code(),
            card.abilities.join("+"),
            card.length_unit.name(),
            card.output_tokens,
            card.min_tokens,
            card.metric,
            card.citation
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

pub fn metrics() -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for metric in metrics::catalogue() {
        let (low, high) = metric.range;
        let form = format!("{:?}", metric.form).to_lowercase();
        writeln!(out, "{:<44} {form:<12} {low}..{high}  {}; {}", metric.slug, metric.title, metric.citation)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub fn policies() -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for card in Card::all() {
        let numbers: Vec<String> =
            card.parameters.iter().map(|known| format!("{}={}", known.name, known.default)).collect();
        let numbers = if numbers.is_empty() { "no parameters".to_owned() } else { numbers.join(" ") };
        writeln!(out, "{:<26} {:<28} {numbers}; {}", card.slug, card.title, card.citation)?;
    }
    Ok(ExitCode::SUCCESS)
}
