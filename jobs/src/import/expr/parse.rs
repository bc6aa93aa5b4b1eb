//! The parser of conditions: tokens, then recursive descent, `or` binding looser than `and`.

use std::fmt;

use super::super::decimal::Decimal;
use super::{Expr, Literal, Op, Operand};

impl Expr<String> {
    /// Reads a condition; an error says what was expected and where.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, depth: 0 };
        let expr = parser.any()?;
        match parser.tokens.first() {
            None => Ok(expr),
            Some(token) => Err(format!("expected `and`, `or` or the end, found {token}")),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A bare word: a column or a keyword.
    Word(String),
    /// A column between backticks.
    Column(String),
    Literal(Literal),
    Sign(&'static str),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) | Self::Column(word) => write!(f, "`{word}`"),
            Self::Literal(Literal::Text(text)) => write!(f, "'{text}'"),
            Self::Literal(Literal::Number(number)) => write!(f, "{number}"),
            Self::Sign(sign) => write!(f, "`{sign}`"),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    const SIGNS: [&str; 9] = ["==", "!=", "<=", ">=", "<", ">", "(", ")", ","];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            sign.len()
        } else if first == '\'' || first == '`' {
            let (content, length) = quoted(rest, first)?;
            tokens.push(match first {
                '`' => Token::Column(content),
                _ => Token::Literal(Literal::Text(content)),
            });
            length
        } else {
            let word = |c: char| c.is_alphanumeric() || "_:.+-".contains(c);
            let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
            let found = rest.get(..length).unwrap_or_default();
            match (Decimal::parse(found), found) {
                (_, "") if first == '=' => return Err("equality is written `==`".to_owned()),
                (_, "") => {
                    return Err(format!("`{first}` means nothing here; texts stand in 'single quotes'"));
                }
                (Some(number), _) => tokens.push(Token::Literal(Literal::Number(number))),
                (None, found) => tokens.push(Token::Word(found.to_owned())),
            }
            length
        };
        rest = rest.get(taken..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

/// The content of a quoted token at the start of `text`, and the token's length in bytes.
fn quoted(text: &str, quote: char) -> Result<(String, usize), String> {
    let mut content = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            content.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            content.push(quote);
        } else {
            return Ok((content, at + 1));
        }
    }
    Err(format!("{text} is not closed by {quote}"))
}

/// Nesting that no mapping needs; it keeps the parser off the end of the stack.
const DEPTH_MAX: usize = 64;

struct Parser<'a> {
    tokens: &'a [Token],
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Expr<String>, String> {
        let mut parts = vec![self.all()?];
        while self.word("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Any(parts) })
    }

    fn all(&mut self) -> Result<Expr<String>, String> {
        let mut parts = vec![self.one()?];
        while self.word("and") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::All(parts) })
    }

    fn one(&mut self) -> Result<Expr<String>, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("more than {DEPTH_MAX} levels of `not` and parentheses"));
        }
        let expr = if self.word("not") {
            Expr::Not(Box::new(self.one()?))
        } else if self.sign("(") {
            let inner = self.any()?;
            self.expect(")")?;
            inner
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn test(&mut self) -> Result<Expr<String>, String> {
        let column = match self.next("a column")? {
            Token::Word(name) | Token::Column(name) => name,
            other => return Err(format!("expected a column, found {other}")),
        };
        if self.word("is") {
            let not = self.word("not");
            if !self.word("null") {
                return Err("expected `null` or `not null` after `is`".to_owned());
            }
            return Ok(negate_if(not, Expr::IsNull(column)));
        }
        let not = self.word("not");
        if self.word("in") {
            self.expect("(")?;
            let mut values = vec![self.literal()?];
            while self.sign(",") {
                values.push(self.literal()?);
            }
            self.expect(")")?;
            return Ok(negate_if(not, Expr::In(column, values)));
        }
        let expected = format!("one of == != < <= > >= in, not in, is null after `{column}`");
        let (op, not) = match self.next(&expected)? {
            Token::Sign("==") => (Op::Equal, false),
            Token::Sign("!=") => (Op::Equal, true),
            Token::Sign("<") => (Op::Less, false),
            Token::Sign("<=") => (Op::LessOrEqual, false),
            Token::Sign(">") => (Op::Greater, false),
            Token::Sign(">=") => (Op::GreaterOrEqual, false),
            other => return Err(format!("expected {expected}, found {other}")),
        };
        let operand = match self.next("a 'text', a number or a column")? {
            Token::Literal(literal) => Operand::Literal(literal),
            Token::Word(name) | Token::Column(name) => Operand::Column(name),
            Token::Sign(sign) => {
                return Err(format!("expected a 'text', a number or a column, found `{sign}`"));
            }
        };
        Ok(negate_if(not, Expr::Compare(column, op, operand)))
    }

    fn literal(&mut self) -> Result<Literal, String> {
        match self.next("a 'text' or a number")? {
            Token::Literal(literal) => Ok(literal),
            other => Err(format!("expected a 'text' or a number, found {other}")),
        }
    }

    fn next(&mut self, expected: &str) -> Result<Token, String> {
        let (first, rest) = self.tokens.split_first().ok_or(format!("expected {expected}, found the end"))?;
        self.tokens = rest;
        Ok(first.clone())
    }

    fn word(&mut self, word: &str) -> bool {
        self.take(|token| matches!(token, Token::Word(found) if found == word))
    }

    fn sign(&mut self, sign: &str) -> bool {
        self.take(|token| matches!(token, Token::Sign(found) if *found == sign))
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.sign(sign) {
            return Ok(());
        }
        let found = self.tokens.first().map_or("the end".to_owned(), ToString::to_string);
        Err(format!("expected `{sign}`, found {found}"))
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
}

fn negate_if(not: bool, expr: Expr<String>) -> Expr<String> {
    if not { Expr::Not(Box::new(expr)) } else { expr }
}
