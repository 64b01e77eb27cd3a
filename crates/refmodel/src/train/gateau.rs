//! GATEAU (Si et al. 2024, arXiv 2410.15633; code S1s-Z/GATEAU): of long samples, train on those that a model of short
//! contexts finds hard beside one of long contexts, and in which attention misses what the answer depends on.
//!
//! The code computes no contextual awareness score; here it is `1 - cos(softmax(-perplexity), attention)` over segments.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use candle_core::{Device, Tensor};

use super::asked::{Answered, Asked, Row, answered};
use super::forward::{Gaze, Tables};
use super::lesson::Lesson;
use crate::decoder::Decoder;
use crate::error::ModelError;
use crate::fused::{Seen, SeenSoftmax};

/// Tokens of a segment. The paper has 128 for inputs of up to 64,000 tokens; a lesson of 512 has 3 to 6 of these. The
/// last one before the answer holds the question.
pub const SEGMENT: usize = 64;

/// Scales values to 0..=1 by the smallest and largest; all 0 when they are equal.
#[must_use]
pub fn normalised(values: &[f64]) -> Vec<f64> {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let spread = most - least;
    values.iter().map(|value| if spread > 0.0 { (value - least) / spread } else { 0.0 }).collect()
}

/// Homologous-model guidance of each sample of a set: softmax of the difference of normalised perplexities.
#[must_use]
pub fn guidance(guide: &[f64], later: &[f64]) -> Vec<f64> {
    let (guide, later) = (normalised(guide), normalised(later));
    softmax(&guide.iter().zip(later).map(|(guide, later)| guide - later).collect::<Vec<_>>())
}

/// Contextual awareness score of one sample: how far the attention that its segments get is from what they are worth,
/// where a segment is worth more the lower the answer's perplexity given it alone. 0 without segments.
#[must_use]
pub fn awareness(perplexities: &[f64], attention: &[f64]) -> f64 {
    let negative: Vec<f64> = perplexities.iter().map(|perplexity| -perplexity).collect();
    let importance = softmax(&negative);
    let total: f64 = attention.iter().sum();
    let attention: Vec<f64> = attention.iter().map(|mass| mass / total).collect();
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let norms = (product(&importance, &importance) * product(&attention, &attention)).sqrt();
    if norms > 0.0 { 1.0 - product(&importance, &attention) / norms } else { 0.0 }
}

/// Samples from the highest `alpha * guidance + (1 - alpha) * awareness` down; equal ones in their order.
#[must_use]
pub fn ranking(guidance: &[f64], awareness: &[f64], alpha: f64) -> Vec<usize> {
    let scores: Vec<f64> = guidance
        .iter()
        .zip(awareness)
        .map(|(guidance, awareness)| alpha * guidance + (1.0 - alpha) * awareness)
        .collect();
    let mut places: Vec<usize> = (0..scores.len()).collect();
    let score = |place: &usize| scores.get(*place).copied().unwrap_or(f64::NEG_INFINITY);
    places.sort_by(|a, b| score(b).total_cmp(&score(a)));
    places
}

fn softmax(values: &[f64]) -> Vec<f64> {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised: Vec<f64> = values.iter().map(|value| (value - most).exp()).collect();
    let total: f64 = raised.iter().sum();
    raised.iter().map(|value| value / total).collect()
}

/// Keeps the best share of the lessons drawn for a step: the paper's data set is here what one step draws.
pub struct Selection {
    /// The earlier model, or that of short contexts.
    pub guide: Decoder,
    /// The later one.
    pub later: Decoder,
    /// Share of drawn lessons that is kept, above 0 and at most 1.
    pub keep: f64,
    /// Weight of guidance beside awareness.
    pub alpha: f64,
}

impl Selection {
    /// Lessons to draw so that `wanted` are kept.
    #[must_use]
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
    pub fn drawn(&self, wanted: usize) -> usize {
        (wanted as f64 / self.keep.clamp(0.01, 1.0)).ceil() as usize
    }

