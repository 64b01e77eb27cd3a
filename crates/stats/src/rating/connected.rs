//! Which models share a scale, and where a weak prior puts the others.

use crate::StatsError;
use crate::fit::Problem;
use crate::graph;
use crate::rating::elo;
use crate::rating::report::{ModelFlag, ModelRating};
use crate::tally::Tally;
use crate::tie::Ties;
use crate::vote::VoteLog;

/// The models sorted into groups.
pub(super) struct Connected {
    /// The rated models: the largest strong component of at least two, of equals the one with most votes.
    pub(super) members: Vec<usize>,
    components: Vec<Vec<usize>>,
    /// Strength inside the own component, by model.
    inside: Vec<Option<f64>>,
    reachable: Vec<bool>,
    prior: Vec<f64>,
}

impl Connected {
    pub(super) fn of(tally: &Tally, prior: f64) -> Result<Self, StatsError> {
        let models = tally.models();
        let components = graph::strong_components(models, &graph::beat_or_tied(tally.results()));
        let mut inside = vec![None; models];
        let mut members: (f64, Vec<usize>) = (0.0, Vec::new());
        for component in components.iter().filter(|component| component.len() > 1) {
            let part = tally.among(component)?;
            let votes: f64 = part.totals().iter().sum();
            if (component.len(), votes) > (members.1.len(), members.0) {
                members = (votes, component.clone());
            }
            let Ok(fit) = Problem::of(&part, Ties::HalfWin, false).solve(None) else { continue };
            for (member, theta) in component.iter().zip(fit.theta()) {
                if let Some(slot) = inside.get_mut(*member) {
                    *slot = Some(theta);
                }
            }
        }
        let members = members.1;
        let mut reachable = vec![false; models];
        for group in graph::strong_components(models, &graph::met(tally.results())) {
            let joined = group.iter().any(|member| members.contains(member));
            for member in group {
                if let Some(slot) = reachable.get_mut(member) {
                    *slot = joined;
                }
            }
        }
        let mut problem = Problem::of(tally, Ties::HalfWin, false);
        problem.prior = prior;
        let prior = if models == 0 { Vec::new() } else { problem.solve(None)?.theta() };
        Ok(Self { members, components, inside, reachable, prior })
    }

    /// One entry per model of the log, in its order, nothing estimated yet on the board's scale.
    pub(super) fn ratings(&self, log: &VoteLog, tally: &Tally) -> Vec<ModelRating> {
        let mut records = vec![[0.0; 3]; log.models().len()];
        for pair in tally.pairs() {
            let [won, tied, lost] = pair.weights;
            for (model, results) in [(pair.first, [won, tied, lost]), (pair.second, [lost, tied, won])] {
                let record = records.get_mut(model as usize);
                for (sum, value) in record.into_iter().flatten().zip(results) {
                    *sum += value;
                }
            }
        }
        let everyone = u32::try_from(log.models().len()).unwrap_or(u32::MAX);
        let entry = |(model, (name, record)): (usize, (&String, [f64; 3]))| ModelRating {
            model: name.clone(),
            theta: None,
            elo: None,
            se_elo: None,
            ci95_elo: None,
            rank: [1, everyone],
            p_best: None,
            flags: self.flags(model, record),
            record,
            component: self.component(model),
            component_theta: self.inside.get(model).copied().flatten(),
            prior_elo: elo(self.prior.get(model).copied().unwrap_or_default()),
        };
        log.models().iter().zip(records).enumerate().map(entry).collect()
    }

    fn component(&self, model: usize) -> u32 {
        let place = self.components.iter().position(|component| component.contains(&model));
        u32::try_from(place.unwrap_or_default()).unwrap_or(u32::MAX)
    }

    fn flags(&self, model: usize, [won, tied, lost]: [f64; 3]) -> Vec<ModelFlag> {
        if self.members.contains(&model) {
            return Vec::new();
        }
        let mut flags = vec![ModelFlag::Unbounded];
        if won + tied + lost <= 0.0 {
            flags.push(ModelFlag::NoVotes);
            return flags;
        }
        if tied + lost <= 0.0 {
            flags.push(ModelFlag::Unbeaten);
        }
        if won + tied <= 0.0 {
            flags.push(ModelFlag::Winless);
        }
        if !self.reachable.get(model).copied().unwrap_or_default() && !self.members.is_empty() {
            flags.push(ModelFlag::Disconnected);
        } else if flags.len() == 1 {
            flags.push(ModelFlag::Separated);
        }
        flags
    }
}
