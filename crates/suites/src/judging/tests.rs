//! Judges and their grammar.
use super::*;

#[test]
fn judges_are_found_by_name() {
    for judge in BuiltinJudge::ALL {
        assert_eq!(BuiltinJudge::find(judge.slug()), Some(judge));
    }
}
