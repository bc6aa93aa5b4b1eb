//! The shapes of adjustments and scenarios for the `OpenAPI` document.

use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, SchemaType, Type,
};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{labelled, list, maybe_text, text};

body! {
    /// What is asked for: one of `to` and `percent`.
    AskBody: terms()
        .property("rep", said("Whose quota.", 64))
        .required("rep")
        .property("reason", said("Why.", 4_096))
        .required("reason")
        .property("evidence", said("Where the evidence is: an address or a reference.", 4_096))
        .property("period", said("Like 2026-11 or 2026-Q4; without it, that of the newest published day.", 64))
        .property("from", day("The first day on which it acts; without it, the newest published one when it is approved."))
        .property("until", day("The last day on which it acts; without it, the period's last."))
        .property("beyond_plan", ObjectBuilder::new().schema_type(Type::Boolean).description(Some("Nobody else pays: the region's quotas miss its plan by it.")))
        .build();
    /// What is said.
    CommentBody: closed().property("text", said("The comment.", 4_096)).required("text").build();
    /// Other terms: one of `to` and `percent`.
    CounterBody: terms().property("reason", said("Why.", 4_096)).build();
    /// Why, and which terms are decided on.
    DecideBody: terms().property("reason", said("Why.", 4_096)).build();
    /// What was added to a request.
    EventDone: ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("request_id", text(None))
        .required("request_id")
        .property("event", event())
        .required("event")
        .build();
    /// A request, and who would pay for it.
    Adjustment: request().property("effect", effect()).build();
    /// Requests of a page.
    Adjustments: ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("items", list(request().build().into()))
        .required("items")
        .property("next", maybe_text())
        .required("next")
        .build();
    /// What a scenario file holds.
    ScenarioBody: ObjectBuilder::new()
        .schema_type(Type::Object)
        .property(
            "scenario",
            ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::Object)).min_items(Some(1)),
        )
        .required("scenario")
        .build();
    /// Quotas as they would be: one row a case and scope.
    Whatif: labelled()
        .property("items", list(super::rows_of(&crate::report::whatif::Lines::schema())))
        .required("items")
        .property("next", maybe_text())
        .required("next")
        .build();
}

/// An object with these fields and no others.
fn closed() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
}

fn said(what: &str, most: usize) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(most))
        .description(Some(what))
}

fn day(what: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(utoipa::openapi::schema::SchemaFormat::KnownFormat(KnownFormat::Date)))
        .description(Some(what))
}

fn terms() -> ObjectBuilder {
    let amount = OneOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::Number).exclusive_minimum(Some(0.0)))
        .item(ObjectBuilder::new().schema_type(Type::String).pattern(Some(r"^[0-9]{1,15}(\.[0-9]{1,2})?$")))
        .description(Some("The amount that the quota is to become; as a text to be exact."));
    let percent = ObjectBuilder::new()
        .schema_type(Type::Number)
        .exclusive_minimum(Some(-100.0))
        .maximum(Some(500.0))
        .description(Some("So many percent more, or less."));
    closed().property("to", amount).property("percent", percent)
}

fn number() -> Schema {
    ObjectBuilder::new().schema_type(Type::Number).into()
}

fn maybe(kind: Type) -> Schema {
    ObjectBuilder::new().schema_type(SchemaType::Array(vec![kind, Type::Null])).into()
}

/// An object whose fields are all there.
fn all_of(fields: Vec<(&str, Schema)>) -> ObjectBuilder {
    let object = ObjectBuilder::new().schema_type(Type::Object);
    fields.into_iter().fold(object, |object, (name, schema)| object.property(name, schema).required(name))
}

fn agreed() -> Vec<(&'static str, Schema)> {
    vec![
        ("to", maybe(Type::Number)),
        ("percent", maybe(Type::Number)),
        ("beyond_plan", maybe(Type::Boolean)),
        ("from", maybe_text()),
        ("until", maybe_text()),
    ]
}

fn event() -> Schema {
    let mut fields = vec![
        ("sequence", ObjectBuilder::new().schema_type(Type::Integer).into()),
        ("kind", text(None)),
        ("actor", text(None)),
        ("at", text(Some(KnownFormat::DateTime))),
        ("rep_id", text(None)),
        ("period", text(None)),
        ("reason", maybe_text()),
        ("evidence", maybe_text()),
    ];
    fields.extend(agreed());
    all_of(fields).into()
}

fn request() -> ObjectBuilder {
    let mut fields = vec![
        ("id", text(None)),
        ("rep_id", text(None)),
        ("period", text(None)),
        ("status", text(None)),
        ("proposed_by", text(None)),
        ("decided_by", maybe_text()),
        ("decided_at", maybe_text()),
        ("events", list(event())),
    ];
    fields.extend(agreed());
    all_of(fields)
}

/// What it would do, or why that can't be said.
fn effect() -> ObjectBuilder {
    let line: Schema = all_of(vec![
        ("rep_id", text(None)),
        ("before", number()),
        ("after", number()),
        ("change", number()),
        ("p_attain_before", number()),
        ("p_attain_after", number()),
        ("bound", text(None)),
    ])
    .into();
    let region: Schema = all_of(vec![
        ("region_id", text(None)),
        ("difference_before", maybe(Type::Number)),
        ("difference_after", maybe(Type::Number)),
        ("relaxed_before", number()),
        ("relaxed_after", number()),
    ])
    .into();
    let hidden: Schema =
        all_of(vec![("reps", ObjectBuilder::new().schema_type(Type::Integer).into()), ("change", number())])
            .into();
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("unknown", text(None))
        .property("as_of", text(Some(KnownFormat::Date)))
        .property("own", line.clone())
        .property("others", list(line))
        .property("not_shown", hidden)
        .property("change", number())
        .property("regions", list(region))
}
