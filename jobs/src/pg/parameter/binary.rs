//! What the bytes of a parameter in PostgreSQL's binary form say.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use pgwire::api::Type;

use super::Parameter;
use crate::pg::failure::Failure;

/// Days from 1970 to 2000, where PostgreSQL counts from.
const EPOCH_DAYS: i32 = 10_957;
/// Microseconds between the same.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

impl Parameter {
    /// The items of an array in binary form, as text: how many dimensions, whether there are nulls, the type of the items,
    /// then length and first index of each dimension, then each item after its length. None for what is no such array,
    /// or has more than one dimension.
    fn items(number: usize, bytes: &[u8]) -> Result<Option<Vec<ScalarValue>>, Failure> {
        let mut rest = bytes;
        let mut word = || {
            let (word, after) = rest.split_first_chunk::<4>()?;
            rest = after;
            Some(i32::from_be_bytes(*word))
        };
        let (Some(dimensions), Some(_), Some(oid)) = (word(), word(), word()) else { return Ok(None) };
        let count = match dimensions {
            0 => Some(0),
            1 => word().and_then(|count| word().map(|_| count)),
            _ => None,
        };
        // Arrays, the names of which begin so, hold none: however deep one says it goes, it is looked into once.
        let pg_type =
            u32::try_from(oid).ok().and_then(Type::from_oid).filter(|kind| !kind.name().starts_with('_'));
        let (Some(count), Some(pg_type)) = (count, pg_type) else { return Ok(None) };
        let item = Self { pg_type, needed: None };
        let mut items = Vec::new();
        for _ in 0..count {
            let Some((length, after)) = rest.split_first_chunk::<4>() else { return Ok(None) };
            rest = after;
            let length = i32::from_be_bytes(*length);
            if length == -1 {
                items.push(ScalarValue::Utf8(None));
                continue;
            }
            let length = usize::try_from(length).ok().filter(|length| *length <= rest.len());
            let Some((value, after)) = length.map(|length| rest.split_at(length)) else { return Ok(None) };
            rest = after;
            items.push(item.binary(number, value)?.cast_to(&DataType::Utf8)?);
        }
        Ok(rest.is_empty().then_some(items))
    }

    pub(super) fn binary(&self, number: usize, bytes: &[u8]) -> Result<ScalarValue, Failure> {
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
            Type::TIME => ScalarValue::Time64Microsecond(Some(long()?)),
            Type::INTERVAL => {
                let (micros, rest) = bytes.split_first_chunk::<8>().ok_or_else(wrong)?;
                let (days, months) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
                let months = <[u8; 4]>::try_from(months).map_err(|_| wrong())?;
                let nanos = i64::from_be_bytes(*micros).checked_mul(1_000).ok_or_else(wrong)?;
                let (days, months) = (i32::from_be_bytes(*days), i32::from_be_bytes(months));
                ScalarValue::new_interval_mdn(months, days, nanos)
            }
            Type::UUID => {
                let value = <[u8; 16]>::try_from(bytes).map(u128::from_be_bytes).map_err(|_| wrong())?;
                let digits = format!("{value:032x}");
                let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
                ScalarValue::from(parts.join("-"))
            }
            Type::BOOL_ARRAY
            | Type::TEXT_ARRAY
            | Type::VARCHAR_ARRAY
            | Type::NAME_ARRAY
            | Type::INT2_ARRAY
            | Type::INT4_ARRAY
            | Type::INT8_ARRAY
            | Type::OID_ARRAY
            | Type::FLOAT4_ARRAY
            | Type::FLOAT8_ARRAY
            | Type::NUMERIC_ARRAY
            | Type::DATE_ARRAY
            | Type::TIMESTAMP_ARRAY
            | Type::TIMESTAMPTZ_ARRAY
            | Type::UUID_ARRAY => {
                let items = Self::items(number, bytes)?.ok_or_else(wrong)?;
                // As text, like those of the text form: the cast to what the statement needs makes items of them.
                ScalarValue::List(ScalarValue::new_list_nullable(&items, &DataType::Utf8))
            }
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
}
