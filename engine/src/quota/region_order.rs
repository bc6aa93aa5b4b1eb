//! The shape of the region tree: parents before children, whatever the parent column says.

/// Regions in top-down order, with every cycle cut and every unknown parent dropped.
#[derive(Debug)]
pub(super) struct TopDown {
    /// Regions, each after its parent.
    pub(super) order: Vec<usize>,
    /// The parent in force.
    pub(super) parent: Vec<Option<usize>>,
    /// Regions whose stated parent doesn't exist.
    pub(super) unknown_parent: Vec<usize>,
    /// Cycles, each from its lowest region along its parents; that one is a root now.
    pub(super) cycles: Vec<Vec<usize>>,
}

/// Orders regions by their stated parents.
pub(super) fn top_down(stated: impl Iterator<Item = Option<u32>>) -> TopDown {
    let mut unknown_parent = Vec::new();
    let mut parent: Vec<Option<usize>> = stated.map(|p| p.map(index)).collect();
    let n = parent.len();
    for (region, slot) in parent.iter_mut().enumerate() {
        if slot.is_some_and(|p| p >= n) {
            *slot = None;
            unknown_parent.push(region);
        }
    }
    let cycles = cut_cycles(&mut parent);
    let children = Groups::of(n, &parent);
    let mut order: Vec<usize> = (0..n).filter(|&r| parent[r].is_none()).collect();
    let mut next = 0;
    while let Some(&region) = order.get(next) {
        order.extend_from_slice(children.members(region));
        next += 1;
    }
    TopDown { order, parent, unknown_parent, cycles }
}

/// Makes the lowest region of every cycle a root, and returns the cycles.
fn cut_cycles(parent: &mut [Option<usize>]) -> Vec<Vec<usize>> {
    let mut cycles = Vec::new();
    // The walk that saw a region first; a walk that meets itself has found a cycle.
    let mut seen_by: Vec<Option<usize>> = vec![None; parent.len()];
    for start in 0..parent.len() {
        let mut at = Some(start);
        while let Some(region) = at.filter(|&r| seen_by[r].is_none()) {
            seen_by[region] = Some(start);
            at = parent[region];
        }
        let Some(entry) = at.filter(|&r| seen_by[r] == Some(start)) else { continue };
        let cycle = along_parents(parent, entry);
        let lowest = cycle.iter().copied().min().unwrap_or(entry);
        cycles.push(along_parents(parent, lowest));
        parent[lowest] = None;
    }
    cycles
}

/// The regions from `first` along the parents until it comes round again.
fn along_parents(parent: &[Option<usize>], first: usize) -> Vec<usize> {
    let mut members = vec![first];
    let mut at = parent[first];
    while let Some(region) = at.filter(|&r| r != first && members.len() <= parent.len()) {
        members.push(region);
        at = parent[region];
    }
    members
}

/// Members by group, each group's rising: one counting sort.
#[derive(Debug)]
pub(super) struct Groups {
    start: Vec<usize>,
    member: Vec<usize>,
}

impl Groups {
    /// Groups the indices of `group_of` by its values below `n_groups`; others are left out.
    pub(super) fn of(n_groups: usize, group_of: &[Option<usize>]) -> Self {
        let known =
            || group_of.iter().enumerate().filter_map(|(i, g)| g.filter(|&g| g < n_groups).map(|g| (i, g)));
        let mut start = vec![0; n_groups + 1];
        for (_, group) in known() {
            start[group + 1] += 1;
        }
        for group in 0..n_groups {
            start[group + 1] += start[group];
        }
        let mut next = start.clone();
        let mut member = vec![0; start[n_groups]];
        for (i, group) in known() {
            member[next[group]] = i;
            next[group] += 1;
        }
        Self { start, member }
    }

    /// The members of one group.
    pub(super) fn members(&self, group: usize) -> &[usize] {
        &self.member[self.start[group]..self.start[group + 1]]
    }
}

/// A dense id as an index; one too large for this machine is no index of anything.
pub(super) fn index(id: u32) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stated: &[Option<u32>], order: &[usize], cycles: &[&[usize]], unknown: &[usize]) {
        let shape = top_down(stated.iter().copied());
        assert_eq!(shape.order, order);
        assert_eq!(shape.cycles, cycles);
        assert_eq!(shape.unknown_parent, unknown);
    }

    #[test]
    fn parents_come_before_children() {
        check(&[Some(2), Some(0), None, Some(2)], &[2, 0, 3, 1], &[], &[]);
    }

    #[test]
    fn cycles_are_cut_at_their_lowest_region() {
        check(&[Some(0)], &[0], &[&[0]], &[]);
        check(&[Some(3), Some(2), Some(4), None, Some(1)], &[1, 3, 4, 0, 2], &[&[1, 2, 4]], &[]);
    }

    #[test]
    fn a_region_under_a_cycle_or_an_unknown_parent_is_still_reached() {
        check(&[Some(1), Some(2), Some(1), Some(9)], &[1, 3, 0, 2], &[&[1, 2]], &[3]);
    }
}
