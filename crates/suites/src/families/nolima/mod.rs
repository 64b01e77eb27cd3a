//! The shape of NoLiMa (arXiv 2502.05167): a question and a needle that share no word, joined by what everybody knows.
//! Needles, questions and links are Longboard's own.

mod dataset;

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::prose::{self, Plan};
use crate::item::{Item, Scored};
use crate::metrics::nolima;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};

/// A needle that is found by association.
pub struct NoLiMa;

const PARAMETERS: [Parameter; 2] = [
    Parameter {
        name: "hops",
        help: "Steps of common knowledge between question and needle",
        kind: ParameterKind::Choice { options: &["one", "two"], default: "one" },
    },
    Parameter {
        name: "order",
        help: "Whether the needle begins with the person or with the clue",
        kind: ParameterKind::Choice { options: &["direct", "inverted"], default: "direct" },
    },
];
/// Depths of the benchmark, round(linspace(0, 100, 26)).
const DEPTHS: u32 = 26;

/// What stands in the needle, and what is asked one step and two steps away from it.
struct Link {
    clue: &'static str,
    near: &'static str,
    far: &'static str,
}

const fn link(clue: &'static str, near: &'static str, far: &'static str) -> Link {
    Link { clue, near, far }
}

/// Sights with their cities and countries.
const SIGHTS: [Link; 16] = [
    link("the Colosseum", "Rome", "Italy"),
    link("the Parthenon", "Athens", "Greece"),
    link("the Alhambra", "Granada", "Spain"),
    link("the Brandenburg Gate", "Berlin", "Germany"),
    link("the Little Mermaid", "Copenhagen", "Denmark"),
    link("the Taj Mahal", "Agra", "India"),
    link("the Hagia Sophia", "Istanbul", "Turkey"),
    link("the Tower of Belém", "Lisbon", "Portugal"),
    link("the Atomium", "Brussels", "Belgium"),
    link("the statue of Christ the Redeemer", "Rio de Janeiro", "Brazil"),
    link("the CN Tower", "Toronto", "Canada"),
    link("the Forbidden Palace", "Beijing", "China"),
    link("Wawel Castle", "Kraków", "Poland"),
    link("Schönbrunn Palace", "Vienna", "Austria"),
    link("the Louvre", "Paris", "France"),
    link("Fisherman's Bastion", "Budapest", "Hungary"),
];

/// Work as it looks, the trade it is, and the field to which the trade belongs. None of it is work that the chronicle
/// around the needle tells of, so that the person of the needle is the only answer.
const WORK: [Link; 12] = [
    link("filling holes in molars", "a dentist", "medicine"),
    link("hauling nets full of herring", "a fisher", "seafaring"),
    link("gluing bellies and necks of violins", "a luthier", "the world of music"),
    link("grinding lenses and fitting spectacles", "an optician", "the care of eyesight"),
    link("charting moons and comets through a telescope", "an astronomer", "the natural sciences"),
    link("mounting sapphires and pearls on rings", "a jeweller", "the business of luxury"),
    link("tying lilies and tulips into bouquets", "a florist", "the cultivation of ornamental plants"),
    link("trimming beards and lathering chins", "a barber", "personal grooming"),
    link("oiling escapements and hanging pendulums", "a clockmaker", "the measurement of hours"),
    link("swinging from trapezes under a big top", "an acrobat", "the circus"),
    link("drawing coastlines and shoals on charts", "a cartographer", "geography"),
    link("blending jasmine and musk into scents", "a perfumer", "the beauty industry"),
];

impl Family for NoLiMa {
    fn slug(&self) -> &'static str {
        "nolima"
    }

    fn title(&self) -> &'static str {
        "Needles by association (shape of NoLiMa)"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let (hops, order) = (choice(params, "hops"), choice(params, "order"));
        Card {
            benchmark: "NoLiMa",
            what: format!(
                "Name the person of a needle that shares no word with the question: {hops} step(s), {order}."
            ),
            citation: "Modarressi et al. 2025, NoLiMa, arXiv 2502.05167",
            licence: "the benchmark's data are for non-commercial research; nothing of them is used in generated items, their needles are Longboard's",
            language: Language::English,
            length_unit: LengthUnit::ModelTokens,
            tokenizer: "the model's own",
            abilities: &["semantic retrieval", "reasoning"],
            diffusion: Diffusion::High,
            scope: Scope::Narrow,
            random_guess: 0.0,
            output_tokens: 32,
            metric: "nolima.contains",
            strict_metric: Some("nolima.contains.strict"),
            min_tokens: 1024,
            open_ended: false,
            protocol: Protocol::GENERATED,
            importable: Some("NoLiMa's needle sets and books: Adobe research licence, non-commercial"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let params = &task.definition().params;
        let mut rng = prose::stream(task, request);
        let name = super::kinship::names(Language::English, &mut rng, 1).concat();
        let (needle, question) = pair(params, &name, &mut rng);
        // 26 places in an order that spreads any number of samples.
        let depth = depth_percent(request);
        let plan = Plan {
            language: Language::English,
            head: "Read the book excerpt below. A question about it follows.\n\n".to_owned(),
            tail: format!("\n\nQuestion: {question} Write the full name and nothing else.\nAnswer:"),
            needles: vec![(depth / 100.0, needle)],
            answer: Answer { references: vec![name], depth_percent: Some(depth.round() as u8), ..Answer::default() },
        };
        prose::assemble(task, request, plan, &mut prose::running(request, Language::English, rng.next_u64()))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |hops: &str, order: &str, slug: &str, title: &str| {
            TaskDefinition::generated(self.slug(), slug, title, json!({ "hops": hops, "order": order }))
        };
        vec![
            task("one", "direct", "nolima_one_hop", "Association, one step"),
            task("two", "direct", "nolima_two_hop", "Association, two steps"),
            task("one", "inverted", "nolima_one_hop_inverted", "Association, one step, clue first"),
            task("two", "inverted", "nolima_two_hop_inverted", "Association, two steps, clue first"),
        ]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        Scored {
            score: f64::from(nolima::contains(answer, &item.references)),
            strict: Some(f64::from(nolima::contains_strict(answer, &item.references))),
            extracted: nolima::last_line(answer).chars().take(200).collect(),
            well_formed: !answer.trim().is_empty(),
        }
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::NeedleSets)
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    fn guess(&self, _: &Task, _: &Item, rng: &mut Rng) -> String {
        super::kinship::names(Language::English, rng, 1).concat()
    }
}

