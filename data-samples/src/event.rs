//! A behaviour event as the generator holds it: small, with entities by number; the writers name them.

use crate::clock::digits;
use crate::draw::mix;
use crate::kind::{Channel, Kind};

/// No entity.
pub(crate) const NONE: u32 = u32::MAX;
/// No amount.
pub(crate) const NO_AMOUNT: i64 = i64::MIN;

/// A behaviour event.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Written as 16 hexadecimal digits.
    pub(crate) id: u64,
    /// UTC microseconds.
    pub(crate) time: i64,
    /// Minor units, or [`NO_AMOUNT`].
    pub(crate) amount: i64,
    /// Few, sorted by key.
    pub(crate) attributes: Option<Box<[(&'static str, Value)]>>,
    /// Rep, or [`NONE`].
    pub(crate) rep: u32,
    /// Customer, or [`NONE`].
    pub(crate) customer: u32,
    /// Lead, or [`NONE`].
    pub(crate) lead: u32,
    /// Opportunity, or [`NONE`].
    pub(crate) opportunity: u32,
    /// Its type.
    pub(crate) kind: Kind,
    /// Where it happened.
    pub(crate) channel: Channel,
    /// Pieces of evidence.
    pub(crate) evidence: u8,
    /// How the record breaks the contract.
    pub(crate) flaw: Flaw,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// A word.
    Text(&'static str),
    /// A count.
    Number(u32),
    /// A product.
    Product(u32),
    /// Anything else.
    Other(Box<str>),
}

/// How a record breaks the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Not at all.
    None,
    /// The line is cut off.
    BrokenJson,
    /// No `event_id`.
    MissingId,
    /// An `event_time` that is none.
    BadTime,
    /// A code that the catalogue does not have.
    UnknownType,
    /// An amount with three decimals.
    TooManyDecimals,
    /// Neither rep, customer, lead nor opportunity.
    MissingEntities,
}

impl Event {
    /// An event of no entity yet.
    pub(crate) const fn new(kind: Kind, time: i64) -> Self {
        Self {
            id: 0,
            time,
            amount: NO_AMOUNT,
            attributes: None,
            rep: NONE,
            customer: NONE,
            lead: NONE,
            opportunity: NONE,
            kind,
            channel: kind.channel(),
            evidence: 0,
            flaw: Flaw::None,
        }
    }

    /// With a rep and a customer.
    pub(crate) const fn of(mut self, rep: u32, customer: u32) -> Self {
        self.rep = rep;
        self.customer = customer;
        self
    }

    /// With a lead.
    pub(crate) const fn lead(mut self, lead: u32) -> Self {
        self.lead = lead;
        self
    }

    /// With an opportunity.
    pub(crate) const fn opportunity(mut self, opportunity: u32) -> Self {
        self.opportunity = opportunity;
        self
    }

    /// With an amount in minor units.
    pub(crate) const fn amount(mut self, minor: i64) -> Self {
        self.amount = minor;
        self
    }

    /// With pieces of evidence.
    pub(crate) const fn evidence(mut self, pieces: u8) -> Self {
        self.evidence = pieces;
        self
    }

    /// With attributes, given in the order of their keys.
    pub(crate) fn attributes<const N: usize>(mut self, pairs: [(&'static str, Value); N]) -> Self {
        self.attributes = Some(Box::new(pairs));
        self
    }
}

impl Value {
    /// Appends the value as text.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Number(n) => digits(i64::from(*n), 1, out),
            Self::Product(n) => write_product(*n, out),
            Self::Other(text) => out.extend_from_slice(text.as_bytes()),
        }
    }
}

/// The id of the `sequence`th event of a day: a bijection, so that no two are equal.
pub(crate) fn event_id(seed: u64, day: i32, sequence: u32) -> u64 {
    let counter = (u64::from(day.unsigned_abs()) << 32) | u64::from(sequence);
    mix(counter ^ mix(seed))
}

/// Appends minor units as a decimal of two places.
pub(crate) fn write_money(minor: i64, out: &mut Vec<u8>) {
    if minor < 0 {
        out.push(b'-');
    }
    let minor = minor.saturating_abs();
    digits(minor / 100, 1, out);
    out.push(b'.');
    digits(minor % 100, 2, out);
}

/// Appends a rep's id.
pub(crate) fn write_rep(n: u32, out: &mut Vec<u8>) {
    out.push(b'r');
    digits(i64::from(n) + 1, 5, out);
}

/// Appends a customer's id.
pub(crate) fn write_customer(n: u32, out: &mut Vec<u8>) {
    out.push(b'c');
    digits(i64::from(n) + 1, 7, out);
}

/// Appends a lead's id.
pub(crate) fn write_lead(n: u32, out: &mut Vec<u8>) {
    out.push(b'l');
    digits(i64::from(n) + 1, 7, out);
}

/// Appends an opportunity's id.
pub(crate) fn write_opportunity(n: u32, out: &mut Vec<u8>) {
    out.push(b'o');
    digits(i64::from(n) + 1, 7, out);
}

/// Appends a product's id.
pub(crate) fn write_product(n: u32, out: &mut Vec<u8>) {
    out.push(b'p');
    digits(i64::from(n) + 1, 3, out);
}

/// Appends an event's id.
pub(crate) fn write_event_id(id: u64, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for shift in (0..16).rev() {
        let nibble = (id >> (shift * 4)) & 0xf;
        out.push(HEX[usize::try_from(nibble).unwrap_or(0)]);
    }
}

/// What a writer of ids appends, as text.
pub(crate) fn named(write: impl Fn(u32, &mut Vec<u8>), n: u32) -> String {
    let mut out = Vec::with_capacity(8);
    write(n, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Minor units as a decimal of two places, as text.
pub(crate) fn money(minor: i64) -> String {
    let mut out = Vec::with_capacity(16);
    write_money(minor, &mut out);
    String::from_utf8(out).unwrap_or_default()
}
