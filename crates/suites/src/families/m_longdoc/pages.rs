//! The first stage of M-LongDoc: the page that answers a question, found among all pages of a report.

use serde_json::json;

use super::binding::Told;
use super::card;
use super::report::{Kind, Leaf, Report};
use crate::card::{Card, Language};
use crate::families::{prose, searched};
use crate::item::{Item, Scored};
use crate::metrics::ranking::reciprocal_rank;
use crate::retrieval::{self, Content, Document, Measured, Pool, Retrieval, document_id};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition};

/// Pages of a report, found by questions. Tables are text and charts are captions.
pub struct MLongDocPages;

/// Pages that the paper hands on to the model.
const HANDED_ON: u32 = 5;

const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "documents",
    help: "Pages of the report",
    kind: ParameterKind::Integer { min: 6, max: 1000, default: 100 },
}];

/// The item of the question about page `number`, from 0, and that page.
fn item(task: &Task, request: &ItemRequest<'_>, block: u32, number: u32) -> Result<Item, GenerateError> {
    let pages = searched::documents(&task.definition().params);
    let report = Report::new(&mut searched::stream(task, request, block, "report"), pages);
    let leaf = report.leaf(number + 1);
    let mut rng = searched::stream(task, request, block, &document_id(number));
    let told = Told::draw(&leaf, &mut rng);
    let texts = texts(&leaf, &told);
    let evidence = told.question.sentence.clone().or_else(|| texts.first().cloned()).unwrap_or_default();
    let needles = texts.into_iter().map(|text| (rng.unit(), text)).collect();
    let mut source = prose::running(request, Language::English, rng.next_u64());
    let mut item = searched::item(task, request, vec![told.question.text], needles, &mut source)?;
    let joined = item.joined();
    item.needles.retain(|needle| joined.get(needle.start..needle.end) == Some(evidence.as_str()));
    Ok(item)
}

/// What a page tells beside running text.
fn texts(leaf: &Leaf, told: &Told) -> Vec<String> {
    match leaf.kind {
        Kind::Text => told.sentences.clone(),
        Kind::Table => vec![format!("{}\n{}.", leaf.caption(), leaf.table().text())],
        Kind::Figure => vec![leaf.caption()],
    }
}

impl Family for MLongDocPages {
    fn slug(&self) -> &'static str {
        "m_longdoc_pages"
    }

    fn title(&self) -> &'static str {
        "Pages that answer a question"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let pages = searched::documents(params);
        Card {
            what: format!(
                "Find, among the {pages} pages of a report, the one that answers a question; tables are text, charts are captions. A length is that of a page with the question."
            ),
            benchmark: card().benchmark,
            citation: card().citation,
            licence: card().licence,
            length_unit: card().length_unit,
            tokenizer: card().tokenizer,
            random_guess: f64::from(HANDED_ON) / f64::from(pages),
            metric: "m_longdoc.recall_at_5",
            min_tokens: 512,
            ..searched::card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let pool = self.pool(task, request);
        let number = searched::asked(task, request, pool);
        let mut item = item(task, request, pool.block, number)?;
        searched::seek(&mut item, pool.documents, number);
        Ok(item)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "m_longdoc_pages", "The page of an answer", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        retrieval::scored(item, answer, |rankings, judged| {
            let within = |cut: u32| searched::measures(rankings, judged, 0, cut as usize).recall;
            let names = rankings.names(0);
            let rank = judged.relevant.first().map_or(0.0, |grades| reciprocal_rank(&names, grades));
            let remark = format!("R@1 {}; R@5 {}; R@10 {}; MRR {rank:.4}", within(1), within(HANDED_ON), within(10));
            Measured { remark, ..within(HANDED_ON).into() }
        })
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        retrieval::oracle(item)
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        retrieval::guess(item, rng)
    }

    fn retrieval(&self) -> Option<&'static dyn Retrieval> {
        Some(&Self)
    }
}

impl Retrieval for MLongDocPages {
    fn pool(&self, task: &Task, request: &ItemRequest<'_>) -> Pool {
        searched::shared_pool(searched::documents(&task.definition().params), request)
    }

    fn document(
        &self,
        task: &Task,
        request: &ItemRequest<'_>,
        block: u32,
        number: u32,
    ) -> Result<Document, GenerateError> {
        let text = searched::document(item(task, request, block, number)?);
        Ok(Document { id: document_id(number), content: Content::Text(text) })
    }
}
