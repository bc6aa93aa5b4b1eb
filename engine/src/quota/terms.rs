//! The terms of a run's explanations: the factors, the steps of the frame, and the rules and adjustments that moved a
//! quota.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::step_ratio;
use crate::adjust::Adjustment;
use crate::factor::FACTORS;
use crate::measure::at;
use crate::rule::{Book, Ruled};

/// The steps of the frame, in order; rules and adjustments act after the third and, beyond plan, after the last.
const STEPS: [&str; 5] = ["progress", "pipeline", "ambition", "plan", "bound"];
/// Position of the rules and adjustments among the terms.
const MOVERS: usize = FACTORS.len() + 3;
/// What the term of a rule begins with, and that of an adjustment.
const RULE: &str = "rule:";
const ADJUSTMENT: &str = "adjustment:";

/// A quota published before, with the ratios that explain it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Previous {
    pub(crate) quota: i64,
    pub(crate) base: i64,
    /// By term; a term that isn't here is 1.
    pub(crate) ratios: BTreeMap<Arc<str>, f64>,
}

/// The terms after the base, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    names: Vec<String>,
    /// By position of a rule in its book, then of an adjustment among those of the run: the position of its term.
    of_mover: Vec<Option<usize>>,
    /// How many of these are rules.
    n_rules: usize,
    /// Position of `plan`; `bound` follows.
    plan: usize,
}

impl Terms {
    /// The terms of a run: of the rules and adjustments those that moved a quota, now or in what was published before.
    pub(crate) fn new(
        book: &Book,
        adjustments: &[Adjustment],
        ruled: &[Ruled],
        previous: &BTreeMap<String, Previous>,
    ) -> Self {
        let n_rules = book.rules.len();
        let moved: BTreeSet<usize> =
            ruled.iter().flat_map(moves).map(|(mover, ..)| mover.position(n_rules)).collect();
        let terms = previous.values().flat_map(|previous| previous.ratios.keys());
        let mut past: BTreeSet<&str> = terms.map(AsRef::as_ref).filter(|term| is_mover(term)).collect();
        let mut names: Vec<String> = FACTORS.into_iter().chain(STEPS).map(str::to_owned).collect();
        let movers: Vec<(String, bool)> = (book.rules.iter())
            .map(|rule| (format!("{RULE}{}", rule.name), rule.beyond_plan))
            .chain(adjustments.iter().map(|one| (format!("{ADJUSTMENT}{}", one.request_id), one.beyond_plan)))
            .collect();
        let mut of_mover = vec![None; movers.len()];
        let mut within = MOVERS;
        for beyond in [false, true] {
            for (position, (name, _)) in movers.iter().enumerate().filter(|(_, (_, is))| *is == beyond) {
                if !past.remove(name.as_str()) && !moved.contains(&position) {
                    continue;
                }
                let place = if beyond { names.len() } else { within };
                names.insert(place, name.clone());
                of_mover[position] = Some(place);
                within += usize::from(!beyond);
            }
        }
        // Rules that are in the book no more, and adjustments whose time is over.
        let gone: Vec<String> = past.into_iter().map(str::to_owned).collect();
        for place in of_mover.iter_mut().flatten().filter(|place| **place >= within) {
            *place += gone.len();
        }
        let plan = within + gone.len();
        names.splice(within..within, gone);
        Self { names, of_mover, n_rules, plan }
    }

    /// Their names.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether the term at a position is a rule's or an adjustment's.
    pub(crate) fn is_mover(&self, position: usize) -> bool {
        (MOVERS..self.plan).contains(&position) || position > self.plan + 1
    }

    /// The ratios of one quota, one a term: those of the factors, of `progress`, `pipeline` and `ambition`, of each rule and
    /// adjustment that acted, of `plan` and `bound`.
    pub(crate) fn ratios(
        &self,
        factors: impl Iterator<Item = f64>,
        [progress, pipeline, ambition, plan, bound]: [f64; 5],
        ruled: &Ruled,
    ) -> Vec<f64> {
        let mut ratios = vec![1.0; self.names.len()];
        let steps = [progress, pipeline, ambition];
        for (ratio, value) in ratios.iter_mut().zip(factors.take(FACTORS.len()).chain(steps)) {
            *ratio = value;
        }
        (ratios[self.plan], ratios[self.plan + 1]) = (plan, bound);
        for (mover, before, after) in moves(ruled) {
            if let Some(place) = self.of_mover.get(mover.position(self.n_rules)).copied().flatten() {
                ratios[place] *= step_ratio(before, after);
            }
        }
        ratios
    }

