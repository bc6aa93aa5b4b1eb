//! The terms of a run's explanations: the factors, the steps of the frame, and the rules that moved a quota.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::step_ratio;
use crate::factor::FACTORS;
use crate::measure::at;
use crate::rule::{Book, Ruled, Step};

/// The steps of the frame, in order; rules act after the second and, beyond plan, after the last.
const STEPS: [&str; 4] = ["progress", "ambition", "plan", "bound"];
/// Position of the rules among the terms.
const RULES: usize = FACTORS.len() + 2;
/// What the term of a rule begins with.
const RULE: &str = "rule:";

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
    /// By position of a rule in its book: the position of its term.
    of_rule: Vec<Option<usize>>,
    /// Position of `plan`; `bound` follows.
    plan: usize,
}

impl Terms {
    /// The terms of a run: of the rules those that moved a quota, now or in what was published before.
    pub(crate) fn new(book: &Book, ruled: &[Ruled], previous: &BTreeMap<String, Previous>) -> Self {
        let steps = ruled.iter().flat_map(|ruled| &ruled.steps).filter(|step| step.before != step.after);
        let moved: BTreeSet<usize> = steps.map(|step| at(step.rule)).collect();
        let terms = previous.values().flat_map(|previous| previous.ratios.keys());
        let mut past: BTreeSet<&str> =
            terms.filter(|term| term.starts_with(RULE)).map(AsRef::as_ref).collect();
        let mut names: Vec<String> = FACTORS.into_iter().chain(STEPS).map(str::to_owned).collect();
        let mut of_rule = vec![None; book.rules.len()];
        let mut within = RULES;
        for beyond in [false, true] {
            for (position, rule) in
                book.rules.iter().enumerate().filter(|(_, rule)| rule.beyond_plan == beyond)
            {
                let name = format!("{RULE}{}", rule.name);
                if !past.remove(name.as_str()) && !moved.contains(&position) {
                    continue;
                }
                let place = if beyond { names.len() } else { within };
                names.insert(place, name);
                of_rule[position] = Some(place);
                within += usize::from(!beyond);
            }
        }
        // Rules that are in the book no more.
        let gone: Vec<String> = past.into_iter().map(str::to_owned).collect();
        for place in of_rule.iter_mut().flatten().filter(|place| **place >= within) {
            *place += gone.len();
        }
        let plan = within + gone.len();
        names.splice(within..within, gone);
        Self { names, of_rule, plan }
    }

    /// Their names.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether the term at a position is a rule's.
    pub(crate) fn is_rule(&self, position: usize) -> bool {
        (RULES..self.plan).contains(&position) || position > self.plan + 1
    }

    /// The ratios of one quota, one a term: those of the factors, of `progress` and `ambition`, of each rule that
    /// acted, of `plan` and `bound`.
    pub(crate) fn ratios(
        &self,
        factors: impl Iterator<Item = f64>,
        [progress, ambition, plan, bound]: [f64; 4],
        steps: &[Step],
    ) -> Vec<f64> {
        let mut ratios = vec![1.0; self.names.len()];
        for (ratio, value) in ratios.iter_mut().zip(factors.take(FACTORS.len()).chain([progress, ambition])) {
            *ratio = value;
        }
        (ratios[self.plan], ratios[self.plan + 1]) = (plan, bound);
        for step in steps.iter().filter(|step| step.before != step.after) {
            if let Some(place) = self.of_rule.get(at(step.rule)).copied().flatten() {
                ratios[place] *= step_ratio(step.before, step.after);
            }
        }
        ratios
    }

    /// The ratios of a quota published before, in the order of these terms.
    pub(crate) fn of(&self, previous: &Previous) -> Vec<f64> {
        self.names.iter().map(|name| previous.ratios.get(name.as_str()).copied().unwrap_or(1.0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::read;

    #[test]
    fn rules_have_terms_where_they_act_and_those_gone_are_remembered() {
        let text = "name: in\nalways raise quota by 10%\n\nname: idle\nalways freeze quota\n\nname: out\nalways raise quota by 1% beyond plan\n";
        let book = read(text).unwrap();
        let step = |rule, before, after| Step { rule, action: 0, before, after };
        let steps = vec![step(0, 100, 110), step(1, 110, 110), step(2, 200, 202)];
        let ruled = [Ruled { steps: steps.clone(), ..Ruled::default() }];
        let ratios = [("rule:gone".into(), 1.5), ("rule:out".into(), 1.25), ("plan".into(), 0.9)].into();
        let previous = Previous { quota: 1, base: 1, ratios };
        let terms = Terms::new(&book, &ruled, &BTreeMap::from([("r".to_owned(), previous.clone())]));
        let after_factors = ["progress", "ambition", "rule:in", "rule:gone", "plan", "bound", "rule:out"];
        assert_eq!(terms.names()[FACTORS.len()..], after_factors);
        let of_rules: Vec<bool> =
            (FACTORS.len()..terms.names().len()).map(|place| terms.is_rule(place)).collect();
        assert_eq!(of_rules, [false, false, true, true, false, false, true]);
        let told = |ratios: &[f64]| {
            let told: Vec<String> =
                ratios[FACTORS.len()..].iter().map(|ratio| format!("{ratio:.2}")).collect();
            told.join(" ")
        };
        let ratios = terms.ratios([1.0; 18].into_iter(), [2.0, 3.0, 4.0, 5.0], &steps);
        assert_eq!(told(&ratios), "2.00 3.00 1.10 1.00 4.00 5.00 1.01");
        assert_eq!(told(&terms.of(&previous)), "1.00 1.00 1.00 1.50 0.90 1.00 1.25");
    }
}