    /// The best `wanted` of `lessons`, best first.
    ///
    /// # Errors
    /// [`ModelError::Compute`].
    pub fn best(&self, lessons: Vec<Lesson>, wanted: usize) -> Result<Vec<Lesson>, ModelError> {
        let rows: Vec<Row<'_>> = lessons.iter().map(Lesson::row).collect();
        let perplexities = |decoder: &Decoder| -> Result<Vec<f64>, ModelError> {
            Ok(answered(decoder, &rows)?.iter().map(Answered::perplexity).collect())
        };
        let guidance = guidance(&perplexities(&self.guide)?, &perplexities(&self.later)?);
        let awareness = lessons.iter().map(|lesson| self.awareness(lesson)).collect::<Result<Vec<f64>, _>>()?;
        let mut lessons: Vec<Option<Lesson>> = lessons.into_iter().map(Some).collect();
        let ranked = ranking(&guidance, &awareness, self.alpha).into_iter();
        Ok(ranked.take(wanted).filter_map(|place| lessons.get_mut(place)?.take()).collect())
    }

    /// Contextual awareness of the later model at the first answer of `lesson`.
    fn awareness(&self, lesson: &Lesson) -> Result<f64, ModelError> {
        let Some(answer) = lesson.answers.first() else { return Ok(0.0) };
        let asked_from = answer.start.saturating_sub(SEGMENT);
        let segments: Vec<Range<usize>> =
            (1..asked_from).step_by(SEGMENT).map(|from| from..(from + SEGMENT).min(asked_from)).collect();
        if segments.is_empty() {
            return Ok(0.0);
        }
        let perplexities = given_alone(&self.later, lesson, &segments, asked_from..answer.end)?;
        let attention = attended(&self.later, lesson, &segments, answer)?;
        Ok(awareness(&perplexities, &attention))
    }
}

/// Perplexity of the first answer given the first token, one segment and `closing`, which ends with the answer.
fn given_alone(
    decoder: &Decoder,
    lesson: &Lesson,
    segments: &[Range<usize>],
    closing: Range<usize>,
) -> Result<Vec<f64>, ModelError> {
    let answer = lesson.answers.first().map_or(0, ExactSizeIterator::len);
    let part = |range: Range<usize>| lesson.ids.get(range).unwrap_or_default();
    let texts: Vec<(Vec<u32>, Range<usize>)> = segments
        .iter()
        .map(|segment| {
            let ids = [part(0..1), part(segment.clone()), part(closing.clone())].concat();
            let end = ids.len();
            (ids, end - answer..end)
        })
        .collect();
    let rows: Vec<Row<'_>> =
        texts.iter().map(|(ids, answer)| Row { ids, answers: std::slice::from_ref(answer) }).collect();
    Ok(answered(decoder, &rows)?.iter().map(Answered::perplexity).collect())
}

/// Attention of the answer's tokens to each segment, over heads and layers without window.
fn attended(
    decoder: &Decoder,
    lesson: &Lesson,
    segments: &[Range<usize>],
    answer: &Range<usize>,
) -> Result<Vec<f64>, ModelError> {
    let tables = Tables::fitting(&decoder.config, lesson.ids.len(), &Device::Cpu)?;
    let row = [Row { ids: &lesson.ids, answers: std::slice::from_ref(answer) }];
    let watch = Watch { rows: answer.clone(), mass: Mutex::new(vec![0.0; tables.length()]) };
    Asked::of(&row, tables.length()).hidden(decoder, &row, &tables, &watch)?;
    let mass = watch.mass.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(segments.iter().map(|segment| mass.get(segment.clone()).unwrap_or_default().iter().sum()).collect())
}

/// Dense attention that adds up what each token gets from some rows.
struct Watch {
    rows: Range<usize>,
    mass: Mutex<Vec<f64>>,
}

impl Gaze for Watch {
    fn attend(&self, _: usize, query: &Tensor, key: &Tensor, value: &Tensor) -> candle_core::Result<Tensor> {
        let weights = query.matmul(&key.t()?)?.apply_op1(SeenSoftmax(Seen::Causal))?;
        let seen = weights.narrow(2, self.rows.start, self.rows.len())?.sum((0, 1, 2))?.to_vec1::<f32>()?;
        let mut mass = self.mass.lock().unwrap_or_else(PoisonError::into_inner);
        mass.iter_mut().zip(seen).for_each(|(mass, seen)| *mass += f64::from(seen));
        drop(mass);
        weights.matmul(value)
    }
}

