//! A whole training: tokenizer, weights, phases, and a folder that holds a checkpoint at any time.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use candle_core::Tensor;

use super::gateau::Selection;
use super::lesson::{Manner, Subject, Teacher};
use super::recipe;
use super::start::{self, Weights};
use super::supply::Supply;
use super::trainer::{self, Phase, Progress};
use crate::checkpoint::Checkpoint;
use crate::config::ModelConfig;
use crate::decoder::Decoder;
use crate::error::ModelError;
use crate::tokenizer::Tokenizer;

/// Steps between two saves.
const SAVED_EVERY: usize = 100;

/// Steps of a line of the curve.
const CURVE_EVERY: usize = 20;

/// What is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Where the checkpoint and `curve.tsv` go.
    pub folder: PathBuf,
    /// A checkpoint to go on from, instead of fresh weights.
    pub from: Option<PathBuf>,
    /// From which everything is drawn.
    pub seed: u64,
    /// What is done, in order.
    pub phases: Vec<Phase>,
    /// Keeps a share of the lessons drawn.
    pub selection: Option<Selecting>,
    /// How lessons are written.
    pub manner: Manner,
}

/// How lessons are selected (GATEAU); the later model is the checkpoint that the course goes on from.
#[derive(Debug, Clone, PartialEq)]
pub struct Selecting {
    /// The checkpoint of the earlier model.
    pub guide: PathBuf,
    /// Share that is kept, above 0 and at most 1.
    pub keep: f64,
    /// Weight of guidance beside awareness.
    pub alpha: f64,
}

impl Course {
    /// The recipe of the built-in checkpoint with `steps` steps.
    #[must_use]
    pub fn recipe(folder: PathBuf, steps: usize, seed: u64) -> Self {
        Self {
            folder,
            from: None,
            seed,
            phases: recipe::phases(steps).to_vec(),
            selection: None,
            manner: Manner::default(),
        }
    }

    /// Steps in all.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.phases.iter().map(|phase| phase.steps).sum()
    }

    /// Trains; `report` sees every step and stops the training by returning `false`.
    ///
    /// # Errors
    /// [`ModelError`] when a file cannot be read or written, or from arithmetic.
    pub fn run(&self, mut report: impl FnMut(&Progress) -> bool) -> Result<(), ModelError> {
        let (tokenizer, weights) = self.begin()?;
        let config = recipe::config();
        let decoder = Decoder::assemble(config.clone(), |name, _| {
            let var = weights.get(name).ok_or_else(|| ModelError::Invalid(format!("no weight {name}")))?;
            Ok(var.as_tensor().clone())
        })?;
        let selection = self.selection()?;
        let save = || Checkpoint::save(&self.folder, &config, &tokenizer, &tensors(&weights));
        save()?;
        let mut curve = Curve::new(&self.folder);
        let supply = Supply::new(&tokenizer, self.seed, selection.as_ref())?.in_manner(self.manner);
        trainer::train(&decoder, &weights, &supply, &self.phases, |progress| {
            curve.add(progress)?;
            if progress.step.is_multiple_of(SAVED_EVERY) {
                save()?;
            }
            Ok(report(progress))
        })?;
        save()
    }

    fn selection(&self) -> Result<Option<Selection>, ModelError> {
        let Some(selecting) = &self.selection else { return Ok(None) };
        let Some(from) = &self.from else {
            return Err(ModelError::Invalid("a selection needs a checkpoint to go on from".to_owned()));
        };
        let (guide, later) = (Checkpoint::open(&selecting.guide)?, Checkpoint::open(from)?);
        if guide.tokenizer.to_json()? != later.tokenizer.to_json()? {
            let (guide, from) = (selecting.guide.display(), from.display());
            return Err(ModelError::Invalid(format!("{guide} and {from} have different tokenizers")));
        }
        let Selecting { keep, alpha, .. } = *selecting;
        Ok(Some(Selection { guide: guide.decoder, later: later.decoder, keep, alpha }))
    }

    fn begin(&self) -> Result<(Tokenizer, Weights), ModelError> {
        let config = recipe::config();
        let weights = start::weights(&config, self.seed)?;
        let Some(from) = &self.from else {
            let texts = Teacher::reading(recipe::READING, self.seed)?;
            return Ok((Tokenizer::learn(&texts, recipe::VOCABULARY)?, weights));
        };
        let Checkpoint { decoder, tokenizer } = Checkpoint::open(from)?;
        // Other weights have other gates, and the length is that of this course.
        let shape = ModelConfig { head_gates: None, max_positions: config.max_positions, ..decoder.config.clone() };
        if shape.to_json() != config.to_json() {
            return Err(ModelError::Unsupported {
                what: format!("going on from {}", from.display()),
                supported: "only checkpoints of the recipe's own shape can be trained on".to_owned(),
            });
        }
        for (name, tensor) in decoder.tensors() {
            if let Some(var) = weights.get(&name) {
                var.set(&tensor)?;
            }
        }
        Ok((tokenizer, weights))
    }
}

