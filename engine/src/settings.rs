//! The configuration that decides what the core computes: one struct, read in `jobs`, handed down as plain values.
//!
//! Its canonical bytes are part of a run's identity: see [`Settings::hash`].

mod quota;
mod routing;
mod score;

use serde::{Deserialize, Serialize};

pub use quota::{Factor, Period, Quota};
pub use routing::{Proposed, Routing, Skill, Strategy};
pub use score::Score;

/// Everything that changes a published number. Absent keys take the defaults of METRICS.md.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// IANA name of the business time zone.
    pub timezone: String,
    /// Customer health.
    pub health: Health,
    /// Leads.
    pub lead: Lead,
    /// Opportunities.
    pub pipeline: Pipeline,
    /// The process-health index.
    pub process: Process,
    /// Customer life cycle.
    pub lifecycle: Lifecycle,
    /// Market heat and the quota factors.
    pub factor: Factor,
    /// Quotas.
    pub quota: Quota,
    /// Scores. Not written where it is the default, so that the hash stays what it was before there were scores.
    #[serde(skip_serializing_if = "Score::is_default")]
    pub score: Score,
    /// The routing of leads. Not written where it is off, for the same reason.
    #[serde(skip_serializing_if = "Routing::is_off")]
    pub routing: Routing,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timezone: "Asia/Shanghai".to_owned(),
            health: Health::default(),
            lead: Lead::default(),
            pipeline: Pipeline::default(),
            process: Process::default(),
            lifecycle: Lifecycle::default(),
            factor: Factor::default(),
            quota: Quota::default(),
            score: Score::default(),
            routing: Routing::default(),
        }
    }
}

impl Settings {
    /// A hash of every key in a fixed order, as hex.
    pub fn hash(&self) -> String {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        blake3::hash(&bytes).to_hex()[..32].to_owned()
    }
}

/// Weights and thresholds of `customer_health`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Health {
    /// Points for a touch.
    pub touch_weight: i64,
    /// Points for a piece of evidence.
    pub evidence_weight: i64,
    /// Points lost for an overdue day.
    pub overdue_weight: i64,
    /// Hours after the last touch from which on a customer is overdue.
    pub overdue_after_hours: i64,
    /// The most overdue days that count.
    pub overdue_days_max: i64,
    /// Red below this.
    pub red_below: i64,
    /// Amber below this.
    pub amber_below: i64,
    /// Effective touches that make a customer densely served.
    pub dense_touches: i64,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            touch_weight: 2,
            evidence_weight: 5,
            overdue_weight: 3,
            overdue_after_hours: 72,
            overdue_days_max: 30,
            red_below: 15,
            amber_below: 25,
            dense_touches: 2,
        }
    }
}

/// Service levels and standards for leads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lead {
    /// Seconds within which a lead must be answered.
    pub sla_seconds: i64,
    /// Seconds after which an unanswered lead is escalated.
    pub escalation_seconds: i64,
    /// Attributes of `lead.created` that make a lead complete.
    pub attributes: Vec<String>,
    /// Half-life of a lead's activity, in days.
    pub activity_half_life_days: f64,
    /// Decayed events at which activity reaches one half.
    pub activity_half: f64,
    /// Completeness, activity and urgency from which on a lead is marketing-qualified.
    pub mql: [f64; 3],
    /// Red below this weekly effective conversion.
    pub conversion_red_below: f64,
    /// Amber below this weekly effective conversion.
    pub conversion_amber_below: f64,
    /// Weeks in a row under red that raise an alert.
    pub conversion_alert_weeks: usize,
}

impl Default for Lead {
    fn default() -> Self {
        Self {
            sla_seconds: 900,
            escalation_seconds: 1_800,
            attributes: ["source", "region_id", "product_id", "company_size", "budget"]
                .map(String::from)
                .to_vec(),
            activity_half_life_days: 7.0,
            activity_half: 2.0,
            mql: [0.6, 0.4, 0.3],
            conversion_red_below: 0.12,
            conversion_amber_below: 0.20,
            conversion_alert_weeks: 3,
        }
    }
}

/// The stages of an opportunity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pipeline {
    /// Stages in order; names in one group are synonyms and share a rank.
    pub stages: Vec<Vec<String>>,
    /// Days without a stage change after which an open opportunity is stuck.
    pub stuck_days: i64,
    /// Days without a stage change by stage (any name of the group), where it differs.
    pub stuck_days_by_stage: std::collections::BTreeMap<String, i64>,
    /// The chance of a win by stage rank, used until a fitted model is there.
    pub win_chance: Vec<f64>,
}

impl Default for Pipeline {
    fn default() -> Self {
        let groups: [&[&str]; 7] = [
            &["prospecting", "new", "lead", "engaging"],
            &["qualification", "qualified", "contacted"],
            &["discovery", "needs_analysis", "needs", "analysis"],
            &["demo", "solution", "value_proposition", "evaluation"],
            &["proposal", "quote", "quoted", "proposal_sent"],
            &["negotiation", "review"],
            &["contract", "closing", "verbal", "commit"],
        ];
        Self {
            stages: groups.iter().map(|group| group.iter().map(|&name| name.to_owned()).collect()).collect(),
            stuck_days: 7,
            stuck_days_by_stage: std::collections::BTreeMap::new(),
            win_chance: vec![0.10, 0.15, 0.25, 0.35, 0.50, 0.65, 0.80],
        }
    }
}

/// Weights and anchor values of the six components, each `[0, 60, 80, 100]` points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Process {
    /// Share of leads answered within the SLA.
    pub response_timeliness: Component,
    /// Discovery events per opportunity.
    pub discovery_depth: Component,
    /// Share of answers that accept.
    pub solution_match: Component,
    /// Visits and meetings per working day.
    pub visit_frequency: Component,
    /// Forward stage moves per opportunity.
    pub opportunity_velocity: Component,
    /// Effective share of touches times share of owned customers touched.
    pub interaction_depth: Component,
    /// Red below this index.
    pub red_below: f64,
    /// Amber below this index.
    pub amber_below: f64,
}

/// One component of the index.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Values worth 0, 60, 80 and 100 points, ascending.
    pub anchors: [f64; 4],
    /// Weight in the index.
    pub weight: f64,
}

impl Default for Process {
    fn default() -> Self {
        let component = |anchors, weight| Component { anchors, weight };
        Self {
            response_timeliness: component([0.2, 0.6, 0.8, 0.95], 0.20),
            discovery_depth: component([0.0, 1.5, 3.0, 5.0], 0.15),
            solution_match: component([0.1, 0.35, 0.5, 0.7], 0.20),
            visit_frequency: component([0.0, 1.0, 2.0, 3.2], 0.10),
            opportunity_velocity: component([0.0, 0.3, 0.6, 1.0], 0.20),
            interaction_depth: component([0.0, 0.1, 0.25, 0.5], 0.15),
            red_below: 60.0,
            amber_below: 80.0,
        }
    }
}

/// When a customer counts as new, at risk or lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lifecycle {
    /// New while the first order is fewer days ago.
    pub new_days: i32,
    /// The repurchase interval assumed where a customer has none of its own.
    pub interval_days: f64,
    /// At risk when silent for more than this many intervals.
    pub at_risk_intervals: f64,
    /// Lost when silent for more than this many intervals.
    pub lost_intervals: f64,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self { new_days: 90, interval_days: 90.0, at_risk_intervals: 1.5, lost_intervals: 3.0 }
    }
}
