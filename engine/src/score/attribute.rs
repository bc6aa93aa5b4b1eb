//! The attributes of leads' creations: which there are, and as what each is read.

use std::collections::{BTreeMap, BTreeSet};

use super::{Attribute, Form};
use crate::measure::facts::Facts;
use crate::measure::lead::Lead;
use crate::measure::{count, real};

/// Attributes read, at most: those that most leads have.
const ATTRIBUTES_MAX: usize = 30;
/// Share of the leads that an attribute must be given for.
const SHARE_MIN: f64 = 0.01;
/// Values beyond which an attribute counts by being there.
const LEVELS_MAX: usize = 200;
/// Share of the values that must be numbers for all to be.
const NUMBERS_MIN: f64 = 0.95;

#[derive(Debug, Default)]
struct Seen<'a> {
    given: usize,
    numbers: usize,
    /// At most one more than [`LEVELS_MAX`].
    levels: BTreeSet<&'a str>,
}

/// The attributes that enough leads have, by name.
pub(super) fn survey(facts: &Facts, leads: &[Lead]) -> Vec<Attribute> {
    let mut seen: BTreeMap<&str, Seen<'_>> = BTreeMap::new();
    let mut created = 0;
    for at in leads.iter().filter_map(|lead| lead.created) {
        created += 1;
        // The region has a column of its own.
        let given = facts.attributes(at).filter_map(|(name, value)| Some((name, value?)));
        for (name, value) in given.filter(|(name, _)| *name != "region_id") {
            let seen = seen.entry(name).or_default();
            seen.given += 1;
            seen.numbers += usize::from(number(value).is_some());
            if seen.levels.len() <= LEVELS_MAX {
                seen.levels.insert(value);
            }
        }
    }
    let least = SHARE_MIN * real(count(created));
    let mut kept: Vec<(&str, Seen<'_>)> =
        seen.into_iter().filter(|(_, seen)| real(count(seen.given)) >= least).collect();
    kept.sort_by(|a, b| b.1.given.cmp(&a.1.given).then(a.0.cmp(b.0)));
    kept.truncate(ATTRIBUTES_MAX);
    kept.sort_by_key(|(name, _)| *name);
    kept.into_iter().map(|(name, seen)| Attribute { name: name.to_owned(), form: form(&seen) }).collect()
}

fn form(seen: &Seen<'_>) -> Form {
    if real(count(seen.numbers)) >= NUMBERS_MIN * real(count(seen.given)) {
        Form::Number
    } else if seen.levels.len() > LEVELS_MAX {
        Form::Presence
    } else {
        Form::Category
    }
}

/// A finite number.
pub(super) fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|value: &f64| value.is_finite())
}
