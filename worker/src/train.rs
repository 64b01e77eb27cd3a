//! `train`: the reference model from a seed, with the recipe of the built-in checkpoint.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use longboard_refmodel::train::course::Course;
use longboard_refmodel::train::trainer::Progress;

#[derive(Debug, Args)]
pub struct Train {
    /// Folder for config.json, tokenizer.json, model.safetensors and curve.tsv; saved every 100 steps.
    #[arg(long)]
    out: PathBuf,
    /// Steps; about one second each on two cores.
    #[arg(long, default_value_t = 4000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    steps: u32,
    /// Seed of weights, tokenizer and lessons.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A checkpoint of the same shape to go on from.
    #[arg(long)]
    from: Option<PathBuf>,
}

impl Train {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let course = Course { from: self.from, ..Course::recipe(self.out.clone(), self.steps as usize, self.seed) };
        let style = ProgressStyle::with_template("{bar:32} {pos:>6}/{len} steps {elapsed}, {eta} left  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(course.steps() as u64).with_style(style);
        let shown = bar.clone();
        // Arithmetic fills every core: a thread of its own keeps signals answered.
        let trained = std::thread::spawn(move || {
            course.run(|progress| {
                shown.set_position(progress.step as u64);
                shown.set_message(line(progress));
                true
            })
        });
        trained.join().map_err(|_| anyhow::anyhow!("the training stopped; its last checkpoint is kept"))??;
        bar.finish();
        println!(
            "trained; serve it with longboard-worker serve-model --policy dense --checkpoint {}",
            self.out.display()
        );
        Ok(ExitCode::SUCCESS)
    }
}

fn line(progress: &Progress) -> String {
    let answers =
        progress.answers.iter().map(|(subject, (right, asked))| format!("{} {right}/{asked}", subject.slug()));
    format!("loss {:.3} nats; right: {}", progress.loss, answers.collect::<Vec<_>>().join(", "))
}
