//! Score over cost: which methods no other beats in both.

use std::fmt::Write;

use super::escaped;
use super::plot::{Plot, Scale};

const PLOT: Plot = Plot { width: 640.0, height: 400.0, left: 44.0, right: 12.0, top: 14.0, bottom: 48.0, inset: 18.0 };

/// Ticks that fit beside each other.
const MOST_TICKS: usize = 7;

/// Between the centres of two numbers, and of a number and a dot.
const NUMBER_GAP: f64 = 19.0;
const DOT_GAP: f64 = 14.0;

/// One method on the chart.
#[derive(Debug, Clone)]
pub(crate) struct ParetoPoint {
    /// As in the table beside the chart.
    pub number: usize,
    pub name: String,
    /// In the unit of the axis. Only positive costs have a place on a logarithmic axis.
    pub cost: f64,
    /// 0..100.
    pub score: f64,
    pub ci95: [f64; 2],
    /// No other method is at least as good in both and better in one.
    pub front: bool,
}

/// Costs with a name on the axis, which reaches from the first to the last.
fn axis_ticks(points: &[&ParetoPoint]) -> Option<Vec<f64>> {
    let least = points.iter().map(|point| point.cost).reduce(f64::min)?;
    let most = points.iter().map(|point| point.cost).reduce(f64::max)?;
    [&[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0][..], &[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]]
        .iter()
        .map(|steps| ticks(least, most, steps))
        .find(|ticks| ticks.len() <= MOST_TICKS)
        .or_else(|| Some(ticks(least, most, &[1.0])))
}

/// The values step × 10^n from the last one at or below `least` to the first one at or above `most`, two at least.
fn ticks(least: f64, most: f64, steps: &[f64]) -> Vec<f64> {
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of a positive, finite f64")]
    let power = |cost: f64| cost.log10().floor() as i32;
    let all: Vec<f64> = (power(least)..=power(most) + 1)
        .flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)))
        .collect();
    let slack = 1e-9;
    let from = all.iter().rposition(|tick| *tick <= least * (1.0 + slack)).unwrap_or(0);
    let to = all.iter().position(|tick| *tick >= most * (1.0 - slack)).unwrap_or(all.len().saturating_sub(1));
    all.into_iter().take(to.max(from + 1) + 1).skip(from).collect()
}

/// Points with numbers and whiskers, and the front as steps. `axis` names the cost with its unit.
pub(crate) fn pareto(axis: &str, points: &[ParetoPoint]) -> String {
    let mut shown: Vec<&ParetoPoint> =
        points.iter().filter(|point| point.cost > 0.0 && point.cost.is_finite()).collect();
    shown.sort_by(|left, right| left.cost.total_cmp(&right.cost));
    let ticks = axis_ticks(&shown).unwrap_or_default();
    let ticks: Vec<(f64, String)> = ticks.into_iter().map(|tick| (tick, plain(tick))).collect();
    let Some(scale) = Scale::of(&ticks) else {
        return "<p class=\"empty\">No method has a score and this cost at this length yet.</p>".to_owned();
    };
    let front: Vec<&ParetoPoint> = shown.iter().copied().filter(|point| point.front).collect();
    let names: Vec<&str> = front.iter().map(|point| point.name.as_str()).collect();
    let mut svg = format!(
        "<svg class=\"chart pareto\" viewBox=\"0 0 {width} {height}\" role=\"img\"><title>Score over {axis}</title><desc>Score, 0 to 100, with 95 % intervals over {axis} of {} methods; on the front: {}</desc>",
        shown.len(),
        escaped(&names.join(", ")),
        axis = escaped(axis),
        width = PLOT.width,
        height = PLOT.height,
    );
    PLOT.frame(&mut svg, scale, &ticks, axis);
    steps(&mut svg, scale, &front);
    for point in &shown {
        draw(&mut svg, scale, point);
    }
    numbers(&mut svg, scale, &shown);
    svg.push_str("</svg>");
    legend(&mut svg, points, &shown);
    svg
}

