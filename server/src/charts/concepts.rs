//! Concepts in columns by tag, joined where they occur together.

use std::collections::BTreeSet;
use std::fmt::Write;

use longboard_app::suites::families::concept_map::{ConceptMap, Edge, Node, TAGS};

use super::escaped;

const WIDTH: f64 = 1060.0;
const TOP: f64 = 40.0;
const ROW: f64 = 26.0;
/// Width of a column's names, and of what lies between two columns.
const NAMES: f64 = 196.0;
const BETWEEN: f64 = (WIDTH - MARGIN - 4.0 * NAMES) / 3.0;
const MARGIN: f64 = 12.0;

/// Concepts of a column that are drawn.
const MOST: usize = 16;

/// Lines between two columns that are drawn.
const MOST_EDGES: usize = 32;

/// What is drawn of a map: the most frequent concepts of each tag, and the most frequent of the pairs between them.
struct Drawing<'a> {
    map: &'a ConceptMap,
    /// Places of the nodes of each column, from top to bottom.
    columns: Vec<Vec<usize>>,
    edges: Vec<Edge>,
}

impl<'a> Drawing<'a> {
    fn of(map: &'a ConceptMap) -> Self {
        let tagged = |tag: &'static str| map.nodes.iter().enumerate().filter(move |(_, node)| node.tag == tag);
        let columns: Vec<Vec<usize>> =
            TAGS.iter().map(|tag| tagged(tag).map(|(place, _)| place).take(MOST).collect()).collect();
        let shown: BTreeSet<usize> = columns.iter().flatten().copied().collect();
        let mut edges = Vec::new();
        for from in &columns {
            let between = map.edges.iter().filter(|edge| from.contains(&edge.from) && shown.contains(&edge.to));
            edges.extend(between.take(MOST_EDGES).copied());
        }
        Self { map, columns, edges }
    }

    /// Column and row of a node.
    fn spot(&self, node: usize) -> Option<(usize, usize)> {
        let row = |nodes: &Vec<usize>| nodes.iter().position(|known| *known == node);
        self.columns.iter().enumerate().find_map(|(column, nodes)| Some((column, row(nodes)?)))
    }

    fn node(&self, place: usize) -> Option<&'a Node> {
        self.map.nodes.get(place)
    }
}

/// Counts of a few hundred as coordinates.
fn place(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

fn left(column: usize) -> f64 {
    MARGIN + place(column) * (NAMES + BETWEEN)
}

fn middle(row: usize) -> f64 {
    TOP + (place(row) + 0.5) * ROW
}

/// The map as SVG; empty where it has no concepts.
pub(crate) fn concepts(map: &ConceptMap) -> String {
    let drawing = Drawing::of(map);
    let rows = drawing.columns.iter().map(Vec::len).max().unwrap_or(0);
    if rows == 0 {
        return String::new();
    }
    let height = TOP + place(rows) * ROW + 8.0;
    let mut svg = format!(
        "<svg class=\"chart concepts\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\"><title>Concepts that occur together</title><desc>The most frequent concepts of {} abstracts in columns by tag; a line joins two that stand in one abstract, the thicker the more abstracts. The table below has the pairs.</desc>",
        map.abstracts
    );
    for edge in &drawing.edges {
        line(&mut svg, &drawing, edge);
    }
    for (column, nodes) in drawing.columns.iter().enumerate() {
        names(&mut svg, &drawing, column, nodes);
    }
    svg.push_str("</svg>");
    svg
}

fn line(svg: &mut String, drawing: &Drawing<'_>, edge: &Edge) {
    let (Some(from), Some(to)) = (drawing.spot(edge.from), drawing.spot(edge.to)) else { return };
    let (start, end) = (left(from.0) + NAMES - 6.0, left(to.0) - 6.0);
    let (x, out, back) = (f64::midpoint(start, end), middle(from.1), middle(to.1));
    let named = |place: usize| drawing.node(place).map_or("", |node| node.phrase.as_str());
    let _ = write!(
        svg,
        "<path class=\"edge\" stroke-width=\"{:.1}\" d=\"M{start:.1} {out:.1}C{x:.1} {out:.1} {x:.1} {back:.1} {end:.1} {back:.1}\"><title>{} with {}: {}</title></path>",
        place(edge.abstracts).sqrt().min(6.0) * 1.5,
        escaped(named(edge.from)),
        escaped(named(edge.to)),
        abstracts(edge.abstracts),
    );
}

fn names(svg: &mut String, drawing: &Drawing<'_>, column: usize, nodes: &[usize]) {
    let x = left(column);
    let tag = TAGS.get(column).copied().unwrap_or_default();
    let all = drawing.map.nodes.iter().filter(|node| node.tag == tag).count();
    let shown = if all > nodes.len() { format!("{} of {all}", nodes.len()) } else { all.to_string() };
    let _ = write!(svg, "<text class=\"tick\" x=\"{x:.1}\" y=\"20\">{tag}s ({shown})</text>");
    for (row, node) in nodes.iter().filter_map(|place| drawing.node(*place)).enumerate() {
        let _ = write!(
            svg,
            "<text class=\"concept\" x=\"{x:.1}\" y=\"{:.1}\">{} <tspan class=\"tick\">{}</tspan><title>{}</title></text>",
            middle(row) + 4.0,
            escaped(&node.phrase),
            node.abstracts,
            abstracts(node.abstracts),
        );
    }
}

fn abstracts(count: usize) -> String {
    if count == 1 { "1 abstract".to_owned() } else { format!("{count} abstracts") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(methods: usize) -> ConceptMap {
        let node = |tag, phrase: String| Node { tag, phrase, abstracts: 2 };
        let mut nodes: Vec<Node> = (0..methods).map(|number| node("method", format!("method {number} <b>"))).collect();
        nodes.push(node("dataset", "Amber Coast Survey".to_owned()));
        let edges = (0..methods).map(|from| Edge { from, to: methods, abstracts: from + 1 }).rev().collect();
        ConceptMap { nodes, edges, abstracts: 2 * methods }
    }

    #[test]
    fn concepts_stand_under_their_tags_and_pairs_are_joined() {
        let svg = concepts(&map(3));
        assert_eq!(svg.matches("<path").count(), 3);
        assert!(svg.contains("methods (3)") && svg.contains("instruments (0)") && svg.contains("Amber Coast Survey"));
        assert!(svg.contains("method 2 &lt;b&gt; with Amber Coast Survey: 3 abstracts") && !svg.contains("<b>"));
        assert!(svg.contains("method 0 &lt;b&gt; with Amber Coast Survey: 1 abstract<"));
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let svg = concepts(&map(40));
        assert!(svg.contains("methods (16 of 40)"));
        assert_eq!(svg.matches("<path").count(), 16, "no line leads to what is not there");
        assert_eq!(concepts(&ConceptMap::default()), "");
    }
}
