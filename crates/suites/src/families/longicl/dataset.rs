//! LongICLBench's data: test examples in upstream's fields. Their demonstrations, in the same fields, stand in a second
//! file: `{set}_train….json` beside `{set}_test….json`, or under `demonstrations` in each example. DialogRE's are called
//! `test_dialogueRE.json` and `train_dialogueRE….json`; there the lines of one dialogue are brought together.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::set::Kind;
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::{official, prose};
use crate::item::{Cut, Item};
use crate::prompt::Prompt;
use crate::task::{GenerateError, ItemRequest, Task};

/// Reader of the six sets, named in the file's name.
pub struct Files;

static SUBSETS: [Subset; 6] = [
    Subset { name: "goemotion", title: "GoEmotion" },
    Subset { name: "banking77", title: "BANKING77" },
    Subset { name: "discovery", title: "Discovery" },
    Subset { name: "tacred", title: "TacRED" },
    Subset { name: "fewnerd", title: "Few-NERD" },
    Subset { name: "dialoguere", title: "DialogRE" },
];

fn kind(subset: &str) -> Kind {
    match subset {
        "goemotion" => Kind::Emotion,
        "discovery" => Kind::Connective,
        "tacred" => Kind::Relation,
        "fewnerd" => Kind::Entity,
        "dialoguere" => Kind::Dialogue,
        _ => Kind::Intent,
    }
}

/// The demonstrations that all records share.
fn demonstrations(subset: &Subset, folder: &dyn Folder) -> Result<Arc<Value>, RecordError> {
    let prefix = match kind(subset.name) {
        Kind::Dialogue => "train_dialogueRE".to_owned(),
        _ => format!("{}_train", subset.name),
    };
    let found = folder.find(&prefix, ".json");
    found.and_then(|path| folder.json(&path)).map_err(|error| {
        RecordError::new("demonstrations", format!("neither in the record nor beside the file ({error})"))
    })
}

/// Between demonstrations in a record's document.
const BETWEEN: &str = "\n\u{1e}\n";

impl Dataset for Files {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        let name = file_name.to_lowercase();
        let tests = !name.contains("_train") && !name.starts_with("train_");
        SUBSETS.iter().find(|subset| tests && name.contains(subset.name))
    }

    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        folder: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let kind = kind(subset.name);
        let fields = dataset::object(line)?;
        let beside = match fields.get("demonstrations") {
            Some(_) => Arc::default(),
            None => demonstrations(subset, folder)?,
        };
        let Value::Array(shown) = fields.get("demonstrations").unwrap_or(&beside) else {
            return Err(RecordError::new("demonstrations", "expected a list of examples in the test's own fields"));
        };
        let merged = if kind == Kind::Dialogue { Some(dialogues(shown)) } else { None };
        let shown = merged.as_ref().unwrap_or(shown);
        let mut labels = Vec::new();
        let mut demonstrations = Vec::with_capacity(shown.len());
        for (place, example) in shown.iter().enumerate() {
            let at = |error: RecordError| {
                RecordError::new(&format!("demonstrations[{place}].{}", error.field), error.reason)
            };
            let Value::Object(fields) = example else {
                return Err(RecordError::new(&format!("demonstrations[{place}]"), "expected an object"));
            };
            let example = Example::of(kind, fields).map_err(at)?;
            demonstrations.push(kind.closed(&example.text, &example.labelled));
            labels.extend(example.labels);
        }
        let Example { text, labelled, labels: own, entities } = Example::of(kind, &fields)?;
        labels.extend(own);
        labels.sort();
        labels.dedup();
        Ok(vec![Record {
            id: line_number.to_string(),
            subset: subset.name.to_owned(),
            document: demonstrations.join(BETWEEN),
            gold: json!({ "query": text, "labels": labels, "entities": entities }),
            question: text,
            references: vec![labelled],
            official_length: None,
            evidence: Vec::new(),
        }])
    }

    fn params(&self, subset: &Subset) -> Value {
        json!({ "set": match kind(subset.name) {
            Kind::Emotion => "emotion",
            Kind::Intent => "intent",
            Kind::Connective => "connective",
            Kind::Relation => "relation",
            Kind::Entity => "entity",
            Kind::Dialogue => "dialogue",
        } })
    }

    /// Demonstrations from the first on, as many whole ones as fit, then the query.
    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let kind = Kind::of(&task.definition().params);
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        let mut prompt = Prompt::default();
        prompt.push(head(kind));
        prompt.begin_document();
        let tail = kind.open(&record.question);
        let budget = limit.checked_sub(prompt.tokens() + prompt.count(&tail) + 2);
        let mut left = budget.ok_or_else(|| prose::unsatisfiable(task, request, "the query alone is longer"))?;
        let (mut tokens_removed, mut full) = (0, false);
        for demonstration in record.document.split(BETWEEN).filter(|text| !text.is_empty()) {
            let line = [demonstration, "\n"].concat();
            let cost = prompt.count(&line);
            full |= cost > left;
            if full {
                tokens_removed += cost;
            } else {
                left -= cost;
                prompt.push(&line);
            }
        }
        prompt.end_document();
        prompt.push(&tail);
        let answer = official::answer(record);
        let mut item = prompt.finish(task, request, answer);
        let tokens_before = item.prompt_tokens + tokens_removed;
        item.cut = Some(Cut { tokens_before, tokens_removed, evidence_left: None });
        Ok(item)
    }
}

