//! Headlines: what papers set over the same dispatch.

use crate::template::filled;

/// Headlines that an event has.
pub const WORDINGS: usize = 4;

/// Headlines of six kinds of events, all of which name the town, and the sentence that opens the dispatch.
const KINDS: [([&str; WORDINGS], &str); 6] = [
    (
        [
            "Flood Cuts Off {town}",
            "{town} Under Water, {n} Flee Their Homes",
            "Rising River Drives {n} Families Out Of {town}",
            "{name} Pleads For Boats As {town} Is Submerged",
        ],
        "The river broke through the dam at {town} last night and drove {n} families from their homes, {name} reported.",
    ),
    (
        [
            "Fire Destroys Mill At {town}",
            "{n} Jobless As {town} Factory Burns",
            "Night Blaze Levels {town} Works",
            "{name} Sees Life's Work In {town} Go Up In Flames",
        ],
        "Flames destroyed the mill of {name} at {town} last night, and {n} hands are out of work.",
    ),
    (
        [
            "Bank Of {town} Robbed",
            "Masked Men Take {n} Thousand In {town}",
            "Robbers Bind Cashier {name} Of {town}",
            "{town} Posse Hunts Holdup Gang",
        ],
        "Masked men held up the bank of {town} at noon, bound the cashier {name} and took {n} thousand dollars.",
    ),
    (
        [
            "Miners Walk Out At {town}",
            "{n} Lay Down Tools In {town} Pits",
            "Strike Called By {name} Idles {town} Shafts",
            "{town} Owners Refuse To Parley With Strikers",
        ],
        "Some {n} miners walked out at {town} this morning at the call of {name}, and the owners refuse to talk.",
    ),
    (
        [
            "{town} Elects {name} Mayor",
            "{name} Wins By {n} Votes",
            "Upset At The Polls: {name} Carries {town}",
            "Recount Asked In {town} After Narrow Ballot",
        ],
        "Voters of {town} made {name} mayor yesterday by {n} votes, and the loser asks for a recount.",
    ),
    (
        [
            "Trains Collide Near {town}",
            "{n} Hurt In {town} Wreck",
            "Open Switch Blamed For {town} Smash",
            "{town} Engineer {name} Hailed As Hero Of Rail Disaster",
        ],
        "Two trains met head on near {town} before dawn, {n} persons were hurt, and the engineer {name} pulled many out.",
    ),
];

/// Kinds of events.
pub const KINDS_OF_EVENTS: usize = KINDS.len();

fn set(form: &str, town: &str, name: &str, amount: u64) -> String {
    filled(form, &[("town", town), ("name", name), ("n", &amount.to_string())])
}

/// A headline, without a full stop.
pub fn headline(kind: usize, wording: usize, town: &str, name: &str, amount: u64) -> String {
    let form = KINDS.get(kind % KINDS.len()).and_then(|(forms, _)| forms.get(wording)).copied().unwrap_or_default();
    set(form, town, name, amount)
}

/// The sentence that opens a dispatch.
pub fn lead(kind: usize, town: &str, name: &str, amount: u64) -> String {
    set(KINDS.get(kind % KINDS.len()).map_or("", |(_, lead)| lead), town, name, amount)
}
