//! Conditions over one row, right and wrong.

use std::borrow::Cow;
use std::convert::Infallible;

use super::*;

/// Evaluates over a row with stage Won, amount 120.50, `Lead Source` empty, close 2017-03-01, engage 2016-12-31.
fn check(text: &str, expected: Result<bool, &str>) {
    let cell = |column: &String| -> Result<Option<Cow<'static, str>>, Infallible> {
        Ok(match column.as_str() {
            "stage" => Some("Won".into()),
            "amount" => Some("120.50".into()),
            "close" => Some("2017-03-01".into()),
            "engage" => Some("2016-12-31".into()),
            _ => None,
        })
    };
    let found = match Expr::parse(text) {
        Err(message) => Err(message),
        Ok(expr) => expr.holds(&cell).map_err(|failure| match failure {
            ExprFailure::NotANumber { column, value } => format!("{column} {value}"),
            ExprFailure::Column(never) => match never {},
        }),
    };
    match (&found, expected) {
        (Ok(a), Ok(b)) => assert_eq!(*a, b, "{text}"),
        (Err(a), Err(b)) => assert!(a.contains(b), "{text}: {a}"),
        _ => panic!("{text}: {found:?}, expected {expected:?}"),
    }
}

#[test]
fn conditions_hold_or_not() {
    check("stage == 'Won'", Ok(true));
    check("stage != 'Won'", Ok(false));
    check("stage in ('Lost', 'Won')", Ok(true));
    check("stage not in ('Lost', 'Won')", Ok(false));
    check("`Lead Source` is null and stage is not null", Ok(true));
    check("`Lead Source` == 'web'", Ok(false));
    check("`Lead Source` != 'web'", Ok(true));
    check("`Lead Source` < 'web' or `Lead Source` >= 'web'", Ok(false));
    check("`Lead Source` not in ('web')", Ok(true));
    check("amount == 120.5", Ok(true));
    check("amount > 99 and amount <= 120.50", Ok(true));
    check("amount in (1, 120.5)", Ok(true));
    check("amount > '99'", Ok(false));
    check("amount < -1", Ok(false));
    check("engage < close", Ok(true));
    check("close >= '2017-03-01'", Ok(true));
    check("stage == 'Lost' or stage == 'Won' and amount < 1", Ok(false));
    check("(stage == 'Lost' or stage == 'Won') and not amount < 1", Ok(true));
    check("stage == 'O''Hara'", Ok(false));
}

#[test]
fn wrong_conditions_say_what_is_expected() {
    check("stage > 5", Err("stage Won"));
    check("stage = 'Won'", Err("equality is written `==`"));
    check("stage == \"Won\"", Err("'single quotes'"));
    check("stage == 'Won", Err("not closed"));
    check("stage ==", Err("found the end"));
    check("stage == 'Won' stage", Err("expected `and`, `or` or the end, found `stage`"));
    check("stage is 'x'", Err("expected `null`"));
    check("stage in 'Won'", Err("expected `(`, found 'Won'"));
    check("(stage == 'Won'", Err("expected `)`, found the end"));
    check("'Won' == stage", Err("expected a column"));
    check("", Err("expected a column, found the end"));
    check(&"(".repeat(500), Err("levels"));
    check(&"not ".repeat(500), Err("levels"));
}
