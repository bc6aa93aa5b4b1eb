//! Rules as their owners write them: checked, read back, tried on days gone by, and at work in quotas.

use crate::tool::Tool;
use crate::world::{ask, everything_adds_up, one};

const RULES: &str = "\
# What sales operations agreed on.
version 3

name: harder-for-the-busy
owner: ops@example.com
priority: 10
when customers > 5 and touch_density >= 0% then raise quota by 15%

name: 封顶
范围: 代表 r00001
当 客户数>0 时，目标上限20,000元，红色预警「请复核」

name: bonus
priority: 200
scope: rep r00002
always raise quota by 1,000 beyond plan

name: heavy
when weekday is between 1 and 7 then set attainment weight to 1.5

name: over
valid: until 2025-12-31
always lower quota by 50%
";

/// A lake with the sample's records, and rules.
fn world() -> Tool {
    crate::world::world().file("rules.txt", RULES).file("ruled.toml", "rules = \"rules.txt\"\n")
}

fn number(tool: &Tool, query: &str) -> f64 {
    one(tool, query).parse().unwrap()
}

#[test]
fn rules_act_on_quotas_and_every_cent_is_told() {
    let tool = world();
    tool.run(&["daily", "--as-of", "2026-02-12"]).succeeded();
    assert_eq!(one(&tool, "SELECT count(*) FROM mart.quota_rule"), "0");
    let ruled = |day: &str| tool.run(&["--config", "ruled.toml", "daily", "--as-of", day]).succeeded();
    ruled("2026-02-13");
    ruled("2026-02-14");
    // The kinds of what happened, and that each step begins where the one before ended.
    let actions = ask(
        &tool,
        "SELECT DISTINCT rule, beyond_plan FROM mart.quota_rule WHERE as_of = DATE '2026-02-14' ORDER BY 1",
    );
    let names: Vec<&str> = actions.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(names, ["bonus", "harder-for-the-busy", "heavy", "封顶"]);
    let raised = one(
        &tool,
        "SELECT count(*) FROM mart.quota_rule WHERE rule = 'harder-for-the-busy'
         AND abs(after - round(before * 1.15, 2)) < 0.005 AND before > 1",
    );
    let touched = one(
        &tool,
        "SELECT count(*) FROM mart.rep_measure WHERE as_of >= DATE '2026-02-13' AND customers > 5
         AND touch_density >= 0",
    );
    assert!(raised.parse::<u32>().unwrap() >= 2, "{raised}");
    assert_eq!(raised, touched);
    let capped = number(
        &tool,
        "SELECT max(quota) FROM mart.quota WHERE rep_id = 'r00001' AND as_of > DATE '2026-02-12'",
    );
    assert!(capped <= 20_000.0, "{capped}");
    assert_eq!(
        one(&tool, "SELECT min(attainment_weight) FROM mart.quota WHERE as_of = DATE '2026-02-14'"),
        "1.5"
    );
    let alerts =
        ask(&tool, "SELECT severity, scope_id, message FROM mart.alert WHERE rule = '封顶' ORDER BY as_of");
    assert_eq!(alerts, vec![vec!["high", "r00001", "请复核"]; 2]);
    everything_adds_up(&tool);
    assert!(
        number(
            &tool,
            "SELECT count(*) FROM mart.quota_explanation WHERE kind = 'change' AND term LIKE 'rule:%'"
        ) > 0.0
    );
    // What is beyond the plan is the difference between a region's quotas and its plan.
    let missing = one(
        &tool,
        "SELECT count(*) FROM mart.quota_plan p JOIN mart.quota q ON q.as_of = p.as_of AND q.region_id = p.region_id
         WHERE q.rep_id = 'r00002' AND p.plan IS NOT NULL AND p.relaxed_amount IS NULL
         AND p.as_of >= DATE '2026-02-13' AND p.difference < 1000",
    );
    assert_eq!(missing, "0");
    let told = tool.run(&["explain", "--rep", "r00002"]).succeeded().out;
    assert!(told.contains("  the rule bonus\n"), "{told}");
    // The day before has the same rules; the one before that has none, so the rule is part of the change.
    let told = tool.run(&["explain", "--rep", "r00002", "--since", "2026-02-12"]).succeeded().out;
    let change = told.split("Since 2026-02-12").nth(1).unwrap();
    assert!(change.contains("the rule bonus") && change.contains("the rule harder-for-the-busy"), "{told}");
}

