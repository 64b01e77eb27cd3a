//! A board of ratings as pages, one per view, and as CSV.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use longboard_app::jury::{Agreement, HumanShare, JudgePair};
use longboard_app::rating::{RatingBoard, RatingView};
use longboard_app::report::moment;
use longboard_app::stats::fragility::Deletion;
use longboard_app::stats::rating::{Effect, ModelRating, Rating};

use crate::charts::whisker;
use crate::pages::judge::{JudgeLine, judge_line};

/// One view of a board.
#[derive(Template)]
#[template(path = "ratings/board.html")]
pub(crate) struct RatingPage {
    board: Arc<RatingBoard>,
    lead: String,
    tabs: Vec<Tab>,
    what: String,
    remarks: Vec<String>,
    rows: Vec<Line>,
    footing: String,
    findings: Vec<String>,
    judges: Vec<JudgeLine>,
    pairs: Vec<[String; 4]>,
    absolute_judges: Vec<String>,
    absolute: Vec<(String, Vec<Cell>)>,
    calibrated: Vec<CalibratedLine>,
    matrix: Vec<MatrixLine>,
    snapshot: String,
    published_at: String,
}

struct Tab {
    title: String,
    link: String,
    current: bool,
}

struct Line {
    rank: String,
    entry: String,
    top: bool,
    flags: Vec<String>,
    elo: String,
    interval: String,
    whisker: String,
    wins: String,
    best: String,
    record: String,
    separate: String,
}

struct CalibratedLine {
    entry: String,
    share: String,
    interval: String,
    alone: String,
    labelled: u64,
    unlabelled: u64,
}

struct MatrixLine {
    entry: String,
    cells: Vec<Cell>,
}

struct Cell {
    text: String,
    hint: String,
    tint: Option<u8>,
}

impl RatingPage {
    /// The page of a view; the headline's where there is no such view.
    #[must_use]
    pub fn new(board: Arc<RatingBoard>, view: &str) -> Self {
        let wanted = board.views.iter().find(|known| known.slug == view);
        let chosen = wanted.or_else(|| board.views.iter().find(|known| known.slug == board.headline));
        let rating = chosen.map(|view| &view.rating);
        let tabs = board.views.iter().map(|known| tab(&board, known, chosen));
        let (absolute_judges, absolute) = absolute(&board);
        Self {
            lead: lead(&board, rating),
            tabs: tabs.collect(),
            what: chosen.map(|view| view.what.clone()).unwrap_or_default(),
            remarks: rating.map(remarks).unwrap_or_default(),
            rows: rating.map(lines).unwrap_or_default(),
            footing: rating.map(footing).unwrap_or_default(),
            findings: rating.map(|rating| findings(&board, rating)).unwrap_or_default(),
            judges: board.judges.iter().map(|judge| judge_line(&board, judge)).collect(),
            pairs: board.pairs.iter().map(pair).collect(),
            absolute_judges,
            absolute,
            calibrated: board.calibrated.iter().map(calibrated).collect(),
            matrix: rating.map(matrix).unwrap_or_default(),
            snapshot: board.snapshot.chars().take(12).collect(),
            published_at: moment(board.published_at),
            board,
        }
    }
}

fn tab(board: &RatingBoard, view: &RatingView, chosen: Option<&RatingView>) -> Tab {
    let query = if view.slug == board.headline { String::new() } else { format!("?view={}", view.slug) };
    Tab {
        title: view.title.clone(),
        link: format!("/boards/{}{query}", board.slug),
        current: chosen.is_some_and(|chosen| chosen.slug == view.slug),
    }
}

fn lead(board: &RatingBoard, rating: Option<&Rating>) -> String {
    let Some(rating) = rating else { return "No vote between two entries yet.".to_owned() };
    let counts = &rating.counts;
    let source = if board.source == "judging" {
        "Answers to the same items, compared in both orders by every judge of another family"
    } else {
        "Votes that came from a file"
    };
    let mut text = format!(
        "{source}: {} votes on {} questions by {} judges, {} of them ties.",
        counts.votes, counts.questions, counts.judges, counts.ties
    );
    if board.undecided > 0 {
        text.push_str(&format!(" {} comparisons wait for a judge.", board.undecided));
    }
    if board.invalid > 0 {
        text.push_str(&format!(
            " {} comparisons ended without a readable verdict and count for nobody.",
            board.invalid
        ));
    }
    text
}

