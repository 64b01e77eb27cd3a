//! Diffusion x scope: one ledger, nine questions. How hidden the facts are and how many of them are needed vary
//! independently (axes of arXiv 2407.00402, section 3).

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::families::prose::{self, Plan};
use crate::item::{Item, Scored};
use crate::metrics::choice::scored;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{
    Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, integer,
};
use crate::tokens;
use crate::world::{TownId, World};

/// Deliveries of goods, and which good came.
pub struct Grid;

const PARAMETERS: [Parameter; 2] = [
    Parameter {
        name: "diffusion",
        help: "1: written in the words asked for; 2: paraphrased among look-alikes; 3: joined through names",
        kind: ParameterKind::Integer { min: 1, max: 3, default: 1 },
    },
    Parameter {
        name: "scope",
        help: "1: one place is needed; 2: several; 3: nearly all",
        kind: ParameterKind::Integer { min: 1, max: 3, default: 1 },
    },
];
const GOODS: [&str; 8] = ["salt", "wool", "timber", "iron", "honey", "wine", "glass", "wax"];
/// The goods in other words.
const OTHER_WORDS: [&str; 8] = [
    "what keeps fish from spoiling",
    "what shearers take from their flocks",
    "what woodcutters fell and saw",
    "what smiths heat and hammer",
    "what bees store for the winter",
    "what is pressed from grapes and poured from casks",
    "what is blown by mouth and set into windows",
    "what candles are poured from",
];
/// Marks of houses that stand for goods.
const MARKS: [&str; 8] = ["Kestrel", "Anchor", "Thistle", "Lantern", "Heron", "Cockle", "Acorn", "Comet"];
/// Deliveries of the carrier whose goods are asked for: three of one kind, two of another, one of a third.
const ASKED: [usize; 6] = [0, 1, 0, 2, 1, 0];
/// Canonical tokens of prompt for every delivery.
const TOKENS_PER_DELIVERY: u32 = 72;

/// A delivery.
#[derive(Debug, Clone)]
struct Delivery {
    carrier: usize,
    place: String,
    year: u32,
    good: usize,
}

/// What all nine questions are about.
struct Ledger {
    carriers: Vec<String>,
    deliveries: Vec<Delivery>,
    /// The mark of each good.
    marks: Vec<&'static str>,
    /// Delivery of the narrow question.
    single: usize,
    /// Good that came most often.
    most: usize,
    /// Good that the asked carrier brought most often.
    asked: usize,
}

impl Family for Grid {
    fn slug(&self) -> &'static str {
        "grid"
    }

    fn title(&self) -> &'static str {
        "Diffusion x scope"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let (diffusion, scope) = (integer(params, "diffusion"), integer(params, "scope"));
        let found = match diffusion {
            1 => "in the words asked for",
            2 => "paraphrased among look-alikes",
            _ => "joined through names",
        };
        let needed = match scope {
            1 => "one delivery",
            2 => "several deliveries",
            _ => "nearly all deliveries",
        };
        Card {
            benchmark: "Diffusion x Scope",
            what: format!("Say which good came: {needed}, {found}."),
            citation: "Goldman et al. 2024, Is It Really Long Context if All You Need Is Retrieval?, arXiv 2407.00402",
            licence: "ledger and questions are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::ModelTokens,
            tokenizer: "the model's own",
            abilities: match scope {
                1 => &["retrieval"],
                2 => &["retrieval", "aggregation"],
                _ => &["aggregation"],
            },
            diffusion: [Diffusion::Low, Diffusion::Medium, Diffusion::High]
                .into_iter()
                .nth(diffusion.saturating_sub(1))
                .unwrap_or(Diffusion::High),
            scope: [Scope::Narrow, Scope::Several, Scope::Wide]
                .into_iter()
                .nth(scope.saturating_sub(1))
                .unwrap_or(Scope::Wide),
            random_guess: 1.0 / GOODS.len() as f64,
            output_tokens: 32,
            metric: "grid.choice",
            strict_metric: Some("grid.choice.strict"),
            min_tokens: 2048,
            open_ended: false,
            protocol: Protocol::GENERATED,
            importable: None,
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let params = &task.definition().params;
        let (diffusion, scope) = (integer(params, "diffusion"), integer(params, "scope"));
        let length = request.length.tokens();
        // Not the task's own stream: the nine tasks ask about one ledger.
        let mut rng =
            Rng::from_path(&[request.seed, Rng::name(self.slug()), u64::from(length), u64::from(request.index)]);
        let ledger = Ledger::new(World::new(request.seed), (length / TOKENS_PER_DELIVERY) as usize, &mut rng);
        let variant = rng.next_u64();
        let (needles, evidence) = ledger.tell(diffusion, scope, &mut rng);
        let question = ledger.question(scope);
        let good = GOODS.get(ledger.answer(scope)).copied().unwrap_or_default();
        let plan = Plan {
            language: Language::English,
            head: "Below is a chronicle. Between its sentences it keeps the books of the carriers.\n\n".to_owned(),
            tail: format!("\n\nQuestion: {question} Write one of {} and nothing else.\nAnswer:", GOODS.join(", ")),
            needles,
            answer: Answer { references: vec![good.to_owned()], ..Answer::default() },
        };
        let mut item = prose::assemble(task, request, plan, &mut prose::running(request, Language::English, variant))?;
        keep_evidence(&mut item, &evidence, &question);
        Ok(item)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |diffusion: u32, scope: u32| {
            let title = format!("Grid, diffusion {diffusion}, scope {scope}");
            let params = json!({ "diffusion": diffusion, "scope": scope });
            TaskDefinition::generated(self.slug(), &format!("grid_d{diffusion}_s{scope}"), &title, params)
        };
        (1..=3).flat_map(|diffusion| (1..=3).map(move |scope| (diffusion, scope))).map(|(d, s)| task(d, s)).collect()
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        scored(answer, item.references.first().map_or("", String::as_str), &GOODS)
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    fn guess(&self, _: &Task, _: &Item, rng: &mut Rng) -> String {
        rng.choose(&GOODS).copied().unwrap_or_default().to_owned()
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }
}

