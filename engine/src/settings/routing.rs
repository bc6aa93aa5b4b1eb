//! How leads are routed: to whom, by which strategy, and how many.

use std::collections::BTreeMap;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The routing of leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Routing {
    /// By what a lead's rep is chosen; `off` for no proposals at all.
    pub strategy: Strategy,
    /// Which open leads a rep is proposed for.
    pub leads: Proposed,
    /// Open leads that a rep may have.
    #[serde(deserialize_with = "leads_of")]
    pub capacity: u32,
    /// The same by role, where it differs.
    #[serde(deserialize_with = "leads_by")]
    pub capacity_by_role: BTreeMap<String, u32>,
    /// The same by team, before that of the role.
    #[serde(deserialize_with = "leads_by")]
    pub capacity_by_team: BTreeMap<String, u32>,
    /// The same by rep, before those of team and role.
    #[serde(deserialize_with = "leads_by")]
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

/// A number of leads.
#[derive(Deserialize)]
struct Leads(#[serde(deserialize_with = "leads_of")] u32);

/// Reads a number of leads; the message says what one is.
fn leads_of<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    struct Number;
    impl Visitor<'_> for Number {
        type Value = u32;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("how many open leads a rep may have: a whole number of 0 or more, such as 30")
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<u32, E> {
            u32::try_from(number).map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<u32, E> {
            u32::try_from(number).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
        }
    }
    from.deserialize_any(Number)
}

/// The same for a table of them.
fn leads_by<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, u32>, D::Error> {
    let read = BTreeMap::<String, Leads>::deserialize(from)?;
    Ok(read.into_iter().map(|(name, leads)| (name, leads.0)).collect())
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
