//! L-CiteEval's data, `{task}.json`: a question with numbered passages. Prompts have the official slots in the official
//! order, a worked example first, in words of our own, since the benchmark states no licence.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::sentences;
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::prose;
use crate::item::{Cut, Item, Scored};
use crate::metrics::l_citeeval::{self as metric, Evaluator, Lexical, Prf};
use crate::prompt::{Answer, Prompt};
use crate::task::{GenerateError, ItemRequest, Task};

/// Reader of the eleven tasks.
pub(super) struct Files;

static SUBSETS: [Subset; 11] = [
    Subset { name: "narrativeqa", title: "NarrativeQA with citations" },
    Subset { name: "natural_questions", title: "Natural Questions with citations" },
    Subset { name: "hotpotqa", title: "HotpotQA with citations" },
    Subset { name: "2wikimultihopqa", title: "2WikiMultihopQA with citations" },
    Subset { name: "multi_news", title: "Multi-News with citations" },
    Subset { name: "gov_report", title: "GovReport with citations" },
    Subset { name: "qmsum", title: "QMSum with citations" },
    Subset { name: "locomo", title: "LoCoMo with citations" },
    Subset { name: "dialsim", title: "DialSim with citations" },
    Subset { name: "niah", title: "Needle with citation" },
    Subset { name: "counting_stars", title: "Counting Stars with citations" },
];

/// Passages of a prompt at most.
const MOST_PASSAGES: usize = 1500;

/// Between passages in a record's document.
const BETWEEN: &str = "\n\u{1e}\n";

/// Who decides about citations that no rule decides.
const EVALUATOR: &dyn Evaluator = &Lexical;

/// What an official record's answers are scored by.
#[derive(Debug, Default, Serialize, Deserialize)]
struct RecordGold {
    /// Bytes of the passages in the prompt.
    passages: Vec<(usize, usize)>,
    /// The needle's passage, from 0.
    needle: Option<usize>,
    /// Passages that tell a count, numbered from 1, and the counts.
    stars: Vec<(usize, u64)>,
}

impl Dataset for Files {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        _: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let mut passages = passages(&fields)?;
        passages.truncate(MOST_PASSAGES);
        let references = answers(&fields)?;
        let kind = kind(subset.name);
        let question = match fields.get("question") {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) if matches!(kind, "summary" | "counting") => String::new(),
            None => return Err(RecordError::new("question", "missing")),
            Some(_) => return Err(RecordError::new("question", "expected a text")),
        };
        let role = if subset.name == "dialsim" { dataset::text(&fields, "role")? } else { String::new() };
        let needle = match kind {
            "niah" => Some(needle(&passages, &references)?),
            _ => None,
        };
        let stars = if kind == "counting" { stars(&passages) } else { Vec::new() };
        if kind == "counting" && stars.len() != references.len() {
            let reason = format!("{} counts, and {} passages that tell one", references.len(), stars.len());
            return Err(RecordError::new("answer", reason));
        }
        Ok(vec![Record {
            id: match fields.get("id") {
                Some(Value::String(id)) => id.clone(),
                Some(Value::Number(id)) => id.to_string(),
                _ => line_number.to_string(),
            },
            subset: subset.name.to_owned(),
            document: passages.join(BETWEEN),
            question,
            references,
            gold: json!({ "role": role, "needle": needle, "stars": stars }),
            official_length: fields.get("length").and_then(Value::as_u64),
            evidence: Vec::new(),
        }])
    }

    fn params(&self, subset: &Subset) -> Value {
        json!({ "task": kind(subset.name) })
    }

    /// Passages from the first on, as many whole ones as fit, between the worked example and the question.
    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let kind = kind(&record.subset);
        let output = output_tokens(kind);
        let form = Form::of(kind, record);
        let (head, tail) = (form.example(), format!("\n{}", form.ask(&record.question)));
        let mut prompt = Prompt::default();
        prompt.push(&head);
        prompt.begin_document();
        let around = prompt.tokens() + prompt.count(&tail) + 2 + output;
        let left = request.length.tokens().checked_sub(around);
        let mut left = left.ok_or_else(|| prose::unsatisfiable(task, request, "the question alone is longer"))?;
        let gold = |name: &str| record.gold.get(name).cloned().unwrap_or_default();
        let mut kept = RecordGold {
            needle: serde_json::from_value(gold("needle")).unwrap_or_default(),
            stars: serde_json::from_value(gold("stars")).unwrap_or_default(),
            passages: Vec::new(),
        };
        let (mut bytes, mut removed, mut planted, mut full) = (head.len(), 0, 0_usize, false);
        for (place, passage) in record.document.split(BETWEEN).enumerate() {
            let label = format!("{} [{}]: ", form.word, place + 1);
            let line = format!("{label}{passage}\n");
            let cost = prompt.count(&line);
            full |= cost > left;
            if full {
                removed += cost;
                continue;
            }
            left -= cost;
            if kept.needle == Some(place) || kept.stars.iter().any(|(number, _)| *number == place + 1) {
                planted += 1;
                prompt.push_needle(&line);
            } else {
                prompt.push(&line);
            }
            kept.passages.push((bytes + label.len(), bytes + line.len() - 1));
            bytes += line.len();
        }
        prompt.end_document();
        prompt.push(&tail);
        let evidence = kept.stars.len() + usize::from(kept.needle.is_some());
        let evidence_left = (evidence > 0).then(|| planted as f64 / evidence as f64);
        let references = record.references.clone();
        let answer = Answer { references, gold: json!(kept), output_tokens: Some(output), ..Answer::default() };
        let mut item = prompt.finish(task, request, answer);
        item.cut = Some(Cut { tokens_before: item.prompt_tokens + removed, tokens_removed: removed, evidence_left });
        Ok(item)
    }
}

