//! Countdown: a solution in three equations, else how far the search is right.

use super::super::python_text::{int, strip};
use super::{ProcedureScore, share, tagged};

const PROCEDURE: &str = "# Search Procedure";

/// Scores an answer. `trace` is the reference search with its solution. `None` where the official scorer, which hands the
/// left side of an equation to its language's evaluator, stops with an error: such a line is wrong here.
#[must_use]
pub fn countdown(answer: &str, numbers: &[i64], target: i64, trace: &str) -> (ProcedureScore, bool) {
    let solution = tagged(answer, "Solution");
    let verdict = solution.map_or(Verdict::Wrong, |solution| check(solution, numbers, target));
    if verdict == Verdict::Right {
        return (ProcedureScore::RIGHT, false);
    }
    let partial = answer.rsplit_once(PROCEDURE).map_or(0.0, |(_, given)| {
        let wanted = trace.rsplit_once(PROCEDURE).map_or(trace, |(_, wanted)| wanted);
        let wanted = wanted.split_once("Now we have found the target").map_or(wanted, |(wanted, _)| wanted);
        followed(strip(given), strip(wanted))
    });
    (ProcedureScore { accuracy: 0.0, partial, extracted: solution.is_some() }, verdict == Verdict::Crash)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Right,
    Wrong,
    Crash,
}

fn check(solution: &str, numbers: &[i64], target: i64) -> Verdict {
    let lines: Vec<&str> = solution.split('\n').collect();
    if lines.len() != 3 {
        return Verdict::Wrong;
    }
    let mut left: Vec<i128> = numbers.iter().map(|&number| i128::from(number)).collect();
    for line in lines {
        let equation = match Equation::read(strip(line)) {
            Ok(Some(equation)) => equation,
            Ok(None) => return Verdict::Wrong,
            Err(Unreadable) => return Verdict::Crash,
        };
        for operand in equation.operands {
            let Some(place) = left.iter().position(|&number| number == operand) else { return Verdict::Wrong };
            left.remove(place);
        }
        left.push(equation.result);
    }
    if left.first() == Some(&i128::from(target)) { Verdict::Right } else { Verdict::Wrong }
}

/// The official scorer's evaluator would raise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unreadable;

/// `a op b = c` that holds.
struct Equation {
    operands: [i128; 2],
    result: i128,
}

impl Equation {
    /// Reads a line; `None` where it is readable and wrong.
    fn read(line: &str) -> Result<Option<Self>, Unreadable> {
        let Some((left, right)) = line.split_once('=').filter(|(_, right)| !right.contains('=')) else {
            return Ok(None);
        };
        let value = Expression::new(left).value()?;
        let number = |text: &str| int(text).and_then(|digits| digits.parse::<i128>().ok());
        let Some(mark) = ["+", "-", "*", "/"].into_iter().find(|mark| left.contains(mark)) else { return Ok(None) };
        let parts: Vec<&str> = left.split(mark).collect();
        let [one, other] = parts.as_slice() else { return Ok(None) };
        let (Some(result), Some(one), Some(other)) = (number(right), number(one), number(other)) else {
            return Ok(None);
        };
        let holds = value.equals(result);
        Ok(holds.then_some(Self { operands: [one, other], result }))
    }
}

/// A fraction in any form, its denominator above 0.
#[derive(Clone, Copy)]
struct Fraction(i128, i128);

impl Fraction {
    fn equals(self, whole: i128) -> bool {
        whole.checked_mul(self.1) == Some(self.0)
    }

    fn new(above: Option<i128>, below: Option<i128>) -> Result<Self, Unreadable> {
        match (above, below) {
            (Some(above), Some(below)) if below != 0 => {
                let sign = below.signum();
                Ok(Self(above.checked_mul(sign).ok_or(Unreadable)?, below.checked_mul(sign).ok_or(Unreadable)?))
            }
            _ => Err(Unreadable),
        }
    }

    fn apply(self, operator: u8, other: Self) -> Result<Self, Unreadable> {
        let cross = (self.0.checked_mul(other.1), other.0.checked_mul(self.1));
        match operator {
            b'+' => Self::new(cross.0.zip(cross.1).and_then(|(a, b)| a.checked_add(b)), self.1.checked_mul(other.1)),
            b'-' => Self::new(cross.0.zip(cross.1).and_then(|(a, b)| a.checked_sub(b)), self.1.checked_mul(other.1)),
            b'*' => Self::new(self.0.checked_mul(other.0), self.1.checked_mul(other.1)),
            _ => Self::new(self.0.checked_mul(other.1), self.1.checked_mul(other.0)),
        }
    }
}

/// Sums and products of whole numbers, read without recursion into brackets: an answer never needs any.
struct Expression<'a> {
    rest: &'a [u8],
}

impl<'a> Expression<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.as_bytes() }
    }

    fn value(mut self) -> Result<Fraction, Unreadable> {
        let mut sum = self.product()?;
        while let Some(operator) = self.take(b"+-") {
            sum = sum.apply(operator, self.product()?)?;
        }
        if self.rest.is_empty() { Ok(sum) } else { Err(Unreadable) }
    }

    fn product(&mut self) -> Result<Fraction, Unreadable> {
        let mut product = self.number()?;
        while let Some(operator) = self.take(b"*/") {
            product = product.apply(operator, self.number()?)?;
        }
        Ok(product)
    }

    fn number(&mut self) -> Result<Fraction, Unreadable> {
        let mut sign = 1;
        while let Some(mark) = self.take(b"+-") {
            sign = if mark == b'-' { -sign } else { sign };
        }
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at_checked(count).ok_or(Unreadable)?;
        let zeros = digits.len() > 1 && digits.first() == Some(&b'0') && digits.iter().any(|&digit| digit != b'0');
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<i128>().ok());
        self.rest = rest;
        self.skip();
        if zeros { Err(Unreadable) } else { Fraction::new(number.map(|number| sign * number), Some(1)) }
    }

    fn take(&mut self, marks: &[u8]) -> Option<u8> {
        self.skip();
        let (first, rest) = self.rest.split_first()?;
        marks.contains(first).then(|| {
            self.rest = rest;
            *first
        })
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

/// Official share of the trace that was followed: the last line looked at over the reference's lines, from 0; -1 over
/// them where only the first line was written.
fn followed(given: &str, wanted: &str) -> f64 {
    let (mut given, mut wanted) = (given.split('\n'), wanted.split('\n'));
    if given.next() != wanted.next() {
        return 0.0;
    }
    let wanted: Vec<&str> = wanted.collect();
    let mut looked_at = 0;
    for (given, wanted) in given.zip(&wanted) {
        looked_at += 1;
        if !same_step(given, wanted) {
            break;
        }
    }
    if looked_at == 0 { -share(1, wanted.len()) } else { share(looked_at - 1, wanted.len()) }
}

fn same_step(given: &str, wanted: &str) -> bool {
    let side = |line: &str| line.split('=').next().unwrap_or_default().to_owned();
    let drops = |line: &str| line.contains("drop this branch");
    let tried = !wanted.contains("Pick two numbers") && wanted.contains("|- Try");
    given == wanted || (tried && side(given) == side(wanted) && drops(given) == drops(wanted))
}
