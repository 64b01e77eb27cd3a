//! A small part of C++, read into a tree: whole numbers, arrays, conditions, loops, input and output.
//!
//! Nesting, chains and length are bounded, so that a hostile text costs neither stack nor time.

/// Longest program, in tokens.
const TOKENS: usize = 20_000;
/// Deepest nesting, and longest chain of operators on one level.
const DEPTH: usize = 120;

/// A variable or a cell of an array.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) index: Option<Box<Expression>>,
}

#[derive(Debug, Clone)]
pub(super) enum Expression {
    Number(i64),
    Value(Place),
    Negative(Box<Expression>),
    Not(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    /// `=`, or an operator with `=`; the value is the new one.
    Assign(Place, Option<Operator>, Box<Expression>),
    /// `++` and `--`; the value is the old one where they stand behind.
    Step {
        place: Place,
        by: i64,
        behind: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    Unequal,
    And,
    Or,
}

/// Something written by `cout`.
#[derive(Debug, Clone)]
pub(super) enum Written {
    Text(String),
    Value(Expression),
}

#[derive(Debug, Clone)]
pub(super) enum Statement {
    /// Name, cells of an array, first value.
    Declare(Vec<(String, Option<Expression>, Option<Expression>)>),
    Evaluate(Expression),
    Read(Vec<Place>),
    Write(Vec<Written>),
    If(Expression, Box<Statement>, Option<Box<Statement>>),
    While(Expression, Box<Statement>),
    For(Box<Statement>, Option<Expression>, Option<Expression>, Box<Statement>),
    Block(Vec<Statement>),
    Break,
    Continue,
    Return,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Number(i64),
    Text(String),
    Mark(&'static str),
}

const MARKS: [&str; 33] = [
    "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "+", "-", "*", "/", "%",
    "<", ">", "=", "!", "(", ")", "{", "}", "[", "]", ",", ";", ":",
];

/// Reads a program's `main`; `None` where it is no program of this part of the language.
pub(super) fn parse(code: &str) -> Option<Statement> {
    let tokens = tokens(code)?;
    let mut parser = Parser { tokens: &tokens, depth: 0 };
    while parser.word("using") {
        for word in ["namespace", "std"] {
            parser.word(word).then_some(())?;
        }
        parser.mark(";").then_some(())?;
    }
    (parser.word("int") && parser.word("main") && parser.mark("(")).then_some(())?;
    parser.word("void");
    parser.mark(")").then_some(())?;
    let body = parser.block()?;
    parser.tokens.is_empty().then_some(body)
}

fn tokens(code: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("#include"));
    for line in lines {
        let mut rest = line.trim_start();
        while !rest.is_empty() && !rest.starts_with("//") {
            let (token, after) = token(rest)?;
            tokens.push(token);
            if tokens.len() > TOKENS {
                return None;
            }
            rest = after.trim_start();
        }
    }
    Some(tokens)
}

fn token(text: &str) -> Option<(Token, &str)> {
    let first = text.chars().next()?;
    if first.is_ascii_digit() {
        let end = text.find(|scalar: char| !scalar.is_ascii_digit()).unwrap_or(text.len());
        let (digits, rest) = text.split_at_checked(end)?;
        let rest = rest.trim_start_matches(['l', 'L']);
        return Some((Token::Number(digits.parse().ok()?), rest));
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let end = text.find(|scalar: char| !scalar.is_ascii_alphanumeric() && scalar != '_').unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end)?;
        // `std::cin` is `cin`.
        return match rest.strip_prefix("::").filter(|_| word == "std") {
            Some(rest) => token(rest),
            None => Some((Token::Word(word.to_owned()), rest)),
        };
    }
    if let Some(inside) = text.strip_prefix(['"', '\'']) {
        let (content, rest) = inside.split_once(first)?;
        return Some((Token::Text(content.replace("\\n", "\n")), rest));
    }
    MARKS.iter().find_map(|mark| Some((Token::Mark(mark), text.strip_prefix(mark)?)))
}

struct Parser<'a> {
    tokens: &'a [Token],
    depth: usize,
}

