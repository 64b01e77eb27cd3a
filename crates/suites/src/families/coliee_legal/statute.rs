//! A statute: articles of numbered sentences, of which one rules on a kind of case and the others on the office.

use crate::card::Language;
use crate::families::searched;
use crate::haystack::{Passage, PassageBuilder, planting_cost};
use crate::item::Item;
use crate::retrieval::document_id;
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};
use crate::template::filled;
use crate::world::{PersonId, World};

/// Articles of a statute.
pub const ARTICLES: u32 = 40;
/// Every third article refers to the one after it.
const EVERY: u32 = 3;

const THINGS: [&str; 16] = [
    "cart",
    "boat",
    "horse",
    "plough",
    "bell",
    "loom",
    "barrel",
    "millstone",
    "fishing net",
    "beehive",
    "saddle",
    "fence",
    "ladder",
    "stove",
    "anvil",
    "tent",
];

/// A rule and a situation that it decides. Both speak of the same thing, and of little else in the same words.
const RULES: [(&str, &str); 10] = [
    (
        "Whoever leaves a {thing} on common ground for more than {days} days loses it to the town.",
        "{name} put down a {thing} beside the public well and only came back for it after {over} days. May the town keep it?",
    ),
    (
        "A {thing} that was lent for a fixed time and comes back late is returned with a tenth of its worth.",
        "{name} had borrowed a {thing} until Easter and handed it over two weeks afterwards. What has to be paid?",
    ),
    (
        "The seller of a {thing} answers for hidden faults during {days} days.",
        "The {thing} that {name} had bought broke soon after through a flaw that nobody could have seen. Must the merchant make it good?",
    ),
    (
        "Where two persons claim the same {thing}, the reeve holds it until one of them brings a witness.",
        "{name} and a neighbour both say that a {thing} is theirs. Who keeps it in the meantime?",
    ),
    (
        "A {thing} taken out of a river belongs to the finder once {days} days have passed without a claim.",
        "{name} pulled a {thing} from the water {over} days ago and nobody has asked for it. Whose is it now?",
    ),
    (
        "Whoever harms the {thing} of another in the dark pays double, unless a lamp was refused.",
        "At night {name} stumbled over somebody else's {thing} and ruined it. How much is due?",
    ),
    (
        "A guardian sells a {thing} of a ward only with leave of the council.",
        "{name}, who looks after an orphan, wants to turn the child's {thing} into money. Who has to agree?",
    ),
    (
        "The heir of a {thing} takes it with the debts that rest on it.",
        "{name} was left a {thing} by an uncle, for which the price had never been paid. Can the creditor ask for the rest?",
    ),
    (
        "Nobody may seize a {thing} by which a debtor earns a living.",
        "{name} owes rent, and the landlord wants to carry off the {thing} that feeds the family. Is that allowed?",
    ),
    (
        "A {thing} that two have bought together is not divided; the one who keeps it pays the other half its price.",
        "{name} and a partner, who share a {thing}, part ways. What becomes of it?",
    ),
];

const SETTLED: &str = "Sums due for a {thing} under Article {first} are settled before the clerk within {days} days.";
const ASKED: &str = "And before whom is the sum settled?";

/// Sentences on the office, which decide nothing.
const CLAUSES: [&str; 14] = [
    "The words of this Title are read in their plain sense.",
    "A notice about {a} is given in writing and read aloud at the {place}.",
    "The office keeps a roll of {a} and enters every change within {n} days.",
    "Costs that arise from {a} are borne by whoever asked for it.",
    "Nothing in this Title touches {a}, {b} or what is older than {n} years.",
    "Where the roll of {a} is lost, a sworn copy from the {place} stands in its place.",
    "An officer who has a share in {a} leaves the matter to another.",
    "The council may lay down by order how {a} and {b} are measured.",
    "A term under this Title begins on the day after the notice and ends at sunset.",
    "The seal is set on papers about {a} at the {place}, in the presence of {m} persons.",
    "Orders on {a} that were made before this Title stay in force for {n} months.",
    "What is said here of {a} holds for {b} in the same way.",
    "The yearly account of {a} lies open at the {place} for {n} days.",
    "A fee of {m} pence is taken for an extract from the roll of {b}.",
];

const MATTERS: [&str; 24] = [
    "weights",
    "market stalls",
    "wells",
    "hedges",
    "tolls",
    "festivals",
    "apprentices",
    "road works",
    "chimneys",
    "grazing",
    "lotteries",
    "street lamps",
    "wills",
    "measures",
    "guild dues",
    "inns",
    "ferries",
    "seals",
    "oaths",
    "drains",
    "burials",
    "woodcutting",
    "fire watches",
    "travelling players",
];

