//! Suites and run plans, as data.

use serde::{Deserialize, Serialize};

use crate::length::Length;
use crate::task::Task;

/// Length of the suite that runs every family once: the shortest at which all of them can be built.
const SMOKE_TOKENS: u32 = 16 * 1024;

/// A set of tasks run over a ladder of lengths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suite {
    /// Slug, also of its board.
    pub slug: String,
    /// Title.
    pub title: String,
    /// One or two sentences for the board's head.
    pub description: String,
    /// Task slugs in order; a run uses the newest published version of each.
    pub tasks: Vec<String>,
    /// Length buckets, short to long.
    pub lengths: Vec<Length>,
    /// Samples per (task, length).
    pub samples: u32,
    /// Items come from uploaded prediction files, not from a generator.
    pub imported: bool,
}

impl Suite {
    /// One task of every family at one length: whether everything runs from end to end.
    fn smoke() -> Self {
        let mut tasks: Vec<&Task> = Vec::new();
        let text = |task: &Task| task.retrieval().is_none() && !task.shows_pictures();
        let fits = |task: &&Task| task.min_tokens() <= SMOKE_TOKENS && text(task);
        for task in Task::builtin().iter().filter(fits) {
            if tasks.iter().all(|known| known.family().slug() != task.family().slug()) {
                tasks.push(task);
            }
        }
        Self {
            slug: "smoke".into(),
            title: "Every family once".into(),
            description: "One task of every family that writes answers about text, at 16k tokens, two samples each: shows that a model and everything behind the board work together, and nothing about how good the model is.".into(),
            tasks: tasks.into_iter().map(|task| task.slug().to_owned()).collect(),
            lengths: Length::new(SMOKE_TOKENS).into_iter().collect(),
            samples: 2,
            imported: false,
        }
    }

    /// The built-in suites, in the order of boards.
    #[must_use]
    pub fn builtin() -> Vec<Suite> {
        let mut suites: Vec<Suite> = BUILTIN.iter().map(Suite::from).collect();
        let last = suites.len().saturating_sub(1);
        suites.insert(last, Self::smoke());
        suites
    }
}

/// A built-in suite as it is written down.
struct Builtin {
    slug: &'static str,
    title: &'static str,
    description: &'static str,
    tasks: &'static [&'static str],
    /// Lengths as they are written, e.g. `512` or `4k`.
    lengths: &'static [&'static str],
    samples: u32,
}

impl From<&Builtin> for Suite {
    fn from(written: &Builtin) -> Self {
        Self {
            slug: written.slug.into(),
            title: written.title.into(),
            description: written.description.into(),
            tasks: written.tasks.iter().map(|&task| task.to_owned()).collect(),
            lengths: written.lengths.iter().filter_map(|length| length.parse().ok()).collect(),
            samples: written.samples,
            imported: false,
        }
    }
}

