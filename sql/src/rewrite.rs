//! What clients of PostgreSQL say in ways of their own, said so that the planner understands: on the syntax tree, for
//! all clients, in this one place.
//!
//! | written | planned |
//! |---|---|
//! | `DESCRIBE t` | a query of `information_schema.columns`, with units and definitions |
//! | `a OPERATOR(pg_catalog.~) b`, `x COLLATE c`, `pg_catalog.f(x)` | `a ~ b`, `x`, `f(x)` |
//! | `FROM pg_class` | `FROM pg_catalog.pg_class` |
//! | `x::regclass`, `x::regtype`, `x::oid`, `x::name` | `to_regclass(x)`, `to_regtype(x)`, a number, a text |
//! | `x LIKE 'a/_' ESCAPE '/'` | `x LIKE 'a\_'` |
//! | `x = ANY (ARRAY['a', 'b'])` | `x IN ('a', 'b')` |
//! | `current_user`, `current_setting('…')`, `set_config(…)` | what the connection says |
//! | `x IN (SELECT … string_to_array(current_setting('search_path'), ',') s)`, as Grafana asks | `x IN ('mart')` |
//! | `WITH RECURSIVE typeinfo_tree …`, as asyncpg asks for types | the same of `pg_type`, which has no nested types |
//! | `parse_ident('a.b')` | `make_array('a', 'b')` |
//! | `timezone(z, t)`, `substring(x FROM 'pattern')`, as Metabase asks | `t AT TIME ZONE z`, the first match |
//! | a `SELECT` from a table of the catalogue that is always empty | no rows ([`empty`]) |
//! | `(SELECT typname FROM pg_type WHERE …)` as a value | `(SELECT max(typname) …)`: one row or none |

mod empty;
mod pattern;
mod types;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    self, BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
    ObjectNamePart, Query, Select, SetExpr, TableFactor, Value, VisitMut as _, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::catalog;
use crate::error::{Fault, Result, SqlError};

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The name that `current_user` answers.
    pub user: &'a str,
    /// What `current_setting` answers.
    pub settings: &'a BTreeMap<String, String>,
}

impl Default for Caller<'_> {
    fn default() -> Self {
        const NONE: &BTreeMap<String, String> = &BTreeMap::new();
        Self { user: "tideline", settings: NONE }
    }
}

/// Rewrites a statement; see the module.
pub(crate) fn rewrite(statement: &mut Statement, caller: &Caller<'_>) -> Result<()> {
    match statement {
        Statement::Statement(inner) => {
            if let ast::Statement::ExplainTable { table_name, .. } = inner.as_ref() {
                **inner = describe(table_name)?;
            }
            let mut rewriter = Rewriter { caller: *caller };
            match inner.visit(&mut rewriter) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(message) => {
                    Err(SqlError::Query { message, fault: Fault::Unsupported, position: None })
                }
            }
        }
        Statement::Explain(explain) => rewrite(&mut explain.statement, caller),
        _ => Ok(()),
    }
}

/// The table that a `DESCRIBE` is about.
pub(crate) fn described(statement: &Statement) -> Option<&ObjectName> {
    match statement {
        Statement::Statement(inner) => match inner.as_ref() {
            ast::Statement::ExplainTable { table_name, .. } => Some(table_name),
            _ => None,
        },
        Statement::Explain(explain) => described(&explain.statement),
        _ => None,
    }
}

fn describe(table: &ObjectName) -> Result<ast::Statement> {
    let parts: Vec<String> = table.0.iter().map(folded).collect();
    let (schema, name) = match parts.as_slice() {
        [.., schema, name] => (schema.as_str(), name.as_str()),
        [name] => (crate::session::DEFAULT_SCHEMA, name.as_str()),
        [] => ("", ""),
    };
    let quoted = |text: &str| text.replace('\'', "''");
    let text = format!(
        "SELECT column_name, full_type AS data_type, is_nullable, comment FROM information_schema.columns \
         WHERE table_schema = '{}' AND table_name = '{}' ORDER BY ordinal_position",
        quoted(schema),
        quoted(name)
    );
    let parsed = Parser::parse_sql(&GenericDialect {}, &text).ok().and_then(|mut all| all.pop());
    parsed.ok_or_else(|| SqlError::Query {
        message: format!("{table} can't be described"),
        fault: Fault::Syntax,
        position: None,
    })
}

