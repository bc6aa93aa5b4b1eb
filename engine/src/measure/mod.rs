//! Measures: what the windows say about customers, leads, opportunities, reps and regions.

/// The six components of the process-health index, in column order.
pub const COMPONENTS: [&str; 6] = [
    "response_timeliness",
    "discovery_depth",
    "solution_match",
    "visit_frequency",
    "opportunity_velocity",
    "interaction_depth",
];
