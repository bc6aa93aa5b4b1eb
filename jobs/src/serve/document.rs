//! The shapes of answers for the `OpenAPI` document: rows as the tables of the lake declare them.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Field, SchemaRef};
use engine::lake::tables;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{IntoResponses, Modify, PartialSchema, ToSchema};

use super::live;

/// What every `/v1` path may answer instead.
pub(super) struct Problems;

/// By status, when it comes.
const PROBLEMS: [(&str, &str); 11] = [
    ("400", "A parameter is wrong."),
    ("401", "There is no key, or it is unknown."),
    ("403", "The key doesn't reach so far."),
    ("404", "There is no such thing."),
    ("409", "It can't follow what has happened."),
    ("410", "A cursor is too old."),
    ("413", "The request is too large."),
    ("415", "The request has a body where none is wanted, or one of another kind."),
    ("422", "What is asked for can't be done, or an idempotency key was used for something else."),
    ("429", "The key asks too often."),
    ("503", "Nothing is published yet, or the lake can't be read."),
];

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let answer = |(status, when): (&str, &str)| {
            let problem = Ref::from_schema_name("Problem");
            let content = ContentBuilder::new().schema(Some(problem)).build();
            let response =
                ResponseBuilder::new().description(when).content("application/problem+json", content);
            (status.to_owned(), RefOr::T(response.build()))
        };
        PROBLEMS.map(answer).into()
    }
}

/// Says how keys are sent.
pub(super) struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        let required = utoipa::openapi::security::SecurityRequirement::new("key", Vec::<String>::new());
        document.security = Some(vec![required]);
    }
}

/// A row as its table declares it.
fn row_of(table: &str) -> Schema {
    let spec = tables::all().iter().find(|spec| spec.name == table);
    rows_of(
        &spec.map_or_else(
            || std::sync::Arc::new(arrow::datatypes::Schema::empty()),
            tables::Spec::file_schema,
        ),
    )
}

/// A row of these columns.
fn rows_of(schema: &SchemaRef) -> Schema {
    let row = ObjectBuilder::new().schema_type(Type::Object);
    let fields = schema.fields().iter();
    fields
        .fold(row, |row, field| row.property(field.name(), cell(field)).required(field.name()))
        .build()
        .into()
}

fn cell(field: &Field) -> Schema {
    let (kind, format) = match field.data_type() {
        DataType::Boolean => (Type::Boolean, None),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => (Type::Integer, None),
        DataType::Float64 | DataType::Decimal128(..) => (Type::Number, None),
        DataType::Date32 => (Type::String, Some(KnownFormat::Date)),
        DataType::Timestamp(..) => (Type::String, Some(KnownFormat::DateTime)),
        DataType::Utf8 => (Type::String, None),
        DataType::List(inner) => {
            return ArrayBuilder::new()
                .items(RefOr::T(cell(inner)))
                .schema_type(nullable(Type::Array, field))
                .into();
        }
        DataType::Struct(inner) => {
            let object = ObjectBuilder::new().schema_type(nullable(Type::Object, field));
            return inner
                .iter()
                .fold(object, |object, field| object.property(field.name(), cell(field)))
                .into();
        }
        _ => return ObjectBuilder::new().schema_type(SchemaType::AnyValue).into(),
    };
    ObjectBuilder::new()
        .schema_type(nullable(kind, field))
        .format(format.map(SchemaFormat::KnownFormat))
        .into()
}

fn nullable(kind: Type, field: &Field) -> SchemaType {
    if field.is_nullable() { SchemaType::Array(vec![kind, Type::Null]) } else { SchemaType::Type(kind) }
}

fn text(format: Option<KnownFormat>) -> Schema {
    ObjectBuilder::new().schema_type(Type::String).format(format.map(SchemaFormat::KnownFormat)).into()
}

fn maybe_text() -> Schema {
    ObjectBuilder::new().schema_type(SchemaType::Array(vec![Type::String, Type::Null])).into()
}

/// What every answer about a day begins with.
fn labelled() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("as_of", text(Some(KnownFormat::Date)))
        .required("as_of")
        .property("run_id", text(None))
        .required("run_id")
        .property("published_at", text(Some(KnownFormat::DateTime)))
        .required("published_at")
}

fn list(rows: Schema) -> Schema {
    ArrayBuilder::new().items(RefOr::T(rows)).into()
}

fn pages(rows: Schema) -> ObjectBuilder {
    paged(labelled(), rows)
}

fn paged(labelled: ObjectBuilder, rows: Schema) -> ObjectBuilder {
    labelled.property("items", list(rows)).required("items").property("next", maybe_text()).required("next")
}