#[test]
fn the_same_rules_are_the_same_run_wherever_they_stand() {
    let tool = world();
    let run = || tool.run(&["--config", "ruled.toml", "daily", "--as-of", "2026-02-14"]).succeeded().out;
    run();
    std::fs::write(tool.path("rules.txt"), format!("# A comment more.\n\n{RULES}")).unwrap();
    assert!(run().starts_with("2026-02-14: the same inputs were published before"));
    std::fs::write(tool.path("rules.txt"), RULES.replace("15%", "16%")).unwrap();
    assert!(!run().starts_with("2026-02-14: the same inputs"));
}

#[test]
fn a_rule_is_tried_on_days_gone_by_before_it_acts() {
    let tool = world();
    tool.run(&["daily", "--from", "2026-01-30", "--to", "2026-02-01"]).succeeded();
    let tried = tool.run(&["rules", "test", "rules.txt"]).succeeded().out;
    let busy = tried.split("\n\n").find(|part| part.starts_with("harder-for-the-busy")).unwrap();
    let rows: Vec<Vec<&str>> = busy.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((rows[0][0], &rows[0][1..4]), ("2026-01", &["2", "of", "2"][..]));
    assert_eq!((rows[1][0], &rows[1][1..4]), ("2026-02", &["1", "of", "1"][..]));
    let reps = one(
        &tool,
        "SELECT count(*) FROM mart.rep_measure WHERE as_of = DATE '2026-02-01' AND customers > 5 AND touch_density >= 0",
    );
    assert_eq!(rows[1][6], reps);
    let moves = number(
        &tool,
        "SELECT sum(round(proposal * 1.15, 2) - proposal) FROM mart.rep_measure
         WHERE as_of = DATE '2026-02-01' AND customers > 5 AND touch_density >= 0",
    );
    let said: f64 = rows[1][7].trim_start_matches('+').replace(',', "").parse().unwrap();
    assert!((said - moves).abs() < 0.05, "{said} {moves}");
    let expired = tried.split("\n\n").find(|part| part.starts_with("over")).unwrap();
    assert!(expired.contains("0 of 2"), "{expired}");
}

#[test]
fn wrong_rules_are_pointed_at() {
    let tool = Tool::new()
        .file("rules.txt", RULES)
        .file("wrong.txt", "when repurchase_intervall < 30 days then raise quota by 15%\n");
    let right = tool.run(&["rules", "check", "rules.txt"]).succeeded().out;
    assert_eq!(right, "rules.txt: 5 rules, nothing wrong\n");
    let wrong = tool.run(&["rules", "check", "wrong.txt"]);
    assert_eq!(wrong.status, 1);
    let expected = "\
wrong.txt:1:6: there is nothing called `repurchase_intervall`
when repurchase_intervall < 30 days then raise quota by 15%
     ^^^^^^^^^^^^^^^^^^^^
did you mean `repurchase_interval`?

error: wrong.txt: 1 fault
";
    assert_eq!(wrong.err, expected);
    let tool = tool.file("wrong.toml", "rules = \"wrong.txt\"\n").with_lake();
    let daily = tool.run(&["--config", "wrong.toml", "daily", "--as-of", "2026-01-01"]);
    daily.failed(1, "error: wrong.txt: 1 fault");
    tool.run(&["rules", "check"])
        .failed(1, "error: name a file of rules, or set rules = \"FILE\" in the configuration");
    let back = tool.run(&["rules", "explain", "rules.txt"]).succeeded().out;
    let lines = [
        "harder-for-the-busy (line 7)",
        "  when customers is above 5 and touch density is at least 0% then raise quota by 15%",
        "  当客户数高于5且触达密度不低于0%时，下次目标提升15%",
    ];
    assert!(back.starts_with(&lines.join("\n")), "{back}");
    let words = tool.run(&["rules", "words"]).succeeded().out;
    assert!(words.lines().count() > 50 && words.contains("客单价"), "{words}");
}
