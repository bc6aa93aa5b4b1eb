//! Answers about the running day: JSON or Arrow, with the positions that they stand on and their age.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{Schema, SchemaRef};
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use engine::EngineError;
use engine::kafka::Grounds;
use engine::lake::tables;
use engine::live::LiveQuota;
use engine::time::date;
use serde_json::json;

use super::super::answer::{AGE, AS_OF, RUN, Validated, point_on, validated};
use super::super::day::instant;
use super::super::given::Given;
use super::super::problem::Problem;
use super::super::sheet::{Labelled, arrow_error, arrow_stream, json_array};
use super::{Standing, complete_until};
use crate::context::now;

const POSITIONS: HeaderName = HeaderName::from_static("tideline-positions");
const MICROS_PER_SECOND: i64 = 1_000_000;

/// The columns of `mart.quota` that a quota of the running day has, in their order there.
pub(in crate::serve) static COLUMNS: LazyLock<SchemaRef> = LazyLock::new(|| {
    const NAMES: [&str; 12] = [
        "rep_id",
        "region_id",
        "period",
        "attained",
        "expected",
        "low",
        "high",
        "proposal",
        "quota",
        "previous_quota",
        "p_attain",
        "bound",
    ];
    let declared = tables::all().iter().find(|spec| spec.name == "mart.quota").map(tables::Spec::file_schema);
    let fields = declared.iter().flat_map(|schema| schema.fields().iter());
    Arc::new(Schema::new(
        fields.filter(|field| NAMES.contains(&field.name().as_str())).cloned().collect::<Vec<_>>(),
    ))
});

/// The rows of some quotas.
fn rows(quotas: &[Arc<LiveQuota>]) -> Result<RecordBatch, EngineError> {
    let text = |of: &dyn Fn(&LiveQuota) -> Option<&str>| -> ArrayRef {
        let texts: Vec<Option<&str>> = quotas.iter().map(|quota| of(quota)).collect();
        Arc::new(StringArray::from(texts))
    };
    let money = |of: &dyn Fn(&LiveQuota) -> Option<i64>| -> Result<ArrayRef, EngineError> {
        let amounts: Decimal128Array = quotas.iter().map(|quota| of(quota).map(i128::from)).collect();
        Ok(Arc::new(amounts.with_precision_and_scale(18, 2).map_err(arrow_error)?))
    };
    let column = |name: &str| -> Result<ArrayRef, EngineError> {
        Ok(match name {
            "rep_id" => text(&|quota| Some(&quota.rep_id)),
            "region_id" => text(&|quota| quota.region_id.as_deref()),
            "period" => text(&|quota| Some(&quota.period)),
            "bound" => text(&|quota| Some(quota.bound)),
            "attained" => money(&|quota| Some(quota.attained))?,
            "expected" => money(&|quota| Some(quota.expected))?,
            "low" => money(&|quota| Some(quota.low))?,
            "high" => money(&|quota| Some(quota.high))?,
            "proposal" => money(&|quota| Some(quota.proposal))?,
            "quota" => money(&|quota| Some(quota.quota))?,
            "previous_quota" => money(&|quota| quota.previous_quota)?,
            _ => Arc::new(quotas.iter().map(|quota| Some(quota.p_attain)).collect::<Float64Array>()),
        })
    };
    let columns = COLUMNS.fields().iter().map(|field| column(field.name())).collect::<Result<_, _>>()?;
    RecordBatch::try_new(SchemaRef::clone(&COLUMNS), columns).map_err(arrow_error)
}

/// One rep's quota.
///
/// # Errors
/// 503 where it can't be written.
pub(in crate::serve) fn one(standing: &Standing, given: &Given) -> Result<Response, Problem> {
    let quotas = [Arc::clone(&standing.quota)];
    respond(&standing.grounds, given, &quotas, None, |rows| {
        let row = String::from_utf8_lossy(&rows[1..rows.len().saturating_sub(1)]).into_owned();
        format!(",\"quota\":{row}")
    })
}

/// Quotas as a page, of which `changes` says where the feed of changes ends.
///
/// # Errors
/// 503 where they can't be written.
pub(in crate::serve) fn page(
    grounds: &Grounds,
    given: &Given,
    quotas: &[Arc<LiveQuota>],
    (next, changes): (Option<&str>, Option<&str>),
) -> Result<Response, Problem> {
    respond(grounds, given, quotas, next, |rows| {
        let rows = String::from_utf8_lossy(&rows).into_owned();
        format!(",\"items\":{rows},\"next\":{},\"changes\":{}", json!(next), json!(changes))
    })
}

fn respond(
    grounds: &Grounds,
    given: &Given,
    quotas: &[Arc<LiveQuota>],
    next: Option<&str>,
    tail: impl FnOnce(Vec<u8>) -> String,
) -> Result<Response, Problem> {
    let unwritten = |error: EngineError| Problem::of_lake(&error);
    let rows = rows(quotas).map_err(unwritten)?;
    let run = grounds.run_id.as_deref();
    let body = if given.arrow {
        arrow_stream(&rows, Some(Labelled { as_of: grounds.as_of, run_id: run })).map_err(unwritten)?
    } else {
        let rows = json_array(&rows).map_err(unwritten)?;
        format!("{{{}{}}}", head(grounds), tail(rows)).into_bytes()
    };
    let hash = blake3::hash(&body).to_hex();
    let value = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
    let etag = value(&format!("W/\"{}.live\"", &hash[..16]));
    let mut response = match validated(given, &etag) {
        Validated::Known(response) => response,
        Validated::New(mut response) => {
            *response.body_mut() = Body::from(Bytes::from(body));
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(AS_OF, value(&date(grounds.as_of).to_string()));
    if let Some(run) = run {
        headers.insert(RUN, value(run));
    }
    headers.insert(AGE, HeaderValue::from(age_seconds(grounds)));
    let positions = grounds.positions.iter().map(|(partition, offset)| format!("{partition}={offset}"));
    headers.insert(POSITIONS, value(&positions.collect::<Vec<_>>().join(", ")));
    point_on(headers, next);
    Ok(response)
}

/// Seconds for which something may be missing: see [`complete_until`].
pub(in crate::serve) fn age_seconds(grounds: &Grounds) -> i64 {
    (now() - complete_until(grounds)).max(0) / MICROS_PER_SECOND
}

/// What quotas stand on, as the first fields of an object.
fn head(grounds: &Grounds) -> String {
    let live = json!({
        "positions": grounds.positions,
        "loaded_at": instant(grounds.loaded_at),
        "outdated_since": grounds.outdated_since.map(instant),
        "unreachable_since": grounds.unreachable_since.map(instant),
    });
    let run = json!(grounds.run_id);
    format!(r#""as_of":"{}","run_id":{run},"published_at":null,"live":{live}"#, date(grounds.as_of))
}
