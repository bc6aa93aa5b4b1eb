//! From text to plans: several statements in one text, and nothing that writes.

use datafusion::common::TableReference;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use crate::error::{Fault, Result, SqlError, query};
use crate::guard;
use crate::rewrite::{Caller, described, rewrite};

/// Operators that a plan may consist of, those of a common table expression counted wherever it is read.
const PLAN_NODES_MAX: usize = 5_000;

/// The statements of a text, separated by semicolons.
///
/// # Errors
/// [`SqlError::Query`] where the text is no SQL, or is longer or deeper nested than is taken; then none of its
/// statements is to be run.
pub fn statements(text: &str) -> Result<Vec<Statement>> {
    guard::check_length(text)?;
    let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location().map_err(|error| {
        let message = error.to_string();
        let position = position(text, &message);
        SqlError::Query { message, fault: Fault::Syntax, position }
    })?;
    guard::check_depth(&tokens)?;
    let tokens = without_unlisten(tokens);
    let parsed = DFParserBuilder::new(tokens).build().and_then(|mut parser| parser.parse_statements());
    parsed.map(Vec::from).map_err(|error| match query(&error) {
        SqlError::Query { message, fault, .. } => {
            let position = position(text, &message);
            SqlError::Query { message, fault, position }
        }
        other => other,
    })
}

/// Leaves out `UNLISTEN …`, which pools send before a connection is used again and this dialect doesn't know: nobody
/// listens to anything here.
fn without_unlisten(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let (mut begins, mut skips) = (true, false);
    let keep = |token: &TokenWithSpan| match &token.token {
        Token::Whitespace(_) => !skips,
        Token::SemiColon => {
            (begins, skips) = (true, false);
            true
        }
        Token::Word(word) if begins && word.quote_style.is_none() => {
            (begins, skips) = (false, word.value.eq_ignore_ascii_case("unlisten"));
            !skips
        }
        _ => {
            begins = false;
            !skips
        }
    };
    tokens.into_iter().filter(keep).collect()
}

/// Plans a statement.
///
/// # Errors
/// [`SqlError::Query`] where it names what isn't there; [`SqlError::Refused`] where it would change something, be it
/// inside an `EXPLAIN ANALYZE`.
pub async fn plan(context: &SessionContext, statement: Statement) -> Result<DataFrame> {
    plan_for(context, statement, &Caller::default()).await
}

/// Like [`plan`], for somebody who has a name and settings.
///
/// # Errors
/// As [`plan`].
pub async fn plan_for(
    context: &SessionContext,
    mut statement: Statement,
    caller: &Caller<'_>,
) -> Result<DataFrame> {
    if let Some(table) = described(&statement) {
        let name = table.to_string();
        known(context, &TableReference::from(name.as_str()))?;
    }
    rewrite(&mut statement, caller)?;
    let state = context.state();
    // What would write is refused for that, whatever it names.
    if is_query(&statement) {
        for reference in state.resolve_table_references(&statement).map_err(|error| query(&error))? {
            known(context, &reference)?;
        }
    }
    let plan = state.statement_to_plan(statement).await.map_err(|error| query(&error))?;
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(&plan)
        .map_err(|error| {
            let text = error.strip_backtrace();
            let message = text.rsplit(": ").next().unwrap_or(&text).to_owned();
            SqlError::Refused { message }
        })?;
    check_size(&plan)?;
    Ok(DataFrame::new(state, plan))
}

fn is_query(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(inner) => matches!(inner.as_ref(), ast::Statement::Query(_)),
        Statement::Explain(explain) => is_query(&explain.statement),
        _ => false,
    }
}

/// Refuses the name of a table that isn't there, and says where one of that name is.
fn known(context: &SessionContext, reference: &TableReference) -> Result<()> {
    let state = context.state();
    if reference.schema().is_none() && state.table_functions().contains_key(reference.table()) {
        return Ok(());
    }
    let options = &state.config().options().catalog;
    let wanted = reference.clone().resolve(&options.default_catalog, &options.default_schema);
    let found = match context.catalog(&wanted.catalog).and_then(|catalog| catalog.schema(&wanted.schema)) {
        Some(schema) => schema.table_exist(&wanted.table),
        None => wanted.schema.as_ref() == "information_schema" && options.information_schema,
    };
    if found {
        return Ok(());
    }
    let mut elsewhere = Vec::new();
    if let Some(catalog) = context.catalog(&options.default_catalog) {
        for name in catalog.schema_names() {
            if catalog.schema(&name).is_some_and(|schema| schema.table_exist(&wanted.table)) {
                elsewhere.push(format!("{name}.{}", wanted.table));
            }
        }
    }
    elsewhere.sort();
    let hint = if elsewhere.is_empty() {
        String::new()
    } else {
        format!("; did you mean {}?", elsewhere.join(" or "))
    };
    let message = format!("table '{}.{}' not found{hint}", wanted.schema, wanted.table);
    Err(SqlError::Query { message, fault: Fault::UnknownTable, position: None })
}

/// Refuses a plan that common table expressions have blown up: twenty that each read the one before twice are a million
/// scans.
fn check_size(plan: &LogicalPlan) -> Result<()> {
    let mut nodes = 0_usize;
    plan.apply_with_subqueries(|_| {
        nodes += 1;
        Ok(if nodes > PLAN_NODES_MAX { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })
    .map_err(|error| query(&error))?;
    if nodes <= PLAN_NODES_MAX {
        return Ok(());
    }
    let message = format!("the plan has more than {PLAN_NODES_MAX} operators");
    Err(SqlError::Query { message, fault: Fault::TooComplex, position: None })
}

/// The character, from 1, of the place that a parser's message ends with: `… at Line: 2, Column: 7`.
fn position(text: &str, message: &str) -> Option<usize> {
    let (_, place) = message.rsplit_once("Line: ")?;
    let (line, column) = place.split_once(", Column: ")?;
    let column: String = column.chars().take_while(char::is_ascii_digit).collect();
    let (line, column): (usize, usize) = (line.trim().parse().ok()?, column.parse().ok()?);
    let before: usize =
        text.split('\n').take(line.checked_sub(1)?).map(|line| line.chars().count() + 1).sum();
    Some(before + column.max(1)).filter(|_| line > 0)
}