fn kind(subset: &str) -> &'static str {
    match subset {
        "multi_news" | "gov_report" | "qmsum" => "summary",
        "niah" => "niah",
        "counting_stars" => "counting",
        _ => "qa",
    }
}

/// Tokens of an answer. Upstream gives NarrativeQA 800 by a slip of its name; here it has those of the other questions.
fn output_tokens(kind: &str) -> u32 {
    match kind {
        "summary" => 800,
        "qa" => 200,
        _ => 128,
    }
}

/// Passages: texts, or objects with a text whose first line may repeat the title.
fn passages(fields: &Map<String, Value>) -> Result<Vec<String>, RecordError> {
    let refuse = || RecordError::new("docs", "expected a list of texts, or of objects with text and perhaps title");
    let list = fields.get("docs").and_then(Value::as_array).filter(|list| !list.is_empty()).ok_or_else(refuse)?;
    let passage = |doc: &Value| match doc {
        Value::String(text) => Some(text.clone()),
        Value::Object(doc) => {
            let text = doc.get("text")?.as_str()?.trim_matches('\n');
            let title = doc.get("title").and_then(Value::as_str);
            let body = title.and_then(|title| text.strip_prefix(title)?.strip_prefix('\n'));
            Some(body.unwrap_or(text).to_owned())
        }
        _ => None,
    };
    list.iter().map(passage).collect::<Option<_>>().ok_or_else(refuse)
}

/// The answers as texts.
fn answers(fields: &Map<String, Value>) -> Result<Vec<String>, RecordError> {
    let refuse = || RecordError::new("answer", "expected a text, a number, or a list of them");
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let found = match fields.get("answer") {
        None => return Err(RecordError::new("answer", "missing")),
        Some(Value::Array(list)) => list.iter().map(text).collect::<Option<Vec<_>>>(),
        Some(one) => text(one).map(|one| vec![one]),
    };
    found.filter(|list| !list.is_empty()).ok_or_else(refuse)
}

/// The first passage that holds an answer.
fn needle(passages: &[String], answers: &[String]) -> Result<usize, RecordError> {
    let holds = |passage: &String| answers.iter().any(|answer| passage.contains(answer.as_str()));
    passages.iter().position(holds).ok_or_else(|| RecordError::new("answer", "no passage holds it"))
}

/// Passages that tell a count, numbered from 1, with the counts.
fn stars(passages: &[String]) -> Vec<(usize, u64)> {
    let count = |passage: &str| {
        let (_, after) = passage.split_once("The little penguin counted ")?;
        after.split_once(" ★")?.0.parse().ok()
    };
    (1..).zip(passages).filter_map(|(number, passage)| Some((number, count(passage)?))).collect()
}

/// The words around the slots.
struct Form<'a> {
    kind: &'static str,
    /// What a passage is called.
    word: &'static str,
    role: &'a str,
}

impl<'a> Form<'a> {
    fn of(kind: &'static str, record: &'a Record) -> Self {
        let talk = matches!(record.subset.as_str(), "locomo" | "dialsim");
        let role = record.gold.get("role").and_then(Value::as_str).unwrap_or_default();
        Self { kind, word: if talk { "Conversation" } else { "Passage" }, role }
    }

    fn instruction(&self, role: &str) -> String {
        let word = self.word.to_lowercase();
        let cite = format!(
            "End every sentence with the numbers of the one to three {word}s that support it, each in its own brackets, like [4][12] and not [4, 12]. Cite no more of them than the sentence needs."
        );
        match self.kind {
            "counting" => "In some passages a little penguin counts stars, ★. List the counts in the order of the passages, and the numbers of these passages, as a JSON object in this form: {\"little_penguin\": [x, x, x], \"passage_id\": [y, y, y]}. Add nothing up, and write nothing but the object.".to_owned(),
            "summary" => format!("Summarise the {word}s above briefly and neutrally. {cite}"),
            _ if role.is_empty() => format!("Answer the question briefly and exactly from the {word}s above; some of them may not matter. {cite}"),
            _ => format!("You are {role} and remember the {word}s above; some of them may not matter. Answer the question briefly and exactly from them. {cite}"),
        }
    }

