//! The rep's tile: what a rep did on a day, as counts and sums.

/// The counters of a rep's tile, in column order.
pub const COUNTS: [&str; 14] = [
    "touches", "effective_touches", "visit_touches", "effective_visits", "discovery", "accepted", "rejected",
    "quotes_sent", "quotes_accepted", "quotes_rejected", "deals_signed", "orders", "evidence", "events",
];
