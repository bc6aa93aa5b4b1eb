//! The region tree: a company root, areas, and the territories in which reps work.

use crate::draw::{Draw, Stream};
use crate::number::narrow;

/// A region of any level.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    /// Such as `R`, `R2`, `R2-3`.
    pub(crate) id: String,
    /// Position of the region above; none for the root.
    pub(crate) parent: Option<usize>,
    /// For people.
    pub(crate) name: String,
}

/// The tree, root first, every parent before its children.
#[derive(Debug)]
pub(crate) struct Regions {
    /// All of them.
    pub(crate) all: Vec<Region>,
    /// Positions of the areas.
    pub(crate) areas: Vec<usize>,
    /// Positions of the territories: a territory is known by its place here.
    pub(crate) territories: Vec<usize>,
}

const AREA_NAMES: [&str; 6] = ["East", "South", "North", "West", "Central", "Northeast"];

impl Regions {
    /// The tree that suits a number of reps.
    pub(crate) fn new(seed: u64, reps: u32) -> Self {
        let areas = match reps {
            0..30 => 2,
            30..2_000 => 4,
            _ => 6,
        };
        let mut tree = Self { all: Vec::new(), areas: Vec::new(), territories: Vec::new() };
        tree.all.push(Region { id: "R".into(), parent: None, name: "Company".into() });
        for (area, name) in AREA_NAMES.into_iter().enumerate().take(areas) {
            let at = tree.all.len();
            tree.areas.push(at);
            tree.all.push(Region { id: format!("R{}", area + 1), parent: Some(0), name: name.into() });
            let mut draw = Draw::new(seed, Stream::Region, u64::from(narrow(area)), 0);
            let below = if reps < 30 { 2 } else { draw.count(2, 5) };
            for territory in 1..=below {
                tree.territories.push(tree.all.len());
                let id = format!("R{}-{territory}", area + 1);
                tree.all.push(Region { id, parent: Some(at), name: format!("{name} {territory}") });
            }
        }
        tree
    }

    /// The id of a territory.
    pub(crate) fn territory_id(&self, territory: u32) -> &str {
        &self.all[self.territories[crate::number::at(territory)]].id
    }

    /// Whether a region is a territory or above it.
    pub(crate) fn covers(&self, region: usize, territory: usize) -> bool {
        let mut at = Some(self.territories[territory]);
        while let Some(here) = at {
            if here == region {
                return true;
            }
            at = self.all[here].parent;
        }
        false
    }
}