const BUILTIN: [Builtin; 17] = [
    Builtin {
        slug: "quickstart",
        title: "Quickstart",
        description: "Four families from 1k to 32k tokens: one needle, several needles, tracing and counting. Small enough to run in a minute, wide enough to see where a context ends.",
        tasks: &["niah_single_2", "niah_multiquery", "vt", "needlebench_mrt_en"],
        lengths: &["1k", "2k", "4k", "8k", "16k", "32k"],
        samples: 10,
    },
    Builtin {
        slug: "ruler",
        title: "RULER",
        description: "The thirteen tasks of RULER, generated from Longboard's own chronicle.",
        tasks: &[
            "niah_single_1",
            "niah_single_2",
            "niah_single_3",
            "niah_multikey_1",
            "niah_multikey_2",
            "niah_multikey_3",
            "niah_multivalue",
            "niah_multiquery",
            "vt",
            "cwe",
            "fwe",
            "qa_1",
            "qa_2",
        ],
        lengths: &["4k", "8k", "16k", "32k", "64k", "128k"],
        samples: 25,
    },
    Builtin {
        slug: "needle-threading",
        title: "Needle Threading",
        description: "Single, multiple and conditional needles, and chains of keys through a haystack of identifiers.",
        tasks: &[
            "needle_threading_single",
            "needle_threading_multiple",
            "needle_threading_conditional",
            "needle_threading_threading",
            "needle_threading_multi_threading",
            "needle_threading_branched",
        ],
        lengths: &["4k", "8k", "16k", "32k", "64k", "128k"],
        samples: 25,
    },
    Builtin {
        slug: "needlebench",
        title: "NeedleBench",
        description: "Single and multiple retrieval, multi-step reasoning and the Ancestral Trace Challenge, in English and Chinese.",
        tasks: &[
            "needlebench_srt_en",
            "needlebench_srt_zh",
            "needlebench_mrt_en",
            "needlebench_mrt_zh",
            "needlebench_mrs_en",
            "needlebench_mrs_zh",
            "needlebench_atc_en",
            "needlebench_atc_zh",
        ],
        lengths: &["4k", "8k", "16k", "32k", "64k", "128k"],
        samples: 25,
    },
    Builtin {
        slug: "open-ended",
        title: "Open-ended answers",
        description: "Questions that span a whole chronicle, and reports to be written to requirements that are scattered in it. Scored against the facts, and compared in pairs by judges.",
        tasks: &["long_span_qa", "planted_writing"],
        lengths: &["4k", "8k", "16k", "32k"],
        samples: 10,
    },
    Builtin {
        slug: "many-facts",
        title: "Reasoning over many facts",
        description: "Queries over tables told in sentences, wrong answers in long exams, many labels by example, texts to be put in order, and what was said in many sessions.",
        tasks: &[
            "holobench_aggregation",
            "holobench_max_min",
            "holobench_join",
            "holobench_comparison",
            "holobench_ranking",
            "longins_gist",
            "longins_list",
            "longicl_intent",
            "longicl_relation",
            "ada_leval_tsort",
            "ada_leval_bestanswer",
            "longmemeval_extraction",
            "longmemeval_multi_session",
            "longmemeval_temporal",
            "longmemeval_update",
            "longmemeval_abstention",
        ],
        lengths: &["16k", "32k", "64k"],
        samples: 25,
    },
    Builtin {
        slug: "long-output",
        title: "Long output",
        description: "Answers of hundreds to thousands of tokens that follow a procedure or instructions to the end.",
        tasks: &[
            "longgenbench_arithmetic",
            "longgenbench_choice",
            "golden_thread_week_short",
            "golden_thread_block_short",
            "longproc_html_to_tsv_2k",
            "longproc_path_traversal_2k",
            "longproc_tom_tracking_2k",
            "longproc_countdown_2k",
            "longproc_travel_planning_2k",
            "longproc_pseudo_to_code_2k",
        ],
        lengths: &["16k", "32k"],
        samples: 10,
    },
    Builtin {
        slug: "long-tail",
        title: "How often a fact is told",
        description: "The same question about a fact that one, two, four, eight or sixteen of the documents hold: does an answer depend on how often it is told?",
        tasks: &["long_tail_1", "long_tail_2", "long_tail_4", "long_tail_8", "long_tail_16"],
        lengths: &["4k", "8k", "16k", "32k", "64k"],
        samples: 25,
    },
    Builtin {
        slug: "diffusion-scope",
        title: "Diffusion and scope",
        description: "The same facts, varied along two axes: how hard they are to find, and how many of them an answer takes.",
        tasks: &[
            "grid_d1_s1",
            "grid_d1_s2",
            "grid_d1_s3",
            "grid_d2_s1",
            "grid_d2_s2",
            "grid_d2_s3",
            "grid_d3_s1",
            "grid_d3_s2",
            "grid_d3_s3",
        ],
        lengths: &["4k", "8k", "16k", "32k", "64k"],
        samples: 25,
    },
    Builtin {
        slug: "embedding",
        title: "Embedding by length",
        description: "LongEmbed's passkeys and needles, one line hidden in each of a hundred documents of one length, from 256 tokens to 32k: how far an embedding reads.",
        tasks: &["longembed_passkey", "longembed_needle"],
        lengths: &["256", "512", "1k", "2k", "4k", "8k", "16k", "32k"],
        samples: 20,
    },
    Builtin {
        slug: "retrieval",
        title: "Retrieval of long documents",
        description: "Documents found by questions, instructions, doc comments, situations, copies, headlines and late details: after LoCoV1, FollowIR, SEA, COLIEE, Newswire, HEADLINES and Long-CLIP.",
        tasks: &[
            "loco_chronicle",
            "loco_annals",
            "loco_dialogue",
            "instruction_flip",
            "sea_codesearch",
            "statute_retrieval",
            "newswire_dedup",
            "headline_similarity",
            "late_detail",
        ],
        lengths: &["2k", "4k", "8k"],
        samples: 20,
    },
    Builtin {
        slug: "structure",
        title: "Structure in long texts",
        description: "Where one topic ends, which entities a life story names, what dispatches report, and which concepts abstracts share: after SpokenNLP, SeNER, Newswire and What's In Your Field.",
        tasks: &["topicseg", "sener", "newswire_records", "concept_graph", "kg_extraction"],
        lengths: &["2k", "4k", "8k", "16k"],
        samples: 20,
    },
    Builtin {
        slug: "captions",
        title: "Pictures and long captions",
        description: "Scenes that differ in one late cell each: the picture that belongs to a caption, and the caption that belongs to a picture.",
        tasks: &["caption_to_picture", "picture_to_caption"],
        lengths: &["256", "512", "1k", "2k"],
        samples: 20,
    },
    Builtin {
        slug: "m-longdoc",
        title: "Documents with pictures",
        description: "Questions about one page of a report with tables and charts, over the whole report and over retrieved pages; most tasks send pictures: after M-LongDoc.",
        tasks: &[
            "m_longdoc_text",
            "m_longdoc_table_picture",
            "m_longdoc_figure",
            "m_longdoc_gold",
            "m_longdoc_top5",
            "m_longdoc_top10",
        ],
        lengths: &["4k", "8k", "16k", "32k"],
        samples: 20,
    },
    Builtin {
        slug: "m-longdoc-text",
        title: "Documents in text",
        description: "Questions about the text and the tables of one page of a report, with no picture sent: the part of M-LongDoc for endpoints that read text alone.",
        tasks: &["m_longdoc_text", "m_longdoc_table"],
        lengths: &["4k", "8k", "16k", "32k", "64k", "128k"],
        samples: 20,
    },
    Builtin {
        slug: "m-longdoc-pages",
        title: "Pages of documents",
        description: "The page of a report that answers a question, found among a hundred: the first stage of M-LongDoc.",
        tasks: &["m_longdoc_pages"],
        lengths: &["512", "1k", "2k"],
        samples: 20,
    },
    Builtin {
        slug: "reference",
        title: "Reference model",
        description: "What Longboard's own small model was trained to find at 512 tokens, from one needle to a thread of three, at 4k to 32k: the ground on which its sparse-attention methods are compared.",
        tasks: &[
            "niah_single_1",
            "niah_single_2",
            "niah_multikey_1",
            "niah_multiquery",
            "needle_threading_single",
            "needle_threading_three",
        ],
        lengths: &["4k", "8k", "16k", "32k"],
        samples: 10,
    },
];

