//! What a text may ask of the stack: refused before anything recurses over it.
//!
//! Parsing, planning and optimising recurse as deep as a text is nested. Long chains (`a OR b OR …`) nest too, although
//! they need no parentheses. The tokens give an upper bound of the depth without any recursion:
//!
//! ```text
//! SELECT a + b * c, f(x OR (y AND NOT z)) FROM t
//!        └─ 2 ──┘     └ 1 +  └── 2 ──┘      → the deepest piece counts: 3
//! ```

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Fault, Result, SqlError};

/// Bytes of a text, at most.
pub(crate) const TEXT_BYTES_MAX: usize = 4 << 20;

/// Levels that a text may be nested, at most.
pub(crate) const DEPTH_MAX: usize = 400;

/// Refuses a text that is too long.
pub(crate) fn check_length(text: &str) -> Result<()> {
    if text.len() <= TEXT_BYTES_MAX {
        return Ok(());
    }
    let message = format!("the text has {} bytes, at most {TEXT_BYTES_MAX} are taken", text.len());
    Err(SqlError::Query { message, fault: Fault::TooComplex, position: None })
}

/// Refuses tokens that may be nested too deeply.
pub(crate) fn check_depth(tokens: &[TokenWithSpan]) -> Result<()> {
    let depth = depth(tokens.iter().map(|token| &token.token));
    if depth <= DEPTH_MAX {
        return Ok(());
    }
    let message = format!(
        "the statement is up to {depth} levels deep, at most {DEPTH_MAX} are taken; write long chains of OR as IN (…)"
    );
    Err(SqlError::Query { message, fault: Fault::TooComplex, position: None })
}

/// A piece between two commas, and the deepest of its list so far.
#[derive(Debug, Clone, Copy, Default)]
struct Piece {
    operators: usize,
    inner: usize,
    deepest: usize,
}

impl Piece {
    fn end(&mut self) {
        self.deepest = self.deepest.max(self.operators + self.inner);
        (self.operators, self.inner) = (0, 0);
    }
}

fn depth<'a>(tokens: impl Iterator<Item = &'a Token>) -> usize {
    let mut open = vec![Piece::default()];
    for token in tokens {
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => open.push(Piece::default()),
            Token::RParen | Token::RBracket | Token::RBrace => close(&mut open),
            Token::Comma | Token::SemiColon => {
                if let Some(piece) = open.last_mut() {
                    piece.end();
                }
            }
            other if nests(other) => {
                if let Some(piece) = open.last_mut() {
                    piece.operators += 1;
                }
            }
            _ => {}
        }
    }
    while open.len() > 1 {
        close(&mut open);
    }
    open.first_mut().map_or(0, |piece| {
        piece.end();
        piece.deepest
    })
}

fn close(open: &mut Vec<Piece>) {
    if open.len() < 2 {
        return;
    }
    if let (Some(mut inner), Some(outer)) = (open.pop(), open.last_mut()) {
        inner.end();
        outer.inner = outer.inner.max(inner.deepest + 1);
    }
}

/// Whether what follows the token may stand a level deeper.
fn nests(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND
                | Keyword::OR
                | Keyword::NOT
                | Keyword::IS
                | Keyword::IN
                | Keyword::LIKE
                | Keyword::ILIKE
                | Keyword::BETWEEN
                | Keyword::CASE
                | Keyword::UNION
                | Keyword::EXCEPT
                | Keyword::INTERSECT
                | Keyword::JOIN
                | Keyword::AT
                | Keyword::COLLATE
                | Keyword::EXPLAIN
                | Keyword::OVERLAPS
                | Keyword::XOR
                | Keyword::DIV
        ),
        Token::EOF
        | Token::Number(..)
        | Token::Char(_)
        | Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::DollarQuotedString(_)
        | Token::NationalStringLiteral(_)
        | Token::EscapedStringLiteral(_)
        | Token::HexStringLiteral(_)
        | Token::Whitespace(_)
        | Token::Period
        | Token::Placeholder(_) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    #[track_caller]
    fn check(text: &str, expected: usize) {
        let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize().unwrap();
        assert_eq!(super::depth(tokens.iter()), expected, "{}", &text[..text.len().min(60)]);
    }

    #[test]
    fn the_deepest_piece_counts() {
        check("SELECT 1", 0);
        check("SELECT a + b * c, d FROM t", 2);
        check("SELECT f(x OR (y AND NOT z)) FROM t", 5);
        check("SELECT 1 WHERE a = 1 OR b = 2 OR c = 3", 5);
        check("SELECT 1; SELECT 1 + 1 + 1", 2);
    }

    #[test]
    fn long_lists_are_flat() {
        let list = vec!["(-1, 'a')"; 1000].join(", ");
        check(&format!("SELECT * FROM (VALUES {list}) AS t"), 4);
        check(&format!("SELECT a IN ({})", vec!["1"; 1000].join(",")), 2);
    }

    #[test]
    fn what_is_never_closed_counts_too() {
        check(&"(".repeat(1000), 1000);
        check(&")".repeat(1000), 0);
        check(&"- ".repeat(1000), 1000);
    }
}