/// A tick without the noise of binary fractions.
fn plain(tick: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=12")]
    let decimals = (1.0 - tick.log10().floor()).clamp(0.0, 12.0) as usize;
    let digits = format!("{tick:.decimals$}");
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.').to_owned() } else { digits }
}

/// From each point of the front along its score to the next one's cost, and on to the edge.
fn steps(svg: &mut String, scale: Scale, front: &[&ParetoPoint]) {
    let mut path: Vec<String> = Vec::with_capacity(2 * front.len() + 1);
    for (place, point) in front.iter().enumerate() {
        let end = front.get(place + 1).map_or(PLOT.end(), |next| PLOT.x(scale, next.cost));
        path.push(format!("{:.1},{:.1}", PLOT.x(scale, point.cost), PLOT.y(point.score)));
        path.push(format!("{end:.1},{:.1}", PLOT.y(point.score)));
    }
    if !path.is_empty() {
        let _ = write!(svg, "<polyline class=\"steps\" points=\"{}\"/>", path.join(" "));
    }
}

fn draw(svg: &mut String, scale: Scale, point: &ParetoPoint) {
    let (x, [low, high]) = (PLOT.x(scale, point.cost), point.ci95);
    let (top, bottom) = (PLOT.y(high), PLOT.y(low));
    let class = if point.front { "point front" } else { "point" };
    let _ = write!(
        svg,
        "<g class=\"{class}\"><title>{}: {:.1} (95 % {low:.1} to {high:.1}) at {}</title><path class=\"whisker\" d=\"M{x:.1} {top:.1}V{bottom:.1}M{:.1} {top:.1}h8M{:.1} {bottom:.1}h8\"/><circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"4.5\"/></g>",
        escaped(&point.name),
        point.score,
        super::figure(point.cost),
        x - 4.0,
        x - 4.0,
        PLOT.y(point.score)
    );
}

type Spot = (f64, f64);

fn numbers(svg: &mut String, scale: Scale, shown: &[&ParetoPoint]) {
    let dots: Vec<Spot> = shown.iter().map(|point| (PLOT.x(scale, point.cost), PLOT.y(point.score))).collect();
    let mut placed: Vec<Spot> = Vec::with_capacity(dots.len());
    for (point, dot) in shown.iter().zip(&dots) {
        let (x, y) = free_spot(*dot, &dots, &placed);
        placed.push((x, y));
        if (x - dot.0).hypot(y - dot.1) > 1.5 * DOT_GAP {
            let _ = write!(
                svg,
                "<line class=\"leader\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{y:.1}\"/>",
                dot.0, dot.1
            );
        }
        let _ = write!(svg, "<text class=\"number mid\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>", y + 4.0, point.number);
    }
}

/// The nearest place around a dot that leaves room for other numbers and dots; beside it where there is none.
fn free_spot(dot: Spot, dots: &[Spot], placed: &[Spot]) -> Spot {
    let far = |from: Spot, others: &[Spot], gap: f64| {
        others.iter().all(|other| (from.0 - other.0).hypot(from.1 - other.1) >= gap)
    };
    let inside = |(x, y): Spot| {
        (PLOT.left + 8.0..=PLOT.end() - 8.0).contains(&x)
            && (PLOT.top - 4.0..=PLOT.height - PLOT.bottom - 6.0).contains(&y)
    };
    let around = [15.0, 27.0, 39.0, 51.0, 63.0].into_iter().flat_map(|radius| {
        [45, 135, 315, 225, 0, 180, 90, 270].map(|degrees| {
            let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
            (dot.0 + radius * cos, dot.1 - radius * sin)
        })
    });
    let free = |spot: &Spot| inside(*spot) && far(*spot, placed, NUMBER_GAP) && far(*spot, dots, DOT_GAP);
    around.into_iter().find(free).unwrap_or((dot.0 + DOT_GAP, dot.1))
}

