//! Leads that share no candidate, not even by way of others, have nothing to do with each other: a company of many
//! territories is many small problems, and its tables grow with the territories instead of with their square.

use std::collections::BTreeMap;

/// The leads of each problem of its own, in their order; leads without any candidate are in none. `class` says which of the
/// `candidates` (positions of reps, below `n_reps`) a lead has.
pub(super) fn groups(class: &[usize], candidates: &[&[usize]], n_reps: usize) -> Vec<Vec<usize>> {
    let mut parent: Vec<usize> = (0..n_reps).collect();
    for reps in candidates {
        for pair in reps.windows(2) {
            let (a, b) = (root(&mut parent, pair[0]), root(&mut parent, pair[1]));
            parent[a.max(b)] = a.min(b);
        }
    }
    let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (lead, &class) in class.iter().enumerate() {
        if let Some(&rep) = candidates[class].first() {
            found.entry(root(&mut parent, rep)).or_default().push(lead);
        }
    }
    found.into_values().collect()
}

/// The rep that stands for all that are joined with this one.
fn root(parent: &mut [usize], mut rep: usize) -> usize {
    while parent[rep] != rep {
        parent[rep] = parent[parent[rep]];
        rep = parent[rep];
    }
    rep
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn leads_are_together_that_share_candidates_by_way_of_others() {
        let candidates: [&[usize]; 5] = [&[0, 1], &[3], &[], &[1, 2], &[4, 5]];
        assert_eq!(groups(&[0, 1, 2, 3, 1, 4], &candidates, 6), [vec![0, 3], vec![1, 4], vec![5]]);
        assert!(groups(&[], &[], 3).is_empty());
    }

    proptest! {
        #[test]
        fn no_candidate_is_in_two_groups(candidates in prop::collection::vec(prop::collection::vec(0_usize..9, 0..4), 1..7)) {
            let all: Vec<&[usize]> = candidates.iter().map(Vec::as_slice).collect();
            let class: Vec<usize> = (0..all.len()).collect();
            let groups = groups(&class, &all, 9);
            for (one, other) in groups.iter().enumerate().flat_map(|(n, a)| groups[..n].iter().map(move |b| (a, b))) {
                let reps = |leads: &Vec<usize>| leads.iter().flat_map(|lead| candidates[*lead].clone()).collect::<Vec<_>>();
                prop_assert!(reps(one).iter().all(|rep| !reps(other).contains(rep)));
            }
            let there = candidates.iter().filter(|reps| !reps.is_empty()).count();
            prop_assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), there);
        }
    }
}
