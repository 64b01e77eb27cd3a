//! First valid option letter in an answer: an ordered list of phrasings, the first one that yields a letter wins.
//!
//! In the patterns `@` stands for one option letter and `~` for a white-space scalar of Python's `\s`.
//! The entry that starts with `故` joins two phrasings, as a missing comma joins them in the official list.

use std::sync::LazyLock;

use regex::Regex;

use super::python_text::strip;

const PATTERNS: [&str; 53] = [
    "答案是?~*(@)",
    "答案是?~*：~*(@)",
    "答案是?~*:~*(@)",
    "答案选项应?该?是~*(@)",
    "答案选项应?该?为~*(@)",
    "答案应该?是~*(@)",
    "答案应该?选~*(@)",
    "答案选项为?~*：~*(@)",
    r"答案选项为?~+\(?\*?\*?(@)\*?\*?\)?",
    "答案选项是?~*:~*(@)",
    "答案为~*(@)",
    "答案选~*(@)",
    "选择?~*(@)",
    "故选?~*(@)只有选?项?~?(@)~?是?对",
    "只有选?项?~?(@)~?是?错",
    "只有选?项?~?(@)~?不?正确",
    "只有选?项?~?(@)~?错误",
    "说法不?对选?项?的?是~?(@)",
    "说法不?正确选?项?的?是~?(@)",
    "说法错误选?项?的?是~?(@)",
    "(@)~?是正确的",
    "(@)~?是正确答案",
    "选项~?(@)~?正确",
    "所以答~?(@)",
    r"所以~?(@[.。$]?\z)",
    r"所有~?(@[.。$]?\z)",
    r"[~，：:,](@)[。，,\.]?\z",
    r"[~，,：:][故即](@)[。\.]?\z",
    r"[~，,：:]因此(@)[。\.]?\z",
    r"[是为。]~?(@)[。\.]?\z",
    r"因此~?(@)[。\.]?\z",
    r"显然~?(@)[。\.]?\z",
    r"答案是~?([^~]+)(?:。|\z)",
    r"答案应该是~?([^~]+)(?:。|\z)",
    r"答案为~?([^~]+)(?:。|\z)",
    "(?i)ANSWER~*:~*(@)",
    r"[Tt]he answer is:?~+\(?(@)\)?",
    r"[Tt]he answer is:?~+\(?\*?\*?(@)\*?\*?\)?",
    r"[Tt]he answer is option:?~+\(?(@)\)?",
    r"[Tt]he correct answer is:?~+\(?(@)\)?",
    r"[Tt]he correct answer is option:?~+\(?(@)\)?",
    r"[Tt]he correct answer is:?.*?boxed\{(@)\}",
    r"[Tt]he correct option is:?.*?boxed\{(@)\}",
    r"[Tt]he correct answer option is:?.*?boxed\{(@)\}",
    r"[Tt]he answer to the question is:?~+\(?(@)\)?",
    r"\A选项~?(@)",
    r"\A(@)~?选?项",
    r"(~|\A)@[~。，,：:\.$]",
    r"1.~?(.*?)\z",
    r"1.~?(@)[.。$]?\z",
    "(@):",
    "(@)",
    "@",
];

static ABCD: LazyLock<Vec<Regex>> = LazyLock::new(|| compile("ABCD"));

fn compile(options: &str) -> Vec<Regex> {
    let letters = format!("[{}]", regex::escape(options));
    PATTERNS
        .iter()
        .filter_map(|text| {
            Regex::new(&format!("(?s){}", text.replace('@', &letters).replace('~', r"[\s\x1c-\x1f]"))).ok()
        })
        .collect()
}

/// The first letter of `options` that a phrasing yields; empty without one.
pub(super) fn first(prediction: &str, options: &str) -> String {
    let text = strip(prediction);
    if options == "ABCD" { search(&ABCD, text, options) } else { search(&compile(options), text, options) }
}

fn search(patterns: &[Regex], text: &str, options: &str) -> String {
    patterns
        .iter()
        .filter_map(|pattern| pattern.captures(text))
        .filter_map(|found| {
            let group = found.get(1).filter(|group| !group.is_empty()).or_else(|| found.get(0))?;
            options.chars().find(|&letter| group.as_str().contains(letter))
        })
        .map(String::from)
        .next()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(ABCD.len(), PATTERNS.len());
    }

    #[test]
    fn earlier_phrasings_win() {
        assert_eq!(first("D. The answer is B", "ABCD"), "B");
        assert_eq!(first("nothing", "ABCD"), "");
        assert_eq!(first("It is E.", "DEF"), "E");
    }
}
