//! The fit behind a board, and what is read off it.

use nalgebra::DMatrix;
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::{BoardFlag, ELO, Effect, Interval, MOST_JUDGES, ModelFlag, Neighbours, Rating, RatingOptions, Z, elo};
use crate::bootstrap::{self, Resample, Sample};
use crate::dense::{at, entry};
use crate::design::{Design, Order, Prepared};
use crate::fit::Fit;
use crate::fragility::{self, Fragility};
use crate::jury::{self, JudgeWeight, Jury, JuryRating};
use crate::tally::Tally;
use crate::tie::Ties;
use crate::vote::VoteLog;
use crate::{StatsError, graph, rank, sandwich};

/// A fit of the rated models with all that is said about it.
pub(super) struct Fitted<'a> {
    log: &'a VoteLog,
    options: &'a RatingOptions,
    /// Indices in the log of the rated models.
    members: &'a [usize],
    prepared: Prepared,
    fit: Fit,
    interval: Interval,
    covariance: DMatrix<f64>,
    tie_parameter: Option<f64>,
}

impl<'a> Fitted<'a> {
    pub(super) fn fit(
        log: &'a VoteLog,
        tally: &Tally,
        members: &'a [usize],
        options: &'a RatingOptions,
        flags: &mut Vec<BoardFlag>,
    ) -> Result<Option<Self>, StatsError> {
        if members.len() < 2 {
            return Ok(None);
        }
        let mut design = Design { ties: options.ties, length: options.control_length, ..Design::default() };
        if options.order_effect {
            design.order = Order::Global;
        }
        let unbounded =
            options.ties.has_parameter() && graph::ties_run_away(members.len(), tally.among(members)?.results());
        if unbounded {
            flags.push(BoardFlag::TieParameterUnbounded);
            design.ties = Ties::HalfWin;
        }
        let Some((prepared, fit)) = solve(log, members, design, options, flags)? else { return Ok(None) };
        let tie_parameter = tie_parameter(options.ties, unbounded, &prepared, &fit);
        let (interval, covariance) = covariance(log, &prepared, &fit, options, flags)?;
        Ok(Some(Self { log, options, members, prepared, fit, interval, covariance, tie_parameter }))
    }

    pub(super) fn write(mut self, rating: &mut Rating) -> Result<(), StatsError> {
        rating.tie_parameter = self.tie_parameter;
        rating.interval = self.interval;
        self.write_models(rating)?;
        self.write_neighbours(rating);
        rating.order = self.order_effect();
        rating.length = self.length_effect();
        if self.options.fragility {
            rating.fragility = self.fragility()?;
        }
        if self.options.judge_aware {
            rating.judge_aware = self.jury()?;
            if rating.judge_aware.is_none() {
                rating.flags.push(BoardFlag::JudgesUnusable);
            }
        }
        Ok(())
    }

    fn theta(&self) -> Vec<f64> {
        self.fit.theta()
    }

    fn strengths_covariance(&self) -> DMatrix<f64> {
        self.covariance.view((0, 0), (self.members.len(), self.members.len())).into_owned()
    }

    fn name(&self, place: usize) -> String {
        self.members.get(place).and_then(|member| self.log.models().get(*member)).cloned().unwrap_or_default()
    }

    fn bootstrap(&self) -> Result<Option<Sample>, StatsError> {
        if self.options.interval != Interval::Bootstrap {
            return Ok(None);
        }
        let (rounds, seed) = (self.options.bootstrap_rounds, self.options.seed);
        bootstrap::run(&self.prepared, &self.fit, Resample::Clusters, rounds, seed).map(Some)
    }

    /// Unrated models may stand anywhere, so they widen every rank set.
    fn write_models(&self, rating: &mut Rating) -> Result<(), StatsError> {
        let theta = self.theta();
        let covariance = self.strengths_covariance();
        let ranks = rank::simultaneous(&theta, &covariance, self.options.draws, self.options.seed)?;
        let sample = self.bootstrap()?;
        rating.bootstrap_rounds = sample.as_ref().map(|sample| [sample.rounds, sample.kept()]);
        let unrated = u32::try_from(self.log.models().len() - self.members.len()).unwrap_or(u32::MAX);
        for (place, member) in self.members.iter().enumerate() {
            let Some(model) = rating.models.get_mut(*member) else { continue };
            let theta = theta.get(place).copied().unwrap_or_default();
            let error = at(&covariance, place, place).max(0.0).sqrt() * ELO;
            let centre = elo(theta);
            model.theta = Some(theta);
            model.elo = Some(centre);
            model.se_elo = Some(error);
            model.ci95_elo = Some([centre - Z * error, centre + Z * error]);
            if let Some(sample) = &sample {
                let bounds = sample.quantile(place, 0.025).zip(sample.quantile(place, 0.975));
                model.ci95_elo = bounds.map(|(low, high)| [elo(low), elo(high)]);
            }
            let [best, worst] = ranks.sets.get(place).copied().unwrap_or([1, u32::MAX]);
            model.rank = [best, worst.saturating_add(unrated)];
            model.p_best = ranks.p_best.get(place).copied();
            if error < 1e-9 {
                model.flags.push(ModelFlag::NoSpread);
            }
        }
        rating.critical = Some(ranks.critical);
        rating.top_group = ranks.top_group.iter().map(|place| self.name(*place)).collect();
        Ok(())
    }

