//! Casts to types that only PostgreSQL has.

use datafusion::sql::sqlparser::ast::{ArrayElemTypeDef, CastFormat, CastKind, DataType, Expr};

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
        // There is no column of uuids; what is compared with one is a text.
        DataType::Text | DataType::Uuid => "text".to_owned(),
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
        _ => plain(data_type),
    };
    Expr::Cast { kind, expr: Box::new(expr), data_type, array, format }
}

/// A type of PostgreSQL's own as the planner knows it, also as the items of an array.
fn plain(data_type: DataType) -> DataType {
    let name = match &data_type {
        DataType::Array(ArrayElemTypeDef::SquareBracket(item, size)) => {
            let item = Box::new(plain(item.as_ref().clone()));
            return DataType::Array(ArrayElemTypeDef::SquareBracket(item, *size));
        }
        DataType::Custom(name, _) => name.0.last().map(folded).unwrap_or_default(),
        DataType::Uuid | DataType::JSON | DataType::JSONB => "name".to_owned(),
        _ => return data_type,
    };
    match name.as_str() {
        "oid" | "xid" | "cid" | "int4" | "regclass" | "regtype" => DataType::Int(None),
        "int2" => DataType::SmallInt(None),
        "int8" => DataType::BigInt(None),
        "float8" => DataType::Double(datafusion::sql::sqlparser::ast::ExactNumberInfo::None),
        "bool" => DataType::Boolean,
        "name" | "char" | "bpchar" | "citext" => DataType::Text,
        _ => data_type,
    }
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
