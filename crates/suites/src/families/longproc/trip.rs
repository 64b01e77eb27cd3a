//! Trips: towns with lengths of stay, some on fixed days, and one-way flights between them.

use serde_json::json;

use crate::families::words;
use crate::item::Item;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};

use super::{Level, capitalised};

/// A town of the trip.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Town {
    name: String,
    days: u32,
    /// Day of arrival, where it is fixed.
    fixed: Option<u32>,
}

/// Towns in the order in which they are told, and flights as pairs of places in that list.
struct Trip {
    towns: Vec<Town>,
    flights: Vec<(usize, usize)>,
}

/// A place in the list and the day of arrival.
type Stay = (usize, u32);

impl Trip {
    fn new(count: usize, spare: u64, rng: &mut Rng) -> Self {
        let names = words::made_up(rng, count);
        let mut day = 1;
        let mut towns: Vec<Town> = names
            .iter()
            .map(|name| {
                let days = rng.between(2, 7) as u32;
                let fixed = (rng.below(4) == 0).then_some(day);
                day += days - 1;
                Town { name: capitalised(name), days, fixed }
            })
            .collect();
        let path: Vec<String> = towns.iter().map(|town| town.name.clone()).collect();
        rng.shuffle(&mut towns);
        let place = |name: &String| towns.iter().position(|town| town.name == *name).unwrap_or_default();
        let mut flights: Vec<(usize, usize)> =
            path.iter().zip(path.iter().skip(1)).map(|(from, to)| (place(from), place(to))).collect();
        for from in 0..count {
            for to in 0..count {
                if from != to && !flights.contains(&(from, to)) && rng.below(100) < spare {
                    flights.push((from, to));
                }
            }
        }
        rng.shuffle(&mut flights);
        Self { towns, flights }
    }

    fn name(&self, place: usize) -> &str {
        self.towns.get(place).map_or("", |town| town.name.as_str())
    }

    fn days(&self, place: usize) -> u32 {
        self.towns.get(place).map_or(1, |town| town.days)
    }

    /// The conditions, one sentence each.
    fn conditions(&self) -> Vec<String> {
        let stays = self.towns.iter().map(|town| match town.fixed {
            Some(day) => format!(
                "The trip spends {} days in {}, and they must be day {day} to day {}.",
                town.days,
                town.name,
                day + town.days - 1
            ),
            None => format!("The trip spends {} days in {}.", town.days, town.name),
        });
        let flights = self
            .flights
            .iter()
            .map(|&(from, to)| format!("A direct flight goes from {} to {}.", self.name(from), self.name(to)));
        stays.chain(flights).collect()
    }

    fn plan(&self, stays: &[Stay]) -> String {
        let mut lines = Vec::new();
        for (index, &(place, day)) in stays.iter().enumerate() {
            let (name, end) = (self.name(place), day + self.days(place) - 1);
            lines.push(format!("**Day {day}-{end}:** Stay in {name} for {} days.", self.days(place)));
            if let Some(&(next, _)) = stays.get(index + 1) {
                lines.push(format!("**Day {end}:** Fly from {name} to {}.", self.name(next)));
            }
        }
        lines.join("\n")
    }
}

/// A search for trips, with its trace as long as `lines` is wanted.
struct Search<'a> {
    trip: &'a Trip,
    lines: Vec<String>,
    found: Vec<Vec<Stay>>,
    /// Plans after which the search ends.
    enough: usize,
    steps: usize,
}

/// Steps after which a search is given up.
const STEPS: usize = 20_000;

impl<'a> Search<'a> {
    fn new(trip: &'a Trip, enough: usize) -> Self {
        let mut search = Self { trip, lines: Vec::new(), found: Vec::new(), enough, steps: 0 };
        search.explore(1, &mut Vec::new());
        search
    }

    /// True when the search is over.
    fn explore(&mut self, day: u32, stays: &mut Vec<Stay>) -> bool {
        self.steps += 1;
        let depth = stays.len();
        let trip = self.trip;
        let names: Vec<&str> = stays.iter().map(|&(place, _)| trip.name(place)).collect();
        self.say(depth, format!("Day {day}, planned so far: [{}].", names.join(", ")));
        if stays.len() == trip.towns.len() {
            self.say(depth, "All towns are planned.".to_owned());
            self.found.push(stays.clone());
            return self.found.len() >= self.enough;
        }
        let is_planned = |place: usize| stays.iter().any(|&(planned, _)| planned == place);
        let fixed = trip.towns.iter().position(|town| town.fixed == Some(day)).filter(|&place| !is_planned(place));
        let choices: Vec<usize> = match fixed {
            Some(place) => vec![place],
            None => (0..trip.towns.len())
                .filter(|&place| trip.towns.get(place).is_some_and(|town| town.fixed.is_none()) && !is_planned(place))
                .collect(),
        };
        let listed: Vec<&str> = choices.iter().map(|&place| trip.name(place)).collect();
        let kind = if fixed.is_some() { "fixed for this day" } else { "free to choose" };
        self.say(depth, format!("Towns {kind}: [{}].", listed.join(", ")));
        let next_fixed = trip
            .towns
            .iter()
            .filter_map(|town| Some((town.fixed.filter(|&start| start > day)?, town.name.as_str())))
            .min();
        for place in choices {
            if self.steps > STEPS {
                return true;
            }
            let end = day + trip.days(place) - 1;
            self.say(depth + 1, format!("Try {} from day {day} to day {end}.", trip.name(place)));
            if let Some(&(last, _)) = stays.last()
                && !trip.flights.contains(&(last, place))
            {
                self.say(
                    depth + 1,
                    format!("No flight from {} to {}, drop this branch.", trip.name(last), trip.name(place)),
                );
                continue;
            }
            if let Some((start, name)) = next_fixed
                && start < end
            {
                self.say(depth + 1, format!("Too late for {name} on day {start}, drop this branch."));
                continue;
            }
            stays.push((place, day));
            let over = self.explore(end, stays);
            stays.pop();
            if over {
                return true;
            }
        }
        self.say(depth, format!("Nothing is left to try on day {day}, go back."));
        false
    }