/// Warnings about the whole, in words.
fn remarks(rating: &Rating) -> Vec<String> {
    use longboard_app::stats::rating::BoardFlag as Flag;
    let words = |flag: &Flag| match flag {
        Flag::NotConnected => {
            "The votes do not connect all entries both ways: those outside have no finite rating and are flagged. More battles between the groups would place them."
        }
        Flag::TieParameterUnbounded => "The tie parameter has no finite value here; strengths are those of half wins.",
        Flag::EffectsUnbounded => "The effects of order or length have no finite value here and are left out.",
        Flag::JudgesUnusable => "Judges cannot be told apart here: all count the same.",
        Flag::LengthsUnusable => "Lengths are missing or do not vary: nothing is corrected for.",
        Flag::OneQuestion => "There is only one question: intervals take votes for independent.",
        Flag::ManyTies => "More than a tenth of the votes are ties; the view with ties modelled says more.",
        Flag::NotSettled => "The fit did not settle; only the order under a weak prior is shown.",
    };
    rating.flags.iter().map(|flag| words(flag).to_owned()).collect()
}

fn lines(rating: &Rating) -> Vec<Line> {
    let jury: BTreeMap<&str, (f64, f64)> = rating
        .judge_aware
        .iter()
        .flat_map(|jury| &jury.models)
        .map(|model| (model.model.as_str(), (model.elo, model.se_elo)))
        .collect();
    let ends: Vec<f64> = rating.models.iter().filter_map(|model| model.ci95_elo).flatten().collect();
    let (low, high) =
        ends.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), end| (low.min(*end), high.max(*end)));
    let place = |elo: f64| if high > low { 100.0 * (elo - low) / (high - low) } else { 50.0 };
    let shares = longboard_app::rating::rows(rating);
    rating
        .models
        .iter()
        .zip(shares)
        .map(|(model, row)| Line {
            rank: model.elo.map_or("–".to_owned(), |_| rank_set(model.rank)),
            top: rating.top_group.contains(&model.model),
            flags: row.flags,
            elo: elo(model, &jury),
            interval: model.ci95_elo.map_or("–".to_owned(), |[low, high]| format!("{low:.0} – {high:.0}")),
            whisker: model
                .elo
                .zip(model.ci95_elo)
                .map(|(elo, [low, high])| whisker(place(elo), [place(low), place(high)]))
                .unwrap_or_default(),
            wins: row.score.map_or("–".to_owned(), |score| format!("{score:.1}")),
            best: model.p_best.map_or("–".to_owned(), |chance| format!("{:.1}", 100.0 * chance)),
            record: model.record.map(whole).join(" – "),
            separate: separate(rating, &model.model),
            entry: model.model.clone(),
        })
        .collect()
}

/// `2`, or `2–5`.
fn rank_set([best, worst]: [u32; 2]) -> String {
    if best == worst { best.to_string() } else { format!("{best}–{worst}") }
}

fn elo(model: &ModelRating, jury: &BTreeMap<&str, (f64, f64)>) -> String {
    match (jury.get(model.model.as_str()), model.elo) {
        (Some((elo, error)), _) => format!("{elo:.1} ± {:.0}", 1.96 * error),
        (None, Some(elo)) => format!("{elo:.1}"),
        (None, None) => format!("({:.0} by the prior)", model.prior_elo),
    }
}

fn whole(weight: f64) -> String {
    if weight.fract() == 0.0 { format!("{weight:.0}") } else { format!("{weight:.1}") }
}

