//! The routes, each once: the server and the `OpenAPI` document are made of this list.

mod adjust;
mod change;
mod health;
mod lead;
mod own;
mod quota;
mod whatif;

use axum::Router;
use axum::routing::{MethodRouter, get, post};
use utoipa::OpenApi;

use super::App;
use super::document::Security;
use super::problem::Problem;

/// Paths that take a body with POST.
pub(super) const TAKE_BODIES: [&str; 6] = [
    "/v1/adjustments",
    "/v1/adjustments/{id}/comment",
    "/v1/adjustments/{id}/counter",
    "/v1/adjustments/{id}/approve",
    "/v1/adjustments/{id}/reject",
    "/v1/whatif",
];

/// Paths with what answers them.
pub(super) fn all() -> Vec<(&'static str, MethodRouter<App>)> {
    vec![
        ("/v1/quotas", get(quota::list)),
        ("/v1/reps/{id}/quota", get(quota::of_rep)),
        ("/v1/reps/{id}/quota/explanation", get(quota::explanation)),
        ("/v1/reps/{id}/health", get(health::of_rep)),
        ("/v1/customers/{id}/health", get(health::of_customer)),
        ("/v1/leads/{id}/score", get(lead::score)),
        ("/v1/leads/route", get(lead::route)),
        ("/v1/alerts", get(health::alerts)),
        ("/v1/changes", get(change::list)),
        ("/v1/stream", get(change::stream)),
        ("/v1/adjustments", get(adjust::list).post(adjust::ask)),
        ("/v1/adjustments/{id}", get(adjust::one)),
        ("/v1/adjustments/{id}/comment", post(adjust::comment)),
        ("/v1/adjustments/{id}/counter", post(adjust::counter)),
        ("/v1/adjustments/{id}/approve", post(adjust::approve)),
        ("/v1/adjustments/{id}/reject", post(adjust::reject)),
        ("/v1/whatif", post(whatif::whatif)),
        ("/v1/runs", get(own::runs)),
        ("/healthz", get(own::alive)),
        ("/readyz", get(own::ready)),
        ("/metrics", get(own::metrics)),
        ("/openapi.json", get(own::document)),
        ("/", get(own::reference)),
        ("/docs", get(own::docs)),
    ]
}

/// All routes, and what answers everything else.
pub(super) fn router() -> Router<App> {
    let router = all().into_iter().fold(Router::new(), |router, (path, method)| router.route(path, method));
    router
        .fallback(async || Problem::not_found("there is nothing under this path; /docs lists the paths"))
        .method_not_allowed_fallback(async || {
            Problem::method("the header Allow names what this path answers")
        })
}

/// The description of all routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tideline",
        description = "Sales quotas, health and alerts as published, with what changed and why. Every answer about \
                       published rows carries `as_of`, the run, and its age in seconds as headers."
    ),
    paths(
        quota::list,
        quota::of_rep,
        quota::explanation,
        health::of_rep,
        health::of_customer,
        lead::score,
        lead::route,
        health::alerts,
        change::list,
        change::stream,
        adjust::list,
        adjust::one,
        adjust::ask,
        adjust::comment,
        adjust::counter,
        adjust::approve,
        adjust::reject,
        whatif::whatif,
        own::runs,
        own::alive,
        own::ready,
        own::metrics,
        own::document,
        own::reference,
        own::docs
    ),
    components(schemas(Problem)),
    modifiers(&Security)
)]
pub(super) struct Document;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_names_every_route_and_no_other() {
        let mut routes: Vec<&str> = all().iter().map(|(path, _)| *path).collect();
        routes.sort_unstable();
        let document = Document::openapi();
        let documented: Vec<&str> = document.paths.paths.keys().map(String::as_str).collect();
        assert_eq!(documented, routes);
    }
}
