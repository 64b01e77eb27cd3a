//! Classification of one long document: a traveller's review by what it says on the whole, or a case by its matter.

use serde_json::{Value, json};

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::families::prose;
use crate::families::volume::{self, Line, Volume, Written};
use crate::item::{Item, Scored};
use crate::metrics::choice::{is_label, named};
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};
use crate::world::{Chronicle, World};

/// A long document with one label.
pub struct Classification;

const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "kind",
    help: "Reviews by their verdict, or cases by their matter",
    kind: ParameterKind::Choice { options: &["review", "case"], default: "review" },
}];
const VERDICTS: [&str; 3] = ["favourable", "divided", "unfavourable"];
/// Percent of kind remarks in reviews of each verdict, lowest and highest.
const KIND_REMARKS: [(u64, u64); 3] = [(82, 95), (44, 56), (5, 18)];
/// What a review speaks of, well and badly.
const ASPECTS: [(&str, &str); 10] = [
    ("the soup was hot and rich", "the soup was thin and cold"),
    ("the bed was dry and soft", "the bed was damp and hard"),
    ("the host greeted us like old friends", "the host barked at us from the stairs"),
    ("the stable boy rubbed the horses down", "nobody watered the horses"),
    ("the stove drew well and warmed the room", "the stove smoked until our eyes ran"),
    ("the bill was fair to the last penny", "the bill held three things we never had"),
    ("the fiddler played until midnight to our delight", "the noise below kept us from sleep"),
    ("the bread came fresh from the oven", "the bread had gone green at the edges"),
    ("the yard was swept and bright", "the yard stank of old fish"),
    ("the window looked over the whole valley", "the window would not shut against the rain"),
];
const MATTERS: [&str; 5] = ["theft", "boundary", "debt", "inheritance", "damage"];
/// What witnesses say of each matter.
const TESTIMONY: [[&str; 4]; 5] = [
    [
        "the silver cups were in the chest at dusk and gone at dawn",
        "a sack was seen on the accused's back as he climbed out of the cellar",
        "the cups were later offered for sale at the fair under another name",
        "the lock of the chest had been picked with a bent nail",
    ],
    [
        "the old stone between the two meadows had been moved twelve paces",
        "both families have mown the strip by the ditch as long as they can remember",
        "the surveyor's chain gave another line than the hedge",
        "the map in the parish chest shows the brook on the other side",
    ],
    [
        "the sum was handed over before Michaelmas with a promise to bring it back by Easter",
        "two instalments came and then no more",
        "the paper with both names lies with the notary",
        "the ox that stood as a pledge was sold behind the lender's back",
    ],
    [
        "the dying man spoke of the mill and of his younger daughter in one breath",
        "the brothers cannot agree who shall have the house of their mother",
        "the last will bears a seal that the eldest calls false",
        "the widow was to live in the upper rooms until her own end",
    ],
    [
        "the cart ran down the hill and broke through the wall of the glasshouse",
        "no log had been laid behind its wheels",
        "forty panes and the whole vine were ruined",
        "the carter says that the slope is to blame and not he",
    ],
];

impl Family for Classification {
    fn slug(&self) -> &'static str {
        "classification"
    }

    fn title(&self) -> &'static str {
        "Classification of long documents"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let review = choice(params, "kind") == "review";
        Card {
            benchmark: "Longboard classification",
            what: if review {
                "Say whether a long review is favourable, divided or unfavourable on the whole.".to_owned()
            } else {
                "Say what a long case file is about.".to_owned()
            },
            citation: "the plain family that surveys of long-text NLP ask for; documents and score are Longboard's",
            licence: "documents are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::ModelTokens,
            tokenizer: "the model's own",
            abilities: if review { &["classification", "aggregation"] } else { &["classification"] },
            diffusion: if review { Diffusion::High } else { Diffusion::Medium },
            scope: if review { Scope::Wide } else { Scope::Several },
            random_guess: 1.0 / labels(params).len() as f64,
            output_tokens: 16,
            metric: "classification.accuracy",
            strict_metric: Some("classification.accuracy.strict"),
            min_tokens: 1024,
            open_ended: false,
            protocol: Protocol::GENERATED,
            importable: None,
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let review = choice(&task.definition().params, "kind") == "review";
        let (world, rng) = (World::new(request.seed), prose::stream(task, request));
        let write = if review { self::review } else { case };
        volume::fit(task, request, &mut |budget| Some(write(world, rng.clone(), budget)))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |kind: &str, title| {
            TaskDefinition::generated(self.slug(), &format!("classification_{kind}"), title, json!({ "kind": kind }))
        };
        vec![task("review", "Verdict of a long review"), task("case", "Matter of a long case")]
    }

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        let right = item.references.first().map_or("", String::as_str);
        let found = named(answer, labels(params));
        Scored {
            score: f64::from(found == Some(right)),
            strict: Some(f64::from(is_label(answer, right))),
            extracted: found.unwrap_or_default().to_owned(),
            well_formed: found.is_some(),
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    fn guess(&self, task: &Task, _: &Item, rng: &mut Rng) -> String {
        rng.choose(labels(&task.definition().params)).copied().unwrap_or_default().to_owned()
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }
}

