//! Which answers are compared next. Pure: the pool, what was asked before, and a seed come in.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use longboard_stats::pair::{Choice, EXPLORATION, choose, expected};
use longboard_store::judging::{Judging, Verdict};
use longboard_suites::judging::SCORE_PROMPT_VERSION;
use longboard_suites::rng::Rng;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::standing::Standing;

/// Battles of a round; the first has one per pair as well.
const ROUND: usize = 24;

/// Scores of a round, about.
const SCORES: usize = 1500;

/// A contestant of a judging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contestant {
    /// Slug.
    pub slug: String,
    /// Family of models.
    pub family: Option<String>,
}

/// An item that contestants answered: at least two where answers are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolItem {
    /// Task.
    pub task_slug: String,
    /// Version.
    pub task_version: i32,
    /// Bucket.
    pub length_tokens: i32,
    /// Item.
    pub item_index: i32,
    /// Answers by contestant.
    pub answers: BTreeMap<usize, i64>,
}

/// A judge of a judging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Slug.
    pub slug: String,
    /// Family of models.
    pub family: String,
    /// Version of the prompt it was enrolled with.
    pub prompt_version: String,
}

/// What may be compared, by whom.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    /// Contestants by slug.
    pub contestants: Vec<Contestant>,
    /// Items.
    pub items: Vec<PoolItem>,
    /// Judges.
    pub judges: Vec<Seat>,
}

/// A comparison to be: contestants in the order of the pool, and the item.
type Battle = (usize, usize, usize);

impl Pool {
    /// The questions of the next round: battles on items no judge of the pair has seen, both orders by every judge that
    /// is of neither family, and one absolute rating of each answer per judge. At most `left` questions; empty when
    /// nothing is left to compare within them.
    #[must_use]
    pub fn round(
        &self,
        judging: &Judging,
        asked: &[Verdict],
        mut standing: Option<Standing>,
        left: usize,
        now: DateTime<Utc>,
    ) -> Vec<Verdict> {
        let mut rng = Rng::from_path(&[judging.seed.cast_unsigned(), u64::from(judging.rounds.cast_unsigned())]);
        let mut open = self.open(judging, asked);
        let mut desk = Desk { pool: self, judging, rated: rated(asked), now, verdicts: Vec::new() };
        let size = if asked.is_empty() { ROUND.max(open.len()) } else { ROUND };
        for battle in 0..size {
            let Some((pair, chance)) = self.draw(&open, standing.as_mut(), battle, &mut rng) else { break };
            let Some(items) = open.get_mut(&pair).filter(|items| !items.is_empty()) else { break };
            let place = rng.index(items.len());
            #[expect(clippy::cast_precision_loss, reason = "a number of items")]
            let chance = chance / items.len() as f64;
            let item = items.swap_remove(place);
            if items.is_empty() {
                open.remove(&pair);
            }
            if !desk.put((pair.0, pair.1, item), chance, left) {
                break;
            }
        }
        desk.verdicts
    }

    /// The next questions of a judging that scores: `samples` scores of each answer by every judge of another family. An
    /// answer is scored by all of them or not at all; answers come in random order. At most `left` questions.
    #[must_use]
    pub fn scores(&self, judging: &Judging, asked: &[Verdict], left: usize, now: DateTime<Utc>) -> Vec<Verdict> {
        let mut rng = Rng::from_path(&[judging.seed.cast_unsigned()]);
        let mut open: Vec<(&PoolItem, usize)> =
            self.items.iter().flat_map(|item| item.answers.keys().map(move |contestant| (item, *contestant))).collect();
        rng.shuffle(&mut open);
        let done: BTreeSet<i64> = asked.iter().map(|verdict| verdict.first_answer).collect();
        let mut desk = Desk { pool: self, judging, rated: BTreeSet::new(), now, verdicts: Vec::new() };
        for (item, contestant) in open {
            if item.answers.get(&contestant).is_none_or(|answer| done.contains(answer)) {
                continue;
            }
            let before = desk.verdicts.len();
            if before >= SCORES {
                break;
            }
            for judge in self.judges_of(&[contestant]) {
                for sample in 0..judging.samples {
                    desk.ask(judge, item, (contestant, None), sample, 1.0);
                }
            }
            if desk.verdicts.len() > left {
                desk.verdicts.truncate(before);
                break;
            }
        }
        for verdict in &mut desk.verdicts {
            SCORE_PROMPT_VERSION.clone_into(&mut verdict.prompt_version);
        }
        desk.verdicts
    }

