//! Programs: code that is taken from an answer and judged by what it printed elsewhere.
//!
//! Nothing is compiled or run here: text of a model runs in a sandbox or not at all.

use super::ProcedureScore;

/// Tests per program, at most.
pub const TESTS: usize = 10;
/// Seconds that a program may take per test.
pub const RUN_SECONDS: u32 = 3;

/// What already stands before each program, with `using namespace std;`: the headers of the SPoC judge (arXiv 1906.04908).
const HEADERS: [&str; 18] = [
    "cstdio",
    "iostream",
    "vector",
    "algorithm",
    "numeric",
    "cmath",
    "cstring",
    "set",
    "map",
    "queue",
    "stack",
    "list",
    "fstream",
    "climits",
    "cassert",
    "iomanip",
    "sstream",
    "bitset",
];

/// The lines that stand before each program.
#[must_use]
pub fn preamble() -> String {
    let includes: Vec<String> = HEADERS.iter().map(|header| format!("#include <{header}>\n")).collect();
    format!("{}using namespace std;\n", includes.concat())
}

/// A test of an official record: lines of input and of expected output.
pub type Test = (Vec<String>, Vec<String>);

/// The code between the first fence called `cpp` or `c++` and the last fence; `None` where there is no such block.
#[must_use]
pub fn program(answer: &str) -> Option<String> {
    let text = answer.replace("```c++", "```cpp");
    let (_, inside) = text.split_once("```cpp")?;
    inside.rsplit_once("```").map(|(code, _)| code.to_owned())
}

/// Whether what a program printed is expected: the standard output of each of the first [`TESTS`] tests, to the byte, in
/// the tests' order. A missing output, after a crash or a timeout, is wrong.
#[must_use]
pub fn right_outputs(outputs: &[Option<String>], tests: &[Test]) -> bool {
    right_count(outputs, tests) == tests.len().min(TESTS)
}

/// How many of the outputs that decide are right.
#[must_use]
pub fn right_count(outputs: &[Option<String>], tests: &[Test]) -> usize {
    let right = |(place, (_, lines)): &(usize, &Test)| {
        let expected = format!("{}\n", lines.join("\n"));
        outputs.get(*place).is_some_and(|output| output.as_deref() == Some(expected.as_str()))
    };
    tests.iter().take(TESTS).enumerate().filter(right).count()
}

/// Scores an answer whose program printed `outputs`; `None` stands for a program that does not compile.
#[must_use]
pub fn pseudo_to_code(answer: &str, outputs: Option<&[Option<String>]>, tests: &[Test]) -> ProcedureScore {
    if program(answer).is_none() {
        return ProcedureScore::UNREADABLE;
    }
    let accuracy = f64::from(outputs.is_some_and(|outputs| right_outputs(outputs, tests)));
    ProcedureScore { accuracy, partial: accuracy, extracted: true }
}
