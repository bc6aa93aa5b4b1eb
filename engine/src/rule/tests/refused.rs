//! What is refused, where, and how that is shown.

use crate::rule::*;

/// Reads `text`, whose only fault is in `line` at `column` over `width` characters; what is shown of it
/// holds `says`.
fn refused(text: &str, place: (usize, usize, usize), says: &str) {
    let faults = read(text).expect_err(text);
    let shown: Vec<String> = faults.iter().map(|fault| fault.show("t", text)).collect();
    let places: Vec<_> = faults.iter().map(|fault| (fault.line, fault.column, fault.width)).collect();
    assert_eq!(places, [place], "{text}\n{}", shown.join("\n"));
    assert!(shown[0].contains(says), "{}\n{says}", shown[0]);
}

#[test]
fn a_text_after_or_was_meant_as_one_of_several() {
    let meant = "did you mean `region id is one of \"E\", \"W\"`?";
    refused("when region_id is E or \"W\" then alert", (1, 24, 3), meant);
    refused("when region_id is E or W then alert", (1, 24, 1), meant);
    refused("当区域是“东”或“西”时，预警", (1, 9, 3), "did you mean `区域属于（\"东\"、\"西\"）`?");
}

#[test]
fn a_wrong_sentence_is_refused_at_the_word_that_is_wrong() {
    let long = format!("always alert \"{}\"", "x".repeat(4000));
    let deep = format!("when {}customers > 5 then alert", "(".repeat(100));
    for (sentence, column, width, says) in [
        ("when repurchse_interval < 30 then alert", 6, 18, "did you mean `repurchase_interval`?"),
        ("when average ordr value < 30 then alert", 6, 18, "did you mean `average_order_value`?"),
        ("当复够间隔<30天时，预警", 2, 4, "did you mean `复购间隔`?"),
        ("当区域增长绿>5时，预警", 2, 5, "did you mean `区域增长率`?"),
        ("when zzz < 30 then alert", 6, 3, "there is nothing called `zzz`"),
        ("when repurchase_interval < 30% then alert", 28, 3, "repurchase_interval is in days, not a share\n"),
        ("when repurchase_interval < 30% then alert", 28, 3, "expected `30 days`"),
        ("当复购间隔<30%时，预警", 7, 3, "expected `30天`"),
        ("当客单价>30天时，预警", 6, 3, "客单价 is money, not days"),
        ("when share_new > 30 then alert", 18, 2, "did you mean `30%`?"),
        ("when attainment > 1.2 then alert", 19, 3, "did you mean `120%`?"),
        ("when average_order_value > 5.001 then alert", 28, 5, "two decimals"),
        ("when attained > 1000000亿 then alert", 17, 8, "too much money"),
        ("when today > 5 then alert", 14, 1, "expected `2026-11-22`"),
        ("when today > 2026-02-30 then alert", 14, 10, "no such date"),
        ("when customers > 2026-02-03 then alert", 18, 10, "customers is a count, not a date"),
        ("when customers > \"5\" then alert", 18, 3, "customers is a count, not a text"),
        ("when attained > expected then alert", 17, 8, "not with another name"),
        ("when weekday is 0 then alert", 17, 1, "weekday is 1 to 7"),
        ("when customers > 5,00 then alert", 18, 4, "did you mean `500`?"),
        ("when repurchase_interval < 30 dayz then alert", 31, 4, "did you mean `days`?"),
        ("when customers is between 9 and 5 then alert", 27, 7, "the lower value comes first"),
        ("当客单价介于10和30万元之间时，预警", 7, 2, "expected `10万元`"),
        ("当剩余天数介于1和3天时，预警", 12, 1, "expected `之间`"),
        ("when region_id < 5 then alert", 16, 1, "doesn't compare texts, and region_id is one"),
        ("when customers in (1) then alert", 16, 2, "customers isn't one"),
        ("当区域是时，预警", 5, 1, "a text is missing before `时`"),
        ("当区域是和平区时，预警", 5, 1, "did you mean `\"和平区时\"`?"),
        ("when region_id is then alert", 19, 4, "a text is missing before `then`"),
        ("when customers > then alert", 18, 4, "a value is missing before `then`"),
        ("when customers then alert", 16, 4, "expected `is below`"),
        ("when then alert", 6, 4, "a condition is missing before `then`"),
        ("when 5 < customers then alert", 6, 1, "begins with a name"),
        ("when customers > 5 raise quota by 5%", 20, 5, "`then` is missing before `raise`"),
        ("当客户数>5目标提升5%", 7, 2, "`时` is missing before `目标`"),
        ("when customers > 5 thn alert", 20, 3, "did you mean `then`?"),
        ("when customers > 5", 19, 1, "expected `and`, `or` or `then`"),
        ("when (customers > 5 then alert", 6, 1, "this parenthesis isn't closed"),
        ("当（客户数>5时，预警", 2, 1, "expected `且`, `或` or `)`"),
        ("when customers > 5) then alert", 19, 1, "`)` can't stand here"),
        (&deep, 70, 1, "more than 64"),
        ("always alert \"late", 14, 1, "this quote isn't closed"),
        ("always alert \"\"", 14, 2, "nothing between"),
        ("always alert @", 14, 1, "has no meaning here"),
        ("always raise quota", 19, 1, "expected `by`"),
        ("always raise quota by", 22, 1, "an amount is missing here"),
        ("always raise quota by 30 days", 23, 7, "neither a share nor money"),
        ("always raise quota by 0.15", 23, 4, "expected `15%` or `0.15 yuan`"),
        ("always raise quota by 1001%", 23, 5, "more than 1000%"),
        ("always lower quota by 101%", 23, 4, "more than 100%"),
        ("always lower quota by -5%", 23, 3, "less than nothing"),
        ("always raise quota by 5% of base", 26, 7, "of itself"),
        ("always cap quota at 120%", 21, 4, "did you mean `120% of base`?"),
        ("无条件：目标上限为120%", 10, 4, "did you mean `基准的120%`?"),
        ("always cap quota at -1", 21, 2, "less than nothing"),
        ("always set attainment weight to 11", 33, 2, "a weight is 0.1 to 10"),
        ("always raise quota by 5% and freeze quota", 30, 12, "can't both freeze"),
        ("always alert and red alert \"x\"", 18, 13, "already has an action of that kind"),
        ("always alert \"x\" \"y\"", 18, 3, "expected `and` or `beyond plan`"),
        ("always alert and", 17, 1, "an action is missing here"),
        ("always frieze quota", 8, 6, "did you mean `freeze`?"),
        ("wen customers > 5 then alert", 1, 3, "did you mean `when`?"),
        (&long, 1, 1, "4000 are the most"),
    ] {
        refused(sentence, (1, column, width), says);
    }
}