/// What an answer begins with that may be about the running day: then with the run before, if there is one, and `live`.
fn newest() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("as_of", text(Some(KnownFormat::Date)))
        .required("as_of")
        .property("run_id", maybe_text())
        .required("run_id")
        .property("published_at", maybe_instant())
        .required("published_at")
        .property("live", grounds())
}

/// What quotas of the running day stand on.
fn grounds() -> Schema {
    let offset = Schema::from(ObjectBuilder::new().schema_type(Type::Integer));
    let positions = ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(offset))
        .description(Some("The offset of the next event, by partition"));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("positions", positions)
        .required("positions")
        .property("loaded_at", text(Some(KnownFormat::DateTime)))
        .required("loaded_at")
        .property("outdated_since", maybe_instant())
        .required("outdated_since")
        .property("unreachable_since", maybe_instant())
        .required("unreachable_since")
        .build()
        .into()
}

fn maybe_instant() -> Schema {
    ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![Type::String, Type::Null]))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .into()
}

/// A row of `mart.quota`, of which a quota of the running day has a part of the columns.
fn newest_quota() -> Schema {
    let spec = tables::all().iter().find(|spec| spec.name == "mart.quota");
    let declared = spec.map(tables::Spec::file_schema);
    let row = ObjectBuilder::new().schema_type(Type::Object);
    let fields = declared.iter().flat_map(|schema| schema.fields().iter());
    fields
        .fold(row, |row, field| {
            let row = row.property(field.name(), cell(field));
            let always = live::answer::COLUMNS.index_of(field.name()).is_ok();
            if always { row.required(field.name()) } else { row }
        })
        .build()
        .into()
}

/// A body whose shape is a function of the lake's tables.
macro_rules! body {
    ($(#[$doc:meta] $name:ident: $schema:expr;)*) => {$(
        #[$doc]
        #[derive(Debug)]
        pub(in crate::serve) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                RefOr::T(Schema::from($schema))
            }
        }

        impl ToSchema for $name {}
    )*};
}
mod adjustment;
pub(super) use adjustment::{
    Adjustment, Adjustments, AskBody, CommentBody, CounterBody, DecideBody, EventDone, ScenarioBody, Whatif,
};

body! {
    /// Quotas of a page.
    Quotas: paged(newest(), newest_quota()).property("changes", maybe_text()).required("changes").build();
    /// A rep's quota.
    QuotaOfRep: newest().property("quota", newest_quota()).required("quota").build();
    /// Why a quota is what it is.
    Explanation: labelled()
        .property("rep_id", text(None))
        .required("rep_id")
        .property("level", list(row_of("mart.quota_explanation")))
        .required("level")
        .property("change", list(row_of("mart.quota_explanation")))
        .required("change")
        .build();
    /// A rep's process health.
    HealthOfRep: labelled().property("health", row_of("mart.process_health")).required("health").build();
    /// A customer's health.
    CustomerHealth: labelled().property("customer", row_of("mart.customer_health")).required("customer").build();
    /// A lead's score.
    LeadScore: labelled().property("score", row_of("mart.lead_score")).required("score").build();
    /// Proposals of a page.
    LeadRoutes: pages(row_of("mart.lead_route")).build();
    /// Alerts of a page.
    Alerts: pages(row_of("mart.alert")).build();
    /// Runs of a page.
    Runs: pages(row_of("ops.run")).build();
    /// The same rows as an Arrow IPC stream, with `as_of` and `run_id` as columns.
    ArrowStream: text(Some(KnownFormat::Binary));
    /// Whether the server is well.
    Health: ObjectBuilder::new().schema_type(Type::Object).property("status", text(None)).required("status").build();
    /// Changes of a page.
    Changes: ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("changes", list(change()))
        .required("changes")
        .property("next", text(None))
        .required("next")
        .property("more", ObjectBuilder::new().schema_type(Type::Boolean))
        .required("more")
        .build();
}

/// A quota that changed, or an alert that was raised or cleared.
fn change() -> Schema {
    let number = || ObjectBuilder::new().schema_type(SchemaType::Array(vec![Type::Number, Type::Null]));
    labelled()
        .property("cursor", text(None))
        .required("cursor")
        .property(
            "kind",
            ObjectBuilder::new().schema_type(Type::String).enum_values(Some([
                "quota",
                "alert_raised",
                "alert_cleared",
            ])),
        )
        .required("kind")
        .property("rep_id", text(None))
        .property("period", maybe_text())
        .property("quota", number())
        .property("before", number())
        .property("before_period", maybe_text())
        .property("alert", row_of("mart.alert"))
        .build()
        .into()
}
