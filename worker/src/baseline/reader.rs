//! A keyword reader: ranks sentences by BM25 against the question and answers with what is new in the best ones.

use std::collections::BTreeSet;

use longboard_refmodel::retrieval::bm25;

/// Sentences that score at least this share of the best one count as evidence too.
const EVIDENCE_SHARE: f64 = 0.7;

/// Most sentences to answer with.
const MOST_SENTENCES: usize = 16;

/// Words of questions that want sentences: answered with the best ones as they stand.
const WANTS_SENTENCES: [&str; 3] = ["one line for each", "Name everybody", "the report"];

/// Answers the question at the end of `prompt` from the text before it.
pub fn read(prompt: &str) -> String {
    let (text, question) = prompt.rsplit_once("\n\n").unwrap_or(("", prompt));
    let asked: BTreeSet<String> = terms(question).into_iter().collect();
    let sentences = sentences(text);
    let best = best_sentences(&sentences, &asked);
    if question.contains("\\boxed") {
        return format!("\\boxed{{{}}}", best.first().map(|sentence| name(sentence, question)).unwrap_or_default());
    }
    if WANTS_SENTENCES.iter().any(|words| question.contains(words)) {
        return best
            .iter()
            .map(|sentence| format!("{}.", sentence.trim().trim_end_matches('.')))
            .collect::<Vec<_>>()
            .join(" ");
    }
    let answers: Vec<String> = best.iter().map(|sentence| novel(sentence, question, &asked)).collect();
    answers.join("; ")
}

/// Cuts text at full stops, line breaks and commas between JSON pairs.
fn sentences(text: &str) -> Vec<&str> {
    text.split(['\n', '。', '{', '}'])
        .flat_map(|line| line.split(". "))
        .flat_map(|part| part.split("\", \""))
        .filter(|part| !part.trim().is_empty())
        .collect()
}

/// Lower-case words; Chinese text as pairs of characters.
fn terms(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for run in text.split(|letter: char| !(letter.is_alphanumeric() || letter == '-')) {
        if run.is_empty() {
            continue;
        }
        if run.is_ascii() {
            found.push(run.to_ascii_lowercase());
        } else {
            let letters: Vec<char> = run.chars().collect();
            found.extend(letters.windows(2).map(|pair| pair.iter().collect()));
        }
    }
    found
}

/// The best sentences in the order of the text.
fn best_sentences<'a>(sentences: &[&'a str], asked: &BTreeSet<String>) -> Vec<&'a str> {
    let words: Vec<Vec<String>> = sentences.iter().map(|sentence| terms(sentence)).collect();
    let mut ranked: Vec<(usize, f64)> =
        bm25(&words, asked).into_iter().enumerate().filter(|(_, score)| *score > 0.0).collect();
    ranked.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
    let floor = ranked.first().map_or(0.0, |(_, best)| best * EVIDENCE_SHARE);
    let mut places: Vec<usize> = ranked
        .into_iter()
        .take(MOST_SENTENCES)
        .take_while(|(_, score)| *score >= floor)
        .map(|(place, _)| place)
        .collect();
    places.sort_unstable();
    places.into_iter().filter_map(|place| sentences.get(place).copied()).collect()
}

/// What a sentence says that the question does not; a Chinese sentence is given whole.
fn novel(sentence: &str, question: &str, asked: &BTreeSet<String>) -> String {
    if !sentence.is_ascii() {
        return sentence.trim().to_owned();
    }
    let fresh = |word: &&str| {
        let plain = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        !plain.is_empty() && !asked.contains(&plain.to_ascii_lowercase()) && !question.contains(plain)
    };
    let words: Vec<&str> = sentence.split([' ', '"']).filter(fresh).collect();
    words.join(" ").trim_matches(|letter: char| !letter.is_alphanumeric()).to_owned()
}

/// A person's name in a sentence that the question does not hold: capitalised words in a row, or the start of a
/// Chinese sentence.
fn name(sentence: &str, question: &str) -> String {
    if !sentence.is_ascii() {
        let stops = ['是', '的', '称', '名', '，'];
        let parts = sentence.split(stops).filter(|part| (2..=4).contains(&part.chars().count()));
        return parts.into_iter().find(|part| !question.contains(*part)).unwrap_or_default().to_owned();
    }
    let mut run: Vec<&str> = Vec::new();
    for word in sentence.split([' ', ',']).chain([""]) {
        let plain = word.trim_end_matches('.');
        if plain.starts_with(|letter: char| letter.is_ascii_uppercase()) && !question.contains(plain) {
            run.push(plain);
        } else if run.len() >= 2 {
            break;
        } else {
            run.clear();
        }
    }
    run.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_what_is_asked_for() {
        let prompt = "Head\n\nThe day was long. One of the hidden numbers for amber-kite is 1234567. They went home. \
                      One of the hidden numbers for coral-oak is 7654321.\n\nWhat is the hidden number for coral-oak?";
        assert!(read(prompt).contains("7654321"));
        assert!(!read(prompt).contains("1234567"));
    }

    #[test]
    fn it_reads_pairs() {
        let prompt = "Pairs\n\n{\"aa11\": \"bb22\", \"cc33\": \"dd44\"}\n\nWhat is the value of the key \"cc33\"?";
        assert_eq!(read(prompt), "dd44");
    }

    #[test]
    fn it_quotes_where_sentences_are_wanted() {
        let prompt = "Annals\n\nThe seal passed to Oro in 870. It rained. The seal passed to Edda in 873.\n\n\
                      Question: Who took the seal? Name everybody, one line for each.\nAnswer:";
        assert_eq!(read(prompt), "The seal passed to Oro in 870. The seal passed to Edda in 873.");
    }

    #[test]
    fn nothing_in_nothing_out() {
        assert_eq!(read(""), "");
        assert_eq!(read("\n\n"), "");
    }
}
