//! What is read, by example.

use crate::rule::*;

fn one(text: &str) -> Rule {
    let book = match read(text) {
        Ok(book) => book,
        Err(faults) => panic!("{}", faults.iter().map(|f| f.show("t", text)).collect::<Vec<_>>().join("\n")),
    };
    assert_eq!(book.rules.len(), 1, "{text}");
    book.rules[0].clone()
}

fn subject(key: &str) -> Subject {
    Subject::find(key).expect("a key of the vocabulary")
}

fn number(key: &str, op: Op, value: f64) -> Condition {
    Condition::Number { subject: subject(key), op, value }
}

fn text(key: &str, among: &[&str]) -> Condition {
    Condition::Text { subject: subject(key), among: among.iter().map(|&text| text.to_owned()).collect() }
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn alert(severity: Severity, message: Option<&str>) -> Action {
    Action::Alert { severity, message: message.map(str::to_owned) }
}

#[test]
fn the_vocabulary_names_everything_once() {
    assert_eq!(subjects().count(), 51);
    let mut names: Vec<&str> = subjects().flat_map(Subject::names).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    for subject in subjects() {
        assert_eq!(Subject::find(subject.key()), Some(subject));
        assert_eq!(subjects().nth(subject.index()), Some(subject));
        assert!(!subject.meaning().is_empty() && subject.chinese_names().next() == Some(subject.chinese()));
        for name in subject.names() {
            let opening = if name.is_ascii() { "when" } else { "当" };
            let close =
                if name.is_ascii() { " is known then freeze quota" } else { "已知时，冻结目标" };
            let rule = one(&format!("{opening} {name}{close}"));
            assert_eq!(rule.condition, Condition::Known(subject), "{name}");
        }
    }
}

/// Each of the `sentences` begins with `expected`.
fn holds(expected: &Condition, sentences: &str) {
    for sentence in sentences.lines().map(str::trim) {
        let close =
            if sentence.starts_with(['w', 'W']) { " then freeze quota" } else { "时，冻结目标" };
        assert_eq!(one(&(sentence.to_owned() + close)).condition, *expected, "{sentence}");
    }
}

#[test]
fn joints_bind_the_same_in_both_languages() {
    use Op::{AtLeast, Equal, Less, More};
    let buyers = Condition::All(vec![
        number("repurchase_interval", Less, 30.0),
        number("average_order_value", More, 5000.0),
    ]);
    let mixed = Condition::Any(vec![
        number("customers", Less, 5.0),
        Condition::All(vec![not(number("month", Equal, 1.0)), number("weekday", AtLeast, 6.0)]),
    ]);
    let grouped = Condition::All(vec![
        Condition::Any(vec![number("customers", Less, 5.0), number("workload", More, 9.0)]),
        not(Condition::Any(vec![number("season", Less, 1.0), number("season", More, 1.2)])),
    ]);
    for (expected, sentences) in [
        (
            buyers,
            "当客户复购间隔<30天且客单价>5000元
             当 客户复购间隔 ＜ ３０ 天，且 客单价 高于 ５０００
             如果复购周期少于30日并且平均订单额超过0.5万元
             when repurchase_interval < 30 and average_order_value > 5,000
             When Repurchase Interval is below 30 days, and average  order_value is over 5,000.00 CNY",
        ),
        (
            mixed,
            "when customers < 5 or not month = 1 and weekday >= 6
             when customers is under 5 or (not (month is 1)) and weekday is at least 6
             当客户数小于5个或不满足（月份为1月）且星期至少6
             当客户数＜5或者非(月份是1)并且星期≥6",
        ),
        (
            grouped,
            "when (customers < 5 or workload > 9) and not (season < 1 or season > 120%)
             当（客户数<5或工作负荷>9）且非（季节指数<1或季节指数>1.2）",
        ),
    ] {
        holds(&expected, sentences);
    }
}

#[test]
fn comparisons_mean_the_same_in_both_languages() {
    use Op::{AtLeast, AtMost, Equal, Less, Unequal};
    let days = |low, high| Condition::Between { subject: subject("days_left"), low, high };
    for (expected, sentences) in [
        (
            days(5.0, 10.0),
            "when days left is between 5 and 10 days
             当剩余天数介于5和10天之间
             当剩余天数在5天到10天之间",
        ),
        (not(days(5.0, 10.0)), "when days_left is not between 5 and 10\n当剩余天数不介于5天与10天之间"),
        (
            number("share_at_risk", AtMost, 0.3),
            "when share_at_risk <= 30%\nwhen share at risk ≤ 0.3\n当流失风险客户占比不超过30％",
        ),
        (number("attainment", AtLeast, 1.2), "when attainment is at least 120%\n当达成率大于等于120%"),
        (
            number("attained", Unequal, 150_000_000.0),
            "when attained != 150000000 RMB\n当已签金额不等于1.5亿元\n当已达成≠15000万",
        ),
        (number("attainment_bias", Less, -0.05), "when attainment_bias < -0.05\n当达成偏差＜－0.05"),
        (
            number("process_health", Less, 60.0),
            "when process_health is below 60 points\n当过程健康度低于60分",
        ),
        (
            number("tenure_months", AtMost, 6.0),
            "when tenure_months is at most 6 months\n当司龄至多6个月\n当入职月数不高于6月",
        ),
        (
            number("today", AtLeast, 20_779.0),
            "when today >= 2026-11-22\n当今天≥2026年11月22日\n当日期不低于2026-11-22",
        ),
        (number("hired_on", Equal, 0.0), "when hired_on = 1970-01-01\n当入职日期等于1970年1月1日"),
        (
            text("region_id", &["EAST"]),
            "when region_id is EAST\nwhen region id == \"EAST\"\n当区域是EAST\n当大区为“EAST”",
        ),
        (text("region_id", &["天津"]), "when region_id is 天津\n当区域是天津\n当区域为「天津」"),
        (
            text("rep_id", &["R-1", "007"]),
            "when rep_id is one of \"R-1\", \"007\"
             when rep_id in (R-1,007)
             when rep_id is one of R-1, 007,
             当代表属于（\"R-1\"、\"007\"）
             当销售代表属于R-1、007",
        ),
        (not(text("status", &["离职"])), "when status is not 离职\n当状态不是离职\n当状态不为\"离职\""),
        (not(text("status", &["a", "b"])), "when status is not one of \"a\", \"b\"\n当状态不属于（a、b）"),
        (not(Condition::Known(subject("capability"))), "when capability is unknown\n当能力画像未知"),
    ] {
        holds(&expected, sentences);
    }
}

#[test]
fn actions_mean_the_same_in_both_languages() {
    use Action::{Cap, Floor, Freeze, Lower, Raise, Weight};
    use Amount::{Money, Share};
    for (expected, sentences) in [
        (
            vec![Raise(Share(0.15))],
            "always raise quota by 15%.\nalways increase the quota by 15 percent\n\
             无条件：下次目标提升15%。\n无条件，配额上调15%",
        ),
        (vec![Raise(Money(200_000))], "always raise quota by 2,000\n无条件：目标增加0.2万"),
        (
            vec![Lower(Share(0.333))],
            "always reduce quota by 33.3%\nalways: decrease quota by 33.3%\n无条件：目标下调33.3%",
        ),
        (
            vec![Cap(Money(12_000_000))],
            "always cap quota at 120000\n无条件：目标上限为12万元\n无条件：目标不超过120000元\n无条件：目标上限120000",
        ),
        (
            vec![Cap(Share(1.2))],
            "always cap quota at 120% of base\n无条件：目标上限为基准的120%\n无条件：目标不超过基准的120%",
        ),
        (
            vec![Floor(Share(0.8))],
            "always floor quota at 80% of the base\n无条件：目标下限设为基准的80%\n无条件：目标不低于基准的80%",
        ),
        (vec![Freeze], "always freeze the quota\n无条件：冻结目标\n无条件：目标冻结\n无条件：目标保持不变"),
        (
            vec![Weight(1.2)],
            "always set attainment weight to 1.2\nalways set the attainment weight to 120%\n\
             无条件：达成权重设为1.2\n无条件：达成权重为1.2",
        ),
        (
            vec![alert(Severity::Amber, None)],
            "always raise an alert\nalways alert\n无条件：预警\n无条件：黄色预警",
        ),
        (vec![alert(Severity::Amber, Some("早"))], "always alert \"早\"\n无条件：预警：“早”"),
        (
            vec![alert(Severity::Red, Some("x"))],
            "always raise a red alert \"x\"\nalways alert red \"x\"\n无条件：红色预警\"x\"",
        ),
        (vec![alert(Severity::Info, None)], "always alert info\n无条件：提示"),
        (
            vec![Freeze, Weight(2.0), alert(Severity::Red, None)],
            "always freeze quota, set attainment weight to 2, and red alert\n无条件：冻结目标，达成权重为2，并红色预警",
        ),
    ] {
        for sentence in sentences.lines() {
            let rule = one(sentence);
            assert_eq!((&rule.condition, rule.beyond_plan), (&Condition::Always, false));
            assert_eq!(rule.actions, expected, "{sentence}");
        }
    }
    assert!(one("when customers > 5 then raise quota by 15% beyond plan").beyond_plan);
    assert!(one("如果客户数>5，那么目标提升15%，不计入计划。").beyond_plan);
    assert!(one("如果客户数>5则目标提升15%，并不计入计划").beyond_plan);
    assert_eq!(one("当客户复购间隔<30天且客单价>5000元时，下次目标提升15%").actions, [Raise(Share(0.15))]);
}

#[test]
fn a_file_has_a_version_comments_properties_and_an_order() {
    let text = "\u{feff}# rules of the east\r\nversion 7\r\n\r\nname: late\r\nowner: Ann Lee \r\n\
        valid: 2026-01-01 to 2026-12-31\r\npriority: 120\r\nscope: region EAST, \"North East\"\r\n\
        when customers > 5\r\n  # why\r\n    and workload < 9\r\n  then freeze quota\r\n\
        名称：早-1\n负责人：李安\n有效期：自 2026年1月1日\n优先级：-5\n范围：经理 M1、和平\n无条件：预警\n\
        scope: company\nvalid: until 2026-12-31\nalways alert\n范围：代表R1\nvalid: from 2026-01-01\nalways alert";
    let book = read(text).expect("a sound file");
    assert_eq!(book.version, Some(7));
    let lines: Vec<_> =
        book.rules.iter().map(|rule| (rule.name.as_str(), rule.line, rule.priority)).collect();
    assert_eq!(lines, [("早-1", 18, -5), ("line-21", 21, 100), ("line-24", 24, 100), ("late", 9, 120)]);
    let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let scopes: Vec<_> = book.rules.iter().map(|rule| rule.scope.clone()).collect();
    let regions = Scope::Region(list(&["EAST", "North East"]));
    assert_eq!(
        scopes,
        [Scope::Manager(list(&["M1", "和平"])), Scope::Company, Scope::Rep(list(&["R1"])), regions]
    );
    let days: Vec<_> = book.rules.iter().map(|rule| (rule.from, rule.to)).collect();
    let (january, december) = (Some(20_454), Some(20_818));
    assert_eq!(days, [(january, None), (None, december), (january, None), (january, december)]);
    assert_eq!(book.rules[3].owner.as_deref(), Some("Ann Lee"));
    assert_eq!(read(""), Ok(Book::default()));
    assert_eq!(read("\n# nothing\n"), Ok(Book::default()));
}

#[test]
fn the_sentences_of_the_module_are_read_and_written() {
    let text = include_str!("../mod.rs");
    let lines = text.lines().skip_while(|line| !line.ends_with("```text")).skip(1);
    let lines =
        lines.take_while(|line| !line.ends_with("```")).map(|line| line.trim_start_matches("//!").trim());
    let book = read(&lines.collect::<Vec<_>>().join("\n")).expect("a sound file");
    assert_eq!(book.version, Some(3));
    let [late, buyers] = book.rules.as_slice() else { panic!("two rules") };
    assert_eq!(
        late.english(),
        "name: 岁末收官\npriority: 20\n\
         when days left is at most 10 days and attainment is between 80% and 100% \
         then freeze quota and alert \"快到了\"\n"
    );
    assert_eq!(
        buyers.chinese(),
        "名称：big-buyers\n有效期：2026-01-01 至 2026-12-31\n范围：区域 \"EAST\"、\"WEST\"\n\
         当复购间隔低于30天且客单价高于5000元时，下次目标提升15%\n"
    );
}
