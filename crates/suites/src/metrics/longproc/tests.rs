#![expect(clippy::float_cmp, reason = "shares of small counts are exact")]

use proptest::prelude::*;

use super::*;

const TRACE: &str =
    "# Search Procedure\nInitial\n |- Pick two numbers (1, 2)\n  |- Try 2 + 1 = 3. x\n\nNow we have found the target";

#[test]
fn a_solution_uses_each_number_once() {
    let score = |lines: &str| countdown(&format!("<Solution>\n{lines}\n</Solution>"), &[5, 4, 11, 20], 22, TRACE);
    assert_eq!(score("5 + 4 = 9\n11-9=2\n20 + 2 = 22").0.accuracy, 1.0);
    for wrong in ["5 + 4 = 9\n11 - 9 = 2\n20 + 20 = 40", "5 + 5 = 10\n11 + 11 = 22\n22 + 0 = 22", "22 = 22\n1\n1"] {
        assert_eq!(score(wrong).0.accuracy, 0.0, "{wrong}");
    }
    for crash in ["x + 4 = 9", "9 / 0 = 9", "__import__('os') = 1", "05 + 4 = 9"] {
        assert!(score(&format!("{crash}\n1\n1")).1, "{crash}");
    }
}

#[test]
fn a_trace_that_stops_at_once_is_below_nothing() {
    assert_eq!(countdown("# Search Procedure\nInitial", &[1, 2, 3, 4], 9, TRACE).0.partial, -0.5);
}

#[test]
fn repeated_rows_count_in_the_official_form_only() {
    let (reference, answer) = ("name\tyear\na\t1\nb\t2", "```tsv\nname\tyear\na\t1\na\t1\nthe B\t2.\n```");
    assert_eq!(html_to_tsv(answer, reference).f1, 1.0);
    assert!(html_to_tsv_strict(answer, reference) < 1.0);
    assert_eq!(html_to_tsv_strict("name\tyear\nb\t2\na\t1", reference), 1.0);
}

#[test]
fn more_stays_than_asked_for_are_right_in_the_official_form_only() {
    let plan = "<Plan>\n**Day 1-3:** Arriving in A\n**Day 3:** Fly from A to B.\n**Day 3-5:** B\n**Day 5:** Fly from B to C.\n**Day 5-9:** C\n</Plan>";
    assert_eq!(travel_planning(plan, "A**B", "3**3", "").accuracy, 1.0);
    assert_eq!(travel_planning_strict(plan, "A**B", "3**3"), 0.0);
    assert_eq!(travel_planning_strict(plan, "A**B**C", "3**3**5"), 1.0);
}

#[test]
fn huge_answers_are_read() {
    let pieces = [
        "<Route>
",
        "- Step 1: x
",
        "\"	a
",
        "Day 1 from A to B",
        "<Solving Procedure>
",
        "1+",
    ];
    let huge = pieces.map(|piece| piece.repeat(170_000 / piece.len())).concat();
    check_all(&format!(
        "```tsv
<Solution>
{huge}

</Solution><Plan>{huge}</Plan>"
    ));
}

fn check_all(text: &str) {
    let reference = "name\tyear\na\t1";
    let table = html_to_tsv(text, reference);
    assert!((0.0..=1.0).contains(&table.f1) && (0.0..=1.0).contains(&html_to_tsv_strict(text, reference)));
    let scores = [
        path_traversal(text, "From A, take a bus to B."),
        tom_tracking(text, "- Step 1: A believes"),
        countdown(text, &[1, 2, 3, 4], 10, TRACE).0,
        travel_planning(text, "A**B", "2**3", "<Solving Procedure>\nfoo\nbar"),
        pseudo_to_code(text, None, &[]),
    ];
    for score in scores {
        assert!((0.0..=1.0).contains(&score.accuracy) && (-1.0..=1.0).contains(&score.partial), "{score:?}");
    }
    assert!((0.0..=1.0).contains(&travel_planning_strict(text, "A**B", "2**3")));
}

proptest! {
    #[test]
    fn no_text_breaks_a_scorer(
        text in "\\PC*|(</?Route>|</?Solution>|</?Plan>|<Solving Procedure>|```tsv\n|```cpp|```|# Search Procedure\n|Initial\n|[0-9]{1,40}|[-+*/=()\t\n\r\" ]|Day 3|from A to B|名字){0,60}"
    ) {
        check_all(&text);
    }
}
