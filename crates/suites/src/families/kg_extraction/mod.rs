//! Extraction of tagged concepts (What's In Your Field, arXiv 2503.09894) after as many worked examples as fit.

mod dataset;

use serde_json::{Value, json};

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::lines::{self, Lines};
use crate::families::{concepts, prose};
use crate::item::{Item, Scored};
use crate::metrics::kg_for_science::{Phrases, SCHEMA, TagCounts, from_json};
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};

/// Tag the concepts of an abstract.
pub struct KgExtraction;

const NOTE: &str = "The annotator left a remark here: Done so far.";

impl Family for KgExtraction {
    fn slug(&self) -> &'static str {
        "kg_extraction"
    }

    fn title(&self) -> &'static str {
        "Tagged concepts"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            benchmark: "What's In Your Field",
            what:
                "List the concepts of an abstract under nine tags as JSON, after as many annotated abstracts as fit. \
                   The official prompt has three examples and asks sentence by sentence."
                    .to_owned(),
            citation: "What's In Your Field, arXiv 2503.09894; code chiral-carbon/kg-for-science @ b3d52613 (MIT)",
            licence: "official data MIT; abstracts and prompts here are Longboard's own, the nine tags the benchmark's",
            language: Language::English,
            length_unit: LengthUnit::ModelTokens,
            tokenizer: "the model's own",
            abilities: &["extraction", "in-context learning"],
            diffusion: Diffusion::Low,
            scope: Scope::Narrow,
            random_guess: 0.0,
            output_tokens: 256,
            metric: "kg_for_science.tag_prf",
            strict_metric: Some("kg_for_science.tag_prf.strict"),
            min_tokens: 1024,
            open_ended: false,
            protocol: Protocol {
                post_processing: "the first JSON object; missing and spare commas and single quotes are mended",
                ..Protocol::GENERATED
            },
            importable: Some("MIT; abstracts are arXiv's"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        prose::refuse_corpus(task, request)?;
        let mut rng = prose::stream(task, request);
        let (asked, gold) = annotated(&mut rng);
        let tail = format!("\n\nAbstract: {asked}\nExtractions:");
        let mut prompt = Prompt::default();
        prompt.push(&head());
        let frame = prompt.tokens() + prompt.count(NOTE) + prompt.count(&tail) + 1;
        let mut lines = Lines::new(request.length.tokens().saturating_sub(task.card().output_tokens + frame));
        let mut misses = 0;
        while misses < 6 {
            let (text, phrases) = annotated(&mut rng);
            if !lines.offer(format!("Abstract: {text}\nExtractions: {}\n", written(&phrases))) {
                misses += 1;
            }
        }
        let (left, count) = (lines.left(), lines.len());
        if count == 0 {
            return Err(prose::unsatisfiable(task, request, "not even one example fits"));
        }
        for example in lines.finish() {
            prompt.push(&example);
            prompt.push("\n");
        }
        prompt.push(NOTE);
        prompt.push(&lines::remarks(left, &mut rng));
        prompt.push("\n\nAbstract: ");
        prompt.push_needle(&asked);
        prompt.push("\nExtractions:");
        let gold_value = json!({ "phrases": gold, "examples": count });
        Ok(prompt.finish(
            task,
            request,
            Answer { references: vec![written(&gold)], gold: gold_value, ..Answer::default() },
        ))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "kg_extraction", "Concepts under nine tags", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let said = from_json(answer);
        let gold: Phrases =
            item.gold.get("phrases").cloned().and_then(|gold| serde_json::from_value(gold).ok()).unwrap_or_default();
        let mut counts = TagCounts::default();
        counts.add(&said, &gold);
        let (precision, recall, f1) = counts.tags.rounded();
        Scored {
            score: f1,
            strict: Some(counts.tags.f1()),
            extracted: format!(
                "{}; precision {precision}, recall {recall}, whatever the tag F1 {}",
                written(&said),
                counts.union.rounded().2
            ),
            well_formed: answer.contains('{') && (!said.is_empty() || gold.is_empty()),
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    fn guess(&self, _: &Task, _: &Item, _: &mut Rng) -> String {
        r#"{"field": ["physics"], "method": ["linear regression"], "instrument": ["telescope"]}"#.to_owned()
    }

    fn quotes_references(&self) -> bool {
        false
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Annotations)
    }
}

/// An abstract with its concepts.
fn annotated(rng: &mut Rng) -> (String, Phrases) {
    let concepts = concepts::drawn(rng);
    let text = concepts::told(&concepts, rng).join(" ");
    let phrases = concepts::phrases(&concepts, &text);
    (text, phrases)
}

fn written(phrases: &Phrases) -> String {
    serde_json::to_value(phrases).map_or_else(|_| String::new(), |value: Value| value.to_string())
}

fn head() -> String {
    let schema: Vec<String> = SCHEMA.iter().map(|(tag, meaning)| format!("- {tag}: {meaning}\n")).collect();
    format!(
        "Concepts in scientific texts have one of these tags:\n{}\nList the concepts of each text as a JSON object that has \
         a list of phrases, copied word for word, under every tag that occurs.\n\n",
        schema.concat()
    )
}
