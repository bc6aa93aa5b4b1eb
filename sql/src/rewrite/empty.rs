//! Tables of the catalogue that are always empty, and what follows from it.
//!
//! Clients ask for triggers, policies, publications and indexes in queries that nothing else here could answer. A
//! `SELECT` that needs a row of such a table has none, whatever it computes, so it becomes
//! `SELECT NULL AS a, NULL AS b WHERE false`, with the names that it had.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, GroupByExpr, Ident, JoinOperator, ObjectName, Query, Select,
    SelectItem, SetExpr, TableFactor, TableWithJoins, Value, Visit as _, Visitor,
};

use super::{arguments, folded, null};
use crate::catalog;

/// Functions that give a row where there is none.
const AGGREGATES: [&str; 12] = [
    "count",
    "sum",
    "min",
    "max",
    "avg",
    "string_agg",
    "array_agg",
    "bool_and",
    "bool_or",
    "every",
    "json_agg",
    "json_object_agg",
];

/// Columns of the catalogue that are null in every row.
const NULLS: [&str; 4] = ["reloptions", "attoptions", "relacl", "nspacl"];

/// Leaves nothing but the names of a select that can't have a row.
pub(super) fn apply(select: &mut Select) {
    if !needs_what_is_empty(select) || !gives_no_row(select) {
        return;
    }
    let names: Option<Vec<Ident>> = select.projection.iter().map(name).collect();
    let Some(names) = names else { return };
    let mut seen = BTreeSet::new();
    let nothing = |(place, mut alias): (usize, Ident)| {
        // The planner wants every name once.
        if !seen.insert(alias.value.clone()) {
            alias.value = format!("{}{place}", alias.value);
        }
        SelectItem::ExprWithAlias { expr: null(), alias }
    };
    select.projection = names.into_iter().enumerate().map(nothing).collect();
    select.from = Vec::new();
    select.selection = Some(Expr::Value(Value::Boolean(false).into()));
    select.group_by = GroupByExpr::Expressions(Vec::new(), Vec::new());
    select.having = None;
    select.distinct = None;
}

/// Whether a query is one that [`apply`] has left nothing of.
pub(super) fn is_empty(query: &Query) -> bool {
    match query.body.as_ref() {
        SetExpr::Select(select) => is_emptied(select),
        SetExpr::Query(inner) => is_empty(inner),
        _ => false,
    }
}

/// Whether a select neither groups nor aggregates, nor drops doubles.
pub(super) fn is_plain(select: &Select) -> bool {
    select.distinct.is_none() && select.having.is_none() && !groups(select) && !aggregates(select)
}

/// Whether everything that a select reads is a table of the catalogue.
pub(super) fn reads_catalogue_only(select: &Select) -> bool {
    let of_catalogue = |factor: &TableFactor| match factor {
        TableFactor::Table { name, .. } => match name.0.as_slice() {
            [schema, table] => folded(schema) == catalog::SCHEMA && catalog::is_relation(&folded(table)),
            _ => false,
        },
        _ => false,
    };
    let mut tables = select.from.iter();
    tables.all(|table| {
        of_catalogue(&table.relation) && table.joins.iter().all(|join| of_catalogue(&join.relation))
    })
}

fn is_emptied(select: &Select) -> bool {
    let never = matches!(&select.selection, Some(Expr::Value(value)) if value.value == Value::Boolean(false));
    select.from.is_empty() && never
}

fn groups(select: &Select) -> bool {
    !matches!(&select.group_by, GroupByExpr::Expressions(by, _) if by.is_empty())
}

/// Over no rows: whether there is none afterwards either.
fn gives_no_row(select: &Select) -> bool {
    groups(select) || !aggregates(select)
}

fn aggregates(select: &Select) -> bool {
    select.projection.visit(&mut Aggregates::default()).is_break()
}

/// Stops at an aggregate that is not inside a subquery.
#[derive(Debug, Default)]
struct Aggregates {
    queries: usize,
}

impl Visitor for Aggregates {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr
            && self.queries == 0
            && function.over.is_none()
            && function.name.0.last().is_some_and(|name| AGGREGATES.contains(&folded(name).as_str()))
        {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

fn needs_what_is_empty(select: &Select) -> bool {
    select.from.iter().any(is_needed_and_empty)
}

fn is_needed_and_empty(table: &TableWithJoins) -> bool {
    let keeps_both = |operator: &JoinOperator| {
        matches!(operator, JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_))
    };
    if table.joins.iter().any(|join| keeps_both(&join.join_operator)) {
        return false;
    }
    let inner = |operator: &JoinOperator| {
        matches!(operator, JoinOperator::Join(_) | JoinOperator::Inner(_) | JoinOperator::CrossJoin(_))
    };
    is_always_empty(&table.relation)
        || table.joins.iter().any(|join| inner(&join.join_operator) && is_always_empty(&join.relation))
}

fn is_always_empty(factor: &TableFactor) -> bool {
    match factor {
        TableFactor::Table { name, args: None, .. } => match name.0.as_slice() {
            [schema, table] => folded(schema) == catalog::SCHEMA && catalog::is_always_empty(&folded(table)),
            _ => false,
        },
        TableFactor::Table { name, args: Some(given), .. } => unnests_null(name, &given.args),
        TableFactor::Function { name, args, .. } => unnests_null(name, args),
        TableFactor::UNNEST { array_exprs, .. } => array_exprs.iter().all(is_null_column),
        TableFactor::Derived { subquery, .. } => is_empty(subquery),
        TableFactor::NestedJoin { table_with_joins, .. } => is_needed_and_empty(table_with_joins),
        _ => false,
    }
}

fn unnests_null(name: &ObjectName, given: &[FunctionArg]) -> bool {
    let nulls = given.iter().all(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => is_null_column(expr),
        _ => false,
    });
    nulls && name.0.last().map(folded).as_deref() == Some("unnest")
}

fn is_null_column(expr: &Expr) -> bool {
    let column = match expr {
        Expr::Identifier(column) => Some(column),
        Expr::CompoundIdentifier(parts) => parts.last(),
        _ => None,
    };
    column.is_some_and(|column| NULLS.contains(&column.value.to_lowercase().as_str()))
}

/// The name that a column has; none for a wildcard.
fn name(item: &SelectItem) -> Option<Ident> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.clone()),
        SelectItem::UnnamedExpr(expr) => Some(name_of(expr)),
        _ => None,
    }
}

fn name_of(expr: &Expr) -> Ident {
    match expr {
        Expr::Identifier(name) => name.clone(),
        Expr::CompoundIdentifier(parts) => parts.last().cloned().unwrap_or_else(|| Ident::new("?column?")),
        Expr::Cast { expr, .. } | Expr::Nested(expr) => name_of(expr),
        Expr::Function(function) => {
            let name = function.name.0.last().map(folded).unwrap_or_default();
            // What stands for a cast has the name of what was cast.
            match arguments(function).as_slice() {
                [only] if name.starts_with("to_reg") => name_of(only),
                _ => Ident::with_quote('"', name),
            }
        }
        Expr::Case { .. } => Ident::with_quote('"', "case"),
        _ => Ident::with_quote('"', "?column?"),
    }
}
