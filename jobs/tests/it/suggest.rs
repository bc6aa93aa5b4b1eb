//! Approvals that follow a hidden condition become a proposed rule; those that don't, don't.

use data_samples::{Dirt, Scale, sample_scale};
use engine::adjust::{self, Ask, Change, Event, EventKind};
use engine::lake::{Lake, Run};

use crate::tool::Tool;
use crate::world::{ask, one, world_of};

/// The last days of two periods; the second isn't over.
const DAYS: [&str; 2] = ["2026-01-31", "2026-02-14"];
/// What nobody tells the command.
const HIDDEN: &str = "average_order_value >= 4000";

/// Forty reps, with a day of January and one of February published.
fn published() -> Tool {
    let tool = world_of(&Scale { reps: 40, customers: 400, dirt: Dirt::none(), ..sample_scale() });
    for day in DAYS {
        tool.run(&["daily", "--as-of", day]).succeeded();
    }
    tool
}

/// The reps of a day that satisfy a condition.
fn reps(tool: &Tool, day: &str, condition: &str) -> Vec<String> {
    let query = format!(
        "SELECT rep_id FROM mart.rep_measure WHERE as_of = DATE '{day}' AND {condition} ORDER BY rep_id"
    );
    ask(tool, &query).into_iter().flatten().collect()
}

/// Requests for these reps, made when that day was the newest, and approved.
fn approve(tool: &Tool, day: &str, reps: &[String], change: impl Fn(usize) -> Change) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let lake = Lake::open(&tool.path("lake"), "Asia/Shanghai").unwrap();
        let runs = Run::load(&lake.table("ops.run").await.unwrap()).unwrap();
        let run = runs.iter().find(|run| engine::time::date(run.as_of).to_string() == day).unwrap();
        for (place, rep) in reps.iter().enumerate() {
            let request_id = format!("{}-{rep}", &day[5..7]);
            let ask = Ask { change: change(place), beyond_plan: false, from: None, until: None };
            for (sequence, kind, actor) in [(1, EventKind::Request, "rep"), (2, EventKind::Approve, "boss")] {
                let event = Event {
                    request_id: request_id.clone(),
                    sequence,
                    kind,
                    actor: actor.to_owned(),
                    at: run.finished_at + i64::from(sequence),
                    rep_id: rep.clone(),
                    period: day[..7].to_owned(),
                    ask: Some(ask),
                    reason: None,
                    evidence: None,
                    idempotency: None,
                };
                adjust::add(&lake, &request_id, &|_| Ok(event.clone())).await.unwrap();
            }
        }
    });
}

fn suggest(tool: &Tool) -> String {
    tool.run(&["adjust", "suggest"]).succeeded().out
}

#[test]
fn approvals_that_recur_are_proposed_and_accepted_by_a_person() {
    let tool = published();
    assert_eq!(suggest(&tool), "nothing to propose: no request was approved\n");
    let planted = DAYS.map(|day| reps(&tool, day, HIDDEN));
    // 8, 10 and 12 percent less, one of them said as an amount.
    let percent = |place: usize| [-8.0, -10.0, -12.0][place % 3];
    approve(&tool, DAYS[0], &planted[0][..2], |place| Change::Percent(percent(place)));
    let few = "nothing to propose: to lower, there are 2 approvals, and a pattern takes 3\n";
    assert_eq!(suggest(&tool), few);
    approve(&tool, DAYS[0], &planted[0][2..], |place| Change::Percent(percent(place + 2)));
    let only = format!(
        "nothing to propose: to lower, all {} approvals are of 2026-01, and a pattern recurs in another period\n",
        planted[0].len()
    );
    assert_eq!(suggest(&tool), only);
    let pinned = one(
        &tool,
        &format!(
            "SELECT CAST(round(proposal * 90) AS BIGINT) FROM mart.rep_measure WHERE as_of = DATE '{}' AND rep_id = '{}'",
            DAYS[1], planted[1][0]
        ),
    );
    approve(&tool, DAYS[1], &planted[1], |place| match place {
        0 => Change::Pin(pinned.parse().unwrap()),
        _ => Change::Percent(percent(place)),
    });
    let out = suggest(&tool);
    let sentence = out.lines().next().unwrap();
    let threshold = sentence.strip_prefix("1. when average order value is at least ").unwrap();
    let (threshold, action) = threshold.split_once(" yuan then ").unwrap();
    assert_eq!(action, "lower quota by 10%");
    let threshold = threshold.replace(',', "");
    for (day, planted) in DAYS.iter().zip(&planted) {
        assert_eq!(reps(&tool, day, &format!("average_order_value >= {threshold}")), *planted);
    }
    assert!(out.contains("\n   当客单价不低于") && out.contains("时，下次目标降低10%\n"), "{out}");
    let counts: Vec<String> = (DAYS.iter().zip(&planted))
        .map(|(day, reps)| format!("{}: {1} of {1}", &day[..7], reps.len()))
        .collect();
    let all = planted.concat().len();
    assert!(
        out.contains(&format!("It covers {all} of {all} approvals ({}), and 0 of ", counts.join(", "))),
        "{out}"
    );
    // Nobody else is proposed anything: every approval is covered.
    assert!(!out.contains("\n2. "), "{out}");
    // January is over: what those approved attained is told, to the cent.
    let list = planted[0].iter().map(|rep| format!("'{rep}'")).collect::<Vec<_>>().join(", ");
    let attained = one(
        &tool,
        &format!(
            "SELECT round(100 * sum(m.attained) / sum(CAST(q.quota AS DOUBLE)), 1) FROM mart.rep_measure m
             JOIN mart.quota q ON q.as_of = m.as_of AND q.rep_id = m.rep_id
             WHERE m.as_of = DATE '{}' AND m.rep_id IN ({list})",
            DAYS[0]
        ),
    );
    let january =
        out.lines().find(|line| line.trim_start().starts_with("2026-01  ") && line.contains("quota"));
    assert!(january.unwrap().contains(&format!("{attained} % of quota")), "{out}\n{attained}");
    assert!(out.contains("2026-02  not over"), "{out}");
    accept(&tool, &planted[1]);
}

