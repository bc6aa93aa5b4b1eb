//! Lookups and groups, bound to their tables.

use std::cell::OnceCell;

use super::Binder;
use crate::import::error::BadInput;
use crate::import::group::{Group, Take};
use crate::import::lookup::Lookup;
use crate::import::mapping::Mapping;
use crate::import::scope::Scope;
use crate::import::spec::{GroupSpec, LookupSpec, Pick, TakeSpec};
use crate::import::table::{Column, ColumnId, Source, TableId};

impl Binder<'_> {
    pub(super) fn lookups(&mut self) -> Result<(), BadInput> {
        let mapping: &Mapping = self.mapping;
        for lookup in &mapping.spec.lookup {
            let (span, spec) = (lookup.span(), lookup.get_ref());
            let fail = |problem: String| mapping.place.error(&span, format!("[[lookup]]: {problem}"));
            let (table, from) = (self.table(&spec.table, &span)?, self.table(&spec.from, &span)?);
            check(spec).map_err(fail)?;
            let when = self.when(from, spec.when.as_ref())?;
            let (ours, theirs) = (self.scope(table), self.scope(from));
            let taken: Result<Vec<(&String, ColumnId)>, String> =
                spec.take.iter().map(|(name, column)| Ok((name, theirs.column(column)?))).collect();
            let taken = taken.map_err(fail)?;
            let mut bound = lookup_of(spec, from, ours, theirs).map_err(fail)?;
            bound.when = when;
            for (name, column) in taken {
                let default = spec.default.get(name).cloned();
                if let Some(id) = self.tables.list[table].by_name.get(name).copied() {
                    let lookup = self.tables.lookups.len();
                    self.tables.list[table].columns[id] = Column::Looked { lookup, column, default };
                }
            }
            self.tables.lookups.push(bound);
        }
        Ok(())
    }

    pub(super) fn groups(&mut self) -> Result<(), BadInput> {
        let mapping: &Mapping = self.mapping;
        for group in &mapping.spec.group {
            let (span, spec) = (group.span(), group.get_ref());
            let (id, from) = (self.table(&spec.name, &span)?, self.table(&spec.from, &span)?);
            let when = self.when(from, spec.when.as_ref())?;
            let mut bound = group_of(spec, from, self.scope(from)).map_err(|problem| {
                mapping.place.error(&span, format!("[[group]] {}: {problem}", spec.name))
            })?;
            bound.when = when;
            self.tables.list[id].source = Source::Group(Box::new(bound), OnceCell::new());
        }
        Ok(())
    }
}

fn check(spec: &LookupSpec) -> Result<(), String> {
    let beside = matches!(spec.pick, Pick::LastBefore | Pick::FirstAfter);
    if beside != spec.at.is_some() || (beside && spec.order_by.is_none()) {
        let problem =
            "pick = \"last_before\" and \"first_after\" need `at` and `order_by`; the others take no `at`";
        return Err(problem.to_owned());
    }
    if spec.on.is_empty() || spec.take.is_empty() {
        return Err("`on` and `take` need a column each".to_owned());
    }
    match spec.default.keys().find(|name| !spec.take.contains_key(*name)) {
        Some(name) => Err(format!("the default `{name}` is not among the columns taken")),
        None => Ok(()),
    }
}

fn lookup_of(spec: &LookupSpec, from: TableId, ours: Scope<'_>, theirs: Scope<'_>) -> Result<Lookup, String> {
    let here = spec.on.keys().map(|name| Ok((ours.column(name)?, name.clone())));
    let there = spec.on.values().map(|name| theirs.column(name));
    Ok(Lookup {
        from,
        from_name: spec.from.clone(),
        here: here.collect::<Result<_, String>>()?,
        there: there.collect::<Result<_, String>>()?,
        when: None,
        pick: spec.pick,
        order_by: spec.order_by.as_deref().map(|name| theirs.column(name)).transpose()?,
        at: spec.at.as_deref().map(|name| ours.column(name)).transpose()?,
        missing: spec.missing,
        index: OnceCell::new(),
    })
}

fn group_of(spec: &GroupSpec, from: TableId, scope: Scope<'_>) -> Result<Group, String> {
    let order_by = spec.order_by.iter().map(|name| match name.strip_prefix('-') {
        Some(name) => Ok((scope.column(name)?, true)),
        None => Ok((scope.column(name)?, false)),
    });
    let take = spec.take.values().map(|take| {
        Ok(match take {
            TakeSpec::Sum(name) => Take::Sum(scope.column(name)?),
            TakeSpec::Min(name) => Take::Min(scope.column(name)?),
            TakeSpec::Max(name) => Take::Max(scope.column(name)?),
            TakeSpec::First(name) => Take::First(scope.column(name)?),
            TakeSpec::Last(name) => Take::Last(scope.column(name)?),
            TakeSpec::Same(name) => Take::Same(scope.column(name)?),
            TakeSpec::Count(true) => Take::Count,
            TakeSpec::Count(false) => return Err("write `count = true`".to_owned()),
        })
    });
    Ok(Group {
        from,
        by: scope.columns(&spec.by)?,
        when: None,
        order_by: order_by.collect::<Result<_, String>>()?,
        take: take.collect::<Result<_, String>>()?,
    })
}