    /// Places of the rated models, highest first.
    fn order(&self) -> Vec<usize> {
        let theta = self.theta();
        let value = |place: &usize| theta.get(*place).copied().unwrap_or_default();
        let mut order: Vec<usize> = (0..theta.len()).collect();
        order.sort_by(|a, b| value(b).total_cmp(&value(a)));
        order
    }

    fn write_neighbours(&self, rating: &mut Rating) {
        let critical = rating.critical.unwrap_or(Z);
        let order = self.order();
        for pair in order.windows(2) {
            let &[above, below] = pair else { continue };
            let gap = entry(&self.fit.parameters, above) - entry(&self.fit.parameters, below);
            let error = sandwich::difference_error(&self.covariance, above, below).unwrap_or_default();
            rating.neighbours.push(Neighbours {
                above: self.name(above),
                below: self.name(below),
                gap_elo: gap * ELO,
                se_gap_elo: error * ELO,
                separated: gap > critical * error && gap > 0.0,
                more_questions: more(gap, error, critical, rating.counts.questions),
            });
        }
    }

    fn order_effect(&self) -> Option<Effect> {
        let controlled = self.prepared.problem.extras > usize::from(self.prepared.length_place.is_some());
        let order = if controlled { Order::Free } else { Order::Global };
        let design = Design { ties: self.ties(), order, length: self.options.control_length, ..Design::default() };
        let other = Prepared::new(self.log, self.members, &design);
        let other_fit = with_ridge(other, self.options).solved()?;
        let place = self.members.len();
        if controlled {
            return self.effect(place, &self.fit, &self.covariance, other_fit.1.loss - self.fit.loss, true);
        }
        let (prepared, fit) = other_fit;
        let (_, covariance) = covariance(self.log, &prepared, &fit, self.options, &mut Vec::new()).ok()?;
        self.effect(place, &fit, &covariance, self.fit.loss - fit.loss, false)
    }

    fn length_effect(&self) -> Option<Effect> {
        let place = self.prepared.length_place?;
        let order = if place > self.members.len() { Order::Global } else { Order::Free };
        let design = Design { ties: self.ties(), order, ..Design::default() };
        let (_, without) = with_ridge(Prepared::new(self.log, self.members, &design), self.options).solved()?;
        self.effect(place, &self.fit, &self.covariance, without.loss - self.fit.loss, true)
    }

    fn ties(&self) -> Ties {
        self.prepared.problem.ties
    }

    fn effect(
        &self,
        place: usize,
        fit: &Fit,
        covariance: &DMatrix<f64>,
        gain: f64,
        controlled: bool,
    ) -> Option<Effect> {
        let likelihood_ratio = (2.0 * gain).max(0.0);
        Some(Effect {
            estimate: fit.parameters.get(place).copied()?,
            standard_error: at(covariance, place, place).max(0.0).sqrt(),
            likelihood_ratio,
            p_value: ChiSquared::new(1.0).ok()?.sf(likelihood_ratio),
            controlled,
        })
    }

    fn fragility(&self) -> Result<Option<Fragility>, StatsError> {
        let order = self.order();
        let &[leader, runner_up, ..] = order.as_slice() else { return Ok(None) };
        let [votes, questions] = fragility::deletions(&self.prepared, &self.fit, leader, runner_up)?;
        Ok(Some(Fragility { leader: self.name(leader), runner_up: self.name(runner_up), votes, questions }))
    }

    /// `None` with fewer than two judges, too many, or no fit that settles.
    fn jury(&mut self) -> Result<Option<Jury>, StatsError> {
        let judges = self.log.judges().len();
        if !(2..=MOST_JUDGES).contains(&judges) {
            return Ok(None);
        }
        let order = if self.options.order_effect { Order::PerJudge } else { Order::Free };
        let design = Design { ties: self.ties(), order, by_judge: true, ..Design::default() };
        let mut prepared = with_ridge(Prepared::new(self.log, self.members, &design), self.options);
        let Ok(found) = jury::fit(&mut prepared, judges, self.options.seed) else { return Ok(None) };
        let (_, covariance) = covariance(self.log, &prepared, &found.fit, self.options, &mut Vec::new())?;
        let mut models: Vec<JuryRating> = (0..self.members.len())
            .map(|place| {
                let theta = entry(&found.fit.parameters, place);
                let se_elo = at(&covariance, place, place).max(0.0).sqrt() * ELO;
                JuryRating { model: self.name(place), theta, elo: elo(theta), se_elo }
            })
            .collect();
        models.sort_by(|left, right| right.theta.total_cmp(&left.theta));
        let judges = self.judge_weights(&found, order == Order::PerJudge);
        Ok(Some(Jury { models, judges }))
    }

