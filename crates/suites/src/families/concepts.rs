//! Abstracts of papers that nobody wrote, with their concepts under the nine tags of What's In Your Field.

use std::collections::BTreeMap;

use crate::metrics::kg_for_science::Phrases;
use crate::rng::Rng;

/// The concepts of an abstract: one phrase under each tag.
pub type Concepts = BTreeMap<&'static str, String>;

const FIELDS: [&str; 14] = [
    "river ecology",
    "tidal geology",
    "urban acoustics",
    "alpine botany",
    "soil chemistry",
    "polar optics",
    "volcanic seismology",
    "bird ethology",
    "marine genomics",
    "cloud physics",
    "radio astronomy",
    "glacier mechanics",
    "forest hydrology",
    "desert climatology",
];
const TASKS: [(&str, &[&str]); 4] = [
    ("predicting", &["flood levels", "seed yield", "slope failure", "night frost", "swarm size"]),
    ("mapping", &["reed beds", "buried channels", "noise sources", "dust plumes", "nesting sites"]),
    ("detecting", &["faint bursts", "early cracks", "rare alleles", "false echoes", "drifting ice"]),
    ("classifying", &["shoreline types", "bird calls", "ash layers", "light curves", "leaf shapes"]),
];
const PLACES: [&str; 20] = [
    "Amber", "Basalt", "Cedar", "Dune", "Ember", "Fjord", "Granite", "Heather", "Iris", "Juniper", "Kestrel", "Lagoon",
    "Mistral", "Nettle", "Opal", "Pine", "Quartz", "Raven", "Sable", "Tundra",
];
const SIDES: [&str; 6] = ["Coast", "Valley", "Ridge", "Sky", "Basin", "Strait"];
const COLLECTIONS: [&str; 4] = ["Survey", "Catalogue", "Archive", "Atlas"];
const MODALITIES: [&str; 12] = [
    "echo soundings",
    "infrared spectra",
    "daily gauge readings",
    "drone photographs",
    "sediment cores",
    "sound recordings",
    "radar images",
    "whole genome sequences",
    "thermal video",
    "seismograms",
    "polarised light curves",
    "satellite altimetry",
];
const MANNERS: [&str; 10] =
    ["sparse", "nested", "adaptive", "robust", "spectral", "local", "graded", "paired", "recursive", "fuzzy"];
const PROCEDURES: [&str; 9] = [
    "wavelet regression",
    "graph matching",
    "kernel smoothing",
    "phase unwrapping",
    "tree pruning",
    "mode counting",
    "template search",
    "isotope dating",
    "wave inversion",
];
const TRAITS: [&str; 10] =
    ["braided", "dormant", "coastal", "buried", "migrating", "glacial", "binary", "layered", "volcanic", "shallow"];
const THINGS: [&str; 9] = [
    "rivers",
    "dunes",
    "star clusters",
    "bird colonies",
    "lava fields",
    "peat bogs",
    "ice streams",
    "reefs",
    "aquifers",
];
const PROPERTIES: [&str; 14] = [
    "salinity",
    "bed slope",
    "spectral width",
    "mean grain size",
    "surface albedo",
    "growth rate",
    "orbital period",
    "shear strength",
    "allele frequency",
    "reverberation time",
    "water table depth",
    "tilt angle",
    "cloud fraction",
    "heat flux",
];
const MAKES: [&str; 12] =
    ["Heron", "Lynx", "Otter", "Plover", "Ibis", "Marten", "Osprey", "Badger", "Curlew", "Falcon", "Stoat", "Tern"];
const DEVICES: [&str; 6] = ["spectrometer", "sonar", "gravimeter", "photometer", "hydrophone", "lidar"];
const AUTHORS: [&str; 12] = [
    "Calder", "Dray", "Farrow", "Ingram", "Jessop", "Lorimer", "Orchard", "Quill", "Rowan", "Tanner", "Vane", "Yarrow",
];
const LAWS: [&str; 6] =
    ["drift model", "cascade model", "mixing model", "two layer model", "decay model", "growth model"];

/// Tags in the order in which a sentence brings them.
const SENTENCES: [&[(&str, &[&str])]; 4] = [
    &[
        ("We address {} in {}.", &["task", "field"]),
        ("{1} asks for better ways of {0}.", &["task", "field"]),
        ("This paper is about {}, an old problem of {}.", &["task", "field"]),
    ],
    &[
        ("The {} offers {} of {}.", &["dataset", "modality", "object"]),
        ("We take {1} of {2} from the {0}.", &["dataset", "modality", "object"]),
        ("Our source is the {}, with {} of {}.", &["dataset", "modality", "object"]),
    ],
    &[
        ("With {} we estimate the {} and check it by the {}.", &["method", "property", "instrument"]),
        ("Readings of the {2} give the {1} after {0}.", &["method", "property", "instrument"]),
        ("The {1} follows from {0}, calibrated on the {2}.", &["method", "property", "instrument"]),
    ],
    &[
        ("The results agree with the {}.", &["model"]),
        ("The {} explains most of what we see.", &["model"]),
        ("Only the {} fails to account for the outliers.", &["model"]),
    ],
];

