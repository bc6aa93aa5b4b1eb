//! Scopes: rep, manager, region, company; how a rep's or customer's numbers roll up.

use std::collections::BTreeSet;

use crate::entity::Crm;

/// The scopes of a run: every rep, manager and region, and the company, as one numbered list.
#[derive(Debug)]
pub(crate) struct Scopes {
    /// (scope, id), in the order in which tables list them.
    pub(crate) list: Vec<(&'static str, String)>,
    /// By rep, the number of its manager.
    manager_of: Vec<Option<usize>>,
    regions_from: usize,
    company: usize,
}

impl Scopes {
    pub(crate) fn new(crm: &Crm) -> Self {
        let managers: Vec<String> = crm
            .reps
            .iter()
            .filter_map(|rep| rep.manager.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let mut list: Vec<(&'static str, String)> =
            crm.reps.iter().map(|rep| ("rep", rep.id.clone())).collect();
        list.extend(managers.iter().map(|id| ("manager", id.clone())));
        let regions_from = list.len();
        list.extend(crm.regions.ids.iter().map(|id| ("region", id.clone())));
        list.push(("company", "company".to_owned()));
        let company = list.len() - 1;
        let number = |manager: &String| managers.binary_search(manager).ok().map(|n| crm.reps.len() + n);
        let manager_of = crm.reps.iter().map(|rep| rep.manager.as_ref().and_then(number)).collect();
        Self { list, manager_of, regions_from, company }
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
    pub(crate) fn regions<'a>(
        &'a self,
        crm: &'a Crm,
        region: Option<usize>,
    ) -> impl Iterator<Item = usize> + 'a {
        region
            .into_iter()
            .flat_map(|region| crm.regions.upward(region))
            .map(|region| self.regions_from + region)
    }

    /// The region that a scope sells in: a rep's, or the region itself.
    pub(crate) fn region(&self, crm: &Crm, scope: usize) -> Option<usize> {
        match crm.reps.get(scope) {
            Some(rep) => rep.region,
            None => (self.regions_from..self.company).contains(&scope).then(|| scope - self.regions_from),
        }
    }

    /// Every scope that a rep's numbers count in: itself, its manager, its regions, the company.
    pub(crate) fn of_rep(&self, crm: &Crm, rep: usize) -> Vec<usize> {
        let mut scopes = vec![rep];
        scopes.extend(self.manager_of.get(rep).copied().flatten());
        scopes.extend(self.regions(crm, crm.reps.get(rep).and_then(|rep| rep.region)));
        scopes.push(self.company);
        scopes
    }

    /// Every scope that a customer's numbers count in: its owner, the owner's manager, its own regions, the company.
    pub(crate) fn of_customer<'a>(
        &'a self,
        crm: &'a Crm,
        owner: Option<usize>,
        region: Option<usize>,
    ) -> impl Iterator<Item = usize> + 'a {
        let manager = owner.and_then(|owner| self.manager_of.get(owner).copied().flatten());
        owner.into_iter().chain(manager).chain(self.regions(crm, region)).chain([self.company])
    }
}
