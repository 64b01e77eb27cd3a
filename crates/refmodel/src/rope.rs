//! Rotary positions and their published scalings.

use serde_json::Value;

use crate::config::ModelConfig;
use crate::error::ModelError;

/// A published change of the rotary frequencies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RopeScaling {
    /// None (Su et al. 2021, RoFormer).
    Plain,
    /// Positions divided by a factor (Chen et al. 2023, positional interpolation).
    Linear {
        /// Divisor.
        factor: f64,
    },
    /// The base grows with the length once it exceeds what the model was trained for (NTK-aware, dynamic).
    DynamicNtk {
        /// How strongly the base grows.
        factor: f64,
        /// Trained length in tokens.
        trained: usize,
    },
    /// By wavelength (Peng et al. 2023, YaRN, section 3.2), with attention temperature.
    Yarn {
        /// Target over trained length.
        factor: f64,
        /// Trained length in tokens.
        trained: usize,
        /// Rotations above which a frequency is kept.
        beta_fast: f64,
        /// Rotations below which it is divided.
        beta_slow: f64,
        /// Factor on queries and keys; 0.1 ln(factor) + 1 unless the file says otherwise.
        attention: f64,
        /// Whether the two boundaries are moved to whole channels.
        whole: bool,
    },
    /// Llama 3.1's rule by wavelength.
    Llama3 {
        /// Divisor of low frequencies.
        factor: f64,
        /// Wavelengths above trained/low are divided.
        low: f64,
        /// Wavelengths below trained/high are kept.
        high: f64,
        /// Trained length in tokens.
        trained: usize,
    },
}

