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
    fn any_text_is_a_query_or_an_error(text in "(\\PC{0,80}|(SELECT|FROM|t|,|\\(|\\)|v|WHERE|=|<|1|'a'|GROUP BY|ORDER BY| ){0,30})",
        clauses in "(SELECT v FROM t WHERE )?((NOT |\\(|v |-1 |\"v\" |IN \\(1, 2\\) |IS NULL |LIKE 'a%' |BETWEEN 1 AND |AND |OR |\\+ |\\* |- |= |\\) |UNION SELECT v FROM t ){1,24})") {
        for text in [text, clauses] {
            let Ok(query) = Query::parse(&text) else { continue };
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
    assert_eq!(error("SELECT v FROM t WHERE id IN (SELECT id FROM u WHERE u.v = t.v)"), "no column `t.v`");
    assert_eq!(error("SELECT v FROM t WHERE id IN (SELECT id, v FROM u)"), "a query after IN must give one column");
    assert_eq!(error("SELECT v FROM t UNION SELECT id, v FROM u"), "combined queries must give equally many columns");
    assert_eq!(error("SELECT v FROM t ORDER BY 2"), "the answer has no column number 2");
    assert_eq!(error("SELECT v + 1 AS w FROM t WHERE w + x > 1"), "no column `x`");
    assert_eq!(error("SELECT SUM(kind) FROM t"), "column `kind` holds something that is no number");
    assert!(Query::parse("SELECT v FROM t WHERE").unwrap_err().to_string().contains("at the end"));
    assert!(Query::parse("SELECT v FROM t; DROP TABLE t").is_err());
    assert!(Query::parse(&format!("SELECT v FROM t WHERE {}v = 1", "(".repeat(10_000))).is_err());
}

#[test]
fn what_is_not_read_is_named() {
    let refused = |text: &str| Query::parse(text).unwrap_err().to_string();
    for (text, name) in [
        ("SELECT CASE WHEN v = 1 THEN 2 END FROM t", "`CASE`"),
        ("SELECT v FROM t WHERE EXISTS (SELECT v FROM t)", "`EXISTS`"),
        ("SELECT CAST(v AS INTEGER) FROM t", "`CAST`"),
        ("SELECT upper(kind) FROM t", "the function `UPPER`"),
        ("SELECT v FROM t JOIN u USING (id)", "`USING`"),
        ("SELECT v FROM t RIGHT JOIN u ON t.id = u.id", "`RIGHT JOIN`"),
        ("SELECT v FROM t WHERE kind LIKE 'a' ESCAPE 'b'", "`ESCAPE`"),
        ("SELECT v FROM t WHERE SUM(v) > 1", "an aggregate stands in WHERE"),
        ("SELECT SUM(MAX(v)) FROM t", "an aggregate stands within an aggregate"),
        ("SELECT v FROM t UNION SELECT v FROM t INTERSECT SELECT v FROM t", "INTERSECT beside UNION"),
        ("WITH x AS (SELECT v FROM t) SELECT v FROM x", "expected `SELECT`"),
    ] {
        assert!(refused(text).contains(name), "{text}: {}", refused(text));
    }
    assert!(Query::parse(&format!("SELECT v FROM t WHERE {}v = 1", "v = 1 OR ".repeat(2000))).is_err());
}

#[test]
fn dialects_differ_as_duckdb_has_it() {
    let rows = [(1, "a".to_owned(), 7), (2, "B".to_owned(), 2)];
    let mut tables = [table("t", &rows)];
    assert_eq!(answer("SELECT v / 2 FROM t", &tables), [[Value::Real(3.5)], [Value::Real(1.0)]]);
    assert_eq!(answer("SELECT id FROM t WHERE kind LIKE 'b'", &tables), Vec::<Vec<Value>>::new());
    assert_eq!(answer("SELECT id FROM t WHERE kind ILIKE 'b'", &tables), [[Value::Integer(2)]]);
    tables[0].rows[0][2] = Value::Null;
    for direction in ["ASC", "DESC"] {
        let found = answer(&format!("SELECT v FROM t ORDER BY v {direction}"), &tables);
        assert_eq!(found, [[Value::Integer(2)], [Value::Null]]);
    }
}

#[test]
fn a_join_of_everything_with_everything_is_refused() {
    let rows: Vec<Row> = (0..1100).map(|id| (id, "a".to_owned(), id)).collect();
    let tables = [table("t", &rows), table("u", &rows)];
    let query = Query::parse("SELECT t.v FROM t, u").unwrap();
    assert!(matches!(query.evaluate(&tables), Err(EvaluateError::TooManyPairs(_))));
    let found = answer("SELECT t.v FROM t, u WHERE t.id = u.id", &tables);
    assert_eq!(found.len(), rows.len(), "what the filter asks to be equal narrows the join");
}

#[test]
fn all_tables_read_are_named() {
    let text = "SELECT (SELECT MAX(v) FROM a) FROM b JOIN c ON b.v = c.v AND b.v IN (SELECT v FROM d) \
                WHERE NOT v = (SELECT MIN(v) FROM (SELECT v FROM e) AS x) UNION SELECT v FROM f";
    let query = Query::parse(text).unwrap();
    let mut names = query.tables();
    names.sort_unstable();
    assert_eq!(names, ["a", "b", "c", "d", "e", "f"]);
}

#[test]
fn aggregates_of_nothing_are_null() {
    let found = answer("SELECT COUNT(*), SUM(v), MAX(v), AVG(v) FROM t WHERE v > 99", &[table("t", &[])]);
    assert_eq!(found, [[Value::Integer(0), Value::Null, Value::Null, Value::Null]]);
}
