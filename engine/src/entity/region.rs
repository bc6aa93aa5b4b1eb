//! The region tree.

use std::collections::{BTreeMap, BTreeSet};

/// Regions as a tree, by ascending id. Of the regions of a cycle the one with the smallest id becomes a root.
#[derive(Debug, Clone, Default)]
pub struct Regions {
    /// Ids, ascending.
    pub ids: Vec<String>,
    /// The region above, if any.
    pub parent: Vec<Option<usize>>,
    /// Regions whose parent had to be cut because it leads back to them.
    pub cut: Vec<usize>,
}

impl Regions {
    /// The position of an id.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.ids.binary_search_by(|known| known.as_str().cmp(id)).ok()
    }

    /// A region and every region above it.
    pub fn upward(&self, region: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(region), |&region| self.parent.get(region).copied().flatten())
    }

    pub(super) fn new(mut parents: BTreeMap<String, Option<String>>) -> Self {
        for parent in parents.values().flatten().cloned().collect::<BTreeSet<String>>() {
            parents.entry(parent).or_insert(None);
        }
        let ids: Vec<String> = parents.keys().cloned().collect();
        let find = |id: &String| ids.binary_search(id).ok();
        let parent: Vec<Option<usize>> =
            parents.values().map(|parent| parent.as_ref().and_then(find)).collect();
        let mut regions = Self { ids, parent, cut: Vec::new() };
        for region in 0..regions.ids.len() {
            let mut above = regions.parent[region];
            let mut steps = 0;
            // A way up that leads into a circle further above is cut there.
            while let Some(next) = above.filter(|_| steps < regions.ids.len()) {
                steps += 1;
                if next == region {
                    regions.parent[region] = None;
                    regions.cut.push(region);
                    break;
                }
                above = regions.parent[next];
            }
        }
        regions
    }
}