/// A part of a name as it is compared: small, unless it was quoted.
pub(crate) fn folded(part: &ObjectNamePart) -> String {
    match part {
        ObjectNamePart::Identifier(ident) if ident.quote_style.is_some() => ident.value.clone(),
        other => other.to_string().to_lowercase(),
    }
}

/// What asyncpg asks of types that it doesn't know, such as `int4[]`. The planner can't take its own question, which goes
/// through domains, ranges and composite types; there are none of these. Nothing in it may be of a type that asyncpg
/// would have to ask for: `INT UNSIGNED[]` is told as `oid[]`, which it knows.
const TYPES_FOR_ASYNCPG: &str = "\
    SELECT t.oid, n.nspname AS ns, t.typname AS name, t.typtype AS kind, NULL::int AS basetype, \
    CASE WHEN t.typelem <> 0 THEN t.typelem END AS elemtype, CASE WHEN t.typelem <> 0 THEN ',' END AS elemdelim, \
    NULL::int AS range_subtype, NULL::text[] AS attrtypoids, NULL::text[] AS attrnames, 0 AS depth, \
    NULL::text AS basetype_name, e.typname AS elemtype_name, NULL::text AS range_subtype_name \
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
    LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem WHERE t.oid = ANY ($1::int unsigned[])";

/// The plain question that stands for asyncpg's.
fn types_for_asyncpg(query: &Query) -> Option<Query> {
    let tables = &query.with.as_ref().filter(|with| with.recursive)?.cte_tables;
    let asked = |table: &&ast::Cte| {
        let columns = &table.alias.columns;
        table.alias.name.value == "typeinfo_tree"
            && columns.iter().any(|column| column.name.value == "attrtypoids")
    };
    tables.first().filter(asked)?;
    let parsed = Parser::parse_sql(&GenericDialect {}, TYPES_FOR_ASYNCPG).ok()?.pop()?;
    match parsed {
        ast::Statement::Query(query) => Some(*query),
        _ => None,
    }
}

struct Rewriter<'a> {
    caller: Caller<'a>,
}