fn legend(svg: &mut String, points: &[ParetoPoint], shown: &[&ParetoPoint]) {
    svg.push_str("<ul class=\"legend\">");
    let mut listed: Vec<&&ParetoPoint> = shown.iter().collect();
    listed.sort_by_key(|point| point.number);
    for point in listed {
        let class = if point.front { " class=\"front\"" } else { "" };
        let _ = write!(svg, "<li{class}><b>{}</b> {}</li>", point.number, escaped(&point.name));
    }
    svg.push_str("</ul>");
    let missing = points.len() - shown.len();
    if missing > 0 {
        let _ = write!(svg, "<p class=\"muted\">{missing} without a positive cost are left out.</p>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(number: usize, cost: f64, score: f64, front: bool) -> ParetoPoint {
        ParetoPoint { number, name: format!("m{number}"), cost, score, ci95: [score - 5.0, score + 5.0], front }
    }

    #[test]
    fn ticks_enclose_the_costs() {
        assert_eq!(ticks(0.3, 4.0, &[1.0, 2.0, 5.0]), [0.2, 0.5, 1.0, 2.0, 5.0]);
        assert_eq!(ticks(1.0, 1.0, &[1.0, 2.0, 5.0]), [1.0, 2.0], "one cost still makes an axis");
        assert_eq!(ticks(20.0, 3000.0, &[1.0]), [10.0, 100.0, 1000.0, 10_000.0]);
        let wide: Vec<ParetoPoint> = vec![point(1, 0.002, 10.0, true), point(2, 900.0, 20.0, true)];
        let named = |points: &[ParetoPoint]| {
            let ticks = axis_ticks(&points.iter().collect::<Vec<_>>()).unwrap();
            ticks.into_iter().map(plain).collect::<Vec<_>>()
        };
        assert_eq!(named(&wide), ["0.001", "0.01", "0.1", "1", "10", "100", "1000"]);
        let narrow = [point(1, 0.43, 10.0, true), point(2, 0.59, 20.0, true)];
        assert_eq!(named(&narrow), ["0.4", "0.5", "0.6"]);
        assert_eq!([1500.0, 0.25, 10.0].map(plain), ["1500", "0.25", "10"]);
    }

    #[test]
    fn the_front_is_a_step_line_and_is_named() {
        let chart =
            pareto("time, ms", &[point(2, 1.0, 50.0, true), point(1, 10.0, 80.0, true), point(3, 10.0, 20.0, false)]);
        let line = chart.split("class=\"steps\" points=\"").nth(1).unwrap().split('"').next().unwrap();
        let corners: Vec<&str> = line.split([' ', ',']).collect();
        assert_eq!(corners.len(), 8, "{line}");
        assert_eq!((corners[2], corners[3]), (corners[4], corners[1]), "along the score to the next cost, then up");
        assert!(chart.contains("on the front: m2, m1</desc>") && chart.contains("Score over time, ms</title>"));
        assert!(chart.contains("m2: 50.0 (95 % 45.0 to 55.0) at 1.00"));
        assert!(
            chart.contains(
                "<li class=\"front\"><b>1</b> m1</li><li class=\"front\"><b>2</b> m2</li><li><b>3</b> m3</li>"
            )
        );
    }

    #[test]
    fn numbers_of_crowded_points_keep_apart() {
        let crowd: Vec<Spot> = (0..8).map(|step| (300.0 + 2.0 * f64::from(step), PLOT.top)).collect();
        let mut placed = Vec::new();
        for dot in &crowd {
            let spot = free_spot(*dot, &crowd, &placed);
            placed.push(spot);
        }
        for (place, left) in placed.iter().enumerate() {
            for right in placed.iter().skip(place + 1) {
                assert!((left.0 - right.0).hypot(left.1 - right.1) >= NUMBER_GAP, "{placed:?}");
            }
        }
    }

    #[test]
    fn costs_without_a_place_are_left_out_and_counted() {
        let chart = pareto("FLOP", &[point(1, 0.0, 50.0, false), point(2, 3.0, 50.0, true)]);
        assert!(chart.contains("1 without a positive cost") && !chart.contains("<b>1</b>"));
        assert!(pareto("FLOP", &[]).contains("No method has a score"));
        let hostile = ParetoPoint { name: "<script>".to_owned(), ..point(1, 1.0, 1.0, true) };
        assert!(!pareto("x", &[hostile]).contains("<script>"));
    }
}