fn tensors(weights: &Weights) -> HashMap<String, Tensor> {
    weights.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone())).collect()
}

/// Means over some steps, one line each.
struct Curve {
    path: PathBuf,
    text: String,
    loss: f64,
    steps: usize,
    answers: HashMap<Subject, (usize, usize)>,
}

impl Curve {
    fn new(folder: &Path) -> Self {
        let names: Vec<&str> = Subject::ALL.iter().map(|subject| subject.slug()).collect();
        let text = format!("step\tloss_nats\t{}\n", names.join("\t"));
        Self { path: folder.join("curve.tsv"), text, loss: 0.0, steps: 0, answers: HashMap::new() }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of a few steps")]
    fn add(&mut self, progress: &Progress) -> Result<(), ModelError> {
        self.loss += progress.loss;
        self.steps += 1;
        for (subject, (right, asked)) in &progress.answers {
            let entry = self.answers.entry(*subject).or_default();
            *entry = (entry.0 + right, entry.1 + asked);
        }
        if self.steps < CURVE_EVERY {
            return Ok(());
        }
        let _ = write!(self.text, "{}\t{:.4}", progress.step, self.loss / self.steps as f64);
        for subject in Subject::ALL {
            let (right, asked) = self.answers.get(&subject).copied().unwrap_or_default();
            let _ = write!(self.text, "\t{:.3}", right as f64 / asked.max(1) as f64);
        }
        self.text.push('\n');
        (self.loss, self.steps) = (0.0, 0);
        self.answers.clear();
        std::fs::write(&self.path, &self.text).map_err(|error| ModelError::unreadable(&self.path, error))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::super::asked::{Asked, Row};
    use super::super::forward;
    use super::*;
    use crate::config::LayerKind;

    fn small() -> ModelConfig {
        let local = LayerKind { window: Some(8), rope: true };
        let global = LayerKind { window: None, rope: false };
        ModelConfig {
            vocab_size: 50,
            hidden_size: 24,
            intermediate_size: 20,
            heads: 2,
            kv_heads: 2,
            head_dim: 8,
            layers: vec![local, global],
            log_n_from: Some(4),
            ..recipe::config()
        }
    }

    fn loss(decoder: &Decoder, ids: &Tensor) -> Tensor {
        let tables = forward::Tables::new(&decoder.config, 16, &Device::Cpu).unwrap();
        let ids = ids.to_vec2::<u32>().unwrap();
        let asked = 1..16;
        let rows: Vec<Row<'_>> = ids.iter().map(|ids| Row { ids, answers: std::slice::from_ref(&asked) }).collect();
        let asked = Asked::of(&rows, 16);
        let logits = decoder.logits(&asked.hidden(decoder, &rows, &tables, &forward::Dense).unwrap()).unwrap();
        asked.losses(&logits).unwrap().mean_all().unwrap()
    }

    #[test]
    fn every_weight_gets_the_gradient_that_differences_show() {
        let config = small();
        let weights = start::weights(&config, 3).unwrap();
        let decoder = Decoder::assemble(config, |name, _| Ok(weights[name].as_tensor().clone())).unwrap();
        let ids: Vec<u32> = (0..32).map(|place| place * 7 % 50).collect();
        let ids = Tensor::from_vec(ids, (2, 16), &Device::Cpu).unwrap();
        let gradients = loss(&decoder, &ids).backward().unwrap();
        for (name, var) in &weights {
            let gradient = gradients.get(var).unwrap_or_else(|| panic!("{name} has no gradient"));
            let flat = gradient.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let norm = flat.iter().map(|value| value * value).sum::<f32>().sqrt();
            assert!(norm > 0.0 && norm.is_finite(), "{name}: {norm}");
            // Along its own gradient the loss rises by the gradient's norm.
            let before = var.as_tensor().copy().unwrap();
            let step = 5e-3 / f64::from(norm);
            let at = |by: f64| {
                var.set(&(&before + (gradient * by).unwrap()).unwrap()).unwrap();
                f64::from(loss(&decoder, &ids).to_scalar::<f32>().unwrap())
            };
            let slope = (at(step) - at(-step)) / (2.0 * step);
            var.set(&before).unwrap();
            let wanted = f64::from(norm) * f64::from(norm);
            assert!((slope - wanted).abs() < 0.03 * wanted + 1e-4, "{name}: {slope} for {wanted}");
        }
    }

    #[test]
    fn a_few_steps_lower_the_loss_and_leave_a_checkpoint() {
        let folder = tempfile::TempDir::new().unwrap();
        let builtin = folder.path().join("from");
        let Checkpoint { decoder, tokenizer } = Checkpoint::builtin().unwrap();
        Checkpoint::save(&builtin, &decoder.config, &tokenizer, &decoder.tensors()).unwrap();
        let phase = Phase {
            steps: 3,
            length: 256,
            batch: 2,
            rate: (1e-4, 1e-4),
            mixture: [1.0, 0.0, 1.0, 0.0, 1.0],
            knots: 0.5,
        };
        let out = folder.path().join("out");
        let selection = Selecting { guide: builtin.clone(), keep: 0.5, alpha: 0.7 };
        let (from, selection) = (Some(builtin), Some(selection));
        let course = Course {
            folder: out.clone(),
            from,
            seed: 1,
            phases: vec![phase],
            selection,
            manner: Manner { chained: true, ..Manner::default() },
        };
        let mut seen = Vec::new();
        course
            .run(|progress| {
                seen.push(progress.loss);
                true
            })
            .unwrap();
        assert_eq!(seen.len(), 3);
        // Selected lessons are hard, but not as hard as for a model that knows nothing: ln 2048 is 7.6.
        assert!(seen.iter().all(|loss| loss.is_finite() && *loss < 7.0), "{seen:?}");
        assert!(Checkpoint::open(&out).is_ok());
    }

    #[test]
    fn training_and_reading_with_a_cache_compute_the_same() {
        let Checkpoint { decoder, tokenizer } = Checkpoint::builtin().unwrap();
        let ids: Vec<u32> = (0..96).map(|place| 300 + place * 13 % 700).collect();
        let tables = forward::Tables::new(&decoder.config, 96, &Device::Cpu).unwrap();
        let batch = Tensor::from_vec(ids.clone(), (1, 96), &Device::Cpu).unwrap();
        let hidden = forward::hidden(&decoder, &batch, &tables).unwrap().flatten_to(1).unwrap();
        let wanted = decoder.logits(&hidden).unwrap().to_vec2::<f32>().unwrap();
        let card = crate::policy::Card::find("dense").unwrap();
        let model = crate::model::Model::new(decoder, tokenizer, card.build(&card.settings(&[]).unwrap()));
        let mut sequence = model.sequence();
        let feed = crate::model::Feed { sequence: &mut sequence, ids: &ids, wanted: 96, prompt_ends: true };
        let rows = model.forward(&mut [feed]).unwrap().remove(0);
        for (row, wanted) in rows.iter().zip(&wanted) {
            assert!(row.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 2e-3), "{:?} {:?}", &row[..4], &wanted[..4]);
        }
    }
}