#[test]
fn a_wrong_line_is_refused_and_every_fault_is_told() {
    for (text, place, says) in [
        ("nmae: x\nalways alert", (1, 1, 4), "did you mean `name`?"),
        ("name: a b\nalways alert", (1, 7, 3), "letters, digits"),
        ("name: a\nalways alert\nname: a\nalways alert", (3, 7, 1), "the rule of line 1 is already called a"),
        ("name: line-2\nalways alert\nalways\n alert\nname: line-3\nalways alert", (5, 7, 6), "of line 3"),
        ("priority: high\nalways alert", (1, 11, 4), "a whole number"),
        ("priority: 1\npriority: 2\nalways alert", (2, 1, 8), "given twice"),
        ("owner:\nalways alert", (1, 7, 1), "`owner` has no value"),
        ("valid: 2026-02-01 to 2026-01-01\nalways alert", (1, 22, 10), "before the first"),
        ("valid: 2026-02-01\nalways alert", (1, 18, 1), "expected `to`"),
        ("scope: galaxy\nalways alert", (1, 8, 6), "expected `region`, `manager`, `rep` or `company`"),
        ("范围：区域\n无条件：预警", (1, 6, 1), "an id is missing here"),
        ("always alert\n名称：孤", (2, 1, 2), "no sentence follows"),
        ("always alert\nversion 2", (2, 1, 9), "in the first line"),
        ("version two", (1, 1, 11), "a whole number"),
        ("always alert\n  always alert", (2, 3, 6), "begin it at the start of a line"),
    ] {
        refused(text, place, says);
    }
    let faults = read(
        "name: a\nwhen x > 5 then alert\nfoo: 1\n\n  当客户数>时，预警\nwhen customers\n > 5\n then alrt",
    )
    .expect_err("four faults");
    let places: Vec<_> = faults.iter().map(|fault| (fault.line, fault.column, fault.width)).collect();
    assert_eq!(places, [(2, 6, 1), (3, 1, 3), (5, 8, 1), (8, 7, 4)]);
}

#[test]
fn a_mark_stands_beneath_its_characters() {
    let text = "# 规则\n当客户复购间隔<30%时，\t冻结目标";
    let faults = read(text).expect_err("a share of days");
    assert_eq!(
        faults[0].show("rules.txt", text),
        "rules.txt:2:9: 复购间隔 is in days, not a share\n当客户复购间隔<30%时， 冻结目标\n               ^^^\nexpected `30天`"
    );
    let text = "\u{feff}当复够间隔<30天时，预警\r\n";
    let shown = read(text).expect_err("a slip")[0].show("r", text);
    assert!(shown.contains("\n当复够间隔<30天时，预警\n  ^^^^^^^^\n"), "{shown}");
}
