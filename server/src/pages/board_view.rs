//! How somebody looks at a board: order and filters, all in the URL.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use longboard_protocol::board::{Board, BoardRow, BoardTask, Cell, Columns};

use crate::form::Fields;

/// Order and filters. Empty text is no filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct View {
    /// `name`, `score`, a length or a task; empty for the published order.
    sort: String,
    /// Ascending; numbers begin descending, names ascending.
    ascending: bool,
    family: String,
    language: String,
    kind: String,
    /// Longest length shown.
    upto: String,
    /// Only samples whose prompt was not cut.
    whole: bool,
}

/// Value of the filter that leaves out samples whose prompt was cut.
const WHOLE: &str = "untruncated";

/// A select of the filter form.
pub(crate) struct Filter {
    pub name: &'static str,
    pub label: &'static str,
    /// Value, and whether it is chosen.
    pub options: Vec<(String, bool)>,
}

impl View {
    /// Reads a query.
    pub fn of(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).to_owned();
        let sort = text("sort");
        Self {
            ascending: match fields.text("dir") {
                "asc" => true,
                "desc" => false,
                _ => sort == "name",
            },
            sort,
            family: text("family"),
            language: text("language"),
            kind: text("kind"),
            upto: text("upto"),
            whole: fields.text("prompts") == WHOLE,
        }
    }

    /// The view as a query with its question mark; empty for the published board.
    pub fn query(&self) -> String {
        let direction = if self.ascending { "asc" } else { "desc" };
        let parts = [
            ("sort", self.sort.as_str()),
            ("dir", if self.sort.is_empty() { "" } else { direction }),
            ("family", &self.family),
            ("language", &self.language),
            ("kind", &self.kind),
            ("upto", &self.upto),
            ("prompts", if self.whole { WHOLE } else { "" }),
        ];
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parts.iter().filter(|(_, value)| !value.is_empty()));
        let query = query.finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }

    /// The same view in the order of a column; the other way round when it has that order already.
    pub fn sorted_by(&self, key: &str) -> Self {
        let ascending = if self.sort == key { !self.ascending } else { key == "name" };
        Self { sort: key.to_owned(), ascending, ..self.clone() }
    }

    /// `aria-sort` of a column.
    pub fn direction(&self, key: &str) -> &'static str {
        match (self.sort == key, self.ascending) {
            (false, _) => "none",
            (true, true) => "ascending",
            (true, false) => "descending",
        }
    }

    /// Whether it leaves out tasks or lengths, so that scores are not the official ones.
    pub fn narrows(&self) -> bool {
        !self.family.is_empty() || !self.language.is_empty() || !self.upto.is_empty() || self.whole
    }

    pub fn filters_anything(&self) -> bool {
        self.narrows() || !self.kind.is_empty()
    }

    /// Selects worth offering on this board.
    pub fn filters(&self, board: &Board) -> Vec<Filter> {
        let distinct = |values: Vec<String>| values.into_iter().collect::<std::collections::BTreeSet<_>>();
        let families = distinct(board.tasks.iter().map(|task| task.family.clone()).collect());
        let languages = distinct(board.tasks.iter().flat_map(|task| task.languages.clone()).collect());
        let kinds = distinct(board.rows.iter().map(|row| row.kind.clone()).collect());
        let lengths = board.lengths.clone();
        let select = |name, label, values: Vec<String>, chosen: &str| Filter {
            name,
            label,
            options: values.into_iter().map(|value| (value.clone(), value == chosen)).collect(),
        };
        let cut = board.rows.iter().flat_map(|row| row.cells.values()).flat_map(BTreeMap::values);
        let prompts = cut.into_iter().any(|cell| cell.whole.is_some()).then(|| Filter {
            name: "prompts",
            label: "Prompts",
            options: vec![(WHOLE.to_owned(), self.whole)],
        });
        [
            select("family", "Family", families.into_iter().collect(), &self.family),
            select("language", "Language", languages.into_iter().collect(), &self.language),
            select("upto", "Up to", lengths, &self.upto),
            select("kind", "Kind", kinds.into_iter().collect(), &self.kind),
        ]
        .into_iter()
        .filter(|filter| filter.options.len() > 1)
        .chain(prompts)
        .collect()
    }

    /// Filters that name nothing on this board, said so.
    pub fn remarks(&self, board: &Board) -> Vec<String> {
        let tasks = &board.tasks;
        let there = [
            ("family", &self.family, tasks.iter().any(|task| task.family == self.family)),
            ("language", &self.language, tasks.iter().any(|task| task.languages.contains(&self.language))),
            ("length", &self.upto, board.lengths.contains(&self.upto)),
            ("kind", &self.kind, board.rows.iter().any(|row| row.kind == self.kind)),
        ];
        let unknown = there.iter().filter(|(_, value, known)| !value.is_empty() && !known);
        unknown.map(|(what, value, _)| format!("This board has no {what} `{value}`.")).collect()
    }

    /// Rows that are shown, in order, by their place on the published board.
    pub fn order(&self, board: &Board) -> Vec<usize> {
        let mut rows: Vec<(usize, &BoardRow)> =
            board.rows.iter().enumerate().filter(|(_, row)| self.shows(row)).collect();
        if !self.sort.is_empty() {
            rows.sort_by(|(_, left), (_, right)| self.compare(board, left, right));
        }
        rows.into_iter().map(|(place, _)| place).collect()
    }

    fn shows(&self, row: &BoardRow) -> bool {
        self.kind.is_empty() || row.kind == self.kind
    }

    /// Absent scores are last in both directions.
    fn compare(&self, board: &Board, left: &BoardRow, right: &BoardRow) -> Ordering {
        let turned = |ordering: Ordering| if self.ascending { ordering } else { ordering.reverse() };
        if self.sort == "name" {
            return turned(left.name.to_lowercase().cmp(&right.name.to_lowercase()));
        }
        match (self.key(board, left), self.key(board, right)) {
            (Some(left), Some(right)) => turned(left.total_cmp(&right)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }

    fn key(&self, board: &Board, row: &BoardRow) -> Option<f64> {
        if self.sort == "score" {
            return row.score;
        }
        let cells = if board.columns == Columns::Tasks { &row.by_task } else { &row.by_length };
        cells.get(&self.sort)?.score
    }

    /// The board as this view shows it. Where tasks or lengths are left out, a score is the plain mean over what is
    /// shown, without interval and rank.
    pub fn apply(&self, board: &Board) -> Board {
        let mut shown = board.clone();
        if self.narrows() {
            shown.tasks.retain(|task| self.has_task(task));
            let upto = shown.lengths.iter().position(|length| *length == self.upto);
            shown.lengths.truncate(upto.map_or(shown.lengths.len(), |last| last + 1));
            shown.rank_critical = None;
            let (tasks, lengths) = (shown.tasks.clone(), shown.lengths.clone());
            for row in &mut shown.rows {
                if self.whole {
                    row.cells.values_mut().flat_map(BTreeMap::values_mut).for_each(keep_whole);
                }
                narrow(row, board.columns, &tasks, &lengths);
            }
        }
        let order = self.order(&shown);
        shown.rows = order.into_iter().filter_map(|row| shown.rows.get(row).cloned()).collect();
        shown
    }

    fn has_task(&self, task: &BoardTask) -> bool {
        (self.family.is_empty() || task.family == self.family)
            && (self.language.is_empty() || task.languages.contains(&self.language))
    }
}

/// Leaves the samples of a cell whose prompt was not cut; how those ended is not kept apart.
fn keep_whole(cell: &mut Cell) {
    if let Some(whole) = cell.whole.take() {
        *cell = Cell { score: whole.score, n: whole.n, expected: whole.n, ..Cell::default() };
    }
}

fn narrow(row: &mut BoardRow, columns: Columns, tasks: &[BoardTask], lengths: &[String]) {
    let cell = |task: &BoardTask, length: &String| row.cells.get(&task.slug).and_then(|cells| cells.get(length));
    let by_length: BTreeMap<String, Cell> =
        lengths.iter().map(|length| (length.clone(), mean(tasks.iter().map(|task| cell(task, length))))).collect();
    let by_task: BTreeMap<String, Cell> =
        tasks.iter().map(|task| (task.slug.clone(), mean(lengths.iter().map(|length| cell(task, length))))).collect();
    let shown = if columns == Columns::Tasks { &by_task } else { &by_length };
    row.score = mean(shown.values().map(Some)).score;
    (row.by_length, row.by_task) = (by_length, by_task);
    (row.ci95, row.rank, row.p_best, row.more_to_separate, row.aggregates) = (None, None, None, None, None);
    row.effective_length = longboard_protocol::board::EffectiveLength::default();
}

/// The plain mean of cells; without a score unless all have one.
fn mean<'a>(cells: impl Iterator<Item = Option<&'a Cell>>) -> Cell {
    let (mut merged, mut scores) = (Cell::default(), Some(Vec::new()));
    for cell in cells {
        match (cell.and_then(|cell| cell.score), &mut scores) {
            (Some(score), Some(scores)) => scores.push(score),
            _ => scores = None,
        }
        let Some(cell) = cell else { continue };
        merged.n += cell.n;
        merged.expected += cell.expected;
        for (outcome, count) in &cell.outcomes {
            *merged.outcomes.entry(outcome.clone()).or_default() += count;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of cells")]
    let average = |scores: Vec<f64>| scores.iter().sum::<f64>() / scores.len() as f64;
    merged.score = scores.filter(|scores| !scores.is_empty()).map(average);
    merged
}

#[cfg(test)]
mod tests {
    use longboard_protocol::board::Whole;

    use super::*;

    fn cell(score: Option<f64>) -> Cell {
        Cell { score, n: 4, expected: 4, ..Cell::default() }
    }

    fn board() -> Board {
        let task = |slug: &str, family: &str, language: &str| BoardTask {
            slug: slug.to_owned(),
            title: slug.to_owned(),
            family: family.to_owned(),
            languages: vec![language.to_owned()],
            metric: "m".to_owned(),
            dial: None,
        };
        let lengths = ["4k", "8k"].map(ToOwned::to_owned);
        let row = |entry: &str, kind: &str, scores: [Option<f64>; 4]| {
            let [a4, a8, b4, b8] = scores;
            let cells = |short, long| [("4k".to_owned(), cell(short)), ("8k".to_owned(), cell(long))].into();
            BoardRow {
                entry: entry.to_owned(),
                name: entry.to_owned(),
                kind: kind.to_owned(),
                team: "t".to_owned(),
                score: scores[0],
                ci95: Some([0.0, 100.0]),
                complete: true,
                rank: Some([1, 2]),
                p_best: Some(0.5),
                more_to_separate: None,
                aggregates: None,
                effective_length: Default::default(),
                by_length: BTreeMap::new(),
                by_task: BTreeMap::new(),
                cells: [("a".to_owned(), cells(a4, a8)), ("b".to_owned(), cells(b4, b8))].into(),
                flags: Vec::new(),
                run: None,
            }
        };
        Board {
            slug: "s".to_owned(),
            title: "S".to_owned(),
            snapshot: "0".to_owned(),
            published_at: chrono::DateTime::UNIX_EPOCH,
            suite: "s".to_owned(),
            columns: Columns::Lengths,
            lengths: lengths.to_vec(),
            tasks: vec![task("a", "f", "en"), task("b", "g", "zh")],
            rows: vec![
                row("x", "endpoint", [Some(90.0), Some(70.0), Some(10.0), Some(30.0)]),
                row("y", "baseline", [Some(50.0), None, Some(50.0), Some(50.0)]),
                row("z", "endpoint", [None, None, Some(80.0), Some(80.0)]),
            ],
            notes: Vec::new(),
            dials: Vec::new(),
            rank_critical: Some(2.3),
        }
    }

    fn view(query: &str) -> View {
        View::of(&Fields::parse(query.as_bytes()))
    }

    #[test]
    fn a_view_is_its_url() {
        for query in ["", "?sort=name&dir=asc", "?sort=4k&dir=desc&family=f&language=en&kind=baseline&upto=4k"] {
            assert_eq!(view(query.trim_start_matches('?')).query(), query);
        }
        assert_eq!(view("sort=score").sorted_by("score").query(), "?sort=score&dir=asc");
        assert_eq!(view("sort=score").direction("score"), "descending");
    }

    #[test]
    fn absent_scores_are_last_in_both_directions() {
        assert_eq!(view("sort=score").order(&board()), [0, 1, 2]);
        assert_eq!(view("sort=score&dir=asc").order(&board()), [1, 0, 2]);
        assert_eq!(view("sort=name&dir=desc").order(&board()), [2, 1, 0]);
        assert_eq!(view("kind=endpoint").order(&board()), [0, 2]);
    }

    #[test]
    fn a_narrowed_board_has_means_of_what_is_shown() {
        let shown = view("family=f&sort=score").apply(&board());
        let scores: Vec<Option<f64>> = shown.rows.iter().map(|row| row.score).collect();
        assert_eq!(scores, [Some(80.0), None, None]);
        assert_eq!((shown.rows[0].rank, shown.rows[0].ci95), (None, None));
        let short = view("upto=4k").apply(&board());
        assert_eq!(short.lengths, ["4k"]);
        assert_eq!(short.rows.iter().map(|row| row.score).collect::<Vec<_>>(), [Some(50.0), Some(50.0), None]);
        let mut cut = board();
        let cell = cut.rows[0].cells.get_mut("a").unwrap().get_mut("4k").unwrap();
        cell.whole = Some(Whole { score: Some(100.0), n: 1 });
        let whole = view("prompts=untruncated&sort=score").apply(&cut);
        assert_eq!(whole.rows.iter().find(|row| row.entry == "x").unwrap().score, Some(52.5));
        assert!(view("").filters(&cut).iter().any(|filter| filter.name == "prompts"));
        assert!(view("").filters(&board()).iter().all(|filter| filter.name != "prompts"));
        assert_eq!(view("family=nothing").remarks(&board()).len(), 1);
        assert!(view("family=nothing").apply(&board()).rows.iter().all(|row| row.score.is_none()));
    }
}