fn one(list: &[&'static str], rng: &mut Rng) -> &'static str {
    rng.choose(list).copied().unwrap_or_default()
}

/// A phrase under a tag.
fn phrase(tag: &str, rng: &mut Rng) -> String {
    match tag {
        "field" => one(&FIELDS, rng).to_owned(),
        "task" => {
            let (verb, things) = rng.choose(&TASKS).copied().unwrap_or(("finding", &[]));
            format!("{verb} {}", one(things, rng))
        }
        "dataset" => format!("{} {} {}", one(&PLACES, rng), one(&SIDES, rng), one(&COLLECTIONS, rng)),
        "modality" => one(&MODALITIES, rng).to_owned(),
        "method" => format!("{} {}", one(&MANNERS, rng), one(&PROCEDURES, rng)),
        "object" => format!("{} {}", one(&TRAITS, rng), one(&THINGS, rng)),
        "property" => one(&PROPERTIES, rng).to_owned(),
        "instrument" => format!("{}-{} {}", one(&MAKES, rng), rng.between(2, 9), one(&DEVICES, rng)),
        _ => format!("{} {}", one(&AUTHORS, rng), one(&LAWS, rng)),
    }
}

/// Every phrase under a tag that questions are about.
pub fn vocabulary(tag: &str) -> Vec<String> {
    let crossed = |left: &[&str], right: &[&str]| -> Vec<String> {
        left.iter().flat_map(|left| right.iter().map(move |right| format!("{left} {right}"))).collect()
    };
    match tag {
        "object" => crossed(&TRAITS, &THINGS),
        "method" => crossed(&MANNERS, &PROCEDURES),
        "dataset" => {
            let places = crossed(&PLACES, &SIDES);
            crossed(&places.iter().map(String::as_str).collect::<Vec<_>>(), &COLLECTIONS)
        }
        "instrument" => {
            let makes: Vec<String> =
                MAKES.iter().flat_map(|make| (2..=9).map(move |mark| format!("{make}-{mark}"))).collect();
            crossed(&makes.iter().map(String::as_str).collect::<Vec<_>>(), &DEVICES)
        }
        _ => Vec::new(),
    }
}

/// `count` different phrases under a tag.
pub fn pool(tag: &str, count: usize, rng: &mut Rng) -> Vec<String> {
    let mut pool: Vec<String> = Vec::new();
    // The smallest list has twelve phrases; a pool may be smaller than wished, never endless.
    for _ in 0..count * 64 {
        let next = phrase(tag, rng);
        if pool.len() < count && !pool.contains(&next) {
            pool.push(next);
        }
    }
    pool
}

/// Concepts for an abstract, drawn from everything there is.
pub fn drawn(rng: &mut Rng) -> Concepts {
    let tags = SENTENCES.iter().filter_map(|forms| forms.first()).flat_map(|(_, tags)| tags.iter().copied());
    tags.map(|tag| (tag, phrase(tag, rng))).collect()
}

/// An abstract about `concepts`: its sentences.
pub fn told(concepts: &Concepts, rng: &mut Rng) -> Vec<String> {
    let sentence = |forms: &&[(&str, &[&str])]| {
        let (form, tags) = rng.choose(forms).copied().unwrap_or_default();
        let mut text = form.to_owned();
        for (place, tag) in tags.iter().enumerate() {
            let phrase = concepts.get(tag).map_or("", String::as_str);
            let named = format!("{{{place}}}");
            text = if text.contains(&named) { text.replace(&named, phrase) } else { text.replacen("{}", phrase, 1) };
        }
        capital(&text)
    };
    SENTENCES.iter().map(sentence).collect()
}

fn capital(text: &str) -> String {
    let mut scalars = text.chars();
    scalars.next().map_or_else(String::new, |first| first.to_uppercase().chain(scalars).collect())
}

/// The concepts as an annotator lists them: as they stand in the text.
pub fn phrases(concepts: &Concepts, text: &str) -> Phrases {
    let as_written = |phrase: &String| if text.contains(phrase.as_str()) { phrase.clone() } else { capital(phrase) };
    concepts.iter().map(|(tag, phrase)| ((*tag).to_owned(), vec![as_written(phrase)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::kg_for_science::SCHEMA;

    #[test]
    fn an_abstract_has_one_phrase_of_every_tag_word_for_word() {
        for seed in 0..60 {
            let mut rng = Rng::from_path(&[seed]);
            let concepts = drawn(&mut rng);
            assert_eq!(concepts.len(), SCHEMA.len());
            let text = told(&concepts, &mut rng).join(" ");
            assert!(!text.contains('{'), "{text}");
            let phrases = phrases(&concepts, &text);
            for (tag, _) in SCHEMA {
                let [phrase] = phrases.get(tag).unwrap().as_slice() else { panic!("{tag}") };
                assert_eq!(text.matches(phrase.as_str()).count(), 1, "{tag} {phrase:?} in {text}");
            }
        }
    }

    #[test]
    fn pools_hold_different_phrases() {
        for (tag, _) in SCHEMA {
            let mut pool = pool(tag, 12, &mut Rng::from_path(&[1]));
            pool.sort_unstable();
            pool.dedup();
            assert_eq!(pool.len(), 12, "{tag}");
        }
    }
}
