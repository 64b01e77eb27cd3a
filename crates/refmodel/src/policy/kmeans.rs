//! K-means: k-means++ to start (Arthur and Vassilvitskii 2007), then Lloyd's iterations (1982).

use longboard_suites::rng::Rng;

use super::weigh;
use crate::page::{PAGE, Page};

/// Puts each of `points`, `[dim]` each, into one of `count` clusters; stops early when no point moves. Returns the
/// cluster of every point; some clusters may be empty.
pub fn cluster(points: &[Vec<f32>], count: usize, iterations: usize, rng: &mut Rng) -> Vec<usize> {
    let mut centres = start(points, count.min(points.len()), rng);
    let mut labels = Vec::new();
    for _ in 0..iterations.max(1) {
        let nearest = assign(points, &centres);
        if nearest == labels {
            break;
        }
        labels = nearest;
        settle(points, &labels, &mut centres);
    }
    labels
}

/// The point scaled to length 1.
pub fn unit(point: &[f32]) -> Vec<f32> {
    let length = point.iter().map(|channel| channel * channel).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    point.iter().map(|channel| channel / length).collect()
}

/// Mean of the points of each of `count` clusters; zeros for an empty one.
#[expect(clippy::cast_precision_loss, reason = "points of a cluster")]
pub fn means(points: &[Vec<f32>], labels: &[usize], count: usize) -> (Vec<Vec<f32>>, Vec<usize>) {
    let mut means = vec![vec![0.0; points.first().map_or(0, Vec::len)]; count];
    let mut counts = vec![0; count];
    for (point, label) in points.iter().zip(labels) {
        let (Some(mean), Some(count)) = (means.get_mut(*label), counts.get_mut(*label)) else { continue };
        mean.iter_mut().zip(point).for_each(|(mean, channel)| *mean += channel);
        *count += 1;
    }
    for (mean, count) in means.iter_mut().zip(&counts) {
        mean.iter_mut().for_each(|channel| *channel /= (*count).max(1) as f32);
    }
    (means, counts)
}

fn settle(points: &[Vec<f32>], labels: &[usize], centres: &mut [Vec<f32>]) {
    let (means, counts) = means(points, labels, centres.len());
    let moved = centres.iter_mut().zip(means).zip(counts).filter(|(_, count)| *count > 0);
    moved.for_each(|((centre, mean), _)| *centre = mean);
}

/// The nearest centre of every point; the first of equally near ones.
fn assign(points: &[Vec<f32>], centres: &[Vec<f32>]) -> Vec<usize> {
    let (pages, halves) = (pages(centres), half_squares(centres));
    let dim = points.first().map_or(1, Vec::len);
    let queries: Vec<f32> = points.iter().flatten().copied().collect();
    let mut labels = Vec::with_capacity(points.len());
    weigh::products(pages.iter(), &queries, dim, |_, products| {
        let mut best = (0, f32::NEG_INFINITY);
        for (centre, (product, half)) in products.iter().zip(&halves).enumerate() {
            if product - half > best.1 {
                best = (centre, product - half);
            }
        }
        labels.push(best.0);
    });
    labels
}

/// Centres drawn among the points, each with a probability that grows with the square of its distance from the nearest
/// one drawn before.
fn start(points: &[Vec<f32>], count: usize, rng: &mut Rng) -> Vec<Vec<f32>> {
    let mut centres: Vec<Vec<f32>> = points.get(rng.index(points.len())).cloned().into_iter().take(count).collect();
    let (pages, halves) = (pages(points), half_squares(points));
    let mut away = vec![f32::INFINITY; points.len()];
    while let (Some(last), true) = (centres.last(), centres.len() < count) {
        let half = half_square(last);
        weigh::products(pages.iter(), last, last.len(), |_, products| {
            for ((away, product), own) in away.iter_mut().zip(products).zip(&halves) {
                *away = away.min((2.0 * (own + half - product)).max(0.0));
            }
        });
        let total: f64 = away.iter().map(|away| f64::from(*away)).sum();
        let mut left = rng.unit() * total;
        let drawn = away.iter().position(|away| {
            left -= f64::from(*away);
            left < 0.0
        });
        let drawn = drawn.unwrap_or_else(|| rng.index(points.len()));
        centres.extend(points.get(drawn).cloned());
    }
    centres
}

fn half_square(point: &[f32]) -> f32 {
    point.iter().map(|channel| channel * channel).sum::<f32>() / 2.0
}

fn half_squares(points: &[Vec<f32>]) -> Vec<f32> {
    points.iter().map(|point| half_square(point)).collect()
}

/// Points as keys of pages, to be multiplied by lanes.
fn pages(points: &[Vec<f32>]) -> Vec<Page> {
    let page = |points: &[Vec<f32>]| {
        let mut page = Page::new(points.first().map_or(0, Vec::len));
        points.iter().for_each(|point| {
            page.push(point, &[]);
        });
        page
    };
    points.chunks(PAGE).map(page).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(count: usize) -> Vec<Vec<f32>> {
        let mut rng = Rng::from_path(&[11]);
        (0..count).map(|_| (0..16).map(|_| (rng.unit() * 2.0 - 1.0) as f32).collect()).collect()
    }

    fn inertia(points: &[Vec<f32>], labels: &[usize], count: usize) -> f32 {
        let (means, _) = means(points, labels, count);
        let distance = |(point, label): (&Vec<f32>, &usize)| -> f32 {
            point.iter().zip(&means[*label]).map(|(a, b)| (a - b) * (a - b)).sum()
        };
        points.iter().zip(labels).map(distance).sum()
    }

    #[test]
    fn more_iterations_never_make_it_worse() {
        let points = points(300);
        let after = |iterations| inertia(&points, &cluster(&points, 20, iterations, &mut Rng::from_path(&[1])), 20);
        let course: Vec<f32> = [1, 2, 4, 8, 300].into_iter().map(after).collect();
        assert!(course.windows(2).all(|pair| pair[1] <= pair[0] + 1e-3), "{course:?}");
        assert!(course[4] < course[0], "{course:?}");
    }

    #[test]
    fn tight_groups_become_clusters() {
        let centres = points(5);
        let near: Vec<Vec<f32>> =
            (0..100).map(|place| centres[place % 5].iter().map(|x| x + place as f32 * 1e-5).collect()).collect();
        let labels = cluster(&near, 5, 300, &mut Rng::from_path(&[2]));
        assert!((0..100).all(|place| labels[place] == labels[place % 5]));
        let mut found = labels[..5].to_vec();
        found.sort_unstable();
        assert_eq!(found, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn as_many_clusters_as_points_hold_one_each() {
        let points = points(70);
        let mut labels = cluster(&points, 70, 300, &mut Rng::from_path(&[3]));
        labels.sort_unstable();
        assert_eq!(labels, (0..70).collect::<Vec<_>>());
    }
}
