//! Held-out lessons: what a checkpoint makes of lessons that no course draws.

use std::collections::BTreeMap;

use longboard_suites::rng::Rng;

use super::asked::{Answered, Row, answered};
use super::lesson::{Lesson, Manner, Subject, Teacher};
use crate::checkpoint::Checkpoint;
use crate::error::ModelError;

/// Lessons to be held out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exam {
    /// Lessons of each subject.
    pub lessons: usize,
    /// Tokens of a lesson at most.
    pub length: usize,
    /// From which they are drawn.
    pub seed: u64,
    /// How they are written.
    pub manner: Manner,
}

impl Exam {
    /// What `checkpoint` makes of them, by subject.
    ///
    /// # Errors
    /// [`ModelError`] from lessons or arithmetic.
    pub fn sit(&self, checkpoint: &Checkpoint) -> Result<BTreeMap<Subject, Answered>, ModelError> {
        let teacher = Teacher::new(&checkpoint.tokenizer)?.in_manner(self.manner);
        let mut marks = BTreeMap::new();
        for subject in Subject::ALL {
            let mut rng = Rng::from_path(&[Rng::name("exam"), self.seed, Rng::name(subject.slug())]);
            let lessons: Vec<Lesson> = (0..self.lessons)
                .map(|_| teacher.lesson(subject, rng.next_u64(), self.length))
                .collect::<Result<_, _>>()?;
            let rows: Vec<Row<'_>> = lessons.iter().map(Lesson::row).collect();
            let found = answered(&checkpoint.decoder, &rows)?;
            marks.insert(subject, found.iter().fold(Answered::default(), |sum, one| sum.plus(one)));
        }
        Ok(marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exam_is_the_same_each_time_and_the_built_in_checkpoint_passes() {
        let checkpoint = Checkpoint::builtin().unwrap();
        let exam = Exam { lessons: 2, length: 320, seed: 5, manner: Manner { chained: true, ..Manner::default() } };
        let marks = exam.sit(&checkpoint).unwrap();
        assert_eq!(marks, exam.sit(&checkpoint).unwrap());
        assert_ne!(marks, Exam { seed: 6, ..exam }.sit(&checkpoint).unwrap());
        let needle = &marks[&Subject::Needle];
        assert!(needle.right * 2 > needle.answers && needle.mean_loss() < 1.0, "{needle:?}");
    }
}