impl RopeScaling {
    /// Reads `rope_scaling` of a `config.json` of a model for `positions` tokens.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] for another kind, [`ModelError::Invalid`] without its numbers.
    pub fn parse(object: Option<&Value>, positions: usize) -> Result<Self, ModelError> {
        let Some(object) = object else { return Ok(Self::Plain) };
        let kind = object.get("rope_type").or_else(|| object.get("type")).and_then(Value::as_str).unwrap_or("default");
        let optional = |name: &str| object.get(name).and_then(Value::as_f64);
        let number = |name: &str| {
            let found = optional(name).filter(|value| *value > 0.0);
            found.ok_or_else(|| {
                ModelError::Invalid(format!("config.json: rope_scaling.{name} must be a positive number"))
            })
        };
        let trained =
            optional("original_max_position_embeddings").filter(|value| *value > 0.0).map_or(positions, count);
        if optional("partial_rotary_factor").is_some_and(|share| share < 1.0) {
            return Err(ModelError::Unsupported {
                what: "partial_rotary_factor".to_owned(),
                supported: "supported are models that rotate whole heads".to_owned(),
            });
        }
        match kind {
            "default" => Ok(Self::Plain),
            "linear" => Ok(Self::Linear { factor: number("factor")? }),
            "dynamic" => Ok(Self::DynamicNtk { factor: number("factor")?, trained: positions }),
            "yarn" => Ok(Self::Yarn {
                factor: number("factor")?,
                trained,
                beta_fast: optional("beta_fast").unwrap_or(32.0),
                beta_slow: optional("beta_slow").unwrap_or(1.0),
                attention: optional("attention_factor").unwrap_or_else(|| {
                    temperature(number("factor").unwrap_or(1.0), optional("mscale"), optional("mscale_all_dim"))
                }),
                whole: object.get("truncate").and_then(Value::as_bool).unwrap_or(true),
            }),
            "llama3" => Ok(Self::Llama3 {
                factor: number("factor")?,
                low: number("low_freq_factor")?,
                high: number("high_freq_factor")?,
                trained,
            }),
            other => Err(ModelError::Unsupported {
                what: format!("rope_scaling of type `{other}`"),
                supported: "supported are default, linear, dynamic, yarn and llama3".to_owned(),
            }),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive length in tokens")]
fn count(value: f64) -> usize {
    value as usize
}

/// YaRN's factor on queries and keys: 0.1 ln(factor) + 1, or the quotient of two of them (DeepSeek).
fn temperature(factor: f64, scale: Option<f64>, all: Option<f64>) -> f64 {
    let of = |scale: f64| if factor <= 1.0 { 1.0 } else { 0.1 * scale * factor.ln() + 1.0 };
    match (scale.filter(|scale| *scale != 0.0), all.filter(|all| *all != 0.0)) {
        (Some(scale), Some(all)) => of(scale) / of(all),
        _ => of(1.0),
    }
}

/// Rotary frequencies of a head, ready for any position.
#[derive(Debug, Clone, PartialEq)]
pub struct Rope {
    /// Radians per position, one per pair of channels, `[head_dim / 2]`.
    pub frequencies: Vec<f32>,
    /// Factor on the rotated queries and keys (YaRN's temperature).
    pub attention: f32,
    /// Neighbours are pairs, not halves.
    pub interleaved: bool,
}

impl Rope {
    /// The frequencies of a model for a context of `length` tokens.
    #[must_use]
    pub fn of(config: &ModelConfig, length: usize) -> Self {
        Self::new(config.head_dim, config.rope_theta, config.rope_scaling, config.rope_interleaved, length)
    }

    /// The frequencies of `theta` under `scaling` for a context of `length` tokens.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "lengths below 2^53; f32 is the model's precision"
    )]
    pub fn new(head_dim: usize, theta: f64, scaling: RopeScaling, interleaved: bool, length: usize) -> Self {
        let width = head_dim as f64;
        let base = match scaling {
            RopeScaling::DynamicNtk { factor, trained } if trained > 0 && length > trained => {
                let stretch = factor * length as f64 / trained as f64 - (factor - 1.0);
                theta * stretch.powf(width / (width - 2.0))
            }
            _ => theta,
        };
        let plain = (0..head_dim / 2).map(|pair| base.powf(-2.0 * pair as f64 / width));
        let frequencies =
            plain.enumerate().map(|(pair, frequency)| scaled(frequency, pair, width, theta, scaling) as f32);
        let attention = match scaling {
            RopeScaling::Yarn { attention, .. } => attention,
            _ => 1.0,
        };
        Self { frequencies: frequencies.collect(), attention: attention as f32, interleaved }
    }

    /// Sine and cosine of each pair of channels at `position`, which all heads share.
    #[must_use]
    pub fn turn(&self, position: f32) -> Vec<(f32, f32)> {
        let turn = |frequency: &f32| (frequency * position).sin_cos();
        let scaled = |(sin, cos): (f32, f32)| (sin * self.attention, cos * self.attention);
        self.frequencies.iter().map(turn).map(scaled).collect()
    }

    /// Rotates one head's channels in place to `position`.
    pub fn rotate(&self, channels: &mut [f32], position: f32) {
        self.apply(channels, &self.turn(position));
    }

    /// Rotates one head's channels in place by a turn.
    pub fn apply(&self, channels: &mut [f32], turn: &[(f32, f32)]) {
        let half = channels.len() / 2;
        for (pair, (sin, cos)) in turn.iter().enumerate() {
            let (first, second) = if self.interleaved { (2 * pair, 2 * pair + 1) } else { (pair, pair + half) };
            let (Some(&a), Some(&b)) = (channels.get(first), channels.get(second)) else { return };
            if let Some(channel) = channels.get_mut(first) {
                *channel = a * cos - b * sin;
            }
            if let Some(channel) = channels.get_mut(second) {
                *channel = b * cos + a * sin;
            }
        }
    }
}

/// Factor on a query that sees `n` keys: log n / log from, at least 1.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "lengths far below 2^24 change the logarithm")]
pub fn log_n_factor(n: usize, from: usize) -> f32 {
    ((n as f32).ln() / (from as f32).ln()).max(1.0)
}

fn scaled(frequency: f64, pair: usize, width: f64, theta: f64, scaling: RopeScaling) -> f64 {
    use std::f64::consts::TAU;
    match scaling {
        RopeScaling::Plain | RopeScaling::DynamicNtk { .. } => frequency,
        RopeScaling::Linear { factor } => frequency / factor,
        RopeScaling::Llama3 { factor, low, high, trained } => {
            let rotations = lossy(trained) * frequency / TAU;
            let smooth = ((rotations - low) / (high - low)).clamp(0.0, 1.0);
            frequency * (smooth + (1.0 - smooth) / factor)
        }
        RopeScaling::Yarn { factor, trained, beta_fast, beta_slow, whole, .. } => {
            let dimension = |rotations: f64| width * (lossy(trained) / (rotations * TAU)).ln() / (2.0 * theta.ln());
            let (low, high) = (dimension(beta_fast), dimension(beta_slow));
            let (low, high) = if whole { (low.floor(), high.ceil()) } else { (low, high) };
            let (low, high) = (low.max(0.0), high.min(width - 1.0));
            let ramp = ((lossy(pair) - low) / (high - low).max(0.001)).clamp(0.0, 1.0);
            frequency * (1.0 - ramp + ramp / factor)
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "lengths below 2^53")]
fn lossy(value: usize) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frequencies(scaling: RopeScaling, length: usize) -> Vec<f32> {
        Rope::new(16, 10_000.0, scaling, false, length).frequencies
    }

    #[test]
    fn scalings_do_what_their_papers_say() {
        let plain = frequencies(RopeScaling::Plain, 1);
        assert!((plain[0] - 1.0).abs() < 1e-6 && (plain[1] - 10_000_f32.powf(-0.125)).abs() < 1e-6);
        let linear = frequencies(RopeScaling::Linear { factor: 4.0 }, 1);
        assert!(plain.iter().zip(&linear).all(|(plain, linear)| (plain / 4.0 - linear).abs() < 1e-7));
        let short = frequencies(RopeScaling::DynamicNtk { factor: 2.0, trained: 100 }, 100);
        let long = frequencies(RopeScaling::DynamicNtk { factor: 2.0, trained: 100 }, 800);
        assert_eq!(short, plain);
        assert!((long[0] - 1.0).abs() < 1e-6 && long[7] < plain[7] / 10.0, "{long:?}");
        let llama3 = frequencies(RopeScaling::Llama3 { factor: 8.0, low: 1.0, high: 4.0, trained: 8192 }, 1);
        assert!((llama3[0] - plain[0]).abs() < 1e-7 && (llama3[7] * 8.0 - plain[7]).abs() < 1e-7);
        let attention = temperature(4.0, None, None);
        let yarn =
            RopeScaling::Yarn { factor: 4.0, trained: 4096, beta_fast: 32.0, beta_slow: 1.0, attention, whole: true };
        let rope = Rope::new(16, 10_000.0, yarn, false, 1);
        assert!((rope.frequencies[0] - plain[0]).abs() < 1e-7 && (rope.frequencies[7] * 4.0 - plain[7]).abs() < 1e-7);
        assert!((rope.attention - (0.1 * 4_f32.ln() + 1.0)).abs() < 1e-6);
    }

    #[test]
    fn only_distance_matters_and_length_is_kept() {
        for interleaved in [false, true] {
            let rope = Rope::new(16, 10_000.0, RopeScaling::Plain, interleaved, 1);
            let at = |position: f32, from: f32| {
                let mut channels: Vec<f32> = (0..16).map(|channel| ((channel as f32 + from) * 0.7).sin()).collect();
                rope.rotate(&mut channels, position);
                channels
            };
            let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            let near = product(&at(7.0, 0.0), &at(3.0, 5.0));
            let far = product(&at(107.0, 0.0), &at(103.0, 5.0));
            assert!((near - far).abs() < 1e-4, "{near} {far}");
            assert!((product(&at(9.0, 0.0), &at(9.0, 0.0)) - product(&at(0.0, 0.0), &at(0.0, 0.0))).abs() < 1e-4);
        }
    }
}