impl VisitorMut for Rewriter<'_> {
    type Break = String;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<String> {
        if let Some(plain) = types_for_asyncpg(query) {
            *query = plain;
        }
        ControlFlow::Continue(())
    }

    fn post_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<String> {
        if let [part] = relation.0.as_slice()
            && catalog::is_relation(&folded(part))
        {
            relation.0.insert(0, ObjectNamePart::Identifier(Ident::new(catalog::SCHEMA)));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<String> {
        if let TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } = factor
            && name.0.len() == 2
            && name.0.first().map(folded).as_deref() == Some(catalog::SCHEMA)
        {
            name.0.remove(0);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<String> {
        empty::apply(select);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<String> {
        if empty::is_empty(query) {
            query.order_by = None;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<String> {
        // Before `current_setting` in it has become a text.
        if let Expr::InSubquery { expr: name, subquery, negated } = expr
            && subquery.to_string().contains("string_to_array(current_setting('search_path')")
        {
            let list = self.schemas().iter().map(|schema| text(schema)).collect();
            let name = Box::new(std::mem::replace(name.as_mut(), null()));
            *expr = Expr::InList { expr: name, list, negated: *negated };
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<String> {
        if let Some(message) = meant_otherwise(expr) {
            return ControlFlow::Break(message);
        }
        let taken = std::mem::replace(expr, null());
        *expr = self.said_otherwise(taken);
        ControlFlow::Continue(())
    }
}

impl Rewriter<'_> {
    /// The schemas that names without one are looked for in, as the connection has set them.
    fn schemas(&self) -> Vec<String> {
        let path =
            self.caller.settings.get("search_path").map_or(crate::session::DEFAULT_SCHEMA, String::as_str);
        path.split(',').map(|name| name.trim().trim_matches(['"', '\'']).to_owned()).collect()
    }

    fn said_otherwise(&self, expr: Expr) -> Expr {
        match expr {
            Expr::Collate { expr, .. } => *expr,
            Expr::BinaryOp { left, op: BinaryOperator::PGCustomBinaryOperator(name), right } => {
                Expr::BinaryOp { left, op: operator(name), right }
            }
            Expr::Cast { kind, expr, data_type, array, format } => {
                types::cast(kind, *expr, data_type, array, format)
            }
            Expr::Function(function) => self.function(function),
            Expr::Substring { expr, substring_from: Some(from), substring_for: None, .. }
                if literal(&from).is_some() =>
            {
                // A text says what to look for, not where to begin.
                let found = call("regexp_match", vec![*expr, *from]);
                call("array_element", vec![found, Expr::value(Value::Number("1".to_owned(), false))])
            }
            Expr::Like { negated, any, expr, pattern, escape_char: Some(escape) } => {
                let (pattern, escape_char) = unescaped(pattern, escape);
                Expr::Like { negated, any, expr, pattern, escape_char }
            }
            Expr::ILike { negated, any, expr, pattern, escape_char: Some(escape) } => {
                let (pattern, escape_char) = unescaped(pattern, escape);
                Expr::ILike { negated, any, expr, pattern, escape_char }
            }
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, is_some } => match *right {
                Expr::Array(list) => Expr::InList { expr: left, list: list.elem, negated: false },
                Expr::Nested(inner) if matches!(*inner, Expr::Array(_)) => match *inner {
                    Expr::Array(list) => Expr::InList { expr: left, list: list.elem, negated: false },
                    other => other,
                },
                right => {
                    Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right: Box::new(right), is_some }
                }
            },
            Expr::Subquery(query) if empty::is_empty(&query) => null(),
            Expr::Subquery(mut query) => {
                at_most_one(&mut query);
                Expr::Subquery(query)
            }
            Expr::Exists { subquery, negated } if empty::is_empty(&subquery) => {
                Expr::Value(Value::Boolean(negated).into())
            }
            Expr::InSubquery { subquery, negated, .. } if empty::is_empty(&subquery) => {
                Expr::Value(Value::Boolean(negated).into())
            }
            other => other,
        }
    }

    fn function(&self, mut function: ast::Function) -> Expr {
        if let [schema, _] = function.name.0.as_slice()
            && matches!(folded(schema).as_str(), "pg_catalog" | "information_schema")
        {
            function.name.0.remove(0);
        }
        let name = function.name.0.last().map(folded).unwrap_or_default();
        match (name.as_str(), &function.args) {
            ("array", FunctionArguments::Subquery(query)) if empty::is_empty(query) => {
                call("arrow_cast", vec![null(), text("List(Utf8)")])
            }
            ("current_user" | "session_user" | "user" | "current_role", _) => text(self.caller.user),
            ("current_catalog", FunctionArguments::None) => call("current_database", Vec::new()),
            ("current_schema", FunctionArguments::None) => call("current_schema", Vec::new()),
            ("current_setting", FunctionArguments::List(_)) => {
                let wanted = arguments(&function).into_iter().next().and_then(literal).unwrap_or_default();
                let found = self.caller.settings.get(&wanted.to_lowercase());
                found.map_or_else(null, |value| text(value))
            }
            ("parse_ident", FunctionArguments::List(_)) => {
                match arguments(&function).into_iter().next().and_then(literal) {
                    Some(name) => call("make_array", parts(&name).iter().map(|part| text(part)).collect()),
                    None => Expr::Function(function),
                }
            }
            ("to_char", FunctionArguments::List(_)) => {
                let given = arguments(&function);
                let pattern =
                    given.get(1).copied().and_then(literal).and_then(|words| pattern::of_chrono(&words));
                match (given.as_slice(), pattern) {
                    (&[value, _], Some(pattern)) => call("to_char", vec![value.clone(), text(&pattern)]),
                    _ => Expr::Function(function),
                }
            }
            ("timezone", FunctionArguments::List(_)) => match arguments(&function).as_slice() {
                &[zone, time] => {
                    Expr::AtTimeZone { timestamp: Box::new(time.clone()), time_zone: Box::new(zone.clone()) }
                }
                _ => Expr::Function(function),
            },
            ("set_config", FunctionArguments::List(_)) => {
                arguments(&function).into_iter().nth(1).cloned().unwrap_or_else(null)
            }
            _ => Expr::Function(function),
        }
    }
}

/// Why what is written can't be planned without meaning something else than PostgreSQL does.
fn meant_otherwise(expr: &Expr) -> Option<String> {
    let message = match expr {
        Expr::BinaryOp { op: BinaryOperator::BitwiseXor, .. } => {
            "a ^ b isn't taken here; write power(a, b), or a # b for the bits that differ"
        }
        Expr::SimilarTo { .. } => "SIMILAR TO isn't taken here; write LIKE, or a ~ 'pattern'",
        Expr::Function(function) if function.name.0.last().map(folded).as_deref() == Some("to_char") => {
            let words = arguments(function).into_iter().nth(1).and_then(literal)?;
            if words.contains('%') || pattern::of_chrono(&words).is_some() {
                return None;
            }
            return Some(format!("to_char can't write '{words}'; {}", pattern::RIGHT));
        }
        _ => return None,
    };
    Some(message.to_owned())
}

/// A subquery that stands for a value, over tables of the catalogue, finds one row or none: an aggregate makes the
/// planner see it.
fn at_most_one(query: &mut Query) {
    let plain = query.limit_clause.is_none() && query.fetch.is_none() && query.with.is_none();
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    if !plain || !empty::is_plain(select) || select.from.is_empty() || !empty::reads_catalogue_only(select) {
        return;
    }
    if let [ast::SelectItem::UnnamedExpr(value) | ast::SelectItem::ExprWithAlias { expr: value, .. }] =
        select.projection.as_mut_slice()
    {
        let taken = std::mem::replace(value, null());
        *value = call("max", vec![taken]);
        query.order_by = None;
    }
}

/// The pattern with the planner's own mark before what is meant literally.
fn unescaped(pattern: Box<Expr>, escape: ast::ValueWithSpan) -> (Box<Expr>, Option<ast::ValueWithSpan>) {
    let mark = match &escape.value {
        Value::SingleQuotedString(mark) => mark.chars().next(),
        _ => None,
    };
    let Some(mark) = mark else { return (pattern, Some(escape)) };
    let Some(words) = literal(&pattern) else {
        if mark == '\\' {
            return (pattern, None);
        }
        // A pattern that comes later, as a parameter or a column: what two marks stand for is kept apart meanwhile.
        let mark = mark.to_string();
        let twice = mark.repeat(2);
        let steps = [("\\", "\\\\"), (&twice, "\u{1}"), (&mark, "\\"), ("\u{1}", &mark)];
        let put = |pattern, (from, to): (&str, &str)| call("replace", vec![pattern, text(from), text(to)]);
        return (Box::new(steps.into_iter().fold(*pattern, put)), None);
    };
    let mut plain = String::new();
    let mut letters = words.chars();
    while let Some(letter) = letters.next() {
        if letter == mark {
            plain.push('\\');
            plain.extend(letters.next());
        } else if letter == '\\' {
            plain.push_str("\\\\");
        } else {
            plain.push(letter);
        }
    }
    (Box::new(text(&plain)), None)
}

/// The text that an expression of literals stands for.
fn literal(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(text.clone()),
            _ => None,
        },
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => literal(inner),
        Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => {
            Some(literal(left)? + &literal(right)?)
        }
        _ => None,
    }
}

/// The parts of a qualified name: small, unless they are quoted.
fn parts(name: &str) -> Vec<String> {
    let (mut parts, mut part, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => part.extend(letters.next()),
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(std::mem::take(&mut part)),
            letter if quoted => part.push(letter),
            letter => part.extend(letter.to_lowercase()),
        }
    }
    parts.push(part);
    parts
}

fn operator(name: Vec<String>) -> BinaryOperator {
    match name.last().map(String::as_str) {
        Some("~") => BinaryOperator::PGRegexMatch,
        Some("~*") => BinaryOperator::PGRegexIMatch,
        Some("!~") => BinaryOperator::PGRegexNotMatch,
        Some("!~*") => BinaryOperator::PGRegexNotIMatch,
        Some("~~") => BinaryOperator::PGLikeMatch,
        Some("!~~") => BinaryOperator::PGNotLikeMatch,
        Some("=") => BinaryOperator::Eq,
        Some("<>") => BinaryOperator::NotEq,
        Some("<") => BinaryOperator::Lt,
        Some(">") => BinaryOperator::Gt,
        Some("<=") => BinaryOperator::LtEq,
        Some(">=") => BinaryOperator::GtEq,
        Some("+") => BinaryOperator::Plus,
        Some("-") => BinaryOperator::Minus,
        Some("||") => BinaryOperator::StringConcat,
        _ => BinaryOperator::PGCustomBinaryOperator(name),
    }
}

fn arguments(function: &ast::Function) -> Vec<&Expr> {
    let FunctionArguments::List(list) = &function.args else { return Vec::new() };
    let plain = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expr)) => Some(expr),
        _ => None,
    };
    list.args.iter().filter_map(plain).collect()
}

fn null() -> Expr {
    Expr::Value(Value::Null.into())
}

fn text(value: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(value.to_owned()).into())
}

/// A call of a function with plain arguments.
fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let args = arguments.into_iter().map(|expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))).collect();
    Expr::Function(ast::Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(ast::FunctionArgumentList {
            duplicate_treatment: None,
            args,
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