    /// The next pair with the probability of its draw. Without a standing all pairs come in turn, from a random one.
    fn draw(
        &self,
        open: &BTreeMap<(usize, usize), Vec<usize>>,
        standing: Option<&mut Standing>,
        battle: usize,
        rng: &mut Rng,
    ) -> Option<((usize, usize), f64)> {
        let allowed: Vec<(usize, usize)> = open.keys().copied().collect();
        let Some(standing) = standing else {
            #[expect(clippy::cast_precision_loss, reason = "a number of pairs")]
            let each = 1.0 / allowed.len().max(1) as f64;
            return Some((*allowed.get(battle.checked_rem(allowed.len())?)?, each));
        };
        let costs: Vec<f64> = allowed.iter().map(|pair| self.cost(*pair)).collect();
        let choice = Choice {
            estimates: &standing.estimates,
            covariance: &standing.covariance,
            allowed: &allowed,
            costs: &costs,
            critical: standing.critical,
            exploration: EXPLORATION,
        };
        let chosen = choose(&choice, rng.next_u64()).ok()?;
        standing.covariance = expected(&standing.estimates, &standing.covariance, chosen.pair, self.cost(chosen.pair));
        Some((chosen.pair, chosen.probability))
    }

    /// Votes that a battle of the pair brings.
    fn cost(&self, (one, other): (usize, usize)) -> f64 {
        2.0 * f64::from(u32::try_from(self.judges_of(&[one, other]).count()).unwrap_or(u32::MAX)).max(0.5)
    }

    /// Items on which a pair was not yet compared, by pair; only pairs that somebody may judge.
    fn open(&self, judging: &Judging, asked: &[Verdict]) -> BTreeMap<(usize, usize), Vec<usize>> {
        let seen: BTreeSet<Uuid> = asked.iter().map(|verdict| verdict.battle_id).collect();
        let mut open: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
        for (place, item) in self.items.iter().enumerate() {
            let answered: Vec<usize> = item.answers.keys().copied().collect();
            for (at, &one) in answered.iter().enumerate() {
                for &other in answered.iter().skip(at + 1) {
                    let fresh = !seen.contains(&self.battle_id(judging.id, item, &[one, other]));
                    if fresh && self.judges_of(&[one, other]).next().is_some() {
                        open.entry((one, other)).or_default().push(place);
                    }
                }
            }
        }
        open
    }

    /// Judges that are of no contestant's family.
    fn judges_of(&self, contestants: &[usize]) -> impl Iterator<Item = &Seat> {
        let families: Vec<&str> =
            contestants.iter().filter_map(|place| self.contestants.get(*place)?.family.as_deref()).collect();
        self.judges.iter().filter(move |judge| !families.contains(&judge.family.as_str()))
    }

    fn slug(&self, contestant: usize) -> &str {
        self.contestants.get(contestant).map_or("", |contestant| contestant.slug.as_str())
    }

    /// The same for every judge and order.
    fn battle_id(&self, judging: Uuid, item: &PoolItem, contestants: &[usize]) -> Uuid {
        let mut hasher = Sha256::new();
        hasher.update(judging.as_bytes());
        for part in [item.task_version, item.length_tokens, item.item_index] {
            hasher.update(part.to_be_bytes());
        }
        for text in std::iter::once(item.task_slug.as_str()).chain(contestants.iter().map(|place| self.slug(*place))) {
            hasher.update(text.as_bytes());
            hasher.update([0]);
        }
        let digest = hasher.finalize();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

/// Answers that a judge has rated or will: judge and answer.
fn rated(asked: &[Verdict]) -> BTreeSet<(String, i64)> {
    let absolute = asked.iter().filter(|verdict| verdict.second_answer.is_none());
    absolute.map(|verdict| (verdict.judge_slug.clone(), verdict.first_answer)).collect()
}

/// Where questions are written down.
struct Desk<'a> {
    pool: &'a Pool,
    judging: &'a Judging,
    rated: BTreeSet<(String, i64)>,
    now: DateTime<Utc>,
    verdicts: Vec<Verdict>,
}

impl Desk<'_> {
    /// Writes a battle's questions down; `false` when they would be more than `left`.
    fn put(&mut self, (one, other, place): Battle, propensity: f64, left: usize) -> bool {
        let Some(item) = self.pool.items.get(place) else { return false };
        let before = self.verdicts.len();
        for judge in self.pool.judges_of(&[one, other]) {
            for (turn, (first, second)) in [(0, (one, other)), (1, (other, one))] {
                self.ask(judge, item, (first, Some(second)), turn, propensity);
            }
            for contestant in [one, other] {
                let answer = item.answers.get(&contestant).copied().unwrap_or_default();
                if self.rated.insert((judge.slug.clone(), answer)) {
                    self.ask(judge, item, (contestant, None), 0, propensity);
                }
            }
        }
        if self.verdicts.len() > left {
            self.verdicts.truncate(before);
            return false;
        }
        true
    }

