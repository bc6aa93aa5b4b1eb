//! Parameters of a prepared statement: which types they have, and what the client's bytes say.

mod binary;

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::{Expr, ExprSchemable as _, LogicalPlan};
use pgwire::api::Type;

use super::failure::Failure;
use super::rows::type_of;

/// Parameters of a statement, at most.
const PARAMETERS_MAX: usize = 65_535;

/// One parameter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    /// The type that the client is told, and sends.
    pub(super) pg_type: Type,
    /// The type that the statement needs, where it says.
    needed: Option<DataType>,
}

/// The parameters of a plan: the client's types before those that the plan tells.
///
/// # Errors
/// 42P02 for a parameter without a number.
pub(super) fn parameters(plan: &LogicalPlan, declared: &[u32]) -> Result<Vec<Parameter>, Failure> {
    let mut found: BTreeMap<usize, Option<DataType>> = BTreeMap::new();
    for (name, data_type) in plan.get_parameter_types()? {
        let number = name.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        let Some(number) = number.filter(|number| (1..=PARAMETERS_MAX).contains(number)) else {
            return Err(Failure::new("42P02", format!("there is no parameter {name}; they are $1, $2, …")));
        };
        found.insert(number, data_type);
    }
    for (number, data_type) in untold(plan)? {
        found.insert(number, Some(data_type));
    }
    for (number, data_type) in cast(plan)? {
        let known = found.entry(number).or_default();
        known.get_or_insert(data_type);
    }
    let count = found.keys().next_back().copied().unwrap_or(0).max(declared.len());
    let parameter = |number: usize| {
        let needed = found.get(&number).cloned().flatten().filter(|needed| *needed != DataType::Null);
        let told = declared
            .get(number - 1)
            .and_then(|oid| Type::from_oid(*oid))
            .filter(|told| *told != Type::UNKNOWN);
        let pg_type = told.unwrap_or_else(|| {
            let field = |needed: &DataType| Field::new("parameter", needed.clone(), true).into();
            match &needed {
                // Numbers of types and tables, as clients ask for them.
                Some(DataType::List(item)) if *item.data_type() == DataType::UInt32 => Type::OID_ARRAY,
                Some(needed) => type_of(&field(needed)),
                None => Type::TEXT,
            }
        });
        Parameter { pg_type, needed }
    };
    Ok((1..=count).map(parameter).collect())
}

