//! How a mapping file writes a value: a template, or a table of source and treatment.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::decimal::Rounding;

/// Where a value comes from (exactly one of the first four keys) and what becomes of it, in the order of the keys.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ValueTable {
    pub(crate) column: Option<String>,
    pub(crate) first_of: Option<Vec<String>>,
    pub(crate) text: Option<String>,
    pub(crate) cases: Option<Vec<CaseSpec>>,
    pub(crate) letters: Option<Letters>,
    pub(crate) map: Option<MapSpec>,
    pub(crate) unmapped: Unmapped,
    pub(crate) default: Option<String>,
    pub(crate) time: Option<Names>,
    pub(crate) date: Option<Names>,
    pub(crate) at: Option<String>,
    pub(crate) shift: Option<String>,
    pub(crate) period: Option<Period>,
    pub(crate) amount: Option<Rounding>,
    pub(crate) number: bool,
    pub(crate) decimal_point: Option<char>,
    pub(crate) thousands: Option<char>,
    pub(crate) strip: Option<Names>,
    pub(crate) required: bool,
}

/// One branch of `cases`; without `when` it is the rest.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseSpec {
    pub(crate) when: Option<String>,
    pub(crate) value: ValueSpec,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Letters {
    Lower,
    Upper,
}

/// What happens to a value that the map doesn't name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unmapped {
    #[default]
    Keep,
    Null,
    Reject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Period {
    Month,
    Quarter,
}

/// A value; a plain string is a template.
#[derive(Debug, Clone)]
pub(crate) struct ValueSpec(pub(crate) ValueTable);

/// A map by its name under `[maps]`, or written in place.
#[derive(Debug, Clone)]
pub(crate) enum MapSpec {
    Named(String),
    Inline(BTreeMap<String, String>),
}

/// One string, or a list of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for ValueSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;
        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = ValueSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a template such as \"{column}\", or a table such as { column = \"amount\" }")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ValueSpec, E> {
                Ok(ValueSpec(ValueTable { text: Some(text.to_owned()), ..ValueTable::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ValueSpec, A::Error> {
                ValueTable::deserialize(MapAccessDeserializer::new(map)).map(ValueSpec)
            }
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl<'de> Deserialize<'de> for MapSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MapVisitor;
        impl<'de> Visitor<'de> for MapVisitor {
            type Value = MapSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a table under [maps], or a table such as { GTXPro = \"GTX Pro\" }")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<MapSpec, E> {
                Ok(MapSpec::Named(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<MapSpec, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(MapSpec::Inline)
            }
        }
        deserializer.deserialize_any(MapVisitor)
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamesVisitor;
        impl<'de> Visitor<'de> for NamesVisitor {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Names, E> {
                Ok(Names(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Names, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Names)
            }
        }
        deserializer.deserialize_any(NamesVisitor)
    }
}
