//! L-CiteEval (arXiv 2410.02115; ZetangForward/L-CITEEVAL @ 6e493267): does a cited passage support what is said?

mod citation;
mod counting_stars;

use super::catalogue::{Form, Metric, Source, metric};

pub use citation::{AT_MOST, Entailment, Prf, citation_prf, citation_prf_strict, cited, niah, without_citations};
pub use counting_stars::{Stars, count_accuracy, counting_stars, stars};

const SOURCE: Source =
    Source { benchmark: "L-CiteEval", citation: "arXiv 2410.02115; ZetangForward/L-CITEEVAL @ 6e493267" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 9] = [
    metric(SOURCE, "l_citeeval.citation_prf", "Citation F1", Form::Official, 1.0),
    metric(SOURCE, "l_citeeval.citation_prf.strict", "Citation F1, [0] is no passage", Form::Strict, 1.0),
    metric(SOURCE, "l_citeeval.citation_prf_niah", "Citation F1 of a needle", Form::Official, 1.0),
    metric(SOURCE, "l_citeeval.citation_prf_niah.strict", "Citation F1 of a needle that is told", Form::Strict, 1.0),
    metric(SOURCE, "l_citeeval.citation_prf_counting_stars", "Citation F1 of counts", Form::Official, 1.0),
    metric(SOURCE, "l_citeeval.citation_prf_counting_stars.strict", "Citation F1 of right counts", Form::Strict, 1.0),
    metric(SOURCE, "l_citeeval.remove_citations", "Answer without citations", Form::Official, 1.0),
    metric(SOURCE, "l_citeeval.qa_f1_p_r", "Token F1, precision, recall", Form::Official, 1.0),
    metric(SOURCE, "l_citeeval.counting_accuracy", "Counts in order", Form::Official, 1.0),
];