fn separate(rating: &Rating, entry: &str) -> String {
    let Some(neighbours) = rating.neighbours.iter().find(|pair| pair.above == entry) else { return String::new() };
    match (neighbours.separated, neighbours.more_questions) {
        (true, _) => "separated".to_owned(),
        (false, Some(more)) => format!("{more} more questions"),
        (false, None) => "no gap to separate".to_owned(),
    }
}

fn footing(rating: &Rating) -> String {
    let critical = rating.critical.map_or(String::new(), |critical| {
        format!("Two entries differ beyond {critical:.2} standard errors of their difference. ")
    });
    let top = rating.top_group.len();
    let group = if top > 1 { format!("Shaded: the {top} entries that may be first. ") } else { String::new() };
    format!(
        "1000 is the mean of the rated entries, 400 points are odds of ten to one. Standard errors sum all votes on a question first. {critical}{group}"
    )
}

fn findings(board: &RatingBoard, rating: &Rating) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(order) = &rating.order {
        found.push(effect("Being shown first is worth", order));
    }
    if let Some(length) = &rating.length {
        found.push(effect("One standard deviation of relative length is worth", length));
    }
    if let Some(parameter) = rating.tie_parameter {
        found.push(format!("Tie parameter {parameter:.3}."));
    }
    if let Some(alpha) = board.alpha {
        found.push(format!("Krippendorff's alpha over the judges: {alpha:.2} (1 is agreement, 0 is chance)."));
    }
    if let Some(correlation) = board.absolute_correlation {
        found.push(format!(
            "Order by single ratings against order by comparison: Spearman's rank correlation {correlation:.2}."
        ));
    }
    if let Some(fragility) = &rating.fragility {
        found.push(fragile(&fragility.leader, &fragility.runner_up, &fragility.votes, &fragility.questions));
    }
    if rating.cycles.is_empty() {
        found.push("No circle (A beats B beats C beats A) survives correction for the number of pairs.".to_owned());
    }
    found.extend(
        rating.cycles.iter().map(|cycle| format!("A circle that survives correction: {}.", cycle.join(" beats "))),
    );
    found
}

fn effect(what: &str, effect: &Effect) -> String {
    let points = longboard_app::stats::rating::ELO * effect.estimate;
    let taken = if effect.controlled { "taken out of the ratings" } else { "still in these ratings" };
    format!("{what} {points:.0} Elo (p {}), {taken}.", p_value(effect.p_value))
}

/// A p-value as people read it.
fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("= {p:.3}") }
}

fn fragile(leader: &str, runner_up: &str, votes: &Deletion, questions: &Deletion) -> String {
    let count = |deletion: &Deletion, what: &str| {
        deletion.refit.map(|number| format!("{number} {what} ({:.2} %)", 100.0 * deletion.share.unwrap_or_default()))
    };
    let parts: Vec<String> = [count(votes, "votes"), count(questions, "questions")].into_iter().flatten().collect();
    if parts.is_empty() {
        return format!("No deletion of votes that was tried puts {runner_up} before {leader}.");
    }
    format!("Without the right {}, {runner_up} would stand before {leader}.", parts.join(", or the right "))
}

/// Judges, then entries with a cell per judge, best by the mean over judges first.
/// Both judges, equal verdicts, kappa.
fn pair(pair: &JudgePair) -> [String; 4] {
    let Agreement { share, kappa } = &pair.agreement;
    let kappa = kappa.map_or_else(|| "–".to_owned(), |kappa| format!("{kappa:.2}"));
    [pair.one.clone(), pair.other.clone(), format!("{} of {}", share.hits, share.n), kappa]
}

