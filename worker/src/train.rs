//! `train`: the reference model from a seed, with the recipe of the built-in checkpoint, and published methods around
//! training.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use longboard_refmodel::ModelError;
use longboard_refmodel::checkpoint::Checkpoint;
use longboard_refmodel::config::ModelConfig;
use longboard_refmodel::encoder::{Encoder, Positions};
use longboard_refmodel::train::course::{Course, Selecting};
use longboard_refmodel::train::encoder::trial::Trial;
use longboard_refmodel::train::encoder::{self, EncoderCourse};
use longboard_refmodel::train::exam::Exam;
use longboard_refmodel::train::gates::Gating;
use longboard_refmodel::train::lesson::{Manner, Subject};
use longboard_refmodel::train::recipe;
use longboard_refmodel::train::temp_lora::{self, TempLora};
use longboard_refmodel::train::trainer::Progress;
use longboard_suites::card::Language;
use longboard_suites::haystack::Haystack;
use longboard_suites::length::Length;
use longboard_suites::world::World;

/// What trains something else than the decoder, to which arguments about its lessons say nothing.
const OTHERS: [&str; 3] = ["gates", "encoder", "temp_lora"];

#[derive(Debug, Args)]
pub struct Train {
    /// Folder for config.json, tokenizer.json, model.safetensors and curve.tsv; saved every 100 steps.
    #[arg(long, required_unless_present = "temp_lora")]
    out: Option<PathBuf>,
    /// Steps, unless the recipe's; one to two seconds each on two cores.
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    steps: Option<u32>,
    /// Seed of weights, tokenizer and lessons.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A checkpoint of the same shape to go on from. Gates and Temp-LoRA take the built-in one without it.
    #[arg(long)]
    from: Option<PathBuf>,
    /// Lessons of a step.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1024))]
    batch: Option<u32>,
    /// Highest learning rate; it falls as in the recipe.
    #[arg(long, value_parser = positive)]
    rate: Option<f64>,
    /// Untie the Knots: share of lessons that are several shorter ones, cut and mixed.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    knots: f64,
    /// Trains on the best share of the lessons drawn only; needs --from and --guide.
    #[arg(long, value_parser = ["gateau"], requires_all = ["from", "guide"])]
    select: Option<String>,
    /// GATEAU's checkpoint of shorter contexts or fewer steps; --from is the other one.
    #[arg(long, requires = "select")]
    guide: Option<PathBuf>,
    /// Share of lessons that GATEAU keeps.
    #[arg(long, default_value_t = 0.5, value_parser = positive)]
    keep: f64,
    /// In answers about several keys, names each key again after its value, as the shipped weights do.
    #[arg(long, conflicts_with_all = OTHERS)]
    chain: bool,
    /// Short matches mislead more often: keys of needles share words, and more pairs of a thread's text lead on.
    #[arg(long, conflicts_with_all = OTHERS)]
    hard: bool,
    /// How often a lesson is of each subject (needle, needles, pair, thread, repeat) instead of the recipe's shares.
    #[arg(long, value_name = "SHARES", value_delimiter = ',', num_args = 1, value_parser = weight,
        conflicts_with_all = OTHERS)]
    mixture: Option<Vec<f64>>,
    /// Weight of GATEAU's homologous-model guidance beside contextual awareness.
    #[arg(long, default_value_t = 0.7, value_parser = share)]
    alpha: f64,
    /// Ends with so many held-out lessons of each subject.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    exam: Option<u32>,
    /// Trains the gates of heads for DuoAttention and LServe, and nothing else.
    #[arg(long, conflicts_with_all = ["knots", "select", "exam", "temp_lora"])]
    gates: bool,
    /// Trains the encoder of texts instead of the decoder. With --exam it ends with so many held-out queries of each kind
    /// among 100 documents, for every position strategy.
    #[arg(long, conflicts_with_all = ["knots", "select", "gates", "temp_lora"])]
    encoder: bool,
    /// Lengths of the encoder's held-out documents.
    #[arg(long, requires = "encoder", value_delimiter = ',', default_value = "256,512,1k,4k")]
    exam_lengths: Vec<Length>,
    /// Reads a text, a file or `world:SEED`, with an adapter that learns each chunk after it was scored (Temp-LoRA).
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["out", "knots", "select", "exam"])]
    temp_lora: Option<String>,
    /// Rank of Temp-LoRA's adapter.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=128))]
    rank: u32,
    /// Tokens of the text that Temp-LoRA reads.
    #[arg(long, default_value_t = 8192, value_parser = clap::value_parser!(u32).range(64..=1_000_000))]
    tokens: u32,
}