impl Ledger {
    /// A ledger of `count` deliveries, at least 24, by one carrier for every six.
    fn new(world: World, count: usize, rng: &mut Rng) -> Self {
        let count = count.max(24);
        let carriers = super::kinship::names(Language::English, rng, count / 6);
        let goods = rng.distinct(GOODS.len(), GOODS.len());
        let good = |place: usize| goods.get(place).copied().unwrap_or_default();
        // Goods by turns after the first, which gets a few more: only a count of nearly all tells it from the rest.
        let extra = (count / 24).max(2);
        let mut all: Vec<usize> = ASKED.iter().map(|place| good(place + 1)).collect();
        let mut counts = [0_usize; GOODS.len()];
        for &one in &all {
            if let Some(slot) = counts.get_mut(one) {
                *slot += 1;
            }
        }
        let most = good(0);
        let target = (count - extra) / GOODS.len();
        let rest = (0..GOODS.len()).flat_map(|one| {
            let have = counts.get(one).copied().unwrap_or_default();
            let want = target + if one == most { extra } else { 0 };
            std::iter::repeat_n(one, want.saturating_sub(have))
        });
        let mut rest: Vec<usize> = rest.collect();
        rng.shuffle(&mut rest);
        all.extend(rest);
        let first = rng.below(1 << 24) as u32;
        let deliveries: Vec<Delivery> = all
            .into_iter()
            .enumerate()
            .map(|(index, good)| Delivery {
                carrier: if index < ASKED.len() { 0 } else { 1 + index % (carriers.len() - 1).max(1) },
                place: world.town(TownId(first + index as u32)).name.of(Language::English),
                year: 850 + rng.below(120) as u32,
                good,
            })
            .collect();
        let single = ASKED.len() + rng.index(deliveries.len() - ASKED.len());
        let marks = rng.distinct(MARKS.len(), MARKS.len()).into_iter().filter_map(|mark| MARKS.get(mark).copied());
        let marks = marks.collect();
        Self { carriers, deliveries, marks, single, most, asked: good(1) }
    }

    fn answer(&self, scope: usize) -> usize {
        match scope {
            1 => self.deliveries.get(self.single).map_or(0, |delivery| delivery.good),
            2 => self.asked,
            _ => self.most,
        }
    }

    fn needs(&self, scope: usize, index: usize) -> bool {
        match scope {
            1 => index == self.single,
            2 => index < ASKED.len(),
            _ => true,
        }
    }

    /// Sentences with their places, and those among them that the answer stands on.
    fn tell(&self, diffusion: usize, scope: usize, rng: &mut Rng) -> (Vec<(f64, String)>, HashSet<String>) {
        let (mut needles, mut evidence) = (Vec::new(), HashSet::new());
        for (index, delivery) in self.deliveries.iter().enumerate() {
            let place = rng.unit();
            let text = self.sentence(delivery, diffusion);
            if self.needs(scope, index) {
                evidence.insert(text.clone());
            }
            needles.push((place, text));
            let (decoy, good) = (rng.unit(), rng.index(GOODS.len()));
            if diffusion == 2 && index % 3 == 0 {
                needles.push((decoy, self.look_alike(delivery, good)));
            }
        }
        if diffusion == 3 {
            for (good, name) in GOODS.iter().enumerate() {
                let text = format!("The mark of the {} on a load meant that it was {name}.", self.mark(good));
                if scope > 1 || self.answer(1) == good {
                    evidence.insert(text.clone());
                }
                needles.push((rng.unit(), text));
            }
        }
        (needles, evidence)
    }

