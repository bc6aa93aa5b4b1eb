//! The rules that tie the columns of an event together, over whole columns: each event type is looked up once a
//! dictionary value, not once a row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, StringArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::Int32Type;

use super::columns::Faults;
use super::convert::Convert;
use super::types;
use crate::catalogue::Channel;
use crate::ingest::check::layout::behaviour::{AMOUNT, CHANNEL, EVENT_TYPE, EVIDENCE_COUNT, FIRST_ENTITY};
use crate::ingest::check::reason::{self, Fault};
use crate::ingest::check::rules::{Rule, Rules, channel_position};

/// Checks event types, channels, ids and amounts; fills in the channel and the count of evidence where absent.
/// `counted` has the length of the list of evidence where a row has one.
pub(super) fn check(
    columns: &mut [ArrayRef],
    counted: Option<&Int32Array>,
    rules: &Rules,
    faults: &mut Faults,
) -> Convert<()> {
    let types = cast(&columns[EVENT_TYPE], &types::dictionary())?;
    let types: &DictionaryArray<Int32Type> = types.as_dictionary();
    let by_value: Vec<Result<Rule, &'static str>> = types
        .values()
        .as_string::<i32>()
        .iter()
        .map(|code| code.map_or(Err(reason::MISSING), |code| rules.of(code)))
        .collect();
    let rule_of = |row: usize| match types.key(row) {
        Some(key) => by_value.get(key).copied().unwrap_or(Err(reason::MISSING)),
        None => Err(reason::MISSING),
    };
    let channels = channel_keys(&columns[CHANNEL], rule_of, faults)?;
    columns[CHANNEL] = Arc::new(channels);
    let entities: [Option<NullBuffer>; 4] =
        std::array::from_fn(|entity| columns[FIRST_ENTITY + entity].logical_nulls());
    let amounts = columns[AMOUNT].logical_nulls();
    let there =
        |nulls: &Option<NullBuffer>, row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
    for row in 0..types.len() {
        let carried = entities
            .iter()
            .enumerate()
            .fold(0_u8, |bits, (entity, nulls)| bits | u8::from(there(nulls, row)) << entity);
        let checked = rule_of(row)
            .map_err(|reason| Fault::column(EVENT_TYPE, reason))
            .and_then(|rule| rule.check(carried, there(&amounts, row)));
        if let Err(fault) = checked {
            faults.mark(row, fault);
        }
    }
    columns[EVENT_TYPE] = Arc::new(types.clone());
    columns[EVIDENCE_COUNT] = evidence_counts(&columns[EVIDENCE_COUNT], counted);
    Ok(())
}

/// The channel of every row as a dictionary of the seven words: the row's own, else the catalogue's.
fn channel_keys(
    source: &ArrayRef,
    rule_of: impl Fn(usize) -> Result<Rule, &'static str>,
    faults: &mut Faults,
) -> Convert<DictionaryArray<Int32Type>> {
    let given = cast(source, &types::dictionary())?;
    let given: &DictionaryArray<Int32Type> = given.as_dictionary();
    let by_value: Vec<Option<i32>> = given
        .values()
        .as_string::<i32>()
        .iter()
        .map(|word| word.and_then(Channel::parse).map(|channel| i32::from(channel_position(channel))))
        .collect();
    let key = |row: usize, faults: &mut Faults| match given.key(row) {
        Some(key) => by_value.get(key).copied().flatten().unwrap_or_else(|| {
            faults.mark(row, Fault::column(CHANNEL, reason::UNKNOWN_CHANNEL));
            0
        }),
        None => rule_of(row).map_or(0, |rule| i32::from(rule.channel)),
    };
    let keys: Int32Array = (0..given.len()).map(|row| Some(key(row, faults))).collect();
    let words = StringArray::from_iter_values(Channel::ALL.into_iter().map(Channel::as_str));
    DictionaryArray::try_new(keys, Arc::new(words))
}

/// The list's length, else the given count, else zero.
fn evidence_counts(given: &ArrayRef, counted: Option<&Int32Array>) -> ArrayRef {
    let given_counts = given.as_primitive::<Int32Type>();
    if counted.is_none() && given_counts.null_count() == 0 {
        return Arc::clone(given);
    }
    let count = |row: usize| {
        let listed = counted.filter(|counted| counted.is_valid(row)).map(|counted| counted.value(row));
        let stated = given_counts.is_valid(row).then(|| given_counts.value(row));
        listed.or(stated).unwrap_or(0)
    };
    Arc::new(Int32Array::from_iter_values((0..given.len()).map(count)))
}
