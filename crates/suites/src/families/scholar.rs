//! Scholars who do not exist, and their homepages with entities of one to many words.

use std::collections::HashSet;

use crate::card::Language;
use crate::metrics::sener::Entity;
use crate::rng::Rng;
use crate::world::{MONTHS, PersonId, TownId, World};

/// Types of entities, and what they are.
pub const KINDS: [(&str, &str); 9] = [
    ("title", "position with its subject"),
    ("work_for", "present employer"),
    ("birthday", "day of birth"),
    ("birth_place", "place of birth"),
    ("education", "degree with subject, university and year"),
    ("work_record", "former position with employer and years"),
    ("awards", "prize with what it was given for and the year"),
    ("honorary_title", "title given as an honour, with who gave it"),
    ("research_interests", "subject of research"),
];

const RANKS: [&str; 5] = ["Professor", "Reader", "Lecturer", "Curator", "Senior Fellow"];
const SUBJECTS: [&str; 24] = [
    "Hydraulic Engineering",
    "Comparative Grammar",
    "Coastal Geology",
    "Musical Acoustics",
    "Alpine Botany",
    "Medieval Accounting",
    "Soil Chemistry",
    "Number Theory",
    "Textile History",
    "Observational Astronomy",
    "Animal Physiology",
    "Municipal Law",
    "Theoretical Optics",
    "Rural Economics",
    "Classical Philology",
    "Structural Mechanics",
    "Marine Zoology",
    "Applied Statistics",
    "Urban Planning",
    "Historical Cartography",
    "Organic Synthesis",
    "Field Linguistics",
    "Experimental Psychology",
    "Glacier Physics",
];
const HOUSES: [&str; 8] = [
    "Institute for River Navigation",
    "Academy of Useful Arts",
    "Museum of Natural History",
    "College of Surveying and Mines",
    "Laboratory for Quiet Machines",
    "Observatory on the Northern Hill",
    "School of Public Works",
    "Library for Foreign Tongues",
];
const POSTS: [&str; 12] = [
    "keeper of the tide tables",
    "assistant to the city engineer",
    "second violin and archivist",
    "head of the drawing office",
    "inspector of weights and measures",
    "editor of the almanac",
    "teacher of mathematics to apprentices",
    "secretary of the harbour board",
    "warden of the botanical garden",
    "examiner of patents for looms",
    "surveyor of roads and bridges",
    "translator of foreign letters",
];
const OFFICES: [&str; 6] =
    ["Harbour Office", "Town Archive", "Grammar School", "Royal Mint", "Weather Station", "Land Registry"];
const PRIZES: [&str; 10] = [
    "Golden Compass Medal",
    "Silver Quill Prize",
    "Great Seal for Learning",
    "Lantern Award",
    "Founders' Cup",
    "Blue Ribbon for Young Researchers",
    "Plumb Line Prize",
    "Oak Leaf Medal",
    "Open Book Award",
    "Clear Water Prize",
];
const DEEDS: [&str; 12] = [
    "the best map of a tidal river",
    "a lifelong study of old sluices",
    "the shortest proof of a long suspected theorem",
    "lectures that filled the largest hall of the town",
    "the recovery of a lost dictionary",
    "an honest account of a failed experiment",
    "the first full count of the moths of the marshes",
    "patience in the comparison of a thousand charters",
    "a bridge that has not moved since it was built",
    "the kindest textbook in use",
    "work on the grammar of two dying dialects",
    "a clock that loses one second in nine years",
];
const CIRCLES: [&str; 8] = [
    "Society for Coastal Studies",
    "Guild of Instrument Makers",
    "Royal Society of Millers",
    "League of Town Libraries",
    "Order of Public Lecturers",
    "Union of Bridge Builders",
    "Brotherhood of Cartographers",
    "Circle for Ancient Music",
];
const HONOURS: [&str; 4] = ["Honorary Fellow", "Honorary Member", "Freeman for Life", "Doctor honoris causa"];
const STUDIED: [&str; 10] = [
    "sediment transport",
    "the vocabulary of tolls",
    "standing waves",
    "seed dispersal",
    "double entry",
    "crystal growth",
    "prime gaps",
    "loom patterns",
    "faint comets",
    "nerve signals",
];
const WHERE: [&str; 10] = [
    "in braided rivers",
    "in mountain villages",
    "in shallow canals",
    "under heavy snow",
    "before the invention of paper",
    "at low temperatures",
    "over several centuries",
    "in island communities",
    "near city walls",
    "without modern instruments",
];
const DEGREES: [&str; 4] = ["Doctor of Philosophy", "Master of Science", "Doctor of Letters", "Bachelor of Arts"];

/// A homepage.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its sentences.
    pub sentences: Vec<String>,
    /// Its entities in the order of the sentences.
    pub entities: Vec<Entity>,
}

/// Makes pages whose people and towns are all different.
pub struct Scholars {
    world: World,
    next: u32,
    towns: HashSet<String>,
}

