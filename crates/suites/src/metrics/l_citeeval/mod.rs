//! L-CiteEval (arXiv 2410.02115; ZetangForward/L-CITEEVAL @ 6e493267): does a cited passage support what is said?

mod citation;
mod counting_stars;
mod evaluator;

use super::catalogue::{Form, Metric, Source, metric};
use super::python_text::strip;
use super::rouge;
use super::token_f1::english;

pub use citation::{AT_MOST, Entailment, Prf, citation_prf, citation_prf_strict, cited, niah, without_citations};
pub use counting_stars::{Stars, count_accuracy, counting_stars, counts_found, stars};
pub use evaluator::{Evaluator, Lexical, citation_prf_by};

const SOURCE: Source =
    Source { benchmark: "L-CiteEval", citation: "arXiv 2410.02115; ZetangForward/L-CITEEVAL @ 6e493267" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 10] = [
    metric(SOURCE, "l_citeeval.citation_prf", "Citation F1", Form::Official, 1.0),
    metric(SOURCE, "l_citeeval.citation_prf.strict", "Citation F1, [0] is no passage", Form::Strict, 1.0),
    metric(SOURCE, "l_citeeval.citation_prf_niah", "Citation F1 of a needle", Form::Official, 1.0),
    metric(SOURCE, "l_citeeval.citation_prf_niah.strict", "Citation F1 of a needle that is told", Form::Strict, 1.0),
    metric(SOURCE, "l_citeeval.citation_prf_counting_stars", "Citation F1 of counts", Form::Official, 1.0),
    metric(SOURCE, "l_citeeval.citation_prf_counting_stars.strict", "Citation F1 of right counts", Form::Strict, 1.0),
    metric(SOURCE, "l_citeeval.remove_citations", "Answer without citations", Form::Official, 1.0),
    metric(SOURCE, "l_citeeval.qa_f1_p_r", "Token F1, precision, recall", Form::Official, 1.0),
    metric(SOURCE, "l_citeeval.counting_accuracy", "Counts among the right ones", Form::Official, 1.0),
    metric(SOURCE, "l_citeeval.counting_accuracy.strict", "Counts in order", Form::Strict, 1.0),
];

/// First line of an answer without its citations.
fn first_line(answer: &str) -> String {
    without_citations(strip(answer).split('\n').next().unwrap_or_default())
}

/// ROUGE-L of a summary's first line without its citations, the best over the references, 0..1. A heading up to the
/// first colon is left out where the word summary stands in the first hundred characters; one without a colon scores 0.
#[must_use]
pub fn summary_rouge_l(answer: &str, references: &[String]) -> f64 {
    let answer = strip(answer);
    let start: String = answer.chars().take(100).collect();
    let body = if start.to_lowercase().contains("summary") {
        let Some((_, body)) = answer.split_once(':') else { return 0.0 };
        body
    } else {
        answer
    };
    let line = first_line(body);
    references
        .iter()
        .filter_map(|reference| rouge::unique::rouge_l(reference, &line))
        .map(|prf| prf.f)
        .fold(0.0, f64::max)
}

/// Recall of the reference's words in an answer's first line (ROUGE-1), the best over the references, 0..1.
#[must_use]
pub fn needle_recall(answer: &str, references: &[String]) -> f64 {
    let line = first_line(answer);
    let recalls = references.iter().filter_map(|reference| rouge::unique::score(reference, &line));
    recalls.map(|scores| scores.rouge1.recall).fold(0.0, f64::max)
}

/// Token precision, recall and F1 of an answer's first line without its citations; each is the largest over the
/// references, so they may come from different ones.
#[must_use]
pub fn qa_f1_p_r(answer: &str, references: &[String]) -> rouge::Prf {
    let plain = first_line(answer);
    references.iter().map(|reference| english(&plain, reference)).fold(rouge::Prf::default(), |best, found| {
        rouge::Prf {
            precision: best.precision.max(found.precision),
            recall: best.recall.max(found.recall),
            f: best.f.max(found.f),
        }
    })
}