impl Parser<'_> {
    fn mark(&mut self, mark: &str) -> bool {
        self.take(|token| matches!(token, Token::Mark(found) if *found == mark))
    }

    fn word(&mut self, word: &str) -> bool {
        self.take(|token| matches!(token, Token::Word(found) if found == word))
    }

    fn take(&mut self, wanted: impl Fn(&Token) -> bool) -> bool {
        match self.tokens.split_first() {
            Some((first, rest)) if wanted(first) => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }

    fn name(&mut self) -> Option<String> {
        let (Token::Word(name), rest) = self.tokens.split_first()? else { return None };
        self.tokens = rest;
        Some(name.clone())
    }

    /// Runs `read` one level deeper.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.depth += 1;
        let found = if self.depth > DEPTH { None } else { read(self) };
        self.depth -= 1;
        found
    }

    fn block(&mut self) -> Option<Statement> {
        self.mark("{").then_some(())?;
        let mut statements = Vec::new();
        while !self.mark("}") {
            statements.push(self.statement()?);
        }
        Some(Statement::Block(statements))
    }

    fn statement(&mut self) -> Option<Statement> {
        self.nested(Self::statement_inside)
    }

    fn statement_inside(&mut self) -> Option<Statement> {
        if matches!(self.tokens.first(), Some(Token::Mark("{"))) {
            return self.block();
        }
        if self.word("if") {
            let condition = self.in_brackets()?;
            let body = Box::new(self.statement()?);
            let otherwise = if self.word("else") { Some(Box::new(self.statement()?)) } else { None };
            return Some(Statement::If(condition, body, otherwise));
        }
        if self.word("while") {
            let condition = self.in_brackets()?;
            return Some(Statement::While(condition, Box::new(self.statement()?)));
        }
        if self.word("for") {
            return self.for_loop();
        }
        let statement = self.simple()?;
        self.mark(";").then_some(statement)
    }

    fn in_brackets(&mut self) -> Option<Expression> {
        self.mark("(").then_some(())?;
        let inside = self.expression()?;
        self.mark(")").then_some(inside)
    }

    fn for_loop(&mut self) -> Option<Statement> {
        self.mark("(").then_some(())?;
        let start = if self.mark(";") {
            Statement::Block(Vec::new())
        } else {
            let start = self.simple()?;
            self.mark(";").then_some(start)?
        };
        let condition = if self.mark(";") {
            None
        } else {
            let condition = self.expression()?;
            Some(self.mark(";").then_some(condition)?)
        };
        let step = if self.mark(")") {
            None
        } else {
            let step = self.expression()?;
            Some(self.mark(")").then_some(step)?)
        };
        Some(Statement::For(Box::new(start), condition, step, Box::new(self.statement()?)))
    }

    /// A statement that ends with a semicolon, without it.
    fn simple(&mut self) -> Option<Statement> {
        if self.word("return") {
            if !matches!(self.tokens.first(), Some(Token::Mark(";"))) {
                self.expression()?;
            }
            return Some(Statement::Return);
        }
        if self.word("break") {
            return Some(Statement::Break);
        }
        if self.word("continue") {
            return Some(Statement::Continue);
        }
        if self.word("cin") {
            let mut places = Vec::new();
            while self.mark(">>") {
                places.push(self.place()?);
            }
            return Some(Statement::Read(places));
        }
        if self.word("cout") {
            let mut written = Vec::new();
            while self.mark("<<") {
                written.push(self.written()?);
            }
            return Some(Statement::Write(written));
        }
        if self.kind() { self.declaration() } else { Some(Statement::Evaluate(self.expression()?)) }
    }

    /// Takes the name of a kind of whole numbers.
    fn kind(&mut self) -> bool {
        self.word("const");
        let mut found = false;
        while ["int", "long", "unsigned", "bool"].iter().any(|word| self.word(word)) {
            found = true;
        }
        found
    }

    fn declaration(&mut self) -> Option<Statement> {
        let mut declared = Vec::new();
        loop {
            let name = self.name()?;
            let cells = if self.mark("[") {
                let cells = self.expression()?;
                Some(self.mark("]").then_some(cells)?)
            } else {
                None
            };
            let value = if self.mark("=") { Some(self.expression()?) } else { None };
            declared.push((name, cells, value));
            if !self.mark(",") {
                return Some(Statement::Declare(declared));
            }
        }
    }

    fn written(&mut self) -> Option<Written> {
        if self.word("endl") {
            return Some(Written::Text("\n".to_owned()));
        }
        if let Some((Token::Text(text), rest)) = self.tokens.split_first() {
            self.tokens = rest;
            return Some(Written::Text(text.clone()));
        }
        // Comparisons inside an output need brackets, as in the language.
        Some(Written::Value(self.nested(|parser| parser.binary(4))?))
    }

    fn place(&mut self) -> Option<Place> {
        let name = self.name()?;
        if !self.mark("[") {
            return Some(Place { name, index: None });
        }
        let index = Some(Box::new(self.expression()?));
        self.mark("]").then_some(Place { name, index })
    }

    fn expression(&mut self) -> Option<Expression> {
        self.nested(Self::assignment)
    }

    fn assignment(&mut self) -> Option<Expression> {
        let left = self.binary(0)?;
        let forms = [
            ("=", None),
            ("+=", Some(Operator::Add)),
            ("-=", Some(Operator::Subtract)),
            ("*=", Some(Operator::Multiply)),
            ("/=", Some(Operator::Divide)),
            ("%=", Some(Operator::Remainder)),
        ];
        for (mark, operator) in forms {
            if self.mark(mark) {
                let Expression::Value(place) = left else { return None };
                return Some(Expression::Assign(place, operator, Box::new(self.expression()?)));
            }
        }
        Some(left)
    }

    /// Chains of operators that bind at least as strongly as `level`.
    fn binary(&mut self, level: usize) -> Option<Expression> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        for _ in 0..DEPTH {
            let Some((_, operator)) = operators.iter().find(|(mark, _)| self.mark(mark)) else { return Some(left) };
            left = Expression::Binary(*operator, Box::new(left), Box::new(self.binary(level + 1)?));
        }
        None
    }

    fn unary(&mut self) -> Option<Expression> {
        self.nested(Self::unary_inside)
    }

    fn unary_inside(&mut self) -> Option<Expression> {
        if self.mark("-") {
            return Some(Expression::Negative(Box::new(self.unary()?)));
        }
        if self.mark("!") {
            return Some(Expression::Not(Box::new(self.unary()?)));
        }
        for (mark, by) in [("++", 1), ("--", -1)] {
            if self.mark(mark) {
                return Some(Expression::Step { place: self.place()?, by, behind: false });
            }
        }
        match self.tokens.split_first()? {
            (Token::Number(number), rest) => {
                self.tokens = rest;
                Some(Expression::Number(*number))
            }
            (Token::Mark("("), _) => self.in_brackets(),
            _ => {
                let place = self.place()?;
                for (mark, by) in [("++", 1), ("--", -1)] {
                    if self.mark(mark) {
                        return Some(Expression::Step { place, by, behind: true });
                    }
                }
                Some(Expression::Value(place))
            }
        }
    }
}

/// Operators from the weakest to the strongest.
const LEVELS: [&[(&str, Operator)]; 6] = [
    &[("||", Operator::Or)],
    &[("&&", Operator::And)],
    &[("==", Operator::Equal), ("!=", Operator::Unequal)],
    &[("<=", Operator::LessOrEqual), (">=", Operator::GreaterOrEqual), ("<", Operator::Less), (">", Operator::Greater)],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)],
];
