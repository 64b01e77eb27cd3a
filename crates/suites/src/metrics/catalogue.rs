//! Every metric with its source.

use serde::Serialize;

/// How a metric relates to the official scorer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Gives the official scorer's number, bugs included.
    Official,
    /// Ours, where the official one is missing or has a known bug.
    Strict,
    /// Published by somebody else.
    ThirdParty,
}

/// A metric and where it comes from.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Metric {
    /// `benchmark.metric`, also the pair of names in golden rows.
    pub slug: &'static str,
    /// Title.
    pub title: &'static str,
    /// Benchmark.
    pub benchmark: &'static str,
    /// Relation to the official scorer.
    pub form: Form,
    /// Paper and code version.
    pub citation: &'static str,
    /// Smallest and largest value.
    pub range: (f64, f64),
}

const RULER: (&str, &str) = ("RULER", "arXiv 2404.06654; NVIDIA/RULER @ c3f5e3b4");
const NEEDLEBENCH: (&str, &str) = ("NeedleBench", "arXiv 2407.11963; open-compass/opencompass @ a5acc4bb");
const THREADING: (&str, &str) = ("Needle Threading", "arXiv 2411.05000; jonathan-roberts1/needle-threading @ 006f8f57");
const INFINITE: (&str, &str) = ("InfiniteBench", "arXiv 2402.13718; OpenBMB/InfiniteBench @ 88b3daa6");

const LONGFACT: (&str, &str) = ("LongFact", "arXiv 2403.18802; google-deepmind/long-form-factuality @ 9d27158d");
const LONG_SPAN: (&str, &str) = ("Long-Span QA", "arXiv 2406.00179; no official code, facts and score are Longboard's");

const PLANTED: (&str, &str) = ("Planted Writing", "Longboard's own; no paper");

const fn metric(
    source: (&'static str, &'static str),
    slug: &'static str,
    title: &'static str,
    form: Form,
    top: f64,
) -> Metric {
    Metric { slug, title, benchmark: source.0, form, citation: source.1, range: (0.0, top) }
}

use Form::{Official, Strict, ThirdParty};

static CATALOGUE: [Metric; 43] = [
    metric(RULER, "ruler.string_match_all", "All references found", Official, 100.0),
    metric(RULER, "ruler.string_match_all.strict", "All references found in a short answer", Strict, 1.0),
    metric(RULER, "ruler.string_match_part", "Any reference found", Official, 100.0),
    metric(RULER, "ruler.corpus_score", "Mean over a task", Official, 100.0),
    metric(RULER, "ruler.effective_length_published_row", "Averages and effective length of a row", Official, 100.0),
    metric(NEEDLEBENCH, "needlebench.v1_single_soft", "Single retrieval, edit similarity", Official, 100.0),
    metric(
        NEEDLEBENCH,
        "needlebench.v1_single_soft_trim",
        "Single retrieval, trimmed edit similarity",
        Official,
        100.0,
    ),
    metric(NEEDLEBENCH, "needlebench.v2_single_keyword", "Single retrieval, keyword", Official, 100.0),
    metric(NEEDLEBENCH, "needlebench.multi_retrieval_by_depth", "Multiple retrieval per depth", Official, 100.0),
    metric(NEEDLEBENCH, "needlebench.multi_retrieval", "Multiple retrieval of one answer", Official, 1.0),
    metric(NEEDLEBENCH, "needlebench.v1_multi_reasoning_keywords", "Multi-step reasoning, keywords", Official, 100.0),
    metric(NEEDLEBENCH, "needlebench.v2_atc_boxed", "Boxed answer", Official, 100.0),
    metric(NEEDLEBENCH, "needlebench.v1_atc_first_option", "First option letter", Official, 1.0),
    metric(NEEDLEBENCH, "needlebench.v1_atc_circular", "Circular evaluation", Official, 100.0),
    metric(THREADING, "needle_threading.single_exact", "First identifier is the answer", Strict, 1.0),
    metric(THREADING, "needle_threading.set_exact", "Set of identifiers is the answer", Strict, 1.0),
    metric(THREADING, "needle_threading.recall", "Share of the answers given", Strict, 1.0),
    metric(THREADING, "needle_threading.precision", "Share of identifiers that are answers", Strict, 1.0),
    metric(THREADING, "needle_threading.readme_literal_eval_prefix", "README example", Official, 1.0),
    metric(
        THREADING,
        "needle_threading.third_party_contains_all",
        "All answers contained (LOOM-Scope)",
        ThirdParty,
        1.0,
    ),
    metric(INFINITE, "infinitebench.passkey", "First digits are the key", Official, 1.0),
    metric(INFINITE, "infinitebench.number_string", "First digits are the number", Official, 1.0),
    metric(INFINITE, "infinitebench.kv_retrieval", "Value is one of the words", Official, 1.0),
    metric(INFINITE, "infinitebench.longbook_sum_eng", "rougeLsum without stemming", Official, 1.0),
    metric(INFINITE, "infinitebench.longbook_qa_eng", "Token F1", Official, 1.0),
    metric(INFINITE, "infinitebench.longbook_choice_eng", "Option letter or text", Official, 1.0),
    metric(INFINITE, "infinitebench.longdialogue_qa_eng", "Name is one of the words", Official, 1.0),
    metric(INFINITE, "infinitebench.longbook_qa_chn", "Character F1", Official, 1.0),
    metric(INFINITE, "infinitebench.code_debug", "Option letter or function name", Official, 1.0),
    metric(INFINITE, "infinitebench.code_run", "Last word is the value", Official, 1.0),
    metric(INFINITE, "infinitebench.math_calc", "Matched prefix of results", Official, 1.0),
    metric(INFINITE, "infinitebench.math_find", "First number is the value", Official, 1.0),
    metric(LONGFACT, "longfact.f1_at_k", "F1 of supported facts at K", Official, 1.0),
    metric(LONGFACT, "longfact.f1_at_k.strict", "F1 at K, a repeated fact counts once", Strict, 1.0),
    metric(LONGFACT, "longfact.extract_first_square_brackets", "First text in square brackets", Official, 1.0),
    metric(LONGFACT, "longfact.final_answer_label", "Supported or Not Supported", Official, 1.0),
    metric(LONGFACT, "longfact.extract_first_code_block", "First fenced block", Official, 1.0),
    metric(LONGFACT, "longfact.round_to_sigfigs", "Rounding to significant figures", Official, 1.0),
    metric(LONG_SPAN, "long_span_qa.fact_recall", "Share of the facts stated right", Strict, 1.0),
    metric(LONG_SPAN, "long_span_qa.fact_recall.strict", "Facts right less facts wrong", Strict, 1.0),
    metric(PLANTED, "planted_writing.requirements_met", "Share of the requirements met", Strict, 1.0),
    metric(PLANTED, "planted_writing.requirements_met.strict", "All requirements met", Strict, 1.0),
    metric(RULER, "ruler.uuid_v4_stream", "Identifiers of a seed", Official, 1.0),
];

/// All metrics, by benchmark.
#[must_use]
pub fn catalogue() -> &'static [Metric] {
    &CATALOGUE
}
