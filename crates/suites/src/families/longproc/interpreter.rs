//! Runs a parsed program: bounded steps, memory and output, checked arithmetic, no way to anything outside.

use std::collections::HashMap;

use super::parser::{Expression, Operator, Place, Statement, Written};

/// Steps that a program may take.
const STEPS: u32 = 200_000;
/// Numbers that a program may hold.
const CELLS: usize = 100_000;
/// Bytes that it may write.
const OUTPUT: usize = 65_536;

/// What the program wrote; `None` after an error of any kind or too many steps.
pub(super) fn run(program: &Statement, input: &str) -> Option<String> {
    let input: Option<Vec<i64>> = input.split_whitespace().map(|word| word.parse().ok()).collect();
    let mut machine =
        Machine { scopes: vec![HashMap::new()], input: input?.into_iter(), output: String::new(), steps: 0, cells: 0 };
    machine.statement(program)?;
    Some(machine.output)
}

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
    Return,
}

struct Machine {
    scopes: Vec<HashMap<String, Vec<i64>>>,
    input: std::vec::IntoIter<i64>,
    output: String,
    steps: u32,
    cells: usize,
}

impl Machine {
    fn tick(&mut self) -> Option<()> {
        self.steps += 1;
        (self.steps <= STEPS).then_some(())
    }

    fn statement(&mut self, statement: &Statement) -> Option<Flow> {
        self.tick()?;
        match statement {
            Statement::Declare(declared) => {
                for (name, cells, value) in declared {
                    self.declare(name, cells.as_ref(), value.as_ref())?;
                }
            }
            Statement::Evaluate(expression) => {
                self.value(expression)?;
            }
            Statement::Read(places) => {
                for place in places {
                    let number = self.input.next()?;
                    self.set(place, number)?;
                }
            }
            Statement::Write(written) => {
                for one in written {
                    match one {
                        Written::Text(text) => self.output.push_str(text),
                        Written::Value(expression) => {
                            let value = self.value(expression)?;
                            self.output.push_str(&value.to_string());
                        }
                    }
                }
                (self.output.len() <= OUTPUT).then_some(())?;
            }
            Statement::If(condition, body, otherwise) => {
                if self.value(condition)? != 0 {
                    return self.inner(body);
                }
                return otherwise.as_ref().map_or(Some(Flow::On), |otherwise| self.inner(otherwise));
            }
            Statement::While(condition, body) => return self.repeat(Some(condition), None, body),
            Statement::For(start, condition, step, body) => {
                self.scopes.push(HashMap::new());
                self.statement(start)?;
                let flow = self.repeat(condition.as_ref(), step.as_ref(), body)?;
                self.leave();
                return Some(flow);
            }
            Statement::Block(statements) => return self.block(statements),
            Statement::Break => return Some(Flow::Break),
            Statement::Continue => return Some(Flow::Continue),
            Statement::Return => return Some(Flow::Return),
        }
        Some(Flow::On)
    }

    fn block(&mut self, statements: &[Statement]) -> Option<Flow> {
        self.scopes.push(HashMap::new());
        let mut flow = Flow::On;
        for statement in statements {
            flow = self.statement(statement)?;
            if flow != Flow::On {
                break;
            }
        }
        self.leave();
        Some(flow)
    }

    fn inner(&mut self, body: &Statement) -> Option<Flow> {
        self.scopes.push(HashMap::new());
        let flow = self.statement(body)?;
        self.leave();
        Some(flow)
    }

    fn leave(&mut self) {
        let gone = self.scopes.pop().unwrap_or_default();
        self.cells = self.cells.saturating_sub(gone.values().map(Vec::len).sum());
    }

    fn repeat(&mut self, condition: Option<&Expression>, step: Option<&Expression>, body: &Statement) -> Option<Flow> {
        loop {
            self.tick()?;
            if let Some(condition) = condition
                && self.value(condition)? == 0
            {
                return Some(Flow::On);
            }
            match self.inner(body)? {
                Flow::Break => return Some(Flow::On),
                Flow::Return => return Some(Flow::Return),
                Flow::On | Flow::Continue => {}
            }
            if let Some(step) = step {
                self.value(step)?;
            }
        }
    }

    fn declare(&mut self, name: &str, cells: Option<&Expression>, value: Option<&Expression>) -> Option<()> {
        let count = match cells {
            Some(cells) => usize::try_from(self.value(cells)?).ok()?,
            None => 1,
        };
        self.cells = self.cells.checked_add(count).filter(|&cells| cells <= CELLS)?;
        let first = value.map_or(Some(0), |value| self.value(value))?;
        let scope = self.scopes.last_mut()?;
        // A name is declared once in its scope; the language refuses a second time.
        (!scope.contains_key(name)).then_some(())?;
        scope.insert(name.to_owned(), vec![first; count]);
        Some(())
    }

