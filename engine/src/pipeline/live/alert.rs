//! Alerts of reps that the running day can raise and clear.

use crate::measure::process::ProcessHealth;
use crate::pipeline::marts::alert::{Alert, of_process, of_rules};
use crate::rule::{Book, Ruled};

/// An alert about a rep, as in `mart.alert`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveAlert {
    /// The rule that raised it.
    pub rule: String,
    /// `high`, `medium` or `low`.
    pub severity: &'static str,
    /// The rep.
    pub rep_id: String,
    /// What is wrong.
    pub message: String,
    /// What it rests on.
    pub evidence: String,
}

impl LiveAlert {
    /// The more, the more urgent.
    pub(crate) fn urgency(&self) -> u8 {
        match self.severity {
            "high" => 2,
            "medium" => 1,
            _ => 0,
        }
    }
}

/// An alert that was raised or changed, or one that no longer stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertChange {
    /// It stands, with these words.
    Raised(LiveAlert),
    /// It no longer stands.
    Cleared(LiveAlert),
}

impl AlertChange {
    /// What changed between the alerts of one rep.
    pub(super) fn between<'a>(
        before: &'a [LiveAlert],
        now: &'a [LiveAlert],
    ) -> impl Iterator<Item = Self> + 'a {
        let gone = before.iter().filter(|old| !now.iter().any(|new| new.rule == old.rule));
        let raised = now.iter().filter(|new| !before.contains(new));
        gone.cloned().map(Self::Cleared).chain(raised.cloned().map(Self::Raised))
    }
}

/// The alerts of a rep: red process health, and what the company's rules raise.
pub(super) fn of_rep(
    book: &Book,
    rep_id: &str,
    health: &ProcessHealth,
    ruled: Option<&Ruled>,
) -> Vec<LiveAlert> {
    let process = of_process("rep", rep_id, health);
    let own = ruled.into_iter().flat_map(|ruled| of_rules(book, rep_id, ruled));
    let alert = |alert: Alert<'_>| LiveAlert {
        rule: alert.rule.to_owned(),
        severity: alert.severity,
        rep_id: alert.scope_id,
        message: alert.message,
        evidence: alert.evidence,
    };
    process.into_iter().chain(own).map(alert).collect()
}
