//! How leads are routed: to whom, by which strategy, and how many.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The routing of leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Routing {
    /// By what a lead's rep is chosen; `off` for no proposals at all.
    pub strategy: Strategy,
    /// Which open leads a rep is proposed for.
    pub leads: Proposed,
    /// Open leads that a rep may have.
    pub capacity: u32,
    /// The same by role, where it differs.
    pub capacity_by_role: BTreeMap<String, u32>,
    /// The same by team, before that of the role.
    pub capacity_by_team: BTreeMap<String, u32>,
    /// The same by rep, before those of team and role.
    pub capacity_by_rep: BTreeMap<String, u32>,
    /// Whether a lead goes only to reps of its region, or of the nearest one above that has any.
    pub territory: bool,
    /// What a lead may need of its rep.
    pub skill: Vec<Skill>,
}

/// By what a lead's rep is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// No proposals.
    Off,
    /// Such that the expected wins of all proposals together are as many as capacities allow.
    ExpectedWins,
    /// In turn.
    RoundRobin,
    /// The most probable lead to the ablest rep, and so on.
    Ability,
}

impl Strategy {
    /// The word in the configuration and in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::ExpectedWins => "expected_wins",
            Self::RoundRobin => "round_robin",
            Self::Ability => "ability",
        }
    }
}

/// Which open leads a rep is proposed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proposed {
    /// Those that nobody on duty has, and those that were not answered when escalation was due.
    Escalated,
    /// Those, and all others that nobody has answered yet.
    Unanswered,
}

/// What leads with one of some values need of their rep.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Skill {
    /// An attribute of the lead's creation: source, product, segment, ….
    pub attribute: String,
    /// The values that need the skill.
    pub values: Vec<String>,
    /// Teams that have it.
    pub teams: Vec<String>,
    /// Roles that have it.
    pub roles: Vec<String>,
    /// Reps who have it.
    pub reps: Vec<String>,
}

impl Routing {
    /// Whether no leads are routed.
    pub fn is_off(&self) -> bool {
        self.strategy == Strategy::Off
    }

    /// Open leads that a rep may have: by its id, else team, else role.
    pub(crate) fn capacity_of(&self, rep: &str, team: Option<&str>, role: Option<&str>) -> u32 {
        let by = |table: &BTreeMap<String, u32>, key: Option<&str>| table.get(key?).copied();
        by(&self.capacity_by_rep, Some(rep))
            .or_else(|| by(&self.capacity_by_team, team))
            .or_else(|| by(&self.capacity_by_role, role))
            .unwrap_or(self.capacity)
    }
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            strategy: Strategy::Off,
            leads: Proposed::Escalated,
            capacity: 30,
            capacity_by_role: BTreeMap::new(),
            capacity_by_team: BTreeMap::new(),
            capacity_by_rep: BTreeMap::new(),
            territory: true,
            skill: Vec::new(),
        }
    }
}