/// How much a benchmark's own paper runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// Tasks.
    pub tasks: u32,
    /// Samples per (task, length).
    pub samples: u32,
    /// Lengths in tokens.
    pub lengths: &'static [u32],
    /// Where that stands.
    pub source: &'static str,
}

impl Sweep {
    /// Most prompt tokens of the whole sweep.
    #[must_use]
    pub fn input_tokens(&self) -> u64 {
        let ladder: u64 = self.lengths.iter().map(|&tokens| u64::from(tokens)).sum();
        ladder * u64::from(self.tasks) * u64::from(self.samples)
    }
}

/// The sweep of the paper behind a built-in suite.
#[must_use]
pub fn official_sweep(suite: &str) -> Option<Sweep> {
    (suite == "ruler").then_some(Sweep {
        tasks: 13,
        samples: 500,
        lengths: &[4096, 8192, 16_384, 32_768, 65_536, 131_072],
        source: "arXiv 2404.06654: 13 tasks, 500 samples per task and length, 4k to 128k",
    })
}

/// A slice of one (task, length) cell: minutes of work for one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// Task slug.
    pub task: String,
    /// Length bucket.
    pub length: Length,
    /// First item index.
    pub first_index: u32,
    /// Number of items.
    pub count: u32,
}

/// Prompt tokens that one slice should hold at most: at 128k one item, at 4k thirty-two.
const SLICE_TOKENS: u32 = 128 * 1024;

