//! Cutting an answer into sentences and atomic facts by rules.

/// Facts of one answer at most; what follows is not read.
const FACTS: usize = 512;

const ABBREVIATIONS: [&str; 14] =
    ["mr.", "mrs.", "ms.", "dr.", "st.", "prof.", "e.g.", "i.e.", "etc.", "vs.", "no.", "approx.", "ca.", "cf."];

/// Sentences without list marks and headings. An opening sentence that only announces (`Sure`, `Here are`) and a
/// closing one that only takes leave (`Please`, `I hope`, `Here are`) are left out, as in the paper.
#[must_use]
pub fn sentences(answer: &str) -> Vec<String> {
    let mut found: Vec<String> = answer.lines().flat_map(of_line).collect();
    let starts = |text: &String, words: &[&str]| words.iter().any(|word| text.starts_with(word));
    if found.first().is_some_and(|first| starts(first, &["Sure", "Here are"])) {
        found.remove(0);
    }
    if found.last().is_some_and(|last| starts(last, &["Please", "I hope", "Here are"])) {
        let _ = found.pop();
    }
    found
}

fn of_line(line: &str) -> Vec<String> {
    let line = unmarked(line);
    let mut found = Vec::new();
    let mut start = 0;
    for (at, stop) in line.char_indices() {
        let end = at + stop.len_utf8();
        if ends_sentence(line.get(start..end).unwrap_or_default(), stop, line.get(end..).unwrap_or_default()) {
            found.push(line.get(start..end).unwrap_or_default());
            start = end;
        }
    }
    found.push(line.get(start..).unwrap_or_default());
    found.into_iter().map(str::trim).filter(|text| text.chars().any(char::is_alphanumeric)).map(str::to_owned).collect()
}

/// A line without heading marks, bullets and numbering.
fn unmarked(line: &str) -> &str {
    let line = line.trim().trim_start_matches(['#', '-', '*', '•', '>', ' ']);
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line.get(digits..).unwrap_or_default();
    match rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") ")) {
        Some(text) if (1..=3).contains(&digits) => text,
        _ => line,
    }
}

fn ends_sentence(text: &str, stop: char, rest: &str) -> bool {
    match stop {
        '。' | '！' | '？' => true,
        '.' | '!' | '?' if rest.starts_with(char::is_whitespace) => {
            let word = text.rsplit(char::is_whitespace).next().unwrap_or_default();
            let initial = word.chars().count() == 2 && word.starts_with(char::is_uppercase);
            !initial && !ABBREVIATIONS.contains(&word.to_lowercase().as_str())
        }
        _ => false,
    }
}

/// Words that begin a predicate.
const VERBS: [&str; 36] = [
    "is", "are", "was", "were", "has", "had", "have", "became", "become", "took", "held", "led", "died", "lived",
    "gave", "went", "made", "married", "served", "kept", "left", "won", "lost", "built", "began", "ended", "wrote",
    "fell", "rose", "said", "came", "found", "grew", "passed", "can", "will",
];

fn is_pronoun(word: &str) -> bool {
    matches!(word.to_ascii_lowercase().as_str(), "he" | "she" | "they" | "it")
}

/// Atomic facts: clauses with a predicate of their own, the subject repeated, an opening pronoun replaced by the last
/// subject. At most 512.
#[must_use]
pub fn atomic_facts(answer: &str) -> Vec<String> {
    let mut facts = Vec::new();
    let mut last_subject = String::new();
    for sentence in sentences(answer) {
        let mut own_subject = String::new();
        for clause in clauses(&sentence) {
            let words: Vec<&str> = clause.split_whitespace().collect();
            let Some(&first) = words.first() else { continue };
            let given = if own_subject.is_empty() { &last_subject } else { &own_subject };
            let fact = if is_verb(first) && !given.is_empty() {
                format!("{given} {clause}")
            } else if is_pronoun(first) && !given.is_empty() {
                format!("{given}{}", clause.strip_prefix(first).unwrap_or_default())
            } else {
                if let Some(found) = subject(&words) {
                    own_subject.clone_from(&found);
                    last_subject = found;
                }
                clause.clone()
            };
            facts.push(fact);
            if facts.len() == FACTS {
                return facts;
            }
        }
    }
    facts
}

fn is_verb(word: &str) -> bool {
    VERBS.contains(&word)
        || (word.len() > 4 && word.ends_with("ed") && word.starts_with(|first: char| first.is_lowercase()))
}

/// The words before the first predicate, where they hold a name.
fn subject(words: &[&str]) -> Option<String> {
    let verb = words.iter().position(|word| is_verb(word))?;
    let before = words.get(..verb)?;
    let named = before.iter().any(|word| word.starts_with(char::is_uppercase) && !is_pronoun(word));
    (named && before.len() <= 6).then(|| before.join(" "))
}

/// Cuts at semicolons, and at `and` or `but` before a predicate.
fn clauses(sentence: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in sentence.trim_end_matches(['.', '!', '?', '。', '！', '？']).split([';', '；']) {
        let mut clause: Vec<&str> = Vec::new();
        let mut words = part.split_whitespace().peekable();
        while let Some(word) = words.next() {
            let joins =
                matches!(word, "and" | "but") && words.peek().is_some_and(|next| is_verb(next) || is_pronoun(next));
            if joins && !clause.is_empty() {
                found.push(clause.join(" "));
                clause.clear();
            } else {
                clause.push(word);
            }
        }
        found.push(clause.join(" "));
    }
    found
        .into_iter()
        .map(|clause| clause.trim_matches([',', ' ']).to_owned())
        .filter(|clause| !clause.is_empty())
        .collect()
}
