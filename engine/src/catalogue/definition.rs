//! What a derived model looks for: four kinds of sequence over the events of one entity. `derive` recognises them.

use std::fmt;

use super::{Entity, EventCode, Model};

/// A derived model: the events of one entity that make it come true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The code of the event it yields.
    pub code: EventCode,
    /// That code's text: `derived.…`.
    pub name: String,
    /// Whose events are looked at together.
    pub entity: Entity,
    /// What is looked for.
    pub sequence: Sequence,
}

/// The four kinds. Lists of codes are ascending, without repeats, and disjoint within a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sequence {
    /// The first of any of `codes`, once per entity.
    First {
        /// Any of these.
        codes: Vec<EventCode>,
    },
    /// `count` of `codes` with none of `without` between; on the last of them it fires and counts anew from zero.
    Streak {
        /// These count.
        codes: Vec<EventCode>,
        /// So many, at least 2.
        count: usize,
        /// These set the count back to zero.
        without: Vec<EventCode>,
    },
    /// None of `until` within a time after a `trigger`: fires at the deadline, which itself is still in time. A trigger
    /// while one waits, up to and at its deadline, is part of the same silence and doesn't restart it.
    SilenceAfter {
        /// Start waiting, unless already waiting.
        trigger: Vec<EventCode>,
        /// Answers: end the waiting.
        until: Vec<EventCode>,
        /// How long an answer may take.
        within: Duration,
    },
    /// None of `codes` within a time after the last of them: fires once per spell, at the deadline, which itself is
    /// still in time. The first of `ends` closes the entity for good.
    Idle {
        /// Signs of life.
        codes: Vec<EventCode>,
        /// Close the entity.
        ends: Vec<EventCode>,
        /// How long a spell may last.
        within: Duration,
    },
}

impl Sequence {
    /// The codes that count, and those that undo: break a streak, answer a trigger, close an entity.
    pub(crate) fn codes(&self) -> (&[EventCode], &[EventCode]) {
        match self {
            Self::First { codes } => (codes, &[]),
            Self::Streak { codes, without, .. } => (codes, without),
            Self::SilenceAfter { trigger, until, .. } => (trigger, until),
            Self::Idle { codes, ends, .. } => (codes, ends),
        }
    }
}

impl Definition {
    /// The sequence in words, with every code spelled out: `idle 7d: opportunity.opened; ends opportunity.lost`.
    pub fn rule(&self, models: &[Model]) -> String {
        let list = |codes: &[EventCode]| {
            let names: Vec<&str> = codes
                .iter()
                .filter_map(|code| models.get(code.index()))
                .map(|model| model.code.as_str())
                .collect();
            names.join(", ")
        };
        match &self.sequence {
            Sequence::First { codes } => format!("first: {}", list(codes)),
            Sequence::Streak { codes, count, without } => {
                format!("streak {count}: {}; without {}", list(codes), list(without))
            }
            Sequence::SilenceAfter { trigger, until, within } => {
                format!("silence_after {within}: {}; until {}", list(trigger), list(until))
            }
            Sequence::Idle { codes, ends, within } => {
                format!("idle {within}: {}; ends {}", list(codes), list(ends))
            }
        }
    }
}

/// A length of time, more than zero and at most ten years, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration {
    seconds: i64,
}

/// Largest unit first; a day is 24 hours.
const UNITS: [(&str, i64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
const SECONDS_MAX: i64 = 10 * 366 * 86_400;

impl Duration {
    /// Reads "90s", "15min", "72h" or "7d"; none for anything else, for zero and for over ten years.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits)?;
        let (_, unit_seconds) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        let seconds = number.parse::<i64>().ok()?.checked_mul(unit_seconds)?;
        (1..=SECONDS_MAX).contains(&seconds).then_some(Self { seconds })
    }

    /// In microseconds.
    pub const fn as_micros(self) -> i64 {
        self.seconds * 1_000_000
    }
}

/// In the largest unit that divides it: "3d" for 72 hours.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, unit_seconds) =
            UNITS.into_iter().find(|(_, unit)| self.seconds % unit == 0).unwrap_or(("s", 1));
        write!(f, "{}{name}", self.seconds / unit_seconds)
    }
}
