//! Queries over small tables against the answers that SQLite gives (`golden/make_sql.py`).

#![expect(clippy::unwrap_used, reason = "a row that cannot be read fails the test")]

use longboard_suites::sql::{Query, Table, Value};
use serde_json::Value as Json;

fn cells(row: &Json) -> Vec<Value> {
    row.as_array().unwrap().iter().map(|cell| Value::from_json(cell).unwrap()).collect()
}

fn rows(of: &Json) -> Vec<Vec<Value>> {
    of["rows"].as_array().unwrap().iter().map(cells).collect()
}

fn table(of: &Json) -> Table {
    let columns = of["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    Table { name: of["name"].as_str().unwrap().to_owned(), columns, rows: rows(of) }
}

/// Rows as texts, in any order where the query asks for none.
fn written(mut rows: Vec<Vec<Value>>, ordered: bool) -> Vec<String> {
    let cell = |value: &Value| value.number().map_or_else(|| value.to_string(), |number| format!("{number:.9}"));
    if !ordered {
        rows.sort_by_key(|row| row.iter().map(cell).collect::<Vec<_>>());
    }
    rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" | ")).collect()
}

#[test]
fn queries_give_what_sqlite_gives() {
    let mut lines = include_str!("golden/sql.jsonl").lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let tables: Vec<Table> = lines.next().unwrap()["tables"].as_array().unwrap().iter().map(table).collect();
    let mut read = 0;
    for line in lines {
        let text = line["query"].as_str().unwrap();
        let query = Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(Query::parse(&query.to_string()).unwrap(), query, "{text}");
        let answer = query.evaluate(&tables).unwrap_or_else(|error| panic!("{text}: {error}"));
        let ordered = text.contains("ORDER BY");
        assert_eq!(written(answer.rows, ordered), written(rows(&line), ordered), "{text}");
        read += 1;
    }
    assert_eq!(read, 83);
}