    fn cell(&mut self, place: &Place) -> Option<&mut i64> {
        let index = match &place.index {
            Some(index) => usize::try_from(self.value(index)?).ok()?,
            None => 0,
        };
        self.scopes.iter_mut().rev().find_map(|scope| scope.get_mut(&place.name))?.get_mut(index)
    }

    fn set(&mut self, place: &Place, number: i64) -> Option<i64> {
        *self.cell(place)? = number;
        Some(number)
    }

    fn value(&mut self, expression: &Expression) -> Option<i64> {
        self.tick()?;
        match expression {
            Expression::Number(number) => Some(*number),
            Expression::Value(place) => self.cell(place).copied(),
            Expression::Negative(inside) => self.value(inside)?.checked_neg(),
            Expression::Not(inside) => Some(i64::from(self.value(inside)? == 0)),
            Expression::Binary(Operator::And, left, right) => {
                Some(i64::from(self.value(left)? != 0 && self.value(right)? != 0))
            }
            Expression::Binary(Operator::Or, left, right) => {
                Some(i64::from(self.value(left)? != 0 || self.value(right)? != 0))
            }
            Expression::Binary(operator, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                apply(*operator, left, right)
            }
            Expression::Assign(place, operator, right) => {
                let right = self.value(right)?;
                let number = match operator {
                    Some(operator) => apply(*operator, *self.cell(place)?, right)?,
                    None => right,
                };
                self.set(place, number)
            }
            Expression::Step { place, by, behind } => {
                let cell = self.cell(place)?;
                let old = *cell;
                *cell = old.checked_add(*by)?;
                Some(if *behind { old } else { *cell })
            }
        }
    }
}

fn apply(operator: Operator, left: i64, right: i64) -> Option<i64> {
    Some(match operator {
        Operator::Add => left.checked_add(right)?,
        Operator::Subtract => left.checked_sub(right)?,
        Operator::Multiply => left.checked_mul(right)?,
        Operator::Divide => left.checked_div(right)?,
        Operator::Remainder => left.checked_rem(right)?,
        Operator::Less => i64::from(left < right),
        Operator::LessOrEqual => i64::from(left <= right),
        Operator::Greater => i64::from(left > right),
        Operator::GreaterOrEqual => i64::from(left >= right),
        Operator::Equal => i64::from(left == right),
        Operator::Unequal => i64::from(left != right),
        Operator::And => i64::from(left != 0 && right != 0),
        Operator::Or => i64::from(left != 0 || right != 0),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::parser::parse;
    use super::*;

    fn output(code: &str, input: &str) -> Option<String> {
        run(&parse(code)?, input)
    }

    #[test]
    fn programs_run() {
        let code = "#include <iostream>\nusing namespace std;\nint main() {\n  long long n, sum = 0; // two numbers\n  cin >> n;\n  int t[10];\n  for (int i = 0; i < n; i++) { t[i] = i * i; if (i % 2 == 0 && i > 0) sum += t[i]; else continue; }\n  while (true_enough(1)) {}\n}";
        assert_eq!(output(code, "7"), None);
        let code = code.replace("  while (true_enough(1)) {}\n", "  cout << sum << ' ' << -n << endl;\n  return 0;\n");
        assert_eq!(output(&code, "7").as_deref(), Some("56 -7\n"));
    }

    #[test]
    fn errors_end_a_program() {
        for body in
            ["int a = 1 / 0;", "int t[3]; t[3] = 1;", "b = 2;", "while (1) {}", "int a; int a;", "int t[9000000];"]
        {
            assert_eq!(output(&format!("int main() {{ {body} }}"), ""), None, "{body}");
        }
    }

    #[test]
    fn hostile_nesting_is_refused() {
        for open in ["(", "{", "if(1)", "-", "a[", "1+", "!"] {
            let code = format!("int main() {{ {}", open.repeat(300_000 / open.len()));
            assert!(parse(&code).is_none(), "{open}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(
            body in "\\PC*|(int |a|b|\\[|\\]|=|[0-9]{1,20}|[-+*/%<>!(){};,]|cin|cout|>>|<<|endl|for|while|if|else|\"|break;){0,50}"
        ) {
            let _ = output(&format!("int main() {{ int a = 3, b[4]; {body} }}"), "1 2 3");
        }
    }
}