const PLACES: [&str; 6] = ["town hall", "north gate", "market cross", "record room", "chapel door", "guild house"];

struct Article {
    rule: String,
    situation: String,
    thing: &'static str,
}

/// The articles of a block.
pub struct Statute {
    block: u32,
    articles: Vec<Article>,
}

impl Statute {
    /// The statute of a block: no two articles have the same rule on the same thing.
    pub fn draw(task: &Task, request: &ItemRequest<'_>, block: u32) -> Self {
        let mut rng = searched::stream(task, request, block, "statute");
        let world = World::new(rng.next_u64());
        let pairs = rng.distinct(THINGS.len() * RULES.len(), ARTICLES as usize);
        let articles = (0..).zip(pairs).map(|(number, pair)| {
            let thing = THINGS.get(pair % THINGS.len()).copied().unwrap_or_default();
            let (rule, situation) = RULES.get(pair / THINGS.len()).copied().unwrap_or_default();
            let name = world.person(PersonId(number * 13)).name.of(Language::English);
            let days = rng.between(5, 40);
            let (days, over) = (days.to_string(), (days + rng.between(2, 30)).to_string());
            let slots = [("thing", thing), ("name", &name), ("days", &days), ("over", &over)];
            Article { rule: filled(rule, &slots), situation: filled(situation, &slots), thing }
        });
        Self { block, articles: articles.collect() }
    }

    /// The articles that decide the situation of an article.
    pub fn deciding(number: u32) -> Vec<u32> {
        if Self::refers(number) { vec![number, number + 1] } else { vec![number] }
    }

    fn refers(number: u32) -> bool {
        number.is_multiple_of(EVERY) && number + 1 < ARTICLES
    }

    /// The situation with the article whose rule decides it.
    pub fn item(&self, task: &Task, request: &ItemRequest<'_>, number: u32) -> Result<Item, GenerateError> {
        let mut rng = searched::stream(task, request, self.block, &document_id(number));
        let Some(article) = self.articles.get(number as usize) else {
            return Err(crate::families::prose::unsatisfiable(task, request, "there is no such article"));
        };
        let mut query = article.situation.clone();
        let mut needles = vec![(0.05 + 0.9 * rng.unit(), article.rule.clone())];
        if Self::refers(number) {
            query = format!("{query} {ASKED}");
            needles.push((rng.unit(), format!("For settling it, Article {} holds.", number + 2)));
        }
        let before = number.checked_sub(1).filter(|before| Self::refers(*before));
        let settling = before.and_then(|before| Some((before, self.articles.get(before as usize)?)));
        if let Some((before, article)) = settling {
            let slots = [
                ("thing", article.thing),
                ("first", &(before + 1).to_string()),
                ("days", &rng.between(5, 40).to_string()),
            ];
            needles.push((rng.unit(), filled(SETTLED, &slots)));
        }
        let clauses = rng.next_u64();
        let mut item =
            searched::item(task, request, vec![query], needles, &mut |budget| Ok(around(number, clauses, budget)))?;
        if settling.is_some() {
            // What it says of another article's sums is no evidence for its own situation.
            let text = item.joined();
            item.needles
                .retain(|needle| text.get(needle.start..needle.end).is_some_and(|text| !text.starts_with("Sums due")));
        }
        Ok(item)
    }
}

/// An article of at most `budget` canonical tokens without its rule.
fn around(number: u32, seed: u64, budget: u32) -> Passage {
    let mut rng = Rng::from_path(&[seed]);
    let mut builder = PassageBuilder::new(Language::English, budget as usize * 5);
    builder.sentence(&format!("Article {}.", number + 1));
    builder.end_paragraph();
    for paragraph in 1.. {
        let sentence = format!("({paragraph}) {}", clause(&mut rng));
        let cost = planting_cost(Language::English, &sentence);
        if builder.tokens() + cost + 1 > budget {
            break;
        }
        builder.counted_sentence(&sentence, cost);
        if paragraph % 5 == 0 {
            builder.end_paragraph();
        }
    }
    for closing in ["The rest is left to the order of the council.", "So it is enacted.", "Amen."] {
        let cost = planting_cost(Language::English, closing);
        while builder.tokens() + cost < budget {
            builder.counted_sentence(closing, cost);
        }
    }
    builder.finish()
}

fn clause(rng: &mut Rng) -> String {
    let mut word = |words: &[&'static str]| rng.choose(words).copied().unwrap_or_default();
    let (clause, a, b, place) = (word(&CLAUSES), word(&MATTERS), word(&MATTERS), word(&PLACES));
    let (n, m) = (rng.between(3, 90).to_string(), rng.between(2, 9).to_string());
    filled(clause, &[("a", a), ("b", b), ("place", place), ("n", &n), ("m", &m)])
}