#[cfg(test)]
mod tests {
    use super::super::lesson::{Subject, Teacher};
    use super::*;
    use crate::checkpoint::Checkpoint;

    fn close(a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12), "{a:?} {b:?}");
    }

    #[test]
    fn identical_models_guide_nowhere_and_a_harder_guide_guides() {
        let perplexities = [3.0, 1.5, 9.0, 2.0];
        close(&guidance(&perplexities, &perplexities), &[0.25; 4]);
        let found = guidance(&[3.0, 9.0, 9.0, 2.0], &perplexities);
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(found[1] > found[0] && found[1] > found[2] && found[1] > found[3], "{found:?}");
        close(&normalised(&[2.0, 4.0, 3.0]), &[0.0, 1.0, 0.5]);
        close(&normalised(&[2.0, 2.0]), &[0.0, 0.0]);
    }

    #[test]
    fn attention_that_equals_importance_scores_nothing_and_opposite_attention_most() {
        let perplexities = [2.0_f64, 5.0, 3.0];
        let exact: Vec<f64> = perplexities.iter().map(|perplexity| 7.0 * (-perplexity).exp()).collect();
        assert!(awareness(&perplexities, &exact).abs() < 1e-12);
        let missed = awareness(&perplexities, &[0.0, 1.0, 0.0]);
        assert!(missed > 0.9 && missed < 1.0, "{missed}");
        assert!(awareness(&[], &[]).abs() < f64::EPSILON);
    }

    #[test]
    fn the_ends_of_alpha_rank_by_one_score_alone() {
        let (guidance, awareness) = ([0.2, 0.5, 0.3], [0.9, 0.1, 0.4]);
        assert_eq!(ranking(&guidance, &awareness, 1.0), [1, 2, 0]);
        assert_eq!(ranking(&guidance, &awareness, 0.0), [0, 2, 1]);
        assert_eq!(ranking(&[0.5, 0.5], &[0.5, 0.5], 0.8), [0, 1]);
    }

    #[test]
    fn only_answer_tokens_count() {
        let Checkpoint { decoder, tokenizer } = Checkpoint::builtin().unwrap();
        let lesson = Teacher::new(&tokenizer).unwrap().lesson(Subject::Needle, 1, 320).unwrap();
        let answer = lesson.answers[0].clone();
        let of = |ids: &[u32]| answered(&decoder, &[Row { ids, answers: std::slice::from_ref(&answer) }]).unwrap();
        let whole = of(&lesson.ids);
        assert_eq!(whole[0].tokens, answer.len());
        // What stands after the answer is not asked, and nothing before it is.
        let mut changed = lesson.ids.clone();
        changed.truncate(answer.end);
        assert!((of(&changed)[0].loss - whole[0].loss).abs() < 1e-3);
        assert!((of(&[&changed[..1], &changed[..]].concat())[0].loss - whole[0].loss).abs() > 1e-2);
    }

    #[test]
    fn a_selection_keeps_the_best_share() {
        let Checkpoint { decoder, tokenizer } = Checkpoint::builtin().unwrap();
        let teacher = Teacher::new(&tokenizer).unwrap();
        let selection = Selection { guide: decoder.clone(), later: decoder, keep: 0.5, alpha: 0.0 };
        let lessons: Vec<Lesson> = (0..4).map(|seed| teacher.lesson(Subject::Needle, seed, 320).unwrap()).collect();
        assert_eq!(selection.drawn(2), 4);
        let scores: Vec<f64> = lessons.iter().map(|lesson| selection.awareness(lesson).unwrap()).collect();
        let best = ranking(&[0.0; 4], &scores, 0.0);
        let kept = selection.best(lessons.clone(), 2).unwrap();
        assert_eq!(
            kept.iter().map(|lesson| &lesson.ids).collect::<Vec<_>>(),
            [&lessons[best[0]].ids, &lessons[best[1]].ids]
        );
        assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{scores:?}");
    }
}