fn labels(params: &Params) -> &'static [&'static str] {
    if choice(params, "kind") == "review" { &VERDICTS } else { &MATTERS }
}

fn written(head: &str, body: crate::haystack::Planted, ask: &str, labels: &[&str], label: &str) -> Written {
    let tail = format!("\n\n{ask} Write one of {} and nothing else.\nAnswer:", labels.join(", "));
    let answer = Answer { references: vec![label.to_owned()], gold: Value::Null, ..Answer::default() };
    Written { head: head.to_owned(), body, tail, answer }
}

/// Night after night at inns: kind and unkind remarks in the share of the verdict.
fn review(world: World, mut rng: Rng, budget: u32) -> Written {
    let verdict = rng.index(VERDICTS.len());
    let (low, high) = KIND_REMARKS.get(verdict).copied().unwrap_or_default();
    let percent = rng.between(low, high);
    let mut road = Chronicle::new(world, Language::English, rng.next_u64());
    let mut volume = Volume::new(Language::English, budget);
    // Kind remarks come in due proportion at every length, never by chance alone.
    let (mut night, mut owed) = (1, rng.below(100));
    'nights: loop {
        for order in rng.distinct(ASPECTS.len(), 3) {
            let (well, badly) = ASPECTS.get(order).copied().unwrap_or_default();
            owed += percent;
            let remark = if owed >= 100 { well } else { badly };
            owed %= 100;
            let text = format!("On night {night} of our journey {remark}.");
            if !volume.offer(&Line::evidence(text)) {
                break 'nights;
            }
        }
        if night % 4 == 0 {
            for statement in road.paragraph().into_iter().take(2) {
                volume.offer(&Line::plain(statement.text));
            }
        }
        volume.end_paragraph();
        night += 1;
    }
    let label = VERDICTS.get(verdict).copied().unwrap_or_default();
    let ask = "On the whole, is the review favourable to the inns (at least four remarks in five are kind), unfavourable (at most one in five) or divided (about half)?";
    written("Below is a traveller's review of the inns on a journey.\n\n", volume.finish(), ask, &VERDICTS, label)
}

/// A case file: what witnesses say of the matter, among much that has nothing to do with it.
fn case(world: World, mut rng: Rng, budget: u32) -> Written {
    let matter = rng.index(MATTERS.len());
    let said: &[&str] = TESTIMONY.get(matter).map_or(&[], |said| said.as_slice());
    let mut around = Chronicle::new(world, Language::English, rng.next_u64());
    let mut volume = Volume::new(Language::English, budget);
    let mut order = rng.distinct(said.len(), said.len()).into_iter();
    let names = super::kinship::names(Language::English, &mut rng, said.len());
    let mut place = rng.below(u64::from(budget / 8).max(1)) as u32;
    let mut open = true;
    while open {
        if volume.tokens() >= place
            && let Some(index) = order.next()
        {
            let (name, what) =
                (names.get(index).map_or("", String::as_str), said.get(index).copied().unwrap_or_default());
            volume.offer(&Line::evidence(format!("The witness {name} said that {what}.")));
            place += budget / 5;
        }
        for statement in around.paragraph() {
            open = open && volume.offer(&Line::plain(statement.text));
        }
        volume.end_paragraph();
    }
    let label = MATTERS.get(matter).copied().unwrap_or_default();
    let ask = "What is the case about?";
    written(
        "Below is the file of a case, with all that was read out in court.\n\n",
        volume.finish(),
        ask,
        &MATTERS,
        label,
    )
}
