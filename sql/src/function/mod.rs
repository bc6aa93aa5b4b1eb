//! Functions beside DataFusion's own: what analysts want, what clients of PostgreSQL call, and bounds for those that could
//! fill the memory with one call.

mod analyst;
mod bounded;
mod client;
mod simple;
mod window;

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use engine::settings::Settings;

use crate::catalog::Directory;

/// The version of PostgreSQL whose clients are served.
pub const SERVER_VERSION: &str = "15.0";

/// Registers all of them.
pub(crate) fn register(context: &SessionContext, settings: &Settings, directory: &Arc<Directory>) {
    bounded::register(context);
    for function in analyst::all(settings).into_iter().chain(client::all(directory)) {
        context.register_udf(function);
    }
    window::register(context);
}