    /// The ratios of a quota published before, in the order of these terms.
    pub(crate) fn of(&self, previous: &Previous) -> Vec<f64> {
        self.names.iter().map(|name| previous.ratios.get(name.as_str()).copied().unwrap_or(1.0)).collect()
    }
}

/// What moved a proposal or quota.
#[derive(Debug, Clone, Copy)]
enum Mover {
    Rule(u32),
    Adjustment(u32),
}

impl Mover {
    fn position(self, rules: usize) -> usize {
        match self {
            Self::Rule(rule) => at(rule),
            Self::Adjustment(adjustment) => rules + at(adjustment),
        }
    }
}

/// What moved one rep's proposal or quota, with the amounts before and after.
fn moves(ruled: &Ruled) -> impl Iterator<Item = (Mover, i64, i64)> + '_ {
    let by_rules = ruled.steps.iter().map(|step| (Mover::Rule(step.rule), step.before, step.after));
    let by_adjustments =
        ruled.adjusted.iter().map(|step| (Mover::Adjustment(step.adjustment), step.before, step.after));
    by_rules.chain(by_adjustments).filter(|(_, before, after)| before != after)
}

fn is_mover(term: &str) -> bool {
    term.starts_with(RULE) || term.starts_with(ADJUSTMENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adjust::{Adjusted, Change};
    use crate::rule::{Step, read};

    #[test]
    fn rules_and_adjustments_have_terms_where_they_act_and_those_gone_are_remembered() {
        let text = "name: in\nalways raise quota by 10%\n\nname: idle\nalways freeze quota\n\nname: out\nalways raise quota by 1% beyond plan\n";
        let book = read(text).unwrap();
        let step = |rule, before, after| Step { rule, action: 0, before, after };
        let steps = vec![step(0, 100, 110), step(1, 110, 110), step(2, 200, 202)];
        let adjustment = |id: &str, beyond_plan| Adjustment {
            request_id: id.to_owned(),
            rep_id: "r".to_owned(),
            change: Change::Percent(1.0),
            beyond_plan,
            approved_by: "ann".to_owned(),
        };
        let adjustments = [adjustment("a", false), adjustment("idle", false), adjustment("b", true)];
        let adjusted = |adjustment, before, after| Adjusted { adjustment, before, after };
        let adjusted = vec![adjusted(0, 110, 132), adjusted(1, 132, 132), adjusted(2, 202, 303)];
        let ruled = Ruled { steps, adjusted, ..Ruled::default() };
        let ratios = [
            ("rule:gone".into(), 1.5),
            ("adjustment:over".into(), 1.75),
            ("rule:out".into(), 1.25),
            ("plan".into(), 0.9),
        ]
        .into();
        let previous = Previous { quota: 1, base: 1, ratios };
        let terms = Terms::new(
            &book,
            &adjustments,
            std::slice::from_ref(&ruled),
            &BTreeMap::from([("r".to_owned(), previous.clone())]),
        );
        let after_factors = [
            "progress",
            "pipeline",
            "ambition",
            "rule:in",
            "adjustment:a",
            "adjustment:over",
            "rule:gone",
            "plan",
            "bound",
            "rule:out",
            "adjustment:b",
        ];
        assert_eq!(terms.names()[FACTORS.len()..], after_factors);
        let movers: Vec<bool> =
            (FACTORS.len()..terms.names().len()).map(|place| terms.is_mover(place)).collect();
        assert_eq!(movers, [false, false, false, true, true, true, true, false, false, true, true]);
        let told = |ratios: &[f64]| {
            let told: Vec<String> =
                ratios[FACTORS.len()..].iter().map(|ratio| format!("{ratio:.2}")).collect();
            told.join(" ")
        };
        let ratios = terms.ratios([1.0; 18].into_iter(), [2.0, 1.5, 3.0, 4.0, 5.0], &ruled);
        assert_eq!(told(&ratios), "2.00 1.50 3.00 1.10 1.20 1.00 1.00 4.00 5.00 1.01 1.50");
        assert_eq!(told(&terms.of(&previous)), "1.00 1.00 1.00 1.00 1.00 1.75 1.50 0.90 1.00 1.25 1.00");
    }
}