/// A task of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Task slug.
    pub task: String,
    /// Items that there are; a generated task has no end.
    pub items: Option<u32>,
    /// Whether a cell is one slice, because its items search the same documents.
    pub whole: bool,
}

/// Expands a run into slices, short lengths first, so that a board fills from the left.
#[must_use]
pub fn plan(tasks: &[Planned], lengths: &[Length], samples: u32) -> Vec<Slice> {
    let mut slices = Vec::new();
    for &length in lengths {
        for Planned { task, items, whole } in tasks {
            let samples = items.map_or(samples, |items| items.min(samples));
            let step = if *whole { samples.max(1) } else { (SLICE_TOKENS / length.tokens()).clamp(1, 64) };
            let mut first_index = 0;
            while first_index < samples {
                let count = step.min(samples - first_index);
                slices.push(Slice { task: task.clone(), length, first_index, count });
                first_index += count;
            }
        }
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smoke_suite_has_every_family() {
        let tasks = Suite::smoke().tasks;
        let families: Vec<&str> = tasks.iter().map(|task| Task::find(task).unwrap().family().slug()).collect();
        let text = |slug: &str| {
            let mut own = Task::builtin().iter().filter(|task| task.family().slug() == slug);
            own.any(|task| task.retrieval().is_none() && !task.shows_pictures())
        };
        let all: Vec<&str> =
            crate::families::all().iter().map(|family| family.slug()).filter(|slug| text(slug)).collect();
        assert_eq!(families, all);
        assert!(families.contains(&"m_longdoc") && !families.contains(&"m_longdoc_retrieved"));
    }

    #[test]
    fn every_task_of_a_suite_can_be_built_at_its_shortest_length() {
        for suite in Suite::builtin() {
            let shortest = suite.lengths[0].tokens();
            for slug in &suite.tasks {
                let task = Task::find(slug).unwrap();
                assert!(task.min_tokens() <= shortest, "{slug} of {} from {} tokens", suite.slug, task.min_tokens());
            }
        }
    }

    #[test]
    fn every_length_of_a_suite_is_read() {
        for (written, suite) in BUILTIN.iter().map(|written| (written, Suite::from(written))) {
            let lengths: Vec<String> = suite.lengths.iter().map(ToString::to_string).collect();
            assert_eq!(lengths, written.lengths, "{}", suite.slug);
        }
    }

    #[test]
    fn every_retrieval_task_is_in_a_suite() {
        let suites = Suite::builtin();
        let searched = Task::builtin().iter().filter(|task| task.retrieval().is_some());
        for slug in searched.map(Task::slug) {
            assert!(suites.iter().any(|suite| suite.tasks.iter().any(|task| task == slug)), "{slug}");
        }
    }

    #[test]
    fn the_full_sweep_of_ruler_is_one_and_two_thirds_of_a_billion_tokens() {
        assert_eq!(official_sweep("ruler").map(|sweep| sweep.input_tokens()), Some(1_677_312_000));
        assert_eq!(official_sweep("quickstart"), None);
    }

    #[test]
    fn a_plan_covers_every_item_once() {
        let lengths: Vec<Length> = ["1k", "32k", "1m"].iter().map(|text| text.parse().unwrap()).collect();
        let planned = |task: &str, items, whole| Planned { task: task.to_owned(), items, whole };
        let tasks = [planned("a", None, false), planned("b", Some(3), false), planned("c", None, true)];
        let slices = plan(&tasks, &lengths, 70);
        assert_eq!(slices.iter().filter(|slice| slice.task == "c").count(), lengths.len());
        for Planned { task, items, .. } in &tasks {
            for &length in &lengths {
                let covered: Vec<u32> = slices
                    .iter()
                    .filter(|slice| &slice.task == task && slice.length == length)
                    .flat_map(|slice| slice.first_index..slice.first_index + slice.count)
                    .collect();
                assert_eq!(covered, (0..items.unwrap_or(70)).collect::<Vec<_>>());
            }
        }
    }
}
