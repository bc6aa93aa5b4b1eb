//! A set of positions, told in rising order: a bit each, because every batch of events may mark everybody.

/// Bits of a word.
const WORD: usize = 64;

/// Positions that are marked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks(Vec<u64>);

impl Marks {
    pub(super) fn insert(&mut self, position: usize) {
        let word = position / WORD;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (position % WORD);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// In rising order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(place, &word)| {
            let bits = std::iter::successors((word != 0).then_some(word), |left| {
                let rest = left & (left - 1);
                (rest != 0).then_some(rest)
            });
            bits.map(move |left| place * WORD + left.trailing_zeros() as usize)
        })
    }
}

impl Extend<usize> for Marks {
    fn extend<I: IntoIterator<Item = usize>>(&mut self, positions: I) {
        positions.into_iter().for_each(|position| self.insert(position));
    }
}

impl FromIterator<usize> for Marks {
    fn from_iter<I: IntoIterator<Item = usize>>(positions: I) -> Self {
        let mut marks = Self::default();
        marks.extend(positions);
        marks
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn marks_are_a_set_in_order(positions in prop::collection::vec(0_usize..500, 0..200)) {
            let marks: Marks = positions.iter().copied().collect();
            let set: BTreeSet<usize> = positions.into_iter().collect();
            prop_assert_eq!(marks.is_empty(), set.is_empty());
            prop_assert_eq!(marks.iter().collect::<Vec<_>>(), set.into_iter().collect::<Vec<_>>());
        }
    }
}