    fn ask(
        &mut self,
        judge: &Seat,
        item: &PoolItem,
        (first, second): (usize, Option<usize>),
        turn: i32,
        propensity: f64,
    ) {
        let mut contestants: Vec<usize> = std::iter::once(first).chain(second).collect();
        contestants.sort_unstable();
        let battle_id = self.pool.battle_id(self.judging.id, item, &contestants);
        let answer = |contestant: usize| item.answers.get(&contestant).copied();
        let nonce = Sha256::digest(format!("{}/{battle_id}/{}/{turn}", self.judging.seed, judge.slug));
        self.verdicts.push(Verdict {
            id: 0,
            judging_id: self.judging.id,
            judge_slug: judge.slug.clone(),
            labeller: String::new(),
            battle_id,
            shard_id: None,
            position: 0,
            task_slug: item.task_slug.clone(),
            task_version: item.task_version,
            length_tokens: item.length_tokens,
            item_index: item.item_index,
            first_answer: answer(first).unwrap_or_default(),
            second_answer: second.and_then(answer),
            first_entry: self.pool.slug(first).to_owned(),
            second_entry: second.map(|second| self.pool.slug(second).to_owned()),
            turn,
            nonce: hex::encode(nonce),
            propensity,
            prompt_version: judge.prompt_version.clone(),
            prompt_digest: None,
            label: None,
            rating: None,
            raw: None,
            asks: 0,
            cause: None,
            latency_ms: None,
            worker_id: None,
            created_at: self.now,
            decided_at: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use longboard_store::{JudgingState, Names};

    use super::*;

    fn pool(items: i32) -> Pool {
        let contestant =
            |slug: &str, family: &str| Contestant { slug: slug.to_owned(), family: Some(family.to_owned()) };
        let seat = |slug: &str| Seat { slug: slug.to_owned(), family: slug.to_owned(), prompt_version: "p".to_owned() };
        let item = |item_index: i32| PoolItem {
            task_slug: "t".to_owned(),
            task_version: 1,
            length_tokens: 4096,
            item_index,
            answers: BTreeMap::from([(0, i64::from(item_index) * 2), (1, i64::from(item_index) * 2 + 1)]),
        };
        Pool {
            contestants: vec![contestant("a", "one"), contestant("b", "elsewhere")],
            items: (0..items).map(item).collect(),
            judges: ["one", "two", "three"].map(seat).to_vec(),
        }
    }

    fn judging(samples: i32) -> Judging {
        Judging {
            id: Uuid::nil(),
            suite_slug: "s".to_owned(),
            judges: Names::default(),
            budget: 1000,
            samples,
            rounds: 0,
            seed: 5,
            state: JudgingState::Open,
            ended_by: None,
            requested_by: String::new(),
            created_at: DateTime::UNIX_EPOCH,
            closed_at: None,
        }
    }

    #[test]
    fn every_answer_is_scored_as_often_by_all_judges_of_other_families() {
        let (pool, judging) = (pool(4), judging(5));
        let scores = pool.scores(&judging, &[], 1000, DateTime::UNIX_EPOCH);
        // Two judges for one contestant, three for the other.
        assert_eq!(scores.len(), 4 * (2 + 3) * 5);
        let asked: BTreeSet<(i64, &str, i32)> =
            scores.iter().map(|score| (score.first_answer, score.judge_slug.as_str(), score.turn)).collect();
        assert_eq!(asked.len(), scores.len());
        assert!(
            scores.iter().all(|score| score.second_answer.is_none() && score.prompt_version == SCORE_PROMPT_VERSION)
        );
        assert!(scores.iter().all(|score| score.first_entry != "a" || score.judge_slug != "one"));
        let nonces: BTreeSet<&str> = scores.iter().map(|score| score.nonce.as_str()).collect();
        assert_eq!(nonces.len(), scores.len());
        assert!(pool.scores(&judging, &scores, 1000, DateTime::UNIX_EPOCH).is_empty());
    }

    #[test]
    fn an_answer_is_scored_by_all_or_by_none() {
        let (pool, judging) = (pool(4), judging(5));
        let scores = pool.scores(&judging, &[], 24, DateTime::UNIX_EPOCH);
        let mut by_answer: BTreeMap<i64, usize> = BTreeMap::new();
        for score in &scores {
            *by_answer.entry(score.first_answer).or_default() += 1;
        }
        assert!(!scores.is_empty() && scores.len() <= 24);
        assert!(
            by_answer.iter().all(|(answer, count)| *count == if answer % 2 == 0 { 10 } else { 15 }),
            "{by_answer:?}"
        );
        let more = pool.scores(&judging, &scores, 1000, DateTime::UNIX_EPOCH);
        assert_eq!(scores.len() + more.len(), 100);
    }
}
