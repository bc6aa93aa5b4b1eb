//! Casts to types that only PostgreSQL has.

use datafusion::sql::sqlparser::ast::{CastFormat, CastKind, DataType, Expr};

use super::{arguments, call, folded, null};

/// The functions that stand for `x::regclass` and its like, and what gives their names back.
const NAMES: [(&str, &str); 4] = [
    ("to_regclass", "regclass_name"),
    ("to_regtype", "format_type"),
    ("to_regnamespace", "regnamespace_name"),
    ("to_regrole", "pg_get_userbyid"),
];

/// The cast, or what stands for it.
pub(super) fn cast(
    kind: CastKind,
    expr: Expr,
    data_type: DataType,
    array: bool,
    format: Option<CastFormat>,
) -> Expr {
    let name = match &data_type {
        DataType::Custom(name, _) => name.0.last().map(folded).unwrap_or_default(),
        DataType::Regclass => "regclass".to_owned(),
        DataType::Text => "text".to_owned(),
        DataType::JSON | DataType::JSONB => "json".to_owned(),
        _ => String::new(),
    };
    let data_type = match name.as_str() {
        "regclass" => return call("to_regclass", vec![expr]),
        "regtype" => return call("to_regtype", vec![expr]),
        "regnamespace" => return call("to_regnamespace", vec![expr]),
        "regrole" => return call("to_regrole", vec![expr]),
        "text" | "name" | "char" | "bpchar" | "citext" | "json" | "jsonb" | "regproc" | "regprocedure"
        | "regoper" | "regoperator" | "unknown" => match named(&expr) {
            Some(name) => return name,
            None => DataType::Text,
        },
        "oid" | "xid" | "cid" | "int4" => DataType::Int(None),
        "int2" => DataType::SmallInt(None),
        "int8" => DataType::BigInt(None),
        "float8" => DataType::Double(datafusion::sql::sqlparser::ast::ExactNumberInfo::None),
        "bool" => DataType::Boolean,
        _ => data_type,
    };
    Expr::Cast { kind, expr: Box::new(expr), data_type, array, format }
}

/// The name of what `x::regclass` found, for `x::regclass::text`.
fn named(expr: &Expr) -> Option<Expr> {
    let Expr::Function(function) = expr else { return None };
    let name = function.name.0.last().map(folded)?;
    let (_, back) = NAMES.iter().find(|(number, _)| *number == name)?;
    let mut given: Vec<Expr> = arguments(function).into_iter().cloned().collect();
    if *back == "format_type" {
        given.push(null());
    }
    Some(call(back, given))
}