impl Train {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match (&self.temp_lora, &self.out) {
            (Some(text), _) => self.temp_lora(text),
            (None, Some(out)) if self.gates => self.gates(out),
            (None, Some(out)) if self.encoder => self.encoder(out),
            (None, Some(out)) => self.course(out),
            (None, None) => anyhow::bail!("--out names the folder of the checkpoint"),
        }
    }

    fn course(&self, out: &Path) -> anyhow::Result<ExitCode> {
        let mut course = Course::recipe(out.to_owned(), self.steps(recipe::STEPS), self.seed);
        course.from.clone_from(&self.from);
        course.manner = self.manner();
        let mixture = self.mixture()?;
        let (keep, alpha) = (self.keep, self.alpha);
        course.selection = self.guide.clone().map(|guide| Selecting { guide, keep, alpha });
        let highest = course.phases.first().map_or(1.0, |phase| phase.rate.0);
        for phase in &mut course.phases {
            phase.knots = self.knots;
            phase.mixture = mixture.unwrap_or(phase.mixture);
            phase.batch = self.batch.map_or(phase.batch, |batch| batch as usize);
            let scale = self.rate.unwrap_or(highest) / highest;
            phase.rate = (phase.rate.0 * scale, phase.rate.1 * scale);
        }
        let bar = bar(course.steps(), "steps");
        let shown = bar.clone();
        beside(move || {
            course.run(|progress| {
                shown.set_position(progress.step as u64);
                shown.set_message(line(progress));
                true
            })
        })?;
        bar.finish();
        if let Some(lessons) = self.exam {
            let (lessons, length) = (lessons as usize, recipe::LENGTH);
            let (out, exam) = (out.to_owned(), Exam { lessons, length, seed: 1, manner: self.manner() });
            beside(move || sit(&out, exam))?;
        }
        println!("trained; serve it with longboard-worker serve-model --policy dense --checkpoint {}", out.display());
        Ok(ExitCode::SUCCESS)
    }

    fn manner(&self) -> Manner {
        Manner { chained: self.chain, hard: self.hard }
    }

    fn mixture(&self) -> anyhow::Result<Option<[f64; Subject::ALL.len()]>> {
        let Some(shares) = &self.mixture else { return Ok(None) };
        let subjects = Subject::ALL.map(Subject::slug).join(", ");
        let shares = shares.as_slice().try_into().ok().filter(|shares: &[f64; _]| shares.iter().sum::<f64>() > 0.0);
        Ok(Some(shares.with_context(|| format!("--mixture takes a share for each of {subjects}, not all of them 0"))?))
    }

    fn steps(&self, recipe: u32) -> usize {
        self.steps.unwrap_or(recipe) as usize
    }

    fn encoder(&self, out: &Path) -> anyhow::Result<ExitCode> {
        let steps = self.steps(encoder::recipe::STEPS);
        let mut course = EncoderCourse::recipe(out.to_owned(), steps, self.seed);
        course.from.clone_from(&self.from);
        course.batch = self.batch.map_or(course.batch, |batch| batch as usize);
        course.rate = self.rate.unwrap_or(course.rate);
        let bar = bar(steps, "steps");
        let shown = bar.clone();
        beside(move || {
            course.run(|progress| {
                shown.set_position(progress.step as u64);
                let found =
                    progress.found.iter().map(|(kind, (right, asked))| format!("{} {right}/{asked}", kind.slug()));
                shown.set_message(format!("loss {:.3} nats; {}", progress.loss, found.collect::<Vec<_>>().join(", ")));
                true
            })
        })?;
        bar.finish();
        if let Some(queries) = self.exam {
            let (out, lengths) = (out.to_owned(), self.exam_lengths.clone());
            beside(move || trials(&out, queries as usize, &lengths))?;
        }
        println!("trained; the encoder is in {}", out.display());
        Ok(ExitCode::SUCCESS)
    }

    fn checkpoint(&self) -> Result<Checkpoint, ModelError> {
        self.from.as_deref().map_or_else(Checkpoint::builtin, Checkpoint::open)
    }

    fn gates(&self, out: &Path) -> anyhow::Result<ExitCode> {
        let (checkpoint, out) = (self.checkpoint()?, out.to_owned());
        let mut gating = Gating::paper(self.steps(recipe::STEPS), self.seed);
        gating.batch = self.batch.map_or(gating.batch, |batch| batch as usize);
        gating.rate = self.rate.unwrap_or(gating.rate);
        let bar = bar(gating.steps, "steps");
        let shown = bar.clone();
        let gates = beside(move || {
            let gates = gating.train(&checkpoint, |step, loss| {
                shown.set_position(step as u64);
                shown.set_message(format!("loss {loss:.4}"));
                true
            })?;
            let Checkpoint { decoder, tokenizer } = &checkpoint;
            let config = ModelConfig { head_gates: Some(gates.clone()), ..decoder.config.clone() };
            Checkpoint::save(&out, &config, tokenizer, &decoder.tensors())?;
            Ok(gates)
        })?;
        bar.finish();
        for (layer, gates) in gates.iter().enumerate().filter(|(_, gates)| !gates.is_empty()) {
            let gates: Vec<String> = gates.iter().map(|gate| format!("{gate:.2}")).collect();
            println!("layer {layer}: {}", gates.join(" "));
        }
        Ok(ExitCode::SUCCESS)
    }

    fn temp_lora(&self, text: &str) -> anyhow::Result<ExitCode> {
        let checkpoint = self.checkpoint()?;
        let mut ids: Vec<u32> = checkpoint.tokenizer.start().into_iter().collect();
        ids.extend(checkpoint.tokenizer.encode(&read(text, self.tokens)?)?);
        ids.truncate(self.tokens as usize);
        let paper = temp_lora::PAPER;
        let rate = self.rate.unwrap_or(paper.rate);
        let reading = TempLora { rank: self.rank as usize, rate, seed: self.seed, ..paper };
        let bar = bar(temp_lora::chunks(ids.len(), reading.chunk), "chunks");
        let shown = bar.clone();
        let chunks = beside(move || {
            reading.read(&checkpoint.decoder, &ids, |chunk| {
                shown.inc(1);
                shown.set_message(format!("base {:.3}, adapted {:.3} nats", chunk.base, chunk.adapted));
                true
            })
        })?;
        bar.finish();
        println!("\tperplexity\tppl_temp_lora");
        let (base, adapted) = (|chunk: &temp_lora::Chunk| chunk.base, |chunk: &temp_lora::Chunk| chunk.adapted);
        println!("base\t{:.2}\t{:.2}", temp_lora::perplexity(&chunks, base), temp_lora::ppl_temp_lora(&chunks, base));
        println!(
            "adapted\t{:.2}\t{:.2}",
            temp_lora::perplexity(&chunks, adapted),
            temp_lora::ppl_temp_lora(&chunks, adapted)
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// Arithmetic fills every core: a thread of its own keeps signals answered.
fn beside<T: Send + 'static>(work: impl FnOnce() -> Result<T, ModelError> + Send + 'static) -> anyhow::Result<T> {
    let done = std::thread::spawn(work).join();
    Ok(done.map_err(|_| anyhow::anyhow!("the training stopped; its last checkpoint is kept"))??)
}

fn bar(length: usize, unit: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(&format!(
        "{{bar:32}} {{pos:>6}}/{{len}} {unit} {{elapsed}}, {{eta}} left  {{msg}}"
    ))
    .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64).with_style(style)
}

