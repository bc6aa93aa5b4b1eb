//! Whether a model that was read hangs together, so that scoring with it can't go wrong.

use super::boost::{BINS, Tree};
use super::frame::{Kind, Part};
use super::model::{Model, Of, Rule};

/// Questions of a tree at most: two trees together fill a byte.
const DEPTH_MAX: usize = 4;

impl Model {
    /// Whether every part of the model fits the others; a model that [`super::fit`] made does. One that was read from
    /// elsewhere may have been cut or edited.
    pub fn is_sound(&self) -> bool {
        let trees = || self.boosters.iter().flat_map(|booster| &booster.trees);
        !self.columns.is_empty()
            && [self.intercept, self.boost_weight].iter().all(|value| value.is_finite())
            && self.boosters.iter().all(|booster| booster.start.is_finite())
            && self.features.iter().all(|rule| self.is_sound_rule(rule))
            && trees().all(|tree| self.is_sound_tree(tree))
            && self.calibration.is_sound()
    }

    fn is_sound_rule(&self, rule: &Rule) -> bool {
        let Some(column) = self.columns.get(rule.column) else { return false };
        // The parts of a date are categories.
        let is_number = column.kind != Kind::Text && rule.part == Part::Whole;
        let of_kind = is_number == matches!(rule.of, Of::Number { .. })
            && (rule.part == Part::Whole || column.kind != Kind::Text);
        of_kind
            && match &rule.of {
                Of::Number { edges, slope, mean, low, high, present, missing } => {
                    edges.len() < BINS
                        && edges.is_sorted()
                        && low <= high
                        && [slope, mean, present, missing].iter().all(|value| value.is_finite())
                }
                Of::Category { levels, adds, unknown, bins, unknown_bins } => {
                    let places = levels.len() + 1;
                    adds.len() == places
                        && bins.len() == self.boosters.len()
                        && unknown_bins.len() == self.boosters.len()
                        && bins.iter().all(|bins| bins.len() == places)
                        && adds.iter().chain([unknown]).all(|value| value.is_finite())
                }
            }
    }

    fn is_sound_tree(&self, tree: &Tree) -> bool {
        let asks_features = |feature: u32| usize::try_from(feature).is_ok_and(|at| at < self.features.len());
        tree.splits.len() <= DEPTH_MAX
            && tree.values.len() == 1 << tree.splits.len()
            && tree.cover.len() == tree.values.len()
            && tree.splits.iter().all(|split| asks_features(split.feature))
            && tree.values.iter().all(|value| value.is_finite())
            && tree.cover.iter().all(|rows| *rows >= 0.0)
    }
}
