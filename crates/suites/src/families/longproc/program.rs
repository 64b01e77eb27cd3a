//! Descriptions to programs: lines of plain words, each of which is one line of code.

use serde_json::json;

use crate::item::Item;
use crate::metrics::longproc::{TESTS, Test};
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};

use super::{Level, interpreter, parser};

/// What a program writes test by test; `None` where it is no program of the described part of the language.
pub(super) fn outputs(code: &str, tests: &[Test]) -> Option<Vec<Option<String>>> {
    let program = parser::parse(code)?;
    Some(tests.iter().take(TESTS).map(|(input, _)| interpreter::run(&program, &input.join("\n"))).collect())
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// A program in words and in code, line by line.
struct Draft {
    lines: Vec<(String, String)>,
    depth: usize,
    /// Loop variables in use.
    loops: usize,
}

impl Draft {
    fn new(rng: &mut Rng, wanted: u32) -> Self {
        let mut draft = Self { lines: Vec::new(), depth: 0, loops: 0 };
        draft.say("begin the main program", "int main() {");
        draft.depth = 1;
        draft.say("declare the whole numbers n, a, b, c, d, e and f", "long long n, a, b, c, d, e, f;");
        draft.say("read n, a and b from the input, in this order", "cin >> n >> a >> b;");
        for name in ["c", "d", "e", "f"] {
            let value = rng.between(2, 60);
            draft.say(&format!("set {name} to {value}"), &format!("{name} = {value};"));
        }
        while draft.tokens() < wanted {
            draft.part(rng, 0);
        }
        for name in NAMES {
            draft.say(&format!("print {name} on a line of its own"), &format!("cout << {name} << endl;"));
        }
        draft.say("end with the value 0", "return 0;");
        draft.depth = 0;
        draft.say("close the main program", "}");
        draft
    }

    fn say(&mut self, words: &str, code: &str) {
        let indent = "    ".repeat(self.depth);
        self.lines.push((words.to_owned(), format!("{indent}{code}")));
    }

    /// Tokens of the code, about.
    fn tokens(&self) -> u32 {
        self.lines.iter().map(|(_, code)| code.trim_start().len() as u32 / 2 + 2).sum()
    }

    /// One simple line, a condition or a loop.
    fn part(&mut self, rng: &mut Rng, level: usize) {
        let name = |rng: &mut Rng| rng.choose(&NAMES).copied().unwrap_or("a");
        let (x, y, z) = (name(rng), name(rng), name(rng));
        let (k, m) = (rng.between(2, 40), rng.between(101, 997));
        match rng.index(if level < 2 { 6 } else { 3 }) {
            0 => self.say(
                &format!("set {x} to the remainder of {y} times {k} plus {z}, after division by {m}"),
                &format!("{x} = ({y} * {k} + {z}) % {m};"),
            ),
            1 => self.say(&format!("add {k} to {x}"), &format!("{x} += {k};")),
            2 => self.say(&format!("set {x} to the sum of {y} and {k}"), &format!("{x} = {y} + {k};")),
            3 => {
                self.say(&format!("if {x} is greater than {y}, do the following"), &format!("if ({x} > {y}) {{"));
                self.body(rng, level);
                self.say("otherwise do the following", "} else {");
                self.body(rng, level);
                self.say("here the condition ends", "}");
            }
            4 => {
                let i = ["i", "j", "k"].get(self.loops).copied().unwrap_or("m");
                self.loops += 1;
                self.say(
                    &format!("for {i} from 1 up to and with n, do the following"),
                    &format!("for (int {i} = 1; {i} <= n; {i}++) {{"),
                );
                self.depth += 1;
                self.say(
                    &format!("set {x} to the remainder of {x} plus {i} times {k}, after division by {m}"),
                    &format!("{x} = ({x} + {i} * {k}) % {m};"),
                );
                self.depth -= 1;
                self.body(rng, level);
                self.loops -= 1;
                self.say("here the loop ends", "}");
            }
            _ => {
                self.say(&format!("while {x} is greater than {k}, do the following"), &format!("while ({x} > {k}) {{"));
                self.depth += 1;
                self.say(&format!("halve {x} and drop the rest"), &format!("{x} /= 2;"));
                self.depth -= 1;
                self.say("here the loop ends", "}");
            }
        }
    }

    fn body(&mut self, rng: &mut Rng, level: usize) {
        self.depth += 1;
        for _ in 0..1 + rng.index(2) {
            self.part(rng, level + 1);
        }
        self.depth -= 1;
    }

    fn code(&self) -> String {
        self.lines.iter().map(|(_, code)| code.as_str()).collect::<Vec<_>>().join("\n")
    }
}

/// Inputs with what the program writes for them.
fn tests(code: &str, rng: &mut Rng) -> Option<Vec<Test>> {
    let program = parser::parse(code)?;
    (0..6)
        .map(|_| {
            let input = format!("{} {} {}", rng.between(1, 9), rng.between(1, 900), rng.between(1, 900));
            let output = interpreter::run(&program, &input)?;
            Some((vec![input], output.lines().map(str::to_owned).collect()))
        })
        .collect()
}

pub(super) fn generate(
    task: &Task,
    request: &ItemRequest<'_>,
    level: Level,
    mut rng: Rng,
) -> Result<Item, GenerateError> {
    let range = level.answer_tokens();
    let wanted = (range.start() + range.end()) / 2;
    // Loops that do not end within the bound on steps are drawn again.
    let drawn = (0..64).find_map(|_| {
        let draft = Draft::new(&mut rng, wanted);
        let code = draft.code();
        let tests = tests(&code, &mut rng)?;
        Some((draft, code, tests))
    });
    let Some((draft, code, tests)) = drawn else {
        return Err(super::prose::unsatisfiable(task, request, "no program ended in time; take another seed"));
    };
    let needles = draft.lines.iter().zip(1..).map(|((words, _), number)| format!("Line {number}: {words}.")).collect();
    let head = "A program is described line by line; the numbered lines stand scattered in the chronicle below, in order. Each is one line of C++.\n\nExample\nLine 1: begin the main program.\nLine 2: declare the whole number n.\nLine 3: read n from the input.\nLine 4: if n is greater than 3, do the following.\nLine 5: print n on a line of its own.\nLine 6: here the condition ends.\nLine 7: end with the value 0.\nLine 8: close the main program.\n```cpp\nint main() {\n    long long n;\n    cin >> n;\n    if (n > 3) {\n        cout << n << endl;\n    }\n    return 0;\n}\n```\n\nChronicle\n\n";
    let tail = format!(
        "\n\nWrite the program of all {} lines between ```cpp and ```. Use only whole numbers, arrays, if, else, while, for, cin, cout and the operators of arithmetic and comparison; no other functions. The program is run on inputs of its own.",
        draft.lines.len()
    );
    let answer =
        Answer { references: vec![code.clone()], gold: json!({ "code": code, "tests": tests }), ..Answer::default() };
    super::scattered(task, request, &mut rng, [head.to_owned(), tail], needles, answer)
}