/// A file, or the chronicle of a world with at least `tokens` tokens of the model.
fn read(text: &str, tokens: u32) -> anyhow::Result<String> {
    let Some(seed) = text.strip_prefix("world:") else {
        return std::fs::read_to_string(text).with_context(|| format!("{text} cannot be read as UTF-8 text"));
    };
    let seed = seed.parse().with_context(|| format!("{text}: after world: comes a whole number"))?;
    // The model's vocabulary is small: its tokens are never fewer than canonical ones.
    Ok(World::new(seed).haystack(Language::English).passage(0, tokens)?.text)
}

fn sit(folder: &Path, exam: Exam) -> Result<(), ModelError> {
    let checkpoint = Checkpoint::open(folder)?;
    println!("held out\tloss_nats\tright\tanswers");
    for (subject, marks) in exam.sit(&checkpoint)? {
        println!("{}\t{:.4}\t{}\t{}", subject.slug(), marks.mean_loss(), marks.right, marks.answers);
    }
    Ok(())
}

/// Acc@1 of each strategy and kind, with the seconds that embedding documents and queries took.
fn trials(folder: &Path, queries: usize, lengths: &[Length]) -> Result<(), ModelError> {
    let encoder = Encoder::open(folder)?;
    println!("length\tpositions\tkind\tright\tqueries\tseconds");
    for length in lengths {
        let trial = Trial { documents: 100, queries, length: length.tokens(), seed: 1 };
        for positions in Positions::ALL {
            let begun = Instant::now();
            let marks = trial.sit(&encoder, positions)?;
            let seconds = begun.elapsed().as_secs_f64();
            for (kind, (right, asked)) in marks {
                let (slug, kind) = (positions.slug(), kind.slug());
                println!("{length}\t{slug}\t{kind}\t{right}\t{asked}\t{seconds:.1}");
            }
        }
    }
    Ok(())
}

fn line(progress: &Progress) -> String {
    let answers =
        progress.answers.iter().map(|(subject, (right, asked))| format!("{} {right}/{asked}", subject.slug()));
    format!("loss {:.3} nats; right: {}", progress.loss, answers.collect::<Vec<_>>().join(", "))
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("{text} is no number"))
}

fn share(text: &str) -> Result<f64, String> {
    let value = number(text)?;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err(format!("{text} is not between 0 and 1")) }
}

fn weight(text: &str) -> Result<f64, String> {
    let value = number(text)?;
    if (0.0..=1e6).contains(&value) { Ok(value) } else { Err(format!("{text} is not between 0 and 1,000,000")) }
}

fn positive(text: &str) -> Result<f64, String> {
    let value = number(text)?;
    if value > 0.0 && value <= 1.0 { Ok(value) } else { Err(format!("{text} is not above 0 and at most 1")) }
}