/// Accepts the first proposal of the lake, and looks at what became of it.
fn accept(tool: &Tool, newest: &[String]) {
    std::fs::write(tool.path("rules.txt"), "always set attainment weight to 1.1").unwrap();
    tool.run(&["adjust", "suggest", "--accept", "2", "--to", "rules.txt", "--by", "boss"])
        .failed(1, "error: --accept 2: there is no such proposal; there are 1, from 1 on");
    tool.run(&["adjust", "suggest", "--accept", "1", "--by", "boss"])
        .failed(1, "error: name a file of rules with --to, or set rules = \"FILE\" in the configuration");
    let shown = suggest(tool);
    tool.run(&["adjust", "suggest", "--accept", "1", "--to", "rules.txt", "--by", "boss"]).succeeded();
    let text = std::fs::read_to_string(tool.path("rules.txt")).unwrap();
    assert!(text.starts_with("always set attainment weight to 1.1\n\n# Accepted by boss"), "{text}");
    assert!(
        text.contains("\nowner: boss\nvalid: 2026-02-15 to 2027-02-14\nwhen average order value"),
        "{text}"
    );
    assert!(newest.iter().all(|rep| text.contains(&format!("# 02-{rep} {rep} 2026-02 "))), "{text}");
    let checked = tool.run(&["rules", "check", "rules.txt"]).succeeded().out;
    assert_eq!(checked, "rules.txt: 2 rules, nothing wrong\n");
    // Whom it would have touched is what `rules test` says.
    let always = text.replace("valid: 2026-02-15 to 2027-02-14\n", "");
    std::fs::write(tool.path("always.txt"), always).unwrap();
    let tested = tool.run(&["rules", "test", "always.txt"]).succeeded().out;
    let february = tested.lines().rfind(|line| line.trim_start().starts_with("2026-02")).unwrap();
    assert!(shown.contains(february), "{shown}\n{february}");
    // What a rule does already isn't proposed again.
    std::fs::write(tool.path("ruled.toml"), "rules = \"rules.txt\"\n").unwrap();
    let again = tool.run(&["--config", "ruled.toml", "adjust", "suggest"]).succeeded().out;
    let done = "nothing to propose: to lower, the rule lower-by-average-order-value does it already\n";
    assert_eq!(again, done);
}

#[test]
fn neither_a_pattern_of_one_period_nor_none_is_proposed() {
    let tool = published();
    // To raise: the pattern in January, and in February two of those for whom it does not hold.
    let planted = reps(&tool, DAYS[0], "average_order_value >= 3250");
    approve(&tool, DAYS[0], &planted, |_| Change::Percent(15.0));
    let rest = reps(&tool, DAYS[1], "average_order_value < 3250");
    let scattered: Vec<String> = rest.iter().step_by(rest.len() / 2).take(2).cloned().collect();
    approve(&tool, DAYS[1], &scattered, |_| Change::Percent(15.0));
    let raised = planted.len() + scattered.len();
    // To lower: every fifth rep of those left, which says nothing of any of them.
    let mut lowered = 0;
    for (day, taken) in DAYS.iter().zip([&planted, &scattered]) {
        let all = reps(&tool, day, "true").into_iter().filter(|rep| !taken.contains(rep));
        let every: Vec<String> = all.step_by(5).collect();
        approve(&tool, day, &every, |_| Change::Percent(-10.0));
        lowered += every.len();
    }
    let nothing = format!(
        "nothing to propose: to lower, no condition tells the {lowered} approvals from the other reps; \
         to raise, no condition tells the {raised} approvals from the other reps\n"
    );
    assert_eq!(suggest(&tool), nothing);
}
