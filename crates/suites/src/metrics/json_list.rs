//! Lists in answers: the last JSON list that can be read, wherever it stands.

use serde_json::{Deserializer, Value};

/// Bytes that may be read in vain, in lengths of the answer: one of brackets alone must not take quadratic time.
const PATIENCE: usize = 8;

/// The elements of the last JSON list in `answer`; `None` where no list can be read. A list inside another belongs to it.
#[must_use]
pub fn last_list(answer: &str) -> Option<Vec<Value>> {
    let (mut found, mut at, mut patience) = (None, 0, PATIENCE * answer.len());
    while let Some(start) = answer.get(at..).and_then(|rest| rest.find('[')) {
        let from = at + start;
        let rest = answer.get(from..).unwrap_or_default();
        let mut values = Deserializer::from_str(rest).into_iter::<Vec<Value>>();
        match values.next()? {
            Ok(list) => {
                found = Some(list);
                at = from + values.byte_offset().max(1);
            }
            Err(error) => {
                let read = if error.is_eof() || error.line() > 1 { rest.len() } else { error.column() };
                let Some(left) = patience.checked_sub(read) else { break };
                patience = left;
                at = from + 1;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_whole_list_counts() {
        assert_eq!(last_list("Not [1, 2] but\n```json\n[3, [4]]\n```").unwrap(), [json!(3), json!([4])]);
        assert_eq!(last_list("[1] and then [2, "), Some(vec![json!(1)]));
        assert_eq!(last_list(&format!("{}so [7]", "[12] reads [sic] ".repeat(500))), Some(vec![json!(7)]));
        assert_eq!((last_list("none"), last_list("[]")), (None, Some(vec![])));
    }

    #[test]
    fn a_megabyte_of_brackets_is_read() {
        assert_eq!(last_list(&"[".repeat(1_000_000)), None);
        assert_eq!(last_list(&"[\"".repeat(500_000)), None);
        assert_eq!(last_list(&"[1,\n".repeat(250_000)), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(list in proptest::collection::vec("\\PC{0,8}", 0..6), before in "[a-z ]{0,9}") {
            let text = format!("{before}{}", serde_json::to_string(&list).unwrap());
            let read: Vec<String> = last_list(&text).unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect();
            prop_assert_eq!(read, list);
        }
    }
}
