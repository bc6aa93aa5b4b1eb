//! Scopes: rep, manager, region, company; how a rep's or customer's numbers roll up.

use std::collections::BTreeSet;

use crate::entity::Crm;

/// The scopes of a run: every rep, manager and region, and the company, as one numbered list.
#[derive(Debug)]
pub(crate) struct Scopes {
    /// (scope, id), in the order in which tables list them.
    pub(crate) list: Vec<(&'static str, String)>,
    managers: Vec<String>,
    regions_from: usize,
    company: usize,
}

impl Scopes {
    pub(crate) fn new(crm: &Crm) -> Self {
        let managers: Vec<String> =
            crm.reps.iter().filter_map(|rep| rep.manager.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        let mut list: Vec<(&'static str, String)> = crm.reps.iter().map(|rep| ("rep", rep.id.clone())).collect();
        list.extend(managers.iter().map(|id| ("manager", id.clone())));
        let regions_from = list.len();
        list.extend(crm.regions.ids.iter().map(|id| ("region", id.clone())));
        list.push(("company", "company".to_owned()));
        let company = list.len() - 1;
        Self { list, managers, regions_from, company }
    }

    /// How many scopes there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The company's number.
    pub(crate) fn company(&self) -> usize {
        self.company
    }

    /// The numbers of a region and all above it.
    pub(crate) fn regions<'a>(&'a self, crm: &'a Crm, region: Option<usize>) -> impl Iterator<Item = usize> + 'a {
        region.into_iter().flat_map(|region| crm.regions.upward(region)).map(|region| self.regions_from + region)
    }

    /// The number of a rep's manager.
    pub(crate) fn manager(&self, crm: &Crm, rep: usize) -> Option<usize> {
        let manager = crm.reps.get(rep)?.manager.as_ref()?;
        self.managers.binary_search(manager).ok().map(|position| crm.reps.len() + position)
    }

    /// Every scope that a rep's numbers count in: itself, its manager, its regions, the company.
    pub(crate) fn of_rep(&self, crm: &Crm, rep: usize) -> Vec<usize> {
        let mut scopes = vec![rep];
        scopes.extend(self.manager(crm, rep));
        scopes.extend(self.regions(crm, crm.reps.get(rep).and_then(|rep| rep.region)));
        scopes.push(self.company);
        scopes
    }

    /// Every scope that a customer's numbers count in: its owner, the owner's manager, its own regions, the company.
    pub(crate) fn of_customer(&self, crm: &Crm, owner: Option<usize>, region: Option<usize>) -> Vec<usize> {
        let mut scopes = Vec::with_capacity(6);
        scopes.extend(owner);
        scopes.extend(owner.and_then(|owner| self.manager(crm, owner)));
        scopes.extend(self.regions(crm, region));
        scopes.push(self.company);
        scopes
    }
}