    fn judge_weights(&self, found: &jury::JuryFit, ordered: bool) -> Vec<JudgeWeight> {
        let mut sums = vec![(0_usize, 0.0, 0.0); self.log.judges().len()];
        for source in &self.prepared.sources {
            let Some(vote) = self.log.votes().get(*source as usize) else { continue };
            let points = [1.0, 0.5, 0.0].get(vote.winner.place()).copied().unwrap_or_default();
            if let Some((votes, weight, sum)) = sums.get_mut(vote.judge as usize) {
                *votes += 1;
                *weight += vote.weight;
                *sum += vote.weight * points;
            }
        }
        let effect = |judge: usize| found.fit.parameters.get(self.members.len() + judge).copied();
        self.log
            .judges()
            .iter()
            .zip(sums)
            .zip(&found.gamma)
            .enumerate()
            .filter(|(_, ((_, (votes, ..)), _))| *votes > 0)
            .map(|(judge, ((name, (votes, weight, sum)), gamma))| JudgeWeight {
                judge: name.clone(),
                votes,
                first_share: sum / weight,
                gamma: *gamma,
                order_effect: if ordered { effect(judge) } else { None },
            })
            .collect()
    }
}

fn with_ridge(mut prepared: Prepared, options: &RatingOptions) -> Prepared {
    prepared.problem.ridge = options.ridge;
    prepared
}

/// The fit asked for, or without effects if those have no finite maximum.
fn solve(
    log: &VoteLog,
    members: &[usize],
    design: Design,
    options: &RatingOptions,
    flags: &mut Vec<BoardFlag>,
) -> Result<Option<(Prepared, Fit)>, StatsError> {
    let prepared = with_ridge(Prepared::new(log, members, &design), options);
    if design.length && prepared.length_place.is_none() {
        flags.push(BoardFlag::LengthsUnusable);
    }
    let effects = prepared.problem.extras > 0;
    if let Some(found) = prepared.solved() {
        return Ok(Some(found));
    }
    if effects {
        flags.push(BoardFlag::EffectsUnbounded);
        let plain = Design { ties: design.ties, ..Design::default() };
        if let Some(found) = Prepared::new(log, members, &plain).solved() {
            return Ok(Some(found));
        }
    }
    flags.push(BoardFlag::NotSettled);
    Ok(None)
}

/// 0 in a log without ties: that is where the maximum is.
fn tie_parameter(ties: Ties, unbounded: bool, prepared: &Prepared, fit: &Fit) -> Option<f64> {
    if unbounded || !ties.has_parameter() {
        return None;
    }
    let value = fit.parameters.get(prepared.problem.models + prepared.problem.extras).copied();
    Some(match (prepared.problem.ties, value) {
        (Ties::Davidson, Some(log)) => log.exp(),
        (Ties::RaoKupper, Some(margin)) => margin,
        _ => 0.0,
    })
}

/// Without any question every vote would be a cluster: that is the battle-level sandwich, and it has no small-sample
/// factor.
fn covariance(
    log: &VoteLog,
    prepared: &Prepared,
    fit: &Fit,
    options: &RatingOptions,
    flags: &mut Vec<BoardFlag>,
) -> Result<(Interval, DMatrix<f64>), StatsError> {
    let first = prepared.rows.first().map(|row| row.cluster);
    let one = prepared.rows.iter().all(|row| Some(row.cluster) == first);
    let loose = log.question_count() == log.votes().len() && log.remarks().without_question > 0;
    if one && !flags.contains(&BoardFlag::OneQuestion) && options.interval != Interval::Fisher {
        flags.push(BoardFlag::OneQuestion);
    }
    let kind = match options.interval {
        Interval::Clustered if one || loose => Interval::Battles,
        kind => kind,
    };
    let matrix = match kind {
        Interval::Fisher => sandwich::fisher(fit),
        Interval::Battles => sandwich::battles(&prepared.problem, fit),
        Interval::Bootstrap if one || loose => sandwich::battles(&prepared.problem, fit),
        Interval::Clustered | Interval::Bootstrap => {
            sandwich::clustered(&prepared.problem, fit, &prepared.rows, options.small_sample)?
        }
    };
    Ok((kind, matrix))
}

/// Questions to add until the gap exceeds `critical` standard errors, which shrink with the square root.
fn more(gap: f64, error: f64, critical: f64, questions: usize) -> Option<u64> {
    let needed = crate::as_f64(questions) * ((critical * error / gap).powi(2) - 1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "finite, not negative, far below 2^63")]
    (needed.is_finite() && needed < 1e15).then(|| needed.max(0.0).ceil() as u64)
}
