//! Lists in answers: the last JSON list that can be read, wherever it stands.

use serde_json::{Deserializer, Value};

/// Opening brackets that are tried: an answer of brackets alone must not take quadratic time.
const TRIES: usize = 64;

/// The elements of the last JSON list in `answer`; `None` where no list can be read. A list inside another belongs to it.
#[must_use]
pub fn last_list(answer: &str) -> Option<Vec<Value>> {
    let (mut found, mut at) = (None, 0);
    for _ in 0..TRIES {
        let Some(rest) = answer.get(at..) else { break };
        let Some(start) = rest.find('[') else { break };
        let mut values = Deserializer::from_str(rest.get(start..).unwrap_or_default()).into_iter::<Vec<Value>>();
        if let Some(Ok(list)) = values.next() {
            found = Some(list);
            at += start + values.byte_offset().max(1);
        } else {
            at += start + 1;
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
        assert_eq!((last_list("none"), last_list("[]")), (None, Some(vec![])));
    }

    #[test]
    fn a_megabyte_of_brackets_is_read() {
        assert_eq!(last_list(&"[".repeat(1_000_000)), None);
        assert_eq!(last_list(&"[\"".repeat(500_000)), None);
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
