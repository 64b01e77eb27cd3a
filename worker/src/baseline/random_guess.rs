//! A guess of the right shape, drawn without reading: the floor of every task.

use longboard_suites::rng::Rng;

/// Draws an answer from the question's words alone. The prompt's bytes are the seed, so a prompt has one answer.
pub fn guess(prompt: &str) -> String {
    let mut rng = Rng::from_path(&[Rng::name(prompt)]);
    let question = prompt.rsplit("\n\n").next().unwrap_or(prompt);
    if question.contains("\\boxed") {
        return format!("\\boxed{{{}}}", rng.between(1, 100));
    }
    if question.contains("key") || question.contains("code") {
        let (high, low) = (rng.next_u64(), rng.next_u64());
        let text = format!("{high:016x}{low:016x}");
        let groups = [0..8, 8..12, 12..16, 16..20, 20..32];
        return groups.into_iter().filter_map(|group| text.get(group)).collect::<Vec<_>>().join("-");
    }
    rng.between(1_000_000, 9_999_999).to_string()
}
