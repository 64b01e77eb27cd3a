//! Every metric with its source.

use std::sync::LazyLock;

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

/// Where metrics come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    /// Benchmark.
    pub(super) benchmark: &'static str,
    /// Paper and code version.
    pub(super) citation: &'static str,
}

/// A metric from 0 to `top`.
pub(super) const fn metric(source: Source, slug: &'static str, title: &'static str, form: Form, top: f64) -> Metric {
    Metric { slug, title, benchmark: source.benchmark, form, citation: source.citation, range: (0.0, top) }
}

/// All metrics, by benchmark.
#[must_use]
pub fn catalogue() -> &'static [Metric] {
    static CATALOGUE: LazyLock<Vec<Metric>> = LazyLock::new(|| {
        let benchmarks: Vec<&[Metric]> = vec![
            &super::ruler::METRICS,
            &super::needlebench::METRICS,
            &super::needle_threading::METRICS,
            &super::infinitebench::METRICS,
            &super::longfact::METRICS,
            &super::long_span_qa::METRICS,
            &super::planted_writing::METRICS,
            &super::leval::METRICS,
            &super::loogle::METRICS,
            &super::l_citeeval::METRICS,
            &super::long_tail::METRICS,
            &super::helmet::METRICS,
            &super::detectiveqa::METRICS,
            &super::cnnsum::METRICS,
            &super::arled::METRICS,
            &super::m4le::METRICS,
            &super::m_longdoc::METRICS,
            &super::nolima::METRICS,
            &super::lcfo::METRICS,
            &super::choice::METRICS,
            &super::longgenbench::METRICS,
            &super::longgenbench_sgt::METRICS,
            &super::longproc::METRICS,
            &super::holobench::METRICS,
            &super::longins::METRICS,
            &super::longiclbench::METRICS,
            &super::ada_leval::METRICS,
            &super::longmemeval::METRICS,
            &super::longbench::METRICS,
            &super::longbench_v2::METRICS,
            &super::mrcr::METRICS,
            &super::coliee_legal::METRICS,
            &super::followir::METRICS,
            &super::kg_for_science::METRICS,
            &super::locov1::METRICS,
            &super::long_clip::METRICS,
            &super::longembed::METRICS,
            &super::newswire_headlines::METRICS,
            &super::sea_codesearch::METRICS,
            &super::sener::METRICS,
            &super::topicseg::METRICS,
        ];
        benchmarks.concat()
    });
    &CATALOGUE
}
