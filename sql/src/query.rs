//! From text to plans: several statements in one text, and nothing that writes.

use datafusion::execution::context::SQLOptions;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::parser::{DFParser, Statement};

use crate::error::{Result, SqlError, query};

/// The statements of a text, separated by semicolons.
///
/// # Errors
/// [`SqlError::Query`] where the text is no SQL; then none of its statements is to be run.
pub fn statements(text: &str) -> Result<Vec<Statement>> {
    DFParser::parse_sql(text).map(Vec::from).map_err(|error| query(&error))
}

/// Plans a statement.
///
/// # Errors
/// [`SqlError::Query`] where it names what isn't there; [`SqlError::Refused`] where it would change something, be it
/// inside an `EXPLAIN ANALYZE`.
pub async fn plan(context: &SessionContext, statement: Statement) -> Result<DataFrame> {
    let state = context.state();
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
    Ok(DataFrame::new(state, plan))
}
