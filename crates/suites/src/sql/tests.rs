//! Queries against a naive evaluation, and texts that are none.

use proptest::prelude::*;

use super::*;

type Row = (i64, String, i64);

fn table(name: &str, rows: &[Row]) -> Table {
    let cells = |(id, group, v): &Row| vec![Value::Integer(*id), Value::Text(group.clone()), Value::Integer(*v)];
    Table {
        name: name.to_owned(),
        columns: ["id", "kind", "v"].map(str::to_owned).to_vec(),
        rows: rows.iter().map(cells).collect(),
    }
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    proptest::collection::vec((0_i64..8, "[abc]", -20_i64..20), 0..24)
}

fn answer(text: &str, tables: &[Table]) -> Vec<Vec<Value>> {
    let query = Query::parse(text).unwrap();
    assert_eq!(Query::parse(&query.to_string()).unwrap(), query, "{text}");
    query.evaluate(tables).unwrap().rows
}

fn kinds(rows: &[Row]) -> Vec<String> {
    let mut kinds: Vec<String> = rows.iter().map(|row| row.1.clone()).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

proptest! {
    #[test]
    fn filters_keep_what_a_loop_keeps(rows in rows(), low in -20_i64..20, kind in "[abc]") {
        let sql = format!("SELECT id, v FROM t WHERE v >= {low} AND (kind <> '{kind}' OR id = 3)");
        let kept = rows.iter().filter(|row| row.2 >= low && (row.1 != kind || row.0 == 3));
        let naive: Vec<Vec<Value>> = kept.map(|row| vec![Value::Integer(row.0), Value::Integer(row.2)]).collect();
        prop_assert_eq!(answer(&sql, &[table("t", &rows)]), naive);
    }

    #[test]
    fn groups_add_up(rows in rows(), least in 0_usize..6) {
        let sql = format!(
            "SELECT kind, COUNT(*) AS n, SUM(v), AVG(v), MAX(v), MIN(v) FROM t GROUP BY kind HAVING COUNT(*) > {least} ORDER BY kind DESC"
        );
        let mut naive = Vec::new();
        for kind in kinds(&rows).into_iter().rev() {
            let values: Vec<i64> = rows.iter().filter(|row| row.1 == kind).map(|row| row.2).collect();
            if values.len() > least {
                let sum: i64 = values.iter().sum();
                naive.push(vec![
                    Value::Text(kind),
                    Value::Integer(values.len() as i64),
                    Value::Integer(sum),
                    Value::Real(sum as f64 / values.len() as f64),
                    Value::Integer(*values.iter().max().unwrap()),
                    Value::Integer(*values.iter().min().unwrap()),
                ]);
            }
        }
        prop_assert_eq!(answer(&sql, &[table("t", &rows)]), naive);
    }

    #[test]
    fn joins_pair_what_two_loops_pair(left in rows(), right in rows(), limit in 0_usize..12) {
        let sql = format!(
            "SELECT l.v, r.v FROM l INNER JOIN r ON r.id = l.id WHERE l.kind = r.kind ORDER BY l.v DESC, r.v ASC LIMIT {limit}"
        );
        let mut naive: Vec<(i64, i64)> = Vec::new();
        for one in &left {
            naive.extend(right.iter().filter(|other| other.0 == one.0 && other.1 == one.1).map(|other| (one.2, other.2)));
        }
        naive.sort_by_key(|(one, other)| (-one, *other));
        naive.truncate(limit);
        let naive: Vec<Vec<Value>> =
            naive.into_iter().map(|(one, other)| vec![Value::Integer(one), Value::Integer(other)]).collect();
        prop_assert_eq!(answer(&sql, &[table("l", &left), table("r", &right)]), naive);
    }

    #[test]
    fn a_mean_can_be_compared_with(rows in rows()) {
        let mean = rows.iter().map(|row| row.2 as f64).sum::<f64>() / rows.len() as f64;
        let above = rows.iter().filter(|row| row.2 as f64 > mean).count();
        let found = answer("SELECT id FROM t WHERE v > (SELECT AVG(v) FROM t)", &[table("t", &rows)]);
        prop_assert_eq!(found.len(), above);
    }

    #[test]
    fn any_text_is_a_query_or_an_error(text in "(\\PC{0,80}|(SELECT|FROM|t|,|\\(|\\)|v|WHERE|=|<|1|'a'|GROUP BY|ORDER BY| ){0,30})") {
        if let Ok(query) = Query::parse(&text) {
            let _ = query.evaluate(&[table("t", &[(1, "a".to_owned(), 2)])]);
            prop_assert_eq!(Query::parse(&query.to_string()).unwrap(), query);
        }
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let tables = [table("t", &[(1, "a".to_owned(), 2)]), table("u", &[(1, "a".to_owned(), 2)])];
    let error = |text: &str| Query::parse(text).unwrap().evaluate(&tables).unwrap_err().to_string();
    assert_eq!(answer("SELECT T.V FROM T WHERE Kind = 'a'", &tables), [[Value::Integer(2)]], "names have no case");
    assert_eq!(error("SELECT x FROM t"), "no column `x`");
    assert_eq!(error("SELECT v FROM w"), "no table `w`");
    assert_eq!(error("SELECT v FROM t JOIN u ON t.id = u.id"), "column `v` is ambiguous: name its table");
    assert_eq!(error("SELECT SUM(kind) FROM t"), "column `kind` holds something that is no number");
    assert!(Query::parse("SELECT v FROM t WHERE").unwrap_err().to_string().contains("at the end"));
    assert!(Query::parse("SELECT v FROM t; DROP TABLE t").is_err());
    assert!(Query::parse(&format!("SELECT v FROM t WHERE {}v = 1", "(".repeat(10_000))).is_err());
}

#[test]
fn aggregates_of_nothing_are_null() {
    let found = answer("SELECT COUNT(*), SUM(v), MAX(v), AVG(v) FROM t WHERE v > 99", &[table("t", &[])]);
    assert_eq!(found, [[Value::Integer(0), Value::Null, Value::Null, Value::Null]]);
}
