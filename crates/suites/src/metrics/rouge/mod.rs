//! The ROUGE packages in use. They differ in words, in counting and in F1, so each is a metric of its own.
//!
//! | package | words | counting | used by |
//! |---|---|---|---|
//! | [`set`]: `rouge` 1.0.1 | blanks, sentences at `.` | sets | LongBench, LooGLE, L-CiteEval, CNNSum, M4LE (en) |
//! | [`score`]: `rouge_score` 0.1.2 | runs of `[a-z0-9]` | bags | L-Eval; with Porter's stemmer HELMET; InfiniteBench |
//! | [`chinese`]: `rouge_chinese` 1.0.3 | blanks | plain subsequence | M4LE (zh) |

pub mod chinese;
mod lcs;
pub mod porter;
pub mod score;
pub mod set;
mod vocabulary;

pub use score::lsum;