/// Depth in percent, one of the benchmark's 26.
fn depth_percent(request: &ItemRequest<'_>) -> f64 {
    let place = request.index.wrapping_mul(11) % DEPTHS;
    f64::from(place) * 100.0 / f64::from(DEPTHS - 1)
}

/// A needle about `name` and the question that it answers.
fn pair(params: &Params, name: &str, rng: &mut Rng) -> (String, String) {
    let (far, inverted) = (choice(params, "hops") == "two", choice(params, "order") == "inverted");
    let pick = rng.index(SIGHTS.len() + WORK.len());
    if let Some(Link { clue, near, far: country }) = SIGHTS.get(pick) {
        let needle = if inverted {
            format!("The windows behind which {name} lay awake looked out on {clue}.")
        } else {
            format!("{name} slept badly that year, behind windows that looked out on {clue}.")
        };
        let asked = if far { country } else { near };
        return (needle, format!("Which character must have stayed in {asked}?"));
    }
    let Some(Link { clue, near, far: field }) = WORK.get(pick - SIGHTS.len()) else {
        return (String::new(), String::new());
    };
    let needle = if inverted {
        format!("Days filled with {clue} were all that {name} ever wanted.")
    } else {
        format!("{name} spent the better part of forty years {clue}.")
    };
    let question = if far {
        format!("Which character earned a living in {field}?")
    } else {
        format!("Which character was {near} by trade?")
    };
    (needle, question)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::haystack::Haystack;
    use crate::world::World;

    /// Words that carry no content; forms that differ by an ending count as one word.
    const STOP: [&str; 25] = [
        "the", "a", "an", "of", "in", "on", "at", "by", "and", "to", "was", "were", "that", "which", "who", "must",
        "have", "all", "from", "with", "it", "for", "s", "de", "under",
    ];

    fn stems(text: &str) -> HashSet<String> {
        let words = text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase);
        let content = words.filter(|word| !word.is_empty() && !STOP.contains(&word.as_str()));
        content.map(|word| word.chars().take(5).collect()).collect()
    }

    #[test]
    fn question_and_needle_share_no_content_word() {
        for hops in ["one", "two"] {
            for order in ["direct", "inverted"] {
                let Some(params) = json!({ "hops": hops, "order": order }).as_object().cloned() else { continue };
                for seed in 0..400 {
                    let (needle, question) = pair(&params, "Ada Birch", &mut Rng::from_path(&[seed]));
                    let shared: Vec<String> = stems(&needle).intersection(&stems(&question)).cloned().collect();
                    assert!(shared.is_empty(), "{shared:?}: {needle} {question}");
                }
            }
        }
    }

    /// Words of a text without those that carry no content.
    fn content(text: &str) -> HashSet<String> {
        let words = text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase);
        words.filter(|word| !word.is_empty() && !STOP.contains(&word.as_str())).collect()
    }

    /// The forms in which English has a word: as it stands, and with another ending.
    fn forms(word: &str) -> Vec<String> {
        let endings = ["", "s", "es", "ed", "er", "ers", "ing", "y"];
        let stems = endings.iter().filter_map(|ending| word.strip_suffix(ending)).filter(|stem| stem.len() > 2);
        let stems = stems.flat_map(|stem| [stem.to_owned(), format!("{stem}e")]);
        stems.flat_map(|stem| endings.map(|ending| format!("{stem}{ending}"))).collect()
    }

    #[test]
    fn the_chronicle_tells_of_nothing_that_is_asked_or_hinted_at() {
        let mut told = HashSet::new();
        for seed in 0..5 {
            let haystack = World::new(seed).haystack(Language::English);
            told.extend(content(&haystack.passage(seed, 256 * 1024).unwrap().text));
        }
        let links = SIGHTS.iter().chain(&WORK).flat_map(|link| [link.clue, link.near, link.far]);
        let words = links.flat_map(content).flat_map(|word| forms(&word));
        let shared: Vec<String> = words.filter(|form| told.contains(form)).collect();
        assert!(shared.is_empty(), "{shared:?}");
    }

    #[test]
    fn one_person_of_the_text_answers() {
        for task in Task::builtin().iter().filter(|task| task.family().slug() == NoLiMa.slug()) {
            for index in 0..24 {
                let item = task.item(&ItemRequest::new(9, index, "8k".parse().unwrap())).unwrap();
                let text = item.joined();
                let needle = item.needles.first().map(|needle| needle.start..needle.end).unwrap();
                let name = item.references.first().unwrap();
                assert_eq!((item.needles.len(), item.references.len()), (1, 1), "{}", item.id);
                assert_eq!(
                    (text.matches(name).count(), text.get(needle).unwrap().matches(name).count()),
                    (1, 1),
                    "{}",
                    item.id
                );
            }
        }
    }
}
