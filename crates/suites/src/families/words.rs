//! Word lists and made-up words for keys, lists and codes.

use crate::rng::Rng;

/// Adjectives for keys.
const ADJECTIVES: [&str; 96] = [
    "amber", "ancient", "arctic", "ashen", "autumn", "bitter", "blazing", "bold", "brave", "bright", "brisk", "bronze",
    "calm", "careful", "cedar", "clever", "cobalt", "copper", "coral", "crimson", "crisp", "curious", "dapper",
    "daring", "deep", "distant", "dusky", "eager", "early", "earnest", "ebony", "emerald", "fabled", "faint",
    "fearless", "fleet", "fragrant", "frosty", "gentle", "gilded", "glad", "golden", "graceful", "grand", "hardy",
    "hazel", "hidden", "hollow", "honest", "humble", "icy", "idle", "ivory", "jolly", "keen", "kind", "lively",
    "lonely", "loyal", "lucid", "mellow", "merry", "mighty", "misty", "modest", "mossy", "nimble", "noble", "northern",
    "olive", "pale", "patient", "placid", "plain", "polite", "proud", "quick", "quiet", "rapid", "rustic", "scarlet",
    "secret", "serene", "shady", "silent", "silver", "sleepy", "smooth", "solemn", "steady", "stormy", "sunny",
    "swift", "tender", "velvet", "witty",
];

/// Nouns for keys.
const NOUNS: [&str; 128] = [
    "acorn",
    "anchor",
    "anvil",
    "apple",
    "arrow",
    "aspen",
    "badger",
    "barley",
    "basket",
    "beacon",
    "bell",
    "birch",
    "bobbin",
    "boulder",
    "bramble",
    "bridge",
    "brook",
    "bucket",
    "button",
    "cabin",
    "candle",
    "canyon",
    "caravan",
    "carpet",
    "castle",
    "cavern",
    "chalk",
    "chapel",
    "cherry",
    "chisel",
    "cider",
    "cloak",
    "clover",
    "comet",
    "compass",
    "cottage",
    "cradle",
    "crane",
    "creek",
    "crown",
    "dagger",
    "daisy",
    "desert",
    "dolphin",
    "drum",
    "eagle",
    "easel",
    "engine",
    "falcon",
    "feather",
    "fennel",
    "ferry",
    "fiddle",
    "flask",
    "forest",
    "fountain",
    "garden",
    "garnet",
    "gate",
    "glacier",
    "goblet",
    "grove",
    "hammer",
    "harbor",
    "harvest",
    "hatchet",
    "heron",
    "hinge",
    "hollyhock",
    "honey",
    "island",
    "ivy",
    "jacket",
    "jasmine",
    "kettle",
    "kite",
    "ladder",
    "lantern",
    "lark",
    "lemon",
    "lily",
    "linen",
    "locket",
    "loom",
    "magnet",
    "maple",
    "marble",
    "meadow",
    "mill",
    "mirror",
    "mitten",
    "needle",
    "nutmeg",
    "oak",
    "oasis",
    "orchard",
    "otter",
    "paddle",
    "parcel",
    "pebble",
    "pepper",
    "pillow",
    "plum",
    "pocket",
    "pond",
    "quarry",
    "quilt",
    "rabbit",
    "raven",
    "ribbon",
    "river",
    "saddle",
    "sail",
    "sparrow",
    "spindle",
    "spruce",
    "stable",
    "summit",
    "teapot",
    "thimble",
    "thistle",
    "trellis",
    "tulip",
    "valley",
    "violin",
    "walnut",
    "willow",
    "window",
];

/// `count` different keys, `adjective-noun`, with a second adjective once there are more than half the pairs.
pub fn keys(rng: &mut Rng, count: usize) -> Vec<String> {
    let pairs = ADJECTIVES.len() * NOUNS.len();
    let space = if count * 2 <= pairs { pairs } else { pairs * ADJECTIVES.len() };
    let word = |list: &[&'static str], index: usize| list.get(index % list.len()).copied().unwrap_or_default();
    rng.distinct(space, count)
        .into_iter()
        .map(|index| {
            let pair = format!("{}-{}", word(&ADJECTIVES, index / NOUNS.len()), word(&NOUNS, index));
            if space == pairs { pair } else { format!("{}-{pair}", word(&ADJECTIVES, index / pairs)) }
        })
        .collect()
}

/// `count` different made-up words of three open syllables.
pub fn made_up(rng: &mut Rng, count: usize) -> Vec<String> {
    const CONSONANTS: [&str; 20] =
        ["b", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "st", "tr", "gl"];
    const VOWELS: [&str; 5] = ["a", "e", "i", "o", "u"];
    let syllables = CONSONANTS.len() * VOWELS.len();
    rng.distinct(syllables * syllables * syllables, count)
        .into_iter()
        .map(|mut index| {
            let mut word = String::with_capacity(8);
            for _ in 0..3 {
                word.push_str(CONSONANTS.get(index % CONSONANTS.len()).copied().unwrap_or_default());
                index /= CONSONANTS.len();
                word.push_str(VOWELS.get(index % VOWELS.len()).copied().unwrap_or_default());
                index /= VOWELS.len();
            }
            word
        })
        .collect()
}

/// `count` different words of [`made_up`] that are not among `taken`.
pub fn made_up_beside(rng: &mut Rng, count: usize, taken: &[String]) -> Vec<String> {
    let fresh = made_up(rng, count + taken.len());
    fresh.into_iter().filter(|word| !taken.contains(word)).take(count).collect()
}

/// `count` different words of `letters` random letters from `first`, e.g. `b'a'` or `b'A'`.
pub fn letters(rng: &mut Rng, count: usize, letters: usize, first: u8) -> Vec<String> {
    let mut seen = std::collections::HashSet::with_capacity(count);
    let mut words = Vec::with_capacity(count);
    while words.len() < count {
        let word: String = (0..letters).map(|_| char::from(first + rng.below(26) as u8)).collect();
        if seen.insert(word.clone()) {
            words.push(word);
        }
    }
    words
}

/// A number of seven digits.
pub fn number(rng: &mut Rng) -> String {
    rng.between(1_000_000, 9_999_999).to_string()
}

/// 128 random bits in the textual form of a UUID.
pub fn uuid(rng: &mut Rng) -> String {
    let (high, low) = (rng.next_u64(), rng.next_u64());
    let bits = |value: u64, shift: u32, width: u32| (value >> shift) & ((1 << width) - 1);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        bits(high, 32, 32),
        bits(high, 16, 16),
        bits(high, 0, 16),
        bits(low, 48, 16),
        bits(low, 0, 48)
    )
}
