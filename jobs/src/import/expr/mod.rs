//! Conditions: `when = "stage == 'Won' and (amount > 100 or account is not null)"`.
//!
//! A column is a bare word (letters, digits, `_`, `:`, `.`) or anything between backticks; a text stands between
//! single quotes (doubled inside); a number is a plain decimal. Operators: `==`, `!=`, `<`, `<=`, `>`, `>=`, `in (..)`,
//! `not in (..)`, `is null`, `is not null`, joined by `and`, `or`, `not` and parentheses.
//!
//! A condition is true or false, never unknown: an empty cell equals nothing, and `!=` and `not in` say the opposite
//! of `==` and `in`. Against a number, the column must hold one. Two columns are compared as numbers if both
//! are, else as text by bytes, which is right for the canonical dates and times.

mod parse;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use super::decimal::Decimal;

/// A condition over columns known as `C`: a name when parsed, an index when bound.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr<C> {
    All(Vec<Expr<C>>),
    Any(Vec<Expr<C>>),
    Not(Box<Expr<C>>),
    IsNull(C),
    In(C, Vec<Literal>),
    Compare(C, Op, Operand<C>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand<C> {
    Column(C),
    Literal(Literal),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Number(Decimal),
}

/// Why a condition has no answer for a row.
#[derive(Debug)]
pub(crate) enum ExprFailure<C, E> {
    NotANumber { column: C, value: String },
    Column(E),
}

impl<C> Expr<C> {
    /// The same condition with every column replaced.
    pub(crate) fn bind<D, E>(&self, to: &mut impl FnMut(&C) -> Result<D, E>) -> Result<Expr<D>, E> {
        Ok(match self {
            Self::All(parts) => Expr::All(parts.iter().map(|part| part.bind(to)).collect::<Result<_, E>>()?),
            Self::Any(parts) => Expr::Any(parts.iter().map(|part| part.bind(to)).collect::<Result<_, E>>()?),
            Self::Not(part) => Expr::Not(Box::new(part.bind(to)?)),
            Self::IsNull(column) => Expr::IsNull(to(column)?),
            Self::In(column, values) => Expr::In(to(column)?, values.clone()),
            Self::Compare(column, op, operand) => {
                let column = to(column)?;
                let operand = match operand {
                    Operand::Column(other) => Operand::Column(to(other)?),
                    Operand::Literal(literal) => Operand::Literal(literal.clone()),
                };
                Expr::Compare(column, *op, operand)
            }
        })
    }

    /// Whether the condition holds where `cell` gives the columns' values.
    pub(crate) fn holds<'a, E>(
        &self,
        cell: &impl Fn(&C) -> Result<Option<Cow<'a, str>>, E>,
    ) -> Result<bool, ExprFailure<C, E>>
    where
        C: Clone,
    {
        let read = |column: &C| cell(column).map_err(ExprFailure::Column);
        Ok(match self {
            Self::All(parts) => {
                for part in parts {
                    if !part.holds(cell)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Any(parts) => {
                for part in parts {
                    if part.holds(cell)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Not(part) => !part.holds(cell)?,
            Self::IsNull(column) => read(column)?.is_none(),
            Self::In(column, values) => {
                let Some(value) = read(column)? else { return Ok(false) };
                for literal in values {
                    if order_to(column, &value, literal)?.is_eq() {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Compare(column, op, operand) => {
                let Some(value) = read(column)? else { return Ok(false) };
                let ordering = match operand {
                    Operand::Literal(literal) => order_to(column, &value, literal)?,
                    Operand::Column(other) => match read(other)? {
                        Some(other) => compare(&value, &other),
                        None => return Ok(false),
                    },
                };
                match op {
                    Op::Equal => ordering.is_eq(),
                    Op::Less => ordering.is_lt(),
                    Op::LessOrEqual => ordering.is_le(),
                    Op::Greater => ordering.is_gt(),
                    Op::GreaterOrEqual => ordering.is_ge(),
                }
            }
        })
    }
}

/// Numbers by value, everything else by bytes.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    match (Decimal::parse(a), Decimal::parse(b)) {
        (Some(x), Some(y)) => x.cmp(&y),
        _ => a.cmp(b),
    }
}

fn order_to<C: Clone, E>(column: &C, value: &str, literal: &Literal) -> Result<Ordering, ExprFailure<C, E>> {
    match literal {
        Literal::Text(text) => Ok(value.cmp(text)),
        Literal::Number(number) => match Decimal::parse(value) {
            Some(value) => Ok(value.cmp(number)),
            None => Err(ExprFailure::NotANumber { column: column.clone(), value: value.to_owned() }),
        },
    }
}
