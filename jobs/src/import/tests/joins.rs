//! Lookups, groups and inputs of several files.

use super::{Case, one_value, values};

fn lookup(rule: &str) -> Vec<String> {
    let rules = format!(
        "[[lookup]]\ntable = \"deals\"\n{rule}\n[[input]]\nname = \"offers\"\nfile = \"offers.csv\"\n"
    );
    let deals =
        "id,at,key\n1,2024-01-05,k\n2,2024-01-01,k\n3,2024-01-09,k\n4,2024-01-05,none\n5,2024-01-05,\n";
    let offers =
        "deal,who,on\nk,late,2024-01-08\nk,early,2024-01-02\nk,same,2024-01-05\nj,other,2024-01-01\n";
    let case = Case::new(&[("deals.csv", deals), ("offers.csv", offers)]);
    values(&case.lines(&one_value("\"{who}\"", &rules)))
}

#[test]
fn lookups() {
    let on = "from = \"offers\"\non = { key = \"deal\" }\ntake = { who = \"who\" }\n";
    let check =
        |rule: &str, expected: [&str; 5]| assert_eq!(lookup(&format!("{on}{rule}")), expected, "{rule}");
    check("pick = \"first\"", ["late", "late", "late", "null", "null"]);
    check("pick = \"last\"", ["same", "same", "same", "null", "null"]);
    check("pick = \"first\"\norder_by = \"on\"", ["early", "early", "early", "null", "null"]);
    let before = "order_by = \"on\"\nat = \"at\"\npick = \"last_before\"";
    check(before, ["same", "null", "late", "null", "null"]);
    check(&before.replace("last_before", "first_after"), ["same", "early", "null", "null", "null"]);
    check(&format!("{before}\ndefault = {{ who = \"?\" }}"), ["same", "?", "late", "?", "?"]);
    let none = "rejected: e row 5 lookup_missing key none";
    let null = "rejected: e row 6 lookup_missing key ";
    check("pick = \"first\"\nmissing = \"reject\"", ["late", "late", "late", none, null]);
    let two = "rejected: e row N lookup_ambiguous key k";
    let [a, b, c] = [2, 3, 4].map(|row| two.replace('N', &row.to_string()));
    check("", [&a, &b, &c, "null", "null"]);
    check("when = \"who == 'early'\"", ["early", "early", "early", "null", "null"]);
}

#[test]
fn a_lookup_leaves_out_rows_that_fail_and_tells_them() {
    let rules = "[[column]]\ntable = \"offers\"\nname = \"day\"\nvalue = { column = \"on\", date = \"%Y-%m-%d\" }\n\
                 [[lookup]]\ntable = \"deals\"\nfrom = \"offers\"\non = { id = \"deal\" }\ntake = { who = \"who\" }\n\
                 order_by = \"day\"\npick = \"last\"\n[[input]]\nname = \"offers\"\nfile = \"offers.csv\"\n";
    let offers = "deal,who,on\n1,ann,2024-01-01\n1,bob,soon\n";
    let case = Case::new(&[("deals.csv", "id,x\n1,\n"), ("offers.csv", offers)]);
    let lines = case.lines(&one_value("\"{who}\"", rules));
    assert_eq!(values(&lines), ["ann", "rejected: lookup from offers row 3 bad_date on soon"]);
}

const ORDERS: &str = r#"
name = "shop"
[[input]]
name = "lines"
file = "lines*.csv"
[[group]]
name = "orders"
from = "lines"
by = ["order"]
when = "kind == 'sale'"
order_by = ["-line"]
[group.take]
total = { sum = "amount" }
rep = { same = "rep" }
lines = { count = true }
first = { first = "line" }
last = { last = "line" }
least = { min = "amount" }
most = { max = "amount" }
[[emit]]
name = "order"
table = "orders"
stream = "behaviour"
key = ["order"]
[emit.fields]
event_time = "2024-01-01T00:00:00Z"
event_type = "order.placed"
rep_id = "{rep}"
amount = { column = "total", amount = "half_even" }
[emit.attributes]
x = "{lines} {first} {last} {least} {most}"
"#;

#[test]
fn order_lines_become_orders_with_an_exact_sum() {
    let lines = "order,line,amount,rep,kind\n\
                 A,1,0.0149,ann,sale\nB,1,5,bob,sale\nA,10,0.0101,ann,sale\nA,2,9.99,,sale\nA,3,100,ann,return\n";
    let case = Case::new(&[("lines.csv", lines)]);
    let lines = case.lines(ORDERS);
    assert!(lines.contains(r#""event_id":"shop:order:A""#), "{lines}");
    // 0.0149 + 0.0101 + 9.99 = 10.015, rounded once, to the even cent.
    assert!(lines.contains(r#""amount":"10.02""#), "{lines}");
    assert_eq!(values(&lines), ["3 10 1 0.0101 9.99", "1 1 1 5 5"]);
}

#[test]
fn a_group_with_a_bad_row_is_left_out_whole() {
    let lines = "order,line,amount,rep,kind\n\
                 A,1,1,ann,sale\nA,2,x,ann,sale\nB,1,1,ann,sale\nB,2,1,bob,sale\nC,1,1,cid,sale\n,1,1,cid,sale\n";
    let case = Case::new(&[("lines.csv", lines)]);
    let expected = [
        "1 1 1 1 1",
        "rejected: group orders row 7 missing_value order ",
        "rejected: group orders row 3 bad_number amount x",
        // Inside B the rows come by line, descending: the second to be read is line 4 of the file.
        "rejected: group orders row 4 group_disagrees rep ann",
    ];
    assert_eq!(values(&case.lines(ORDERS)), expected);
}

#[test]
fn several_files_of_one_input_are_read_one_after_the_other() {
    let case = Case::new(&[
        ("lines-2.csv", "kind,rep,order,amount,line,extra\nsale,bob,B,2,1,x\n"),
        ("lines-1.csv", "order,line,amount,rep,kind\nA,1,1,ann,sale\n"),
        ("other.csv", "x\n"),
    ]);
    let (lines, summary) = case.run(&super::Mapping::parse("t", ORDERS).unwrap()).unwrap();
    assert_eq!(values(&lines), ["1 1 1 1 1", "1 1 1 2 2"]);
    assert_eq!(summary.tables[0].rows, 2);
    assert_eq!(summary.unused_files.len(), 1);
}