    fn say(&mut self, depth: usize, text: String) {
        self.lines.push(format!("{}|- {text}", " ".repeat(depth)));
    }

    fn trace(&self) -> Option<String> {
        let plan = self.trip.plan(self.found.first()?);
        Some(format!("<Solving Procedure>\n{}\n</Solving Procedure>\n\n<Plan>\n{plan}\n</Plan>", self.lines.join("\n")))
    }
}

/// A trip with one plan only, whose trace has the level's length.
fn draw(level: Level, rng: &mut Rng) -> Option<(Trip, Vec<Stay>, String)> {
    let wanted = match level {
        Level::Long => level.answer_tokens(),
        _ => 500..=*level.answer_tokens().end(),
    };
    (0..4000).find_map(|_| {
        let count = if level == Level::Long { 7 + rng.index(3) } else { 4 + rng.index(3) };
        let spare = rng.between(15, 45);
        let trip = Trip::new(count, spare, rng);
        let first = Search::new(&trip, 1);
        // A line has between 8 and 24 tokens.
        if !(*wanted.start() as usize / 24..*wanted.end() as usize / 8).contains(&first.lines.len()) {
            return None;
        }
        if Search::new(&trip, 2).found.len() != 1 {
            return None;
        }
        let trace = first.trace()?;
        let stays = first.found.first().cloned()?;
        wanted.contains(&crate::tokens::count(&trace)).then_some((trip, stays, trace))
    })
}

pub(super) fn generate(
    task: &Task,
    request: &ItemRequest<'_>,
    level: Level,
    mut rng: Rng,
) -> Result<Item, GenerateError> {
    let (trip, stays, trace) = draw(level, &mut rng).ok_or_else(|| {
        super::prose::unsatisfiable(task, request, "no trip of this length was found; take another seed")
    })?;
    let example = Trip {
        towns: vec![
            Town { name: "Fennaro".to_owned(), days: 3, fixed: None },
            Town { name: "Gluvima".to_owned(), days: 2, fixed: Some(3) },
            Town { name: "Stobeli".to_owned(), days: 4, fixed: None },
        ],
        flights: vec![(0, 1), (1, 2), (2, 0)],
    };
    let shown = Search::new(&example, 1).trace().unwrap_or_default();
    let head = format!(
        "Plan a trip through several towns. Its conditions stand scattered in the chronicle below: how many days each town takes, which towns have fixed days, and which direct flights there are. Flights go one way only. Days of arrival and departure count for both towns: after a stay from day 1 to day 3 the next one begins on day 3. The trip begins on day 1 in any town.\n\nSearch as in the example, towns in the order in which the chronicle first gives their days: on each day take the town fixed for it, else try the free ones in order; drop one without a flight or that ends after the next fixed day; go back when nothing is left. Write the search between <Solving Procedure> and </Solving Procedure> and the plan between <Plan> and </Plan>.\n\nExample\n{}\n{shown}\n\nChronicle\n\n",
        example.conditions().join("\n")
    );
    let tail = format!("\n\nPlan the trip through all {} towns in the form of the example.", trip.towns.len());
    let cities: Vec<&str> = stays.iter().map(|&(place, _)| trip.name(place)).collect();
    let days: Vec<String> = stays.iter().map(|&(place, _)| trip.days(place).to_string()).collect();
    let answer = Answer {
        references: vec![trip.plan(&stays)],
        gold: json!({ "cities": cities.join("**"), "days": days.join("**"), "trace": trace }),
        ..Answer::default()
    };
    super::scattered(task, request, &mut rng, [head, tail], trip.conditions(), answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_keeps_to_all_conditions() {
        for seed in 0..12 {
            let (trip, stays, _) = draw(Level::Middle, &mut Rng::from_path(&[seed])).unwrap();
            assert_eq!(stays.len(), trip.towns.len());
            for pair in stays.windows(2) {
                assert!(trip.flights.contains(&(pair[0].0, pair[1].0)));
                assert_eq!(pair[0].1 + trip.days(pair[0].0) - 1, pair[1].1);
            }
            assert!(stays.iter().all(|&(place, day)| trip.towns[place].fixed.is_none_or(|fixed| fixed == day)));
        }
    }
}
