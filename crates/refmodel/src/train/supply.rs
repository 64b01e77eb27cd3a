//! Where the lessons of a course come from.

use longboard_suites::rng::Rng;

use super::gateau::Selection;
use super::knots;
use super::lesson::{Lesson, Manner, Subject, Teacher};
use super::trainer::Phase;
use crate::error::ModelError;
use crate::tokenizer::Tokenizer;

/// Draws lessons without end.
pub struct Supply<'a> {
    teacher: Teacher<'a>,
    seed: u64,
    selection: Option<&'a Selection>,
}

impl<'a> Supply<'a> {
    /// Lessons from `seed` in the tokens of `tokenizer`, all of them or those that a selection keeps.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when a family refuses its parameters.
    pub fn new(tokenizer: &'a Tokenizer, seed: u64, selection: Option<&'a Selection>) -> Result<Self, ModelError> {
        Ok(Self { teacher: Teacher::new(tokenizer)?, seed, selection })
    }

    /// The same supply with lessons in another manner.
    #[must_use]
    pub fn in_manner(self, manner: Manner) -> Self {
        Self { teacher: self.teacher.in_manner(manner), ..self }
    }

    /// The lessons of step `number` of phase `index`.
    ///
    /// # Errors
    /// [`ModelError`] from lessons or from the arithmetic of their scores.
    pub fn batch(&self, phase: &Phase, index: u64, number: u64) -> Result<Vec<Lesson>, ModelError> {
        let course = Rng::name("course").wrapping_add(index).wrapping_add(self.seed.wrapping_mul(1_000_003));
        let drawn = self.selection.map_or(phase.batch, |selection| selection.drawn(phase.batch));
        let lessons = (0..drawn as u64)
            .map(|place| self.lesson(phase, &mut Rng::from_path(&[course, number, place])))
            .collect::<Result<_, _>>()?;
        match self.selection {
            Some(selection) => selection.best(lessons, phase.batch),
            None => Ok(lessons),
        }
    }

    fn lesson(&self, phase: &Phase, rng: &mut Rng) -> Result<Lesson, ModelError> {
        let total: f64 = phase.mixture.iter().sum();
        let mut left = rng.unit() * total;
        let subject = Subject::ALL.into_iter().zip(phase.mixture).find(|(_, share)| {
            left -= share;
            left < 0.0
        });
        let subject = subject.map_or(Subject::Needle, |(subject, _)| subject);
        let limit = phase.length - rng.index(phase.length / 3);
        let seed = rng.next_u64();
        // The coin comes last: without knots the same seed draws the same lessons whatever else a course can do.
        if rng.unit() < phase.knots {
            return knots::lesson(&self.teacher, subject, rng, limit);
        }
        self.teacher.lesson(subject, seed, limit)
    }
}
