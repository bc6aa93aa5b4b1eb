//! The rule language: plain sentences, English or Chinese, that move, limit or freeze a quota.
//!
//! ```text
//! version 3
//!
//! name: big-buyers
//! valid: 2026-01-01 to 2026-12-31
//! scope: region EAST, WEST
//! when repurchase interval < 30 days and average order value > 5,000 yuan then raise quota by 15%
//!
//! 名称：岁末收官
//! 优先级：20
//! 当剩余天数≤10天且达成率介于80%和100%之间时，冻结目标，并预警“快到了”
//! ```
//!
//! [`read`] turns a file into a [`Book`], or into every [`Fault`] of it; a [`Rule`] is written back in either
//! language. A file's way through this module: `book`, `property` (lines) → `passage`, `token` (one lexer for
//! both languages, fed by the tables in `word` and `subject`) → `parse`, `value`, `action` (one grammar for
//! both word orders). The way back is `write`.
//!
//! What rules can ask about as of a day is [`Columns`], published as `mart.rep_measure` (`published`); `evaluate` says
//! where a condition holds, and [`apply`] what the rules of a day do to every proposal and limit.

mod action;
mod apply;
mod book;
mod columns;
mod cursor;
mod date;
mod error;
mod evaluate;
mod near;
mod parse;
mod passage;
mod property;
mod published;
mod subject;
#[cfg(test)]
mod tests;
mod token;
mod value;
mod word;
mod write;

use crate::time::Day;

pub use apply::{Ruled, Step, apply};
pub(crate) use apply::{apply_beyond_plan, minor};
pub use book::read;
pub use columns::{Columns, Texts};
pub use error::Fault;
pub(crate) use published::fields;
pub use subject::{Kind, Subject, subjects};

/// The priority of a rule that states none.
pub const PRIORITY_DEFAULT: i32 = 100;

/// The rules of one file, in the order in which they act: by ascending priority, then as in the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Book {
    /// The number in the file's first line, `version N`.
    pub version: Option<u32>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The text that they were read from; empty without a rule.
    pub source: String,
}

/// One sentence with its properties.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Unique in its book; `line-N` where the file gives none.
    pub name: String,
    /// The line, from 1, in which its sentence begins.
    pub line: usize,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The first day on which it acts; none is "always has".
    pub from: Option<Day>,
    /// The last day on which it acts; none is "until further notice".
    pub to: Option<Day>,
    /// Smaller acts earlier.
    pub priority: i32,
    /// Whose quotas it is about.
    pub scope: Scope,
    /// When it acts.
    pub condition: Condition,
    /// What it does, in the order of the sentence; at least one, no kind twice.
    pub actions: Vec<Action>,
    /// Whether what it adds or takes away stays outside the region's plan.
    pub beyond_plan: bool,
}

/// Whose quotas a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everyone's.
    Company,
    /// Those of the reps in these regions, by id.
    Region(Vec<String>),
    /// Those of the reps of these managers, by id.
    Manager(Vec<String>),
    /// Those of these reps, by id.
    Rep(Vec<String>),
}

/// When a rule acts. Lists hold at least two parts, and `Always` is never a part.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Without condition.
    Always,
    /// Every one of these holds.
    All(Vec<Condition>),
    /// One of these holds.
    Any(Vec<Condition>),
    /// This doesn't hold.
    Not(Box<Condition>),
    /// A subject compared with a value in the unit of its [`Kind`].
    Number {
        /// What is compared; never of [`Kind::Text`].
        subject: Subject,
        /// How.
        op: Op,
        /// With what.
        value: f64,
    },
    /// A subject within an interval, both ends included.
    Between {
        /// What is compared; never of [`Kind::Text`].
        subject: Subject,
        /// The least it may be.
        low: f64,
        /// The most it may be; not below `low`.
        high: f64,
    },
    /// A text equal to one of these.
    Text {
        /// What is compared; of [`Kind::Text`].
        subject: Subject,
        /// At least one.
        among: Vec<String>,
    },
    /// There is a value at all.
    Known(Subject),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `<`
    Less,
    /// `≤`
    AtMost,
    /// `>`
    More,
    /// `≥`
    AtLeast,
    /// `=`
    Equal,
    /// `≠`
    Unequal,
}

/// What a rule does to a quota.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Adds an amount; a share is one of the proposal.
    Raise(Amount),
    /// Takes an amount away; a share is one of the proposal.
    Lower(Amount),
    /// Sets the most it may be; a share is one of the base.
    Cap(Amount),
    /// Sets the least it may be; a share is one of the base.
    Floor(Amount),
    /// Keeps it as it was.
    Freeze,
    /// Sets the weight of attainment, 0.1 to 10.
    Weight(f64),
    /// Leaves the quota and tells someone.
    Alert {
        /// How urgent.
        severity: Severity,
        /// What to say.
        message: Option<String>,
    },
}

/// How much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// A share, 15% = 0.15: of the proposal to raise or lower, of the base to cap or floor.
    Share(f64),
    /// Money in minor units.
    Money(i64),
}

/// How urgent an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it soon.
    #[default]
    Amber,
    /// Look at it now.
    Red,
}

/// A language in which rules are read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Chinese.
    Chinese,
}
