//! The types of columns as clients of PostgreSQL know them.

use arrow::datatypes::DataType;

/// A type that a column may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PgType {
    /// Its number, the same in every PostgreSQL.
    pub(crate) oid: i32,
    /// Its name in `pg_type`.
    pub(crate) name: &'static str,
    /// Its name in SQL.
    pub(crate) sql: &'static str,
    /// Bytes; −1 where they vary.
    pub(crate) len: i32,
    /// Category, as in `pg_type.typcategory`.
    pub(crate) category: &'static str,
    /// The number of the type of arrays of it; 0 for none.
    pub(crate) array: i32,
    /// The number of the type of its elements; 0 for none.
    pub(crate) element: i32,
}

const fn plain(
    oid: i32,
    name: &'static str,
    sql: &'static str,
    len: i32,
    category: &'static str,
    array: i32,
) -> PgType {
    PgType { oid, name, sql, len, category, array, element: 0 }
}

const fn list(oid: i32, name: &'static str, sql: &'static str, element: i32) -> PgType {
    PgType { oid, name, sql, len: -1, category: "A", array: 0, element }
}

/// Every type that is known here.
pub(crate) const ALL: [PgType; 43] = [
    plain(16, "bool", "boolean", 1, "B", 1000),
    plain(17, "bytea", "bytea", -1, "U", 1001),
    plain(18, "char", "\"char\"", 1, "Z", 1002),
    plain(19, "name", "name", 64, "S", 1003),
    plain(20, "int8", "bigint", 8, "N", 1016),
    plain(21, "int2", "smallint", 2, "N", 1005),
    plain(23, "int4", "integer", 4, "N", 1007),
    plain(24, "regproc", "regproc", 4, "N", 1008),
    plain(25, "text", "text", -1, "S", 1009),
    plain(26, "oid", "oid", 4, "N", 1028),
    plain(114, "json", "json", -1, "U", 199),
    plain(700, "float4", "real", 4, "N", 1021),
    plain(701, "float8", "double precision", 8, "N", 1022),
    plain(705, "unknown", "unknown", -2, "X", 0),
    plain(1042, "bpchar", "character", -1, "S", 1014),
    plain(1043, "varchar", "character varying", -1, "S", 1015),
    plain(1082, "date", "date", 4, "D", 1182),
    plain(1083, "time", "time without time zone", 8, "D", 1183),
    plain(1114, "timestamp", "timestamp without time zone", 8, "D", 1115),
    plain(1184, "timestamptz", "timestamp with time zone", 8, "D", 1185),
    plain(1186, "interval", "interval", 16, "T", 1187),
    plain(1700, "numeric", "numeric", -1, "N", 1231),
    plain(2205, "regclass", "regclass", 4, "N", 2210),
    plain(2206, "regtype", "regtype", 4, "N", 2211),
    plain(2249, "record", "record", -1, "P", 2287),
    plain(2950, "uuid", "uuid", 16, "U", 2951),
    plain(3802, "jsonb", "jsonb", -1, "U", 3807),
    list(1000, "_bool", "boolean[]", 16),
    list(1001, "_bytea", "bytea[]", 17),
    list(1005, "_int2", "smallint[]", 21),
    list(1007, "_int4", "integer[]", 23),
    list(1009, "_text", "text[]", 25),
    list(1015, "_varchar", "character varying[]", 1043),
    list(1016, "_int8", "bigint[]", 20),
    list(1021, "_float4", "real[]", 700),
    list(1022, "_float8", "double precision[]", 701),
    list(1028, "_oid", "oid[]", 26),
    list(1115, "_timestamp", "timestamp without time zone[]", 1114),
    list(1182, "_date", "date[]", 1082),
    list(1185, "_timestamptz", "timestamp with time zone[]", 1184),
    list(1231, "_numeric", "numeric[]", 1700),
    list(1183, "_time", "time without time zone[]", 1083),
    list(2287, "_record", "record[]", 2249),
];

/// The type of that number.
pub(crate) fn of_oid(oid: i32) -> Option<&'static PgType> {
    ALL.iter().find(|known| known.oid == oid)
}

/// The type of that name, in `pg_type` or in SQL.
pub(crate) fn of_name(name: &str) -> Option<&'static PgType> {
    let name = name.trim().trim_start_matches("pg_catalog.").to_lowercase();
    ALL.iter().find(|known| known.name == name || known.sql == name)
}

/// The number of a column's type and its modifier (−1 for none).
pub(crate) fn of_column(data_type: &DataType, is_oid: bool) -> (i32, i32) {
    let modifier = match data_type {
        DataType::Decimal128(precision, scale) => {
            ((i32::from(*precision) << 16) | (i32::from(*scale) & 0xffff)) + 4
        }
        _ => -1,
    };
    (if is_oid { 26 } else { number(data_type) }, modifier)
}

fn number(data_type: &DataType) -> i32 {
    match data_type {
        DataType::Boolean => 16,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => 21,
        DataType::Int32 | DataType::UInt16 => 23,
        DataType::Int64 | DataType::UInt32 => 20,
        DataType::UInt64 | DataType::Decimal128(..) | DataType::Decimal256(..) => 1700,
        DataType::Float16 | DataType::Float32 => 700,
        DataType::Float64 => 701,
        DataType::Date32 | DataType::Date64 => 1082,
        DataType::Time32(_) | DataType::Time64(_) => 1083,
        DataType::Timestamp(_, None) => 1114,
        DataType::Timestamp(_, Some(_)) => 1184,
        DataType::Interval(_) | DataType::Duration(_) => 1186,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => 17,
        DataType::Struct(_) => 2249,
        DataType::List(inner) | DataType::LargeList(inner) | DataType::FixedSizeList(inner, _) => {
            of_oid(number(inner.data_type())).map_or(25, |inner| inner.array)
        }
        DataType::Dictionary(_, inner) => number(inner),
        _ => 25,
    }
}

/// The name of a type in SQL, with its modifier.
pub(crate) fn display(oid: i32, modifier: i32) -> Option<String> {
    let known = of_oid(oid)?;
    if known.oid == 1700 && modifier >= 4 {
        let packed = modifier - 4;
        return Some(format!("numeric({},{})", packed >> 16, packed & 0xffff));
    }
    Some(known.sql.to_owned())
}