/// Parameters that the planner has no type for: a number of rows, and the list in `x = ANY ($1)`.
fn untold(plan: &LogicalPlan) -> Result<Vec<(usize, DataType)>, Failure> {
    let number = |expr: &Expr| match expr {
        Expr::Placeholder(Placeholder { id, .. }) => id.strip_prefix('$')?.parse::<usize>().ok(),
        _ => None,
    };
    let mut found = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Limit(limit) = node {
            for expr in [&limit.skip, &limit.fetch].into_iter().flatten() {
                expr.apply(|expr| {
                    found.extend(number(expr).map(|number| (number, DataType::Int64)));
                    Ok(TreeNodeRecursion::Continue)
                })?;
            }
        }
        let inputs = node.inputs();
        let Some(input) = inputs.first() else { return Ok(TreeNodeRecursion::Continue) };
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::ScalarFunction(function) = expr
                    && function.name() == "array_has"
                    && let [list, item] = function.args.as_slice()
                    && let Some(number) = number(list)
                    && let Ok(item) = item.get_type(input.schema())
                {
                    found.push((number, DataType::new_list(item, true)));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(found)
}

/// Parameters that are cast where they stand, as `$1::date`: they have the type that they are cast to. Otherwise a client
/// that asks for the types is told text, and `'{a,b}'` sent for `$1::text[]` would become a list of one item.
fn cast(plan: &LogicalPlan) -> Result<Vec<(usize, DataType)>, Failure> {
    let mut found = Vec::new();
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                let (inner, field) = match expr {
                    Expr::Cast(cast) => (&cast.expr, &cast.field),
                    Expr::TryCast(cast) => (&cast.expr, &cast.field),
                    _ => return Ok(TreeNodeRecursion::Continue),
                };
                if let Expr::Placeholder(Placeholder { id, .. }) = inner.as_ref() {
                    let number = id.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
                    found.extend(number.map(|number| (number, field.data_type().clone())));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(found)
}

impl Parameter {
    /// The value that bytes say; none for null.
    ///
    /// # Errors
    /// 22P02 or 22P03 where they say none of the parameter's type.
    pub(super) fn value(
        &self,
        number: usize,
        bytes: Option<&[u8]>,
        binary: bool,
    ) -> Result<ScalarValue, Failure> {
        let Some(bytes) = bytes else {
            return match &self.needed {
                Some(needed) => Ok(ScalarValue::try_from(needed)?),
                None => Ok(ScalarValue::Null),
            };
        };
        let value = if binary { self.binary(number, bytes)? } else { self.text(number, bytes)? };
        match &self.needed {
            Some(needed) if value.data_type() != *needed => value.cast_to(needed).map_err(|error| {
                Failure::new("22P02", format!("parameter ${number}: {}", error.strip_backtrace()))
            }),
            _ => Ok(value),
        }
    }

    fn text(&self, number: usize, bytes: &[u8]) -> Result<ScalarValue, Failure> {
        let wrong = |problem: &str| Failure::new("22P02", format!("parameter ${number}: {problem}"));
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("not UTF-8"))?;
        let target = self.needed.clone().unwrap_or_else(|| arrow_type(&self.pg_type));
        match (&self.pg_type, &target) {
            (&Type::BOOL, _) => match text.to_lowercase().as_str() {
                "t" | "true" | "1" | "on" | "yes" | "y" => Ok(ScalarValue::from(true)),
                "f" | "false" | "0" | "off" | "no" | "n" => Ok(ScalarValue::from(false)),
                _ => Err(wrong(&format!("'{text}' is neither true nor false"))),
            },
            (_, DataType::List(_)) => list(text)
                .ok_or_else(|| wrong(&format!("'{text}' is no array such as {{a,b}}")))
                .map(|items| {
                    let items: Vec<ScalarValue> = items.into_iter().map(ScalarValue::Utf8).collect();
                    ScalarValue::List(ScalarValue::new_list_nullable(&items, &DataType::Utf8))
                }),
            (_, DataType::Utf8) => Ok(ScalarValue::from(text)),
            (_, DataType::Binary | DataType::LargeBinary | DataType::BinaryView) => {
                let bytes = match text.strip_prefix("\\x") {
                    Some(digits) => unhex(digits).ok_or_else(|| wrong("no hex digits after \\x"))?,
                    None => text.as_bytes().to_vec(),
                };
                Ok(ScalarValue::Binary(Some(bytes)))
            }
            // Some clients send a day with what follows it in an instant.
            (_, DataType::Date32) => {
                let day = text.trim().split([' ', 'T']).next().unwrap_or_default();
                ScalarValue::try_from_string(day.to_owned(), &DataType::Date32)
                    .map_err(|_| wrong(&format!("'{text}' is no day")))
            }
            (_, target) => ScalarValue::try_from_string(text.trim().to_owned(), target)
                .map_err(|_| wrong(&format!("'{text}' is no {}", self.pg_type.name()))),
        }
    }
}

fn arrow_type(pg_type: &Type) -> DataType {
    match *pg_type {
        Type::BOOL => DataType::Boolean,
        Type::INT2 => DataType::Int16,
        Type::INT4 | Type::OID => DataType::Int32,
        Type::INT8 => DataType::Int64,
        Type::FLOAT4 => DataType::Float32,
        Type::FLOAT8 => DataType::Float64,
        Type::NUMERIC => DataType::Decimal128(38, 10),
        Type::DATE => DataType::Date32,
        Type::TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        Type::TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::TEXT_ARRAY
        | Type::VARCHAR_ARRAY
        | Type::INT4_ARRAY
        | Type::INT8_ARRAY
        | Type::INT2_ARRAY
        | Type::FLOAT8_ARRAY
        | Type::NUMERIC_ARRAY
        | Type::DATE_ARRAY => DataType::new_list(DataType::Utf8, true),
        _ => DataType::Utf8,
    }
}

/// The bytes of hex digits.
fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        digits.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// The items of `{a,"b c",NULL}`.
fn list(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut items = Vec::new();
    let mut letters = inner.chars().peekable();
    while letters.peek().is_some() {
        let mut item = String::new();
        let mut quoted = false;
        if letters.peek() == Some(&'"') {
            quoted = true;
            letters.next();
            loop {
                match letters.next()? {
                    '"' => break,
                    '\\' => item.push(letters.next()?),
                    letter => item.push(letter),
                }
            }
        } else {
            while letters.peek().is_some_and(|letter| *letter != ',') {
                item.extend(letters.next());
            }
        }
        let null = !quoted && item.eq_ignore_ascii_case("null");
        items.push((!null).then_some(item));
        match letters.next() {
            None => break,
            Some(',') => {}
            Some(_) => return None,
        }
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_in_text() {
        let items = |text| {
            let items = list(text)?;
            Some(
                items
                    .into_iter()
                    .map(|item| item.unwrap_or_else(|| "∅".to_owned()))
                    .collect::<Vec<_>>()
                    .join("|"),
            )
        };
        assert_eq!(items("{}").as_deref(), Some(""));
        assert_eq!(items(r#"{a,"b, \"c\"",NULL,"null"}"#).as_deref(), Some(r#"a|b, "c"|∅|null"#));
        assert_eq!(items("a,b"), None);
        assert_eq!(items(r#"{"a"#), None);
    }
}
