//! The direction of dependencies, the licences and the bans, read from what cargo resolves.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use longboard_scenarios::root;
use serde_json::Value;

/// Which crate may depend on which of ours, outside tests.
const DIRECTION: &[(&str, &[&str])] = &[
    ("app", &["bus", "endpoint", "protocol", "stats", "store", "suites"]),
    ("bus", &[]),
    ("endpoint", &["suites"]),
    ("migrations", &[]),
    ("protocol", &[]),
    ("refmodel", &["suites"]),
    ("scenarios", &["testkit"]),
    ("server", &["app", "bus", "protocol", "worker"]),
    ("stats", &[]),
    ("store", &["migrations", "protocol", "suites"]),
    ("suites", &[]),
    ("testkit", &[]),
    ("worker", &["endpoint", "protocol", "refmodel", "stats", "suites"]),
];

/// Libraries with a single home.
const HOMES: &[(&str, &[&str])] = &[
    ("sea-orm", &["store"]),
    ("sea-orm-migration", &["migrations"]),
    ("redis", &["bus"]),
    ("askama", &["server"]),
    ("candle-core", &["refmodel"]),
    ("candle-nn", &["refmodel"]),
    ("tokenizers", &["refmodel"]),
];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--all-features", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo metadata");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn strings<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Our packages with the names they depend on outside tests.
fn ours(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let members: BTreeSet<&str> =
        metadata["workspace_members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| members.contains(strings(package, "id")))
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let used = dependencies.filter(|dependency| dependency["kind"] != "dev");
            let short = strings(package, "name").trim_start_matches("longboard-").to_owned();
            (short, used.map(|dependency| strings(dependency, "name").to_owned()).collect())
        })
        .collect()
}

#[test]
fn crates_depend_in_one_direction() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        DIRECTION.iter().map(|(from, to)| (*from, to.iter().copied().collect())).collect();
    let found = ours(&metadata());
    for (from, dependencies) in found {
        assert!(allowed.contains_key(from.as_str()), "{from} has no place in the direction of dependencies");
        for to in dependencies.iter().filter_map(|name| name.strip_prefix("longboard-")) {
            assert!(allowed[from.as_str()].contains(to), "{from} must not depend on {to}");
        }
    }
}

#[test]
fn libraries_stay_in_their_homes() {
    for (from, dependencies) in ours(&metadata()) {
        for (library, homes) in HOMES {
            assert!(
                !dependencies.contains(*library) || homes.contains(&from.as_str()),
                "{from} must not name {library}"
            );
        }
    }
}

#[test]
fn licences_and_bans_hold() {
    let policy: toml::Value = toml::from_str(&std::fs::read_to_string(root().join("deny.toml")).unwrap()).unwrap();
    let list = |value: &toml::Value| -> BTreeSet<String> {
        value.as_array().unwrap().iter().filter_map(|entry| entry.as_str().map(str::to_owned)).collect()
    };
    let allowed = list(&policy["licenses"]["allow"]);
    let exceptions: BTreeMap<String, BTreeSet<String>> = policy["licenses"]["exceptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["crate"].as_str().unwrap().to_owned(), list(&entry["allow"])))
        .collect();
    let banned: BTreeSet<&str> =
        policy["bans"]["deny"].as_array().unwrap().iter().filter_map(|entry| entry["crate"].as_str()).collect();
    for package in metadata()["packages"].as_array().unwrap() {
        let (name, licence) = (strings(package, "name"), strings(package, "license"));
        assert!(!banned.contains(name), "{name} is banned by deny.toml");
        let extra = exceptions.get(name);
        let fine = |one: &str| allowed.contains(one) || extra.is_some_and(|set| set.contains(one));
        assert!(licensed(licence, &fine), "{name} has the licence `{licence}`, which deny.toml does not allow");
    }
}

#[test]
fn banned_features_stay_off() {
    let policy: toml::Value = toml::from_str(&std::fs::read_to_string(root().join("deny.toml")).unwrap()).unwrap();
    let metadata = metadata();
    for ban in policy["bans"]["features"].as_array().unwrap() {
        let (name, denied) = (ban["crate"].as_str().unwrap(), ban["deny"].as_array().unwrap());
        let package = metadata["packages"].as_array().unwrap().iter().find(|package| package["name"] == name);
        let id = &package.unwrap_or_else(|| panic!("{name} is used no more; deny.toml need not name it"))["id"];
        let node = metadata["resolve"]["nodes"].as_array().unwrap().iter().find(|node| node["id"] == *id).unwrap();
        for feature in denied {
            let on = node["features"].as_array().unwrap().iter().any(|on| on.as_str() == feature.as_str());
            assert!(!on, "the feature {feature} of {name} is banned by deny.toml");
        }
    }
}

/// Whether an SPDX expression can be satisfied: one alternative all of whose parts are allowed.
fn licensed(expression: &str, fine: &dyn Fn(&str) -> bool) -> bool {
    let flat = expression.replace(['(', ')'], "").replace('/', " OR ");
    let conjunctions: Vec<&str> = flat.split(" AND ").collect();
    conjunctions.iter().all(|part| part.split(" OR ").any(|one| fine(one.trim())))
}

#[test]
fn licence_expressions_are_read() {
    let fine = |one: &str| one == "MIT" || one == "ISC";
    assert!(licensed("MIT OR GPL-3.0", &fine));
    assert!(licensed("Apache-2.0/MIT", &fine));
    assert!(licensed("(MIT OR Apache-2.0) AND ISC", &fine));
    assert!(!licensed("MIT AND GPL-3.0", &fine));
    assert!(!licensed("", &fine));
}

/// Words that write SQL by hand.
const RAW: [&str; 5] = ["execute_unprepared", "Statement::from", "from_raw_sql", "Expr::cust", "raw_sql"];

#[test]
fn sql_is_written_by_hand_in_one_place_only() {
    let mut folders = vec![root().join("crates"), root().join("migrations"), root().join("server/src")];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|kind| kind == "rs") {
                let text = std::fs::read_to_string(&entry).unwrap();
                if RAW.iter().any(|word| text.contains(word)) {
                    found.insert(entry.strip_prefix(root()).unwrap().display().to_string());
                }
            }
        }
    }
    found.remove("crates/store/src/dialect.rs");
    assert_eq!(found, BTreeSet::new(), "SQL by hand belongs into crates/store/src/dialect.rs");
}
