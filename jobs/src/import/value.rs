//! A value bound to the columns of its table: where it comes from and what becomes of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::contract::Kind;
use super::decimal::{NumberStyle, Rounding};
use super::expr::Expr;
use super::stamp::{Output, StampRule};
use super::summary::Reason;
use super::table::{Cell, ColumnId, Failure, TableId, Tables};
use super::template::{Part, Template};
use super::value_spec::{Letters, Unmapped};

#[derive(Debug)]
pub(super) struct Value {
    pub(super) origin: Origin,
    pub(super) letters: Option<Letters>,
    pub(super) map: Option<(BTreeMap<String, String>, Unmapped)>,
    pub(super) default: Option<String>,
    pub(super) treatment: Treatment,
    pub(super) required: bool,
    /// What errors call it: its column or template.
    pub(super) label: String,
}

#[derive(Debug)]
pub(super) enum Origin {
    Column(ColumnId),
    FirstOf(Vec<ColumnId>),
    Text(Template<ColumnId>),
    Cases(Vec<(Option<Expr<ColumnId>>, Value)>),
}

#[derive(Debug)]
pub(super) enum Treatment {
    None,
    /// With the formats as the mapping writes them.
    Stamp(StampRule, String),
    Amount(Rounding, NumberStyle),
    Number(NumberStyle),
}

impl Value {
    /// The kind that its texts are known to have, so that they need no second check.
    pub(super) fn kind(&self) -> Option<Kind> {
        match &self.treatment {
            Treatment::Stamp(rule, _) => Some(match rule.output {
                Output::Instant => Kind::Time,
                Output::Day => Kind::Date,
                Output::Quarter | Output::Month => Kind::Period,
            }),
            Treatment::Amount(..) => Some(Kind::Amount),
            Treatment::Number(_) => Some(Kind::Number),
            Treatment::None => None,
        }
    }

    /// Every column it reads directly.
    pub(super) fn columns(&self) -> Vec<ColumnId> {
        match &self.origin {
            Origin::Column(column) => vec![*column],
            Origin::FirstOf(columns) => columns.clone(),
            Origin::Text(template) => {
                let columns = template.0.iter().filter_map(|part| match part {
                    Part::Column(column) => Some(*column),
                    Part::Literal(_) => None,
                });
                columns.collect()
            }
            Origin::Cases(cases) => {
                let mut columns = Vec::new();
                for (when, value) in cases {
                    columns.extend(when.iter().flat_map(expr_columns));
                    columns.extend(value.columns());
                }
                columns
            }
        }
    }

    pub(super) fn evaluate<'a>(&'a self, tables: &'a Tables, table: TableId, row: usize) -> Cell<'a> {
        let mut value = self.read(tables, table, row)?;
        match (self.letters, &mut value) {
            (Some(Letters::Lower), Some(text)) => *text = Cow::Owned(text.to_lowercase()),
            (Some(Letters::Upper), Some(text)) => *text = Cow::Owned(text.to_uppercase()),
            _ => {}
        }
        if let (Some((map, unmapped)), Some(text)) = (&self.map, &value) {
            value = match (map.get(text.as_ref()), unmapped) {
                (Some(to), _) => Some(Cow::Borrowed(to.as_str())).filter(|to| !to.is_empty()),
                (None, Unmapped::Keep) => value,
                (None, Unmapped::Null) => None,
                (None, Unmapped::Reject) => {
                    let known: Vec<&str> = map.keys().map(String::as_str).collect();
                    let right = format!("one of the map's values: {}", known.join(", "));
                    return Err(self.failure(Reason::UnmappedValue, text, right).into());
                }
            };
        }
        let value = value.or_else(|| self.default.as_deref().map(Cow::Borrowed));
        let Some(text) = value else {
            if self.required {
                return Err(self.failure(Reason::MissingValue, "", "a value".to_owned()).into());
            }
            return Ok(None);
        };
        self.treat(text).map(Some)
    }

    fn read<'a>(&'a self, tables: &'a Tables, table: TableId, row: usize) -> Cell<'a> {
        match &self.origin {
            Origin::Column(column) => tables.cell(table, *column, row),
            Origin::FirstOf(columns) => {
                for column in columns {
                    if let Some(value) = tables.cell(table, *column, row)? {
                        return Ok(Some(value));
                    }
                }
                Ok(None)
            }
            Origin::Text(template) => {
                if let [Part::Literal(text)] = template.0.as_slice() {
                    return Ok(Some(Cow::Borrowed(text.as_str())));
                }
                let mut text = String::new();
                for part in &template.0 {
                    match part {
                        Part::Literal(literal) => text.push_str(literal),
                        Part::Column(column) => match tables.cell(table, *column, row)? {
                            Some(value) => text.push_str(&value),
                            None => return Ok(None),
                        },
                    }
                }
                Ok((!text.is_empty()).then_some(Cow::Owned(text)))
            }
            Origin::Cases(cases) => {
                for (when, value) in cases {
                    let holds = match when {
                        Some(when) => tables.holds(when, table, row)?,
                        None => true,
                    };
                    if holds {
                        return value.evaluate(tables, table, row);
                    }
                }
                Ok(None)
            }
        }
    }

    fn treat<'a>(&self, text: Cow<'a, str>) -> Result<Cow<'a, str>, Box<Failure>> {
        let number = |style: &NumberStyle| {
            let expected = "a decimal number such as 1234.50 (decimal_point, thousands and strip say how else it is written)";
            style
                .parse(&text)
                .ok_or_else(|| Box::new(self.failure(Reason::BadNumber, &text, expected.to_owned())))
        };
        match &self.treatment {
            Treatment::None => Ok(text),
            Treatment::Number(style) => Ok(Cow::Owned(number(style)?.to_string())),
            Treatment::Amount(rounding, style) => {
                let right = match rounding {
                    Rounding::Exact => {
                        "an amount with at most two decimal places (or amount = \"half_even\")"
                    }
                    _ => "an amount below 10^16",
                };
                let amount = number(style)?.to_amount(*rounding);
                amount
                    .map(Cow::Owned)
                    .ok_or_else(|| Box::new(self.failure(Reason::BadAmount, &text, right.to_owned())))
            }
            Treatment::Stamp(rule, formats) => rule.apply(&text).map(Cow::Owned).ok_or_else(|| {
                let right = format!("a date or time written as {formats}, in the years 1900 to 2199");
                Box::new(self.failure(Reason::BadDate, &text, right))
            }),
        }
    }

    fn failure(&self, reason: Reason, value: &str, right: String) -> Failure {
        Failure { reason, column: self.label.clone(), value: value.to_owned(), right }
    }
}

/// Every column that a condition reads.
pub(super) fn expr_columns(expr: &Expr<ColumnId>) -> Vec<ColumnId> {
    let mut columns = Vec::new();
    let bound: Result<Expr<()>, std::convert::Infallible> = expr.bind(&mut |column| {
        columns.push(*column);
        Ok(())
    });
    match bound {
        Ok(_) => columns,
        Err(never) => match never {},
    }
}