    fn sentence(&self, delivery: &Delivery, diffusion: usize) -> String {
        let Delivery { carrier, place, year, good } = delivery;
        let carrier = self.carrier(*carrier);
        match diffusion {
            1 => {
                let good = GOODS.get(*good).copied().unwrap_or_default();
                format!("The good brought to {place} in {year} by {carrier} was {good}.")
            }
            2 => {
                let words = OTHER_WORDS.get(*good).copied().unwrap_or_default();
                format!("In {year} the people of {place} unloaded {words}, brought on the cart of {carrier}.")
            }
            _ => format!("{carrier} came to {place} in {year} with a load under the mark of the {}.", self.mark(*good)),
        }
    }

    /// A load that was not brought.
    fn look_alike(&self, delivery: &Delivery, good: usize) -> String {
        let words = OTHER_WORDS.get(good).copied().unwrap_or_default();
        let (carrier, place, year) = (self.carrier(delivery.carrier), &delivery.place, delivery.year + 1);
        format!("In {year} the people of {place} waited in vain for {words}, never brought by {carrier}.")
    }

    fn carrier(&self, index: usize) -> &str {
        self.carriers.get(index).map_or("", String::as_str)
    }

    fn mark(&self, good: usize) -> &'static str {
        self.marks.get(good).copied().unwrap_or_default()
    }

    /// The direct sentences share "good" and "brought" with every question, the paraphrases "brought", those joined
    /// through names only what the question names: so the overlap falls with diffusion at each scope.
    fn question(&self, scope: usize) -> String {
        match (scope, self.deliveries.get(self.single)) {
            (1, Some(Delivery { carrier, place, year, .. })) => {
                format!("Which good was brought to {place} in {year} by {}?", self.carrier(*carrier))
            }
            (2, _) => format!("Which good was brought most often by {}?", self.carrier(0)),
            _ => "Which good was brought most often by all carriers together?".to_owned(),
        }
    }
}

/// Keeps the needles that are evidence, and notes how much there is of it, where, and how like the question.
fn keep_evidence(item: &mut Item, evidence: &HashSet<String>, question: &str) {
    let text = item.joined();
    item.needles.retain(|needle| text.get(needle.start..needle.end).is_some_and(|text| evidence.contains(text)));
    let spans: Vec<&str> = item.needles.iter().filter_map(|needle| text.get(needle.start..needle.end)).collect();
    let tokens: u32 = spans.iter().map(|span| tokens::count(span)).sum();
    let depths: Vec<f64> = item.needles.iter().map(|needle| needle.depth).collect();
    let spread = depths.last().zip(depths.first()).map_or(0.0, |(last, first)| last - first);
    let words = |text: &str| -> HashSet<String> {
        let words = text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase);
        words.filter(|word| word.chars().count() > 3).collect()
    };
    let (asked, told) = (words(question), words(&spans.join(" ")));
    let shared = asked.intersection(&told).count() as f64 / asked.len().max(1) as f64;
    item.gold = json!({
        "evidence_tokens": tokens,
        "evidence_spans": spans.len(),
        "evidence_spread": spread,
        "lexical_overlap": Value::from(shared),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(diffusion: u32, scope: u32) -> Vec<Item> {
        let task = Task::find(&format!("grid_d{diffusion}_s{scope}")).unwrap();
        let lengths = ["2k", "8k", "32k"].map(|length| length.parse().unwrap());
        let requests = lengths.iter().flat_map(|length| (0..12).map(|index| ItemRequest::new(5, index, *length)));
        requests.map(|request| task.item(&request).unwrap()).collect()
    }

    fn measured(item: &Item, name: &str) -> f64 {
        item.gold[name].as_f64().unwrap()
    }

    #[test]
    fn question_and_evidence_share_less_the_more_diffuse_it_is() {
        for scope in 1..=3 {
            let [direct, paraphrased, joined] = [1, 2, 3].map(|diffusion| items(diffusion, scope));
            for ((one, two), three) in direct.iter().zip(&paraphrased).zip(&joined) {
                let [one_shares, two_shares, three_shares] =
                    [one, two, three].map(|item| measured(item, "lexical_overlap"));
                assert!(one_shares > two_shares && two_shares > three_shares, "{} to {}", one.id, three.id);
                assert!(one.references == two.references && two.references == three.references, "{}", one.id);
            }
        }
    }

    #[test]
    fn evidence_grows_with_scope_and_the_facts_stay() {
        for diffusion in 1..=3 {
            let [narrow, several, wide] = [1, 2, 3].map(|scope| items(diffusion, scope));
            for ((one, two), three) in narrow.iter().zip(&several).zip(&wide) {
                for name in ["evidence_tokens", "evidence_spans"] {
                    let [one, two, three] = [one, two, three].map(|item| measured(item, name));
                    assert!(one < two && two < three, "{name} of {diffusion}: {one}, {two}, {three}");
                }
                let whole = three.joined();
                let spans = [one, two].map(|item| (item.joined(), item.needles.clone()));
                for (text, needles) in spans {
                    for needle in needles {
                        assert!(whole.contains(text.get(needle.start..needle.end).unwrap()), "{}", three.id);
                    }
                }
            }
        }
    }
}