fn absolute(board: &RatingBoard) -> (Vec<String>, Vec<(String, Vec<Cell>)>) {
    let mut judges: Vec<String> = board.absolute.iter().map(|row| row.judge.clone()).collect();
    judges.sort();
    judges.dedup();
    let mut entries: BTreeMap<&str, Vec<(usize, f64, String)>> = BTreeMap::new();
    for row in &board.absolute {
        let Some(place) = judges.iter().position(|judge| *judge == row.judge) else { continue };
        let interval = row.ci95.map_or(String::new(), |[low, high]| format!(", 95 % {low:.1} – {high:.1}"));
        entries.entry(&row.entry).or_default().push((place, row.score, format!("{} answers{interval}", row.n)));
    }
    let mut lines: Vec<(f64, String, Vec<Cell>)> = entries
        .into_iter()
        .map(|(entry, found)| {
            let cells = (0..judges.len()).map(|place| {
                let cell = found.iter().find(|(own, _, _)| *own == place);
                cell.map_or_else(Cell::none, |(_, score, hint)| Cell {
                    text: format!("{score:.1}"),
                    hint: hint.clone(),
                    tint: None,
                })
            });
            #[expect(clippy::cast_precision_loss, reason = "a number of judges")]
            let mean = found.iter().map(|(_, score, _)| score).sum::<f64>() / found.len().max(1) as f64;
            (mean, entry.to_owned(), cells.collect())
        })
        .collect();
    lines.sort_by(|left, right| right.0.total_cmp(&left.0));
    (judges, lines.into_iter().map(|(_, entry, cells)| (entry, cells)).collect())
}

impl Cell {
    fn none() -> Self {
        Self { text: "–".to_owned(), hint: String::new(), tint: None }
    }
}

fn calibrated(row: &HumanShare) -> CalibratedLine {
    let interval = |[low, high]: [f64; 2]| format!("{low:.1} – {high:.1}");
    CalibratedLine {
        entry: row.entry.clone(),
        share: format!("{:.1}", row.share),
        interval: interval(row.ci95),
        alone: interval(row.human_only_ci95),
        labelled: row.labelled,
        unlabelled: row.unlabelled,
    }
}

fn matrix(rating: &Rating) -> Vec<MatrixLine> {
    let entries: Vec<&str> = rating.models.iter().map(|model| model.model.as_str()).collect();
    let records: BTreeMap<(&str, &str), _> =
        rating.win_matrix.iter().map(|record| ((record.a.as_str(), record.b.as_str()), record)).collect();
    let cell = |row: &str, column: &str| {
        let (record, turned) = match (records.get(&(row, column)), records.get(&(column, row))) {
            (Some(record), _) => (*record, false),
            (None, Some(record)) => (*record, true),
            (None, None) => return Cell::none(),
        };
        let own = |rate: f64| 100.0 * if turned { 1.0 - rate } else { rate };
        let interval = record.ci95.map_or(String::new(), |[low, high]| {
            let mut ends = [own(low), own(high)];
            ends.sort_by(f64::total_cmp);
            let [low, high] = ends;
            format!("95 % {low:.0} – {high:.0}, ")
        });
        let rate = own(record.rate);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10")]
        let tint = (rate / 10.0).round().clamp(0.0, 10.0) as u8;
        let hint = format!("{interval}{} votes on {} questions", record.votes, record.questions);
        Cell { text: format!("{rate:.0}"), hint, tint: Some(tint) }
    };
    let line = |row: &&str| MatrixLine {
        entry: (*row).to_owned(),
        cells: entries.iter().map(|column| cell(row, column)).collect(),
    };
    entries.iter().map(line).collect()
}

/// The headline view as a table for programs.
#[must_use]
pub(crate) fn csv(board: &RatingBoard) -> String {
    let mut text = "view,entry,theta,elo,elo_low,elo_high,rank_best,rank_worst,p_best,flags\r\n".to_owned();
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    for view in &board.views {
        for (model, row) in view.rating.models.iter().zip(longboard_app::rating::rows(&view.rating)) {
            let [best, worst] = model.rank;
            let ranks = if row.complete { format!("{best},{worst}") } else { ",".to_owned() };
            let [low, high] = model.ci95_elo.map_or([None, None], |[low, high]| [Some(low), Some(high)]);
            text.push_str(&format!(
                "{},{},{},{},{},{},{ranks},{},{}\r\n",
                view.slug,
                crate::pages::board::field(&model.model),
                number(model.theta),
                number(model.elo),
                number(low),
                number(high),
                number(model.p_best),
                row.flags.join(" ")
            ));
        }
    }
    text
}