    /// The worked example with a gap after it.
    fn example(&self) -> String {
        let line = |number: usize, text: &str| format!("{} [{number}]: {text}\n", self.word);
        let (texts, question, answer) = match self.kind {
            "counting" => (
                [
                    "Arva lies by the river.\nThe little penguin counted 83 ★\n It has a mill.",
                    "Its ferry was sold.\nThe little penguin counted 14 ★\n",
                ],
                "",
                " {\"little_penguin\": [83, 14], \"passage_id\": [1, 2]}",
            ),
            "summary" => (
                ["The ferry of Arva was built in 880.", "In 911 the miller Brun sold the ferry to Orla."],
                "Sum up what is told.",
                " The ferry of Arva was built in 880 and sold to Orla in 911 [1][2].",
            ),
            _ => (
                ["The ferry of Arva was built in 880.", "In 911 the miller Brun sold the ferry to Orla."],
                "Who bought the ferry of Arva?",
                " Orla bought the ferry in 911 [2].",
            ),
        };
        let role = if self.role.is_empty() { "" } else { "Brun" };
        let passages: String = (1..).zip(texts).map(|(number, text)| line(number, text)).collect();
        format!("{passages}\n{}{answer}\n\n\n", self.asked(question, role))
    }

    fn ask(&self, question: &str) -> String {
        self.asked(question, self.role)
    }

    fn asked(&self, question: &str, role: &str) -> String {
        let label = if self.kind == "summary" { "Summary:" } else { "Answer:" };
        let question = if question.is_empty() { String::new() } else { format!("\nQuestion: {question}") };
        format!("{}\n{question}\n{label}", self.instruction(role))
    }
}

/// The score of an answer to an official record; `None` for a generated item.
pub(super) fn score(kind: &str, item: &Item, answer: &str) -> Option<Scored> {
    let gold: RecordGold = serde_json::from_value(item.gold.clone()).ok()?;
    let text = item.joined();
    let passages: Vec<&str> =
        gold.passages.iter().map(|(start, end)| text.get(*start..*end).unwrap_or_default()).collect();
    let told = correctness(kind, &gold, &item.references, answer);
    let (found, strict, citations, by) = match kind {
        "niah" => {
            let (found, cited) = metric::niah(answer, gold.needle.unwrap_or(usize::MAX));
            (found, found, cited, "by the needle's passage")
        }
        "counting" => {
            let right = gold.stars.iter().map(|(number, _)| *number).collect();
            let (found, cited) = metric::counting_stars(answer, &right);
            (found, found, cited.unwrap_or_default(), "by the passages that tell a count")
        }
        _ => {
            let ((found, cited), strict) =
                metric::citation_prf_by(EVALUATOR, &sentences(answer), &passages).unwrap_or_default();
            (found, strict, cited, EVALUATOR.name())
        }
    };
    let Prf { recall, precision, f1 } = found;
    Some(Scored {
        score: f1,
        strict: Some(strict.f1 * told),
        extracted: format!(
            "citation recall {recall:.2}, precision {precision:.2}, {citations} citations ({by}); correctness {told:.2}"
        ),
        well_formed: citations > 0,
    })
}

/// The official score of what is said, citations aside, 0..1: token F1, ROUGE-L, recall of words, or counts found.
fn correctness(kind: &str, gold: &RecordGold, references: &[String], answer: &str) -> f64 {
    match kind {
        "qa" => metric::qa_f1_p_r(answer, references).f,
        "summary" => metric::summary_rouge_l(answer, references),
        "niah" => metric::needle_recall(answer, references),
        _ => metric::counts_found(answer, &gold.stars.iter().map(|(_, count)| *count).collect::<Vec<_>>()),
    }
}

/// The right answer to an official record; `None` for a generated item.
pub(super) fn oracle(kind: &str, item: &Item) -> Option<String> {
    let gold: RecordGold = serde_json::from_value(item.gold.clone()).ok()?;
    Some(match kind {
        "counting" => {
            let (numbers, counts): (Vec<usize>, Vec<u64>) = gold.stars.into_iter().unzip();
            json!({ "little_penguin": counts, "passage_id": numbers }).to_string()
        }
        "niah" => format!("{} [{}].", item.references.first()?.trim_end_matches('.'), gold.needle? + 1),
        _ => format!("{} [1].", item.references.first()?.trim_end_matches('.')),
    })
}
