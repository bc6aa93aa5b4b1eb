//! Scenario files of `tideline whatif`: what would be otherwise, with sweeps that multiply.
//!
//! ```toml
//! [[scenario]]
//! name = "a cold market"
//! market_heat = "80..120 step 5"          # every region; or market_heat.R1 = 90
//! tau = [0.55, 0.6]
//! plan.R1 = "+5%"
//! ```
//!
//! `read` turns the file into [`Scenario`]s and names what is wrong by line and key; `value` reads numbers, moves and
//! sweeps; `expand` multiplies the sweeps of a scenario into [`Case`]s.

mod expand;
mod read;
#[cfg(test)]
mod tests;
mod value;
mod world;

use std::path::PathBuf;

use engine::pipeline::{Hire, Shift};

pub(crate) use expand::Case;
use expand::{expand, region_exists, unknown_rep};
pub(crate) use read::read;
pub(crate) use world::{World, worlds};

/// Cases that a file may multiply to.
pub(crate) const CASES_MAX: usize = 100_000;

/// One `[[scenario]]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scenario {
    /// Its name; `scenario 2` where the file gives none.
    pub(crate) name: String,
    /// The line in which it begins.
    pub(crate) line: usize,
    /// What moves, each over one value or several.
    pub(crate) knobs: Vec<Knob>,
    /// Another file of rules.
    pub(crate) rules: Option<Located<PathBuf>>,
    /// Reps that come, with the line that says so.
    pub(crate) hires: Vec<Located<Hire>>,
    /// Reps that go.
    pub(crate) leavers: Vec<Located<String>>,
    /// Reps that move, and to which region.
    pub(crate) moves: Vec<Located<(String, String)>>,
}

impl Scenario {
    /// How many cases its sweeps multiply to.
    pub(crate) fn cases(&self) -> usize {
        self.knobs.iter().map(|knob| knob.values.len()).fold(1, usize::saturating_mul)
    }
}

/// Something with the line that says it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Located<T> {
    pub(crate) line: usize,
    pub(crate) of: T,
}

/// Something that moves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Knob {
    /// The line that says so.
    pub(crate) line: usize,
    /// As the file writes it, e.g. `plan.R1`.
    pub(crate) key: String,
    pub(crate) what: What,
    /// At least one, each a case of its own.
    pub(crate) values: Vec<Shift>,
}

/// What moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// A factor by position, everywhere or in a region and those below it.
    Factor(usize, Option<String>),
    /// A region's plan, in whole units of money.
    Plan(String),
    /// Complaints of a rep's customers.
    Complaints(String),
    /// The chance that the company wants.
    Tau,
    /// `quota.floor_share`, `ceiling_share`, `daily_move_max`.
    FloorShare,
    CeilingShare,
    DailyMoveMax,
}
