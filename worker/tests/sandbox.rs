//! Programs in confinement: official rows score as published, and what reaches out gets nothing.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::Command;

use longboard_suites::metrics::longproc::right_outputs;
use longboard_suites::program::{Program, Ran, Test};
use longboard_worker::sandbox::{OUTPUT_BYTES, Sandbox, SandboxError};
use serde_json::Value;

const WORKER: &str = env!("CARGO_BIN_EXE_longboard-worker");

/// The sandbox, or `None` and a word about it where the machine has none.
async fn sandbox() -> Option<Sandbox> {
    match Sandbox::open(Path::new(WORKER)).await {
        Ok(sandbox) => Some(sandbox),
        Err(error @ (SandboxError::NoCompiler | SandboxError::Unconfined(_))) => {
            eprintln!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn test(input: &str) -> Test {
    (vec![input.to_owned()], Vec::new())
}

async fn ran(sandbox: &Sandbox, code: &str, inputs: &[&str]) -> Ran {
    let tests = inputs.iter().map(|input| test(input)).collect();
    sandbox.run(&Program { code: code.to_owned(), tests }).await.unwrap()
}

/// What a program prints for one line of input.
async fn printed(sandbox: &Sandbox, code: &str) -> Option<String> {
    match ran(sandbox, code, &["7"]).await {
        Ran::Printed(mut outputs) => outputs.remove(0),
        Ran::NotCompiled => panic!("does not compile: {code}"),
    }
}

#[tokio::test]
async fn golden_programs_score_as_published() {
    if sandbox().await.is_none() {
        return;
    }
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/suites/tests/golden/longproc_programs.jsonl");
    let score = |more: &'static [&str]| async move {
        let mut command = tokio::process::Command::new(WORKER);
        let output = command.args(["score", "--golden", golden]).args(more).output().await.unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (passed, text) = score(&["--sandbox"]).await;
    assert!(passed && text.contains(" 28/28 "), "{text}");
    let (_, text) = score(&[]).await;
    assert!(text.contains("10/10") && text.contains("SKIPPED 18 rows") && text.contains("--sandbox"), "{text}");
}

#[tokio::test]
async fn a_program_reads_its_input_and_is_read() {
    let Some(sandbox) = sandbox().await else { return };
    let code =
        "int main() { int n; cin >> n; vector<int> v(n, 2); cout << accumulate(v.begin(), v.end(), 0) << endl; }";
    let outputs = ["14\n", "2\n", "0\n"].map(|output| Some(output.to_owned()));
    assert_eq!(ran(&sandbox, code, &["7", "1", "0"]).await, Ran::Printed(outputs.to_vec()));
    assert_eq!(ran(&sandbox, "int main() { return }", &["7"]).await, Ran::NotCompiled);
}

#[tokio::test]
async fn what_crashes_or_never_ends_has_no_output() {
    let Some(sandbox) = sandbox().await else { return };
    for code in [
        "int main() { abort(); }",
        "int main() { return 3; }",
        "int main() { while (true); }",
        "int main() { vector<vector<char>> v; while (true) v.push_back(vector<char>(1 << 24, 1)); }",
        "int main() { while (true) printf(\"longer and longer\\n\"); }",
        "int main() { int *p = 0; *p = 1; }",
        "int main() { printf(\"\\xff\"); }",
    ] {
        assert_eq!(printed(&sandbox, code).await, None, "{code}");
    }
    let long = format!("int main() {{ cout << string({}, 'x'); }}", OUTPUT_BYTES / 2);
    assert_eq!(printed(&sandbox, &long).await.map(|text| text.len() as u64), Some(OUTPUT_BYTES / 2));
}

/// Each prints `in` when it gets what it wants.
#[tokio::test]
async fn what_reaches_out_gets_nothing() {
    let Some(sandbox) = sandbox().await else { return };
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret");
    std::fs::write(&secret, "1234").unwrap();
    let secret = secret.to_str().unwrap();
    let pid = std::process::id();
    let reaching: [(&str, String); 8] = [
        (
            "reads a file",
            format!(
                "#include <unistd.h>\n#include <fcntl.h>\nint main() {{ cout << (open(\"{secret}\", O_RDONLY) < 0 ? \"out\" : \"in\"); }}"
            ),
        ),
        (
            "writes a file",
            format!("int main() {{ ofstream f(\"{secret}\"); f << 5; f.flush(); cout << (f ? \"in\" : \"out\"); }}"),
        ),
        (
            "writes beside itself",
            "int main() { ofstream f(\"more\"); f << 5; f.flush(); cout << (f ? \"in\" : \"out\"); }".into(),
        ),
        (
            "opens a socket",
            "#include <sys/socket.h>\nint main() { cout << (socket(AF_INET, SOCK_STREAM, 0) < 0 ? \"out\" : \"in\"); }"
                .into(),
        ),
        ("starts a process", "#include <unistd.h>\nint main() { cout << (fork() < 0 ? \"out\" : \"in\"); }".into()),
        (
            "runs a command",
            "#include <cstdlib>\nint main() { cout << (system(\"true\") == 0 ? \"in\" : \"out\"); }".into(),
        ),
        (
            "signals another",
            format!("#include <signal.h>\nint main() {{ cout << (kill({pid}, 0) == 0 ? \"in\" : \"out\"); }}"),
        ),
        (
            "reads the environment",
            "#include <cstdlib>\nint main() { cout << (getenv(\"HOME\") ? \"in\" : \"out\"); }".into(),
        ),
    ];
    for (what, code) in reaching {
        assert_eq!(printed(&sandbox, &code).await.as_deref(), Some("out"), "{what}");
    }
    assert_eq!(std::fs::read_to_string(secret).unwrap(), "1234");
    let included = format!("int main() {{ return 0; }}\nint stolen[] = {{\n#include \"{secret}\"\n}};");
    assert_eq!(ran(&sandbox, &included, &[]).await, Ran::NotCompiled, "the compiler reads a file");
}

#[test]
fn confinement_is_not_optional() {
    let output =
        Command::new(WORKER).args(["confined", "--stage", "run", "--folder", "/nowhere", "--", "/bin/true"]).output();
    assert!(!output.unwrap().status.success());
}

/// Official programs, where their file is at hand, pass their tests here.
#[tokio::test]
async fn official_programs_pass_their_tests() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");
    let root = std::env::var_os("LONGBOARD_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let path = root.join("data/longproc/pseudo_to_code/pseudo_to_code_0.5k.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        return eprintln!("SKIPPED: set LONGBOARD_SHARED to a folder with data/longproc to run its programs");
    };
    let Some(sandbox) = sandbox().await else { return };
    let records: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut passed = 0;
    let some = records.iter().take(8);
    for record in some.clone() {
        let lines: Vec<&str> = record["code_lines"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let tests: Vec<Test> = serde_json::from_value(record["testcases"].clone()).unwrap();
        let program = Program { code: lines.join("\n"), tests };
        let ran = sandbox.run(&program).await.unwrap();
        passed += usize::from(right_outputs(ran.outputs().unwrap_or_default(), &program.tests));
    }
    assert_eq!(passed, some.count());
}