/// A sentence with its entities.
struct Told {
    text: String,
    entities: Vec<Entity>,
}

impl Told {
    /// Fills `{}` of `form` by entities, in order.
    fn new(form: &str, entities: Vec<(&str, String)>) -> Self {
        let mut text = String::new();
        let mut filled = entities.iter();
        for (place, part) in form.split("{}").enumerate() {
            if place > 0 {
                text.push_str(filled.next().map_or("", |(_, text)| text));
            }
            text.push_str(part);
        }
        let entities = entities.into_iter().map(|(kind, text)| Entity { kind: kind.to_owned(), text }).collect();
        Self { text, entities }
    }
}

fn one<'a>(list: &[&'a str], rng: &mut Rng) -> &'a str {
    rng.choose(list).copied().unwrap_or_default()
}

impl Scholars {
    /// People and towns from `first` on.
    pub fn new(world: World, first: u32) -> Self {
        Self { world, next: first, towns: HashSet::new() }
    }

    /// A town that no page has named.
    fn town(&mut self) -> String {
        loop {
            self.next += 1;
            let name = self.world.town(TownId(self.next)).name.of(Language::English);
            if self.towns.insert(name.clone()) {
                return name;
            }
        }
    }

    /// The next page.
    pub fn page(&mut self, rng: &mut Rng) -> Page {
        let name = self.world.person(PersonId(self.next)).name.of(Language::English);
        let mut told = vec![self.post(rng), self.birth(rng), self.degree(rng), self.record(rng), self.prize(rng)];
        told.extend([self.honour(rng), interest(rng)]);
        if rng.index(2) == 0 {
            told.push(self.prize(rng));
        }
        rng.shuffle(&mut told);
        let first = Told { text: format!("Homepage of {name}."), entities: Vec::new() };
        let told: Vec<Told> = std::iter::once(first).chain(told).collect();
        let entities = told.iter().flat_map(|told| told.entities.iter().cloned()).collect();
        Page { sentences: told.into_iter().map(|told| told.text).collect(), entities }
    }

    fn post(&mut self, rng: &mut Rng) -> Told {
        let title = format!("{} of {}", one(&RANKS, rng), one(&SUBJECTS, rng));
        let house = format!("{} at {}", one(&HOUSES, rng), self.town());
        let form = *rng
            .choose(&[
                "I am {} at the {}.",
                "My present post is that of {} with the {}.",
                "You find me as {} in the {}.",
            ])
            .unwrap_or(&"{} {}");
        Told::new(form, vec![("title", title), ("work_for", house)])
    }

    fn birth(&mut self, rng: &mut Rng) -> Told {
        let day = format!("{} {} {}", rng.between(1, 28), one(&MONTHS, rng), rng.between(1930, 1985));
        let form = *rng.choose(&["I was born on {} in {}.", "On {} I came into the world at {}."]).unwrap_or(&"{} {}");
        Told::new(form, vec![("birthday", day), ("birth_place", self.town())])
    }

    fn degree(&mut self, rng: &mut Rng) -> Told {
        let degree = format!(
            "{} in {}, University of {}, {}",
            one(&DEGREES, rng),
            one(&SUBJECTS, rng),
            self.town(),
            rng.between(1952, 2008)
        );
        let form = *rng.choose(&["My degree: {}.", "I studied long and became {}."]).unwrap_or(&"{}");
        Told::new(form, vec![("education", degree)])
    }

    fn record(&mut self, rng: &mut Rng) -> Told {
        let from = rng.between(1955, 1995);
        let to = from + rng.between(2, 12);
        let post = format!("{} at the {} of {} from {from} to {to}", one(&POSTS, rng), one(&OFFICES, rng), self.town());
        let form = *rng.choose(&["Earlier I was {}.", "Before all this I served as {}."]).unwrap_or(&"{}");
        Told::new(form, vec![("work_record", post)])
    }

    fn prize(&mut self, rng: &mut Rng) -> Told {
        let prize = format!(
            "{} of the {} in {} for {}, {}",
            one(&PRIZES, rng),
            one(&CIRCLES, rng),
            self.town(),
            one(&DEEDS, rng),
            rng.between(1960, 2015)
        );
        let form = *rng.choose(&["I was given the {}.", "On my desk stands the {}."]).unwrap_or(&"{}");
        Told::new(form, vec![("awards", prize)])
    }

    fn honour(&mut self, rng: &mut Rng) -> Told {
        let honour = format!("{} of the {} at {}", one(&HONOURS, rng), one(&CIRCLES, rng), self.town());
        let form = *rng.choose(&["They made me {}.", "I may call myself {}."]).unwrap_or(&"{}");
        Told::new(form, vec![("honorary_title", honour)])
    }
}

fn interest(rng: &mut Rng) -> Told {
    let subject = format!("{} {}", one(&STUDIED, rng), one(&WHERE, rng));
    let form = *rng.choose(&["My research is about {}.", "What keeps me awake is {}."]).unwrap_or(&"{}");
    Told::new(form, vec![("research_interests", subject)])
}
