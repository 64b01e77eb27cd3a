//! `tasks`, `metrics`, `policies`: one line each, the slug first.

use std::io::Write;
use std::process::ExitCode;

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
    eprintln!("This build has no reference model yet, so there are no policies to list.");
    Ok(ExitCode::SUCCESS)
}
