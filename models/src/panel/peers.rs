//! Regions as the peers of each rep show them: a rep's own sales never enter what its region says of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;

use super::beside::{Beside, groups};
use super::deviation::Deviations;
use super::process::Process;
use super::window::Window;

/// In a region of more reps than this, peers are told apart in so many groups.
const PEERS_ALONE_MAX: usize = 64;
const PEERS_GROUPS: usize = 32;

/// The process of each region, with the buckets known of it; none for a region of one.
pub(crate) type Regions = Vec<Option<(Arc<Process>, Vec<usize>)>>;

/// What a region does as its reps' peers show it: in the past, and ahead.
#[derive(Debug)]
pub(crate) struct Peers {
    pub(crate) past: Vec<f64>,
    pub(crate) future: Vec<f64>,
}

/// What the peers of each rep wanted show: by group of reps, and the group of each rep, 0 for one that isn't wanted.
pub(crate) fn peers(
    window: &Window,
    (beside, deviations): (&Beside, &Deviations),
    regions: &Regions,
    wanted: &[usize],
) -> (Vec<Peers>, Vec<usize>) {
    let (groups, group_of) = peer_groups(window, wanted);
    let show = |members: &Vec<usize>| {
        let region = members.first().map_or(0, |&rep| window.reps[rep].region);
        let Some((process, known)) = regions.get(region).and_then(Option::as_ref) else {
            return Peers { past: vec![0.0; window.n], future: vec![0.0; window.future.len()] };
        };
        let mut past = process.predict(&deviations.peers(window, beside, members, known));
        let future = past.split_off(window.n);
        Peers { past, future }
    };
    (groups.par_iter().map(show).collect(), group_of)
}

/// The process of each region, with the buckets known of it; those made of the same are one.
pub(crate) fn regions(n_regions: usize, deviations: &Deviations) -> Regions {
    let made_of: Vec<_> = (0..n_regions).map(|region| deviations.region(region)).collect();
    let key = |(known, effective): &(Vec<usize>, f64)| (known.clone(), effective.to_bits());
    let keys: BTreeSet<_> = made_of.iter().flatten().map(key).collect();
    let keys: Vec<_> = keys.into_iter().collect();
    let solve = |key: &(Vec<usize>, u64)| Arc::new(deviations.region_process(&key.0, f64::from_bits(key.1)));
    let solved: Vec<Arc<Process>> = keys.par_iter().map(solve).collect();
    let find = |made_of: (Vec<usize>, f64)| {
        let place = keys.binary_search(&key(&made_of)).ok()?;
        Some((Arc::clone(solved.get(place)?), made_of.0))
    };
    made_of.into_iter().map(|made_of| made_of.and_then(find)).collect()
}

/// Reps whose peers are told apart from them together, by group, where any of them is wanted; and the group of each.
fn peer_groups(window: &Window, wanted: &[usize]) -> (Vec<Vec<usize>>, Vec<usize>) {
    let mut regions: Vec<Vec<usize>> = vec![Vec::new(); window.n_regions];
    for (rep, known) in window.reps.iter().enumerate() {
        regions[known.region].push(rep);
    }
    let mut all: Vec<Vec<usize>> = Vec::new();
    let mut group_of = vec![0; window.reps.len()];
    for reps in &regions {
        let first = all.len();
        for (&rep, group) in reps.iter().zip(groups(reps.len(), PEERS_ALONE_MAX, PEERS_GROUPS)) {
            all.resize(all.len().max(first + group + 1), Vec::new());
            all[first + group].push(rep);
            group_of[rep] = first + group;
        }
    }
    let mut number = vec![None; all.len()];
    let mut taken = Vec::new();
    for &rep in wanted {
        number[group_of[rep]].get_or_insert_with(|| {
            taken.push(std::mem::take(&mut all[group_of[rep]]));
            taken.len() - 1
        });
    }
    (taken, group_of.into_iter().map(|group| number[group].unwrap_or(0)).collect())
}
