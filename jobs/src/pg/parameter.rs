//! Parameters of a prepared statement: which types they have, and what the client's bytes say.

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
/// Days from 1970 to 2000, where PostgreSQL counts from.
const EPOCH_DAYS: i32 = 10_957;
/// Microseconds between the same.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

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
    let count = found.keys().next_back().copied().unwrap_or(0).max(declared.len());
    let parameter = |number: usize| {
        let needed = found.get(&number).cloned().flatten().filter(|needed| *needed != DataType::Null);
        let told = declared
            .get(number - 1)
            .and_then(|oid| Type::from_oid(*oid))
            .filter(|told| *told != Type::UNKNOWN);
        let pg_type = told.unwrap_or_else(|| {
            let field = |needed: &DataType| Field::new("parameter", needed.clone(), true).into();
            needed.as_ref().map_or(Type::TEXT, |needed| type_of(&field(needed)))
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

    fn binary(&self, number: usize, bytes: &[u8]) -> Result<ScalarValue, Failure> {
        let wrong = || {
            let name = self.pg_type.name();
            Failure::new(
                "22P03",
                format!("parameter ${number}: {} bytes are no {name} in binary form", bytes.len()),
            )
        };
        let long = || <[u8; 8]>::try_from(bytes).map(i64::from_be_bytes).map_err(|_| wrong());
        let int = || <[u8; 4]>::try_from(bytes).map(i32::from_be_bytes).map_err(|_| wrong());
        Ok(match self.pg_type {
            Type::BOOL => ScalarValue::from(bytes.first().ok_or_else(wrong)? != &0),
            Type::INT2 => {
                ScalarValue::from(<[u8; 2]>::try_from(bytes).map(i16::from_be_bytes).map_err(|_| wrong())?)
            }
            Type::INT4 | Type::OID => ScalarValue::from(int()?),
            Type::INT8 => ScalarValue::from(long()?),
            Type::FLOAT4 => ScalarValue::from(f32::from_be_bytes(bytes.try_into().map_err(|_| wrong())?)),
            Type::FLOAT8 => ScalarValue::from(f64::from_be_bytes(bytes.try_into().map_err(|_| wrong())?)),
            Type::DATE => ScalarValue::Date32(Some(int()?.checked_add(EPOCH_DAYS).ok_or_else(wrong)?)),
            Type::TIMESTAMP | Type::TIMESTAMPTZ => {
                let micros = long()?.checked_add(EPOCH_MICROS).ok_or_else(wrong)?;
                let zone = (self.pg_type == Type::TIMESTAMPTZ).then(|| "UTC".into());
                ScalarValue::TimestampMicrosecond(Some(micros), zone)
            }
            Type::NUMERIC => return self.text(number, numeric(bytes).ok_or_else(wrong)?.as_bytes()),
            Type::BYTEA => ScalarValue::Binary(Some(bytes.to_vec())),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON => {
                ScalarValue::from(std::str::from_utf8(bytes).map_err(|_| wrong())?)
            }
            _ => {
                return Err(Failure::new(
                    "0A000",
                    format!("parameter ${number}: {} in binary form isn't known here", self.pg_type.name()),
                )
                .hint("send it as text"));
            }
        })
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

/// The digits of a number in binary form: groups of four, the first of weight 10000^weight.
fn numeric(bytes: &[u8]) -> Option<String> {
    let word = |place: usize| {
        let pair = bytes.get(place * 2..place * 2 + 2)?;
        Some(i16::from_be_bytes([pair[0], pair[1]]))
    };
    let (groups, weight, sign, scale) = (word(0)?, word(1)?, word(2)?, word(3)?);
    let groups = usize::try_from(groups).ok()?;
    if bytes.len() != 8 + groups * 2 || !matches!(sign, 0 | 0x4000) {
        return None;
    }
    let group = |power: i16| {
        let place = i32::from(weight) - i32::from(power);
        let known = usize::try_from(place).ok().filter(|place| *place < groups);
        known.map_or(Some(0), |place| word(4 + place))
    };
    let mut text = String::from(if sign == 0 { "" } else { "-" });
    if weight < 0 {
        text.push('0');
    }
    for power in (0..=weight.max(-1)).rev() {
        let digits = group(power)?;
        if power == weight {
            text.push_str(&digits.to_string());
        } else {
            let four = format!("{digits:04}");
            text.push_str(&four);
        }
    }
    let scale = usize::try_from(scale).ok()?;
    let mut fraction = String::new();
    let mut power = -1_i16;
    while fraction.len() < scale {
        let four = format!("{:04}", group(power)?);
        fraction.push_str(&four);
        power = power.checked_sub(1)?;
    }
    if scale > 0 {
        text.push('.');
        text.push_str(&fraction[..scale]);
    }
    Some(text)
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
    fn numbers_in_groups_of_four_digits() {
        let check = |words: &[i16], expected: Option<&str>| {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            assert_eq!(numeric(&bytes).as_deref(), expected, "{words:?}");
        };
        check(&[2, 0, 0, 2, 1234, 5000], Some("1234.50"));
        check(&[2, 1, 0x4000, 0, 12, 34], Some("-120034"));
        check(&[1, 1, 0, 0, 3], Some("30000"));
        check(&[1, -1, 0, 4, 25], Some("0.0025"));
        check(&[1, -2, 0, 6, 1200], Some("0.000012"));
        check(&[0, 0, 0, 0], Some("0"));
        check(&[2, 0, 0, 2, 1], None);
    }

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