fn head(kind: Kind) -> &'static str {
    match kind {
        Kind::Emotion => "Name the emotion of the last comment. The comments before it show the names to use.\n\n",
        Kind::Intent => "Name the intent of the last query. The queries before it show the names to use.\n\n",
        Kind::Connective => {
            "Name the word missing between the last two sentences. The pairs before them show the words to use.\n\n"
        }
        Kind::Relation => {
            "Name the relation of subject and object in the last sentence. The sentences before it show the names to use.\n\n"
        }
        Kind::Dialogue => {
            "After every dialogue below stand pairs of names from it and the relation of each pair, in their order. Give the relations of the last dialogue in the same form, as many as there are pairs.\n\n"
        }
        Kind::Entity => {
            "List the names of the last sentence, each as name: type on a line. The sentences before it show the types to use.\n\n"
        }
    }
}

/// An example in its set's fields.
struct Example {
    text: String,
    labelled: String,
    labels: Vec<String>,
    entities: BTreeMap<String, String>,
}

impl Example {
    fn of(kind: Kind, fields: &Map<String, Value>) -> Result<Self, RecordError> {
        let single = |text: String, label: String| Self {
            text,
            labelled: label.clone(),
            labels: vec![label],
            entities: BTreeMap::new(),
        };
        match kind {
            Kind::Emotion | Kind::Intent => Ok(single(dataset::text(fields, "text")?, label(fields)?)),
            Kind::Connective => {
                let (first, second) = (dataset::text(fields, "sentence1")?, dataset::text(fields, "sentence2")?);
                Ok(single(format!("{first} ( ) {second}"), label(fields)?))
            }
            Kind::Relation => {
                let (subject, object) =
                    (dataset::text(fields, "subject_entity")?, dataset::text(fields, "object_entity")?);
                let sentence = dataset::text(fields, "sentence")?.replace('\n', " ");
                let text = format!("{sentence}\nthe subject is {subject} and the object is {object}");
                Ok(single(text, dataset::text(fields, "relation")?))
            }
            Kind::Entity => Self::entities(fields),
            Kind::Dialogue => Self::relations(fields),
        }
    }

    /// A dialogue in the form of upstream's prompt (MIT), up to the relations.
    fn relations(fields: &Map<String, Value>) -> Result<Self, RecordError> {
        let dialogue = dataset::text(fields, "dialogue")?;
        let refuse = || RecordError::new("relations", "expected a list of relations with their entities");
        let list =
            fields.get("relations").and_then(Value::as_array).filter(|list| !list.is_empty()).ok_or_else(refuse)?;
        let (mut pairs, mut labels) = (Vec::new(), Vec::new());
        for (place, relation) in list.iter().enumerate() {
            let at =
                |error: RecordError| RecordError::new(&format!("relations[{place}].{}", error.field), error.reason);
            let fields = relation.as_object().ok_or_else(refuse)?;
            let text = |name: &str| dataset::text(fields, name).map_err(at);
            pairs.push(format!("({}, {})", quoted(&text("subject_entity")?), quoted(&text("object_entity")?)));
            labels.push(text("relation")?);
        }
        let count = pairs.len();
        Ok(Self {
            text: format!(
                "Dialogue: \n{dialogue}\nThe list of {count} entity pairs are {}\nThe {count} respective relations between each entity pair are:",
                pairs.join(", ")
            ),
            labelled: labels.join(", "),
            labels,
            entities: BTreeMap::new(),
        })
    }

    fn entities(fields: &Map<String, Value>) -> Result<Self, RecordError> {
        let refuse = || RecordError::new("entities", "expected an object of names with their types");
        let Some(Value::Object(named)) = fields.get("entities") else { return Err(refuse()) };
        let pair = |(name, kind): (&String, &Value)| Some((name.clone(), kind.as_str()?.to_owned()));
        let entities: BTreeMap<String, String> = named.iter().map(pair).collect::<Option<_>>().ok_or_else(refuse)?;
        let lines: Vec<String> = entities.iter().map(|(name, kind)| format!("{name}: {kind}")).collect();
        Ok(Self {
            text: dataset::text(fields, "sentence")?,
            labelled: lines.join("\n"),
            labels: entities.values().cloned().collect(),
            entities,
        })
    }
}

/// A text as Python writes it.
fn quoted(text: &str) -> String {
    let plain = text.replace('\\', "\\\\").replace('\n', "\\n");
    if plain.contains('\'') && !plain.contains('"') {
        format!("\"{plain}\"")
    } else {
        format!("'{}'", plain.replace('\'', "\\'"))
    }
}

/// Demonstrations by dialogue, in the order in which the dialogues first come; whole ones stay as they are.
fn dialogues(shown: &[Value]) -> Vec<Value> {
    let mut merged: Vec<Value> = Vec::new();
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for example in shown {
        let dialogue = example.get("dialogue").and_then(Value::as_str);
        let (Some(dialogue), Some(_)) = (dialogue, example.get("relation")) else {
            merged.push(example.clone());
            continue;
        };
        let place = *known.entry(dialogue).or_insert(merged.len());
        match merged.get_mut(place).and_then(|one| one.get_mut("relations")?.as_array_mut()) {
            Some(relations) => relations.push(example.clone()),
            None => merged.push(json!({ "dialogue": dialogue, "relations": [example] })),
        }
    }
    merged
}

/// The label's name: `label_text`, or `label` where that is a text.
fn label(fields: &Map<String, Value>) -> Result<String, RecordError> {
    match (fields.get("label_text"), fields.get("label")) {
        (Some(Value::String(name)), _) | (None, Some(Value::String(name))) => Ok(name.clone()),
        (None, Some(Value::Number(_))) => {
            Err(RecordError::new("label_text", "missing: a number in label needs the label's name beside it"))
        }
        (Some(_), _) => Err(RecordError::new("label_text", "expected a text")),
        (None, Some(_)) => Err(RecordError::new("label", "expected a text")),
        (None, None) => Err(RecordError::new("label", "missing")),
    }
}
