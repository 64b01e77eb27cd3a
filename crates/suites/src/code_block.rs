//! Code cut into blocks as it is laid out: a stand-in for the sub-trees of a parser.
//!
//! SEA (Hu et al. 2022, arXiv 2208.11271, section 3.2) cuts by the syntax tree. Here a block ends behind a blank line and
//! behind a line that closes braces down to the body of a function. No grammar is needed, so any language and any text can
//! be cut; braces in texts and comments count like others.

use crate::{chunk, tokens};

/// Canonical tokens of a piece, as many as SEA's encoder reads of one.
pub const PIECE: u32 = 256;

/// Open braces at which a statement of a function's own body ends.
const BODY: i64 = 1;

/// Blocks that follow each other and together are all of `text`.
#[must_use]
pub fn blocks(text: &str) -> Vec<&str> {
    let mut blocks = Vec::new();
    let (mut start, mut end, mut depth) = (0, 0, 0_i64);
    for line in text.split_inclusive('\n') {
        let closes = line.bytes().filter(|byte| *byte == b'}').count();
        let opens = line.bytes().filter(|byte| *byte == b'{').count();
        depth = (depth + i64::try_from(opens).unwrap_or(0) - i64::try_from(closes).unwrap_or(0)).max(0);
        end += line.len();
        let blank = line.trim().is_empty();
        if blank || (closes > 0 && depth <= BODY) {
            blocks.extend(text.get(start..end));
            start = end;
        }
    }
    blocks.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    blocks
}

/// Pieces of at most [`PIECE`] canonical tokens that together are all of `text`: neighbouring blocks as long as they fit,
/// longer blocks cut at their lines and words.
#[must_use]
pub fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let parts = blocks(text).into_iter().flat_map(|block| chunk::texts(block, PIECE));
    let mut open = String::new();
    for part in parts {
        let joined = format!("{open}{part}");
        if open.is_empty() || tokens::count(&joined) <= PIECE {
            open = joined;
        } else {
            pieces.push(std::mem::replace(&mut open, part.to_owned()));
        }
    }
    pieces.extend((!open.is_empty()).then_some(open));
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blocks_end_at_blank_lines_and_at_the_ends_of_statements() {
        let code = "fn run() {\n  let a = 1;\n  if a {\n    b();\n  }\n  c();\n\n  d();\n}\n";
        let expected = ["fn run() {\n  let a = 1;\n  if a {\n    b();\n  }\n", "  c();\n\n", "  d();\n}\n"];
        assert_eq!(blocks(code), expected);
        assert_eq!(blocks("def f():\n    a()\n\n    b()"), ["def f():\n    a()\n\n", "    b()"]);
        assert_eq!(pieces(code), [code]);
        assert!(blocks("").is_empty() && pieces("").is_empty());
    }

    proptest! {
        #[test]
        fn pieces_are_all_of_the_text_and_short(text in "([a-z]{1,6}|\\{|\\}|;|\n|\n\n| ){0,400}", times in 1_usize..12) {
            let text = text.repeat(times);
            prop_assert_eq!(blocks(&text).concat(), text.clone());
            let pieces = pieces(&text);
            prop_assert!(pieces.iter().all(|piece| tokens::count(piece) <= PIECE && !piece.is_empty()));
            prop_assert_eq!(pieces.concat(), text);
        }
    }
}
