//! What people do to quotas and ask of them: negotiate, try scenarios, replay, and look for causes.

use crate::tool::Tool;
use crate::world::{ask, everything_adds_up, one, world};

/// The sample with two days published, cheap to make: both in one month.
fn published() -> Tool {
    let tool = world();
    tool.run(&["daily", "--from", "2026-02-12", "--to", "2026-02-13"]).succeeded();
    tool
}

fn cents(text: &str) -> i64 {
    text.replace(['.', '+', ','], "").parse().unwrap()
}

/// The id that a request was given.
fn asked(tool: &Tool, arguments: &[&str]) -> String {
    let all = [&["adjust", "request", "--by", "rep", "--reason", "two months off"], arguments].concat();
    let out = tool.run(&all).succeeded().out;
    out.split_whitespace().nth(2).unwrap().trim_end_matches(',').to_owned()
}

fn run_id(tool: &Tool, day: &str) -> String {
    one(tool, &format!("SELECT DISTINCT run_id FROM mart.quota WHERE as_of = DATE '{day}'"))
}

/// How far the region above all others is from its plan; those below share what their limits leave them.
fn plans(tool: &Tool) -> Vec<Vec<String>> {
    let query = "SELECT region_id, plan, quota_total, difference FROM mart.quota_plan
                 WHERE as_of = DATE '2026-02-13' AND region_id = 'R'";
    ask(tool, query)
}

#[test]
fn an_approved_adjustment_pins_a_quota_and_its_siblings_pay_to_the_cent() {
    let tool = published();
    let (before, run) = (
        ask(
            &tool,
            "SELECT rep_id, quota, region_id FROM mart.quota WHERE as_of = DATE '2026-02-13' ORDER BY rep_id",
        ),
        run_id(&tool, "2026-02-13"),
    );
    let rep = before[0][0].clone();
    let pin = format!("{:.2}", before[0][1].parse::<f64>().unwrap() * 0.97);
    let id = asked(&tool, &["--rep", &rep, "--to", &pin]);
    let kept = plans(&tool);
    // Asking changes nothing.
    assert!(tool.run(&["daily", "--as-of", "2026-02-13"]).succeeded().out.contains("the same inputs"));
    assert_eq!(run_id(&tool, "2026-02-13"), run);
    // What the approver sees is what the next run does, for everybody.
    let seen = tool.run(&["adjust", "show", &id]).succeeded().out;
    tool.run(&["adjust", "approve", &id, "--by", "rep", "--yes"]).failed(
        1,
        &format!(
            "error: rep proposed these terms of request {id} and can't approve them; somebody else has to"
        ),
    );
    tool.run(&["adjust", "approve", &id, "--by", "boss"])
        .failed(1, "error: nobody is there to be asked: say --yes to approve without a question");
    let approved = tool.run(&["adjust", "approve", &id, "--by", "boss", "--yes"]).succeeded().out;
    assert!(approved.contains(seen.split("\n\n").nth(1).unwrap().trim_end()), "{approved}\n{seen}");
    tool.run(&["adjust", "approve", &id, "--by", "other", "--yes"]).failed(
        1,
        &format!(
            "error: request {id} was approved by boss already; nothing is decided twice, so ask anew with `tideline adjust request`"
        ),
    );
    tool.run(&["daily", "--as-of", "2026-02-13"]).succeeded();
    assert_ne!(run_id(&tool, "2026-02-13"), run);
    let after =
        ask(&tool, "SELECT rep_id, quota FROM mart.quota WHERE as_of = DATE '2026-02-13' ORDER BY rep_id");
    assert_eq!(after[0][1], pin);
    let mut paid = 0;
    for (old, new) in before.iter().zip(&after) {
        let change = cents(&new[1]) - cents(&old[1]);
        paid += change;
        if change != 0 {
            let line = seen.lines().find(|line| line.trim_start().starts_with(&old[0])).unwrap();
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(
                (cents(words[1]), cents(words[3]), cents(words[4])),
                (cents(&old[1]), cents(&new[1]), change)
            );
        }
    }
    assert_eq!((plans(&tool), paid), (kept, 0));
    let step = ask(
        &tool,
        "SELECT rep_id, request_id, approved_by, amount, after, beyond_plan FROM mart.quota_adjustment",
    );
    assert_eq!(step, [[rep.as_str(), &id, "boss", &pin, &pin, "false"]]);
    let told = tool.run(&["explain", "--rep", &rep]).succeeded().out;
    assert!(told.contains(&format!("the approved adjustment {id}")), "{told}");
    everything_adds_up(&tool);
    // The day before was published before the approval, and stays what it was.
    assert!(tool.run(&["daily", "--as-of", "2026-02-12"]).succeeded().out.contains("the same inputs"));
}

#[test]
fn an_adjustment_ends_with_its_time_and_beyond_plan_nobody_pays() {
    let tool = published();
    let reps =
        ask(&tool, "SELECT rep_id, quota FROM mart.quota WHERE as_of = DATE '2026-02-13' ORDER BY rep_id");
    let id =
        asked(&tool, &["--rep", &reps[0][0], "--percent", "-10", "--beyond-plan", "--until", "2026-02-14"]);
    tool.run(&["adjust", "counter", &id, "--by", "boss", "--percent", "-4", "--reason", "half a month"])
        .succeeded();
    tool.run(&["adjust", "comment", &id, "--by", "rep", "all right"]).succeeded();
    tool.run(&["adjust", "approve", &id, "--by", "boss", "--yes"]).failed(
        1,
        &format!(
            "error: boss proposed these terms of request {id} and can't approve them; somebody else has to"
        ),
    );
    tool.run(&["adjust", "approve", &id, "--by", "rep", "--yes"]).succeeded();
    tool.run(&["daily", "--from", "2026-02-13", "--to", "2026-02-15"]).succeeded();
    let steps = ask(
        &tool,
        "SELECT as_of, percent, abs(after - before * 0.96) < 0.006 FROM mart.quota_adjustment ORDER BY as_of",
    );
    assert_eq!(steps, [["2026-02-13", "-4.0", "true"], ["2026-02-14", "-4.0", "true"]]);
    let now =
        ask(&tool, "SELECT rep_id, quota FROM mart.quota WHERE as_of = DATE '2026-02-13' ORDER BY rep_id");
    assert_eq!(now[1..], reps[1..]);
    everything_adds_up(&tool);
    let gone = one(
        &tool,
        "SELECT count(*) FROM mart.quota_explanation WHERE as_of = DATE '2026-02-15' AND kind = 'change' AND term LIKE 'adjustment:%'",
    );
    assert_eq!(gone, "1");
    let events = ask(&tool, "SELECT kind, actor FROM ops.adjustment ORDER BY sequence");
    assert_eq!(events, [["request", "rep"], ["counter", "boss"], ["comment", "rep"], ["approve", "rep"]]);
    // What is over can't be approved any more.
    let late = asked(&tool, &["--rep", &reps[0][0], "--percent", "5", "--until", "2026-02-14"]);
    tool.run(&["adjust", "approve", &late, "--by", "boss", "--yes"]).failed(
        1,
        &format!("error: request {late} was to act until 2026-02-14, and 2026-02-15 is published already: it would change nothing"),
    );
}

#[test]
fn what_is_asked_wrongly_is_refused() {
    let tool = published();
    let rep = one(&tool, "SELECT min(rep_id) FROM mart.quota");
    let ask = |arguments: &[&str]| {
        tool.run(&[&["adjust", "request", "--by", "a", "--reason", "b"], arguments].concat())
    };
    ask(&["--rep", "r0001", "--to", "5"])
        .failed(1, "error: r0001 has no quota on the newest published day; did you mean r00001?");
    ask(&["--rep", &rep, "--to", "1.234"])
        .failed(1, "error: --to 1.234 is no amount above 0; write it like 120000 or 120000.50");
    ask(&["--rep", &rep, "--percent", "-100"])
        .failed(1, "error: --percent -100 is not between -100 and 500, or changes nothing");
    ask(&["--rep", &rep, "--to", "5", "--period", "2026-Q1"]).failed(
        1,
        "error: there is no period 2026-Q1; with the configured length it is written like 2026-02",
    );
    ask(&["--rep", &rep, "--to", "5", "--until", "2026-03-01"])
        .failed(1, "error: --until 2026-03-01 is not in 2026-02, which goes from 2026-02-01 to 2026-02-28");
    tool.run(&["adjust", "approve", "x", "--by", "a", "--yes"])
        .failed(1, "error: there is no request x; `tideline adjust list` shows them");
    assert_eq!(tool.run(&["adjust", "list"]).succeeded().out, "no requests\n");
}

#[test]
fn of_two_decisions_at_once_one_wins() {
    let tool = published();
    let rep = one(&tool, "SELECT min(rep_id) FROM mart.quota");
    let id = asked(&tool, &["--rep", &rep, "--percent", "-3"]);
    let names = ["a", "b", "c", "d"];
    let running: Vec<_> = names
        .iter()
        .map(|name| {
            let mut command = tool.command(&["adjust", "reject", &id, "--by", name]);
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    let statuses: Vec<i32> =
        running.into_iter().map(|mut child| child.wait().unwrap().code().unwrap()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 0).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [0, 1, 75].contains(status)), "{statuses:?}");
    assert_eq!(one(&tool, "SELECT count(*) FROM ops.adjustment WHERE kind = 'reject'"), "1");
}

#[test]
fn a_run_is_replayed_to_the_byte_or_says_what_is_missing() {
    let tool = published()
        .file("rules.txt", "name: busy\nwhen customers > 3 then raise quota by 5%\n")
        .file("other.toml", "rules = \"rules.txt\"\n[quota]\nattain_probability = 0.55\n");
    let rep = one(&tool, "SELECT min(rep_id) FROM mart.quota");
    let id = asked(&tool, &["--rep", &rep, "--percent", "-3"]);
    tool.run(&["adjust", "approve", &id, "--by", "boss", "--yes"]).succeeded();
    tool.run(&["--config", "other.toml", "daily", "--as-of", "2026-02-14"]).succeeded();
    // The lake goes on: more events, other settings, a superseded run, and maintenance that folds files.
    let event = data_samples::build::Event::new("deal.signed")
        .rep(&rep)
        .customer("c1")
        .amount("1.00")
        .at("2026-02-10T04:00:00Z")
        .to_json();
    std::fs::write(tool.path("late.ndjson"), format!("{event}\n")).unwrap();
    tool.run(&["ingest", "--stream", "behaviour", "--from", "late.ndjson"]).succeeded();
    for day in ["2026-02-12", "2026-02-13", "2026-02-14"] {
        let out = tool.run(&["replay", "--as-of", day]).succeeded().out;
        let total = out.lines().filter(|line| line.trim_start().starts_with("mart.")).count();
        assert!(
            total >= 21 && out.ends_with(&format!("{total} of {total} tables are the same to the byte\n")),
            "{out}"
        );
    }
    tool.run(&["lake", "maintain"]).succeeded();
    tool.run(&["replay", "--as-of", "2026-02-13"]).succeeded();
    assert!(!tool.path("lake/_tideline/scratch").read_dir().unwrap().any(|entry| entry.is_ok()));
    // A published file that was tampered with comes out differently.
    let run = run_id(&tool, "2026-02-13");
    let mart =
        |day: &str, run: &str| tool.path(&format!("lake/mart/quota/as_of={day}/run_id={run}/part-0.parquet"));
    let other = run_id(&tool, "2026-02-12");
    let kept = std::fs::read(mart("2026-02-13", &run)).unwrap();
    std::fs::copy(mart("2026-02-12", &other), mart("2026-02-13", &run)).unwrap();
    let answer = tool.run(&["replay", &run[..8]]);
    assert_eq!(answer.status, 1, "{}", answer.out);
    assert!(answer.out.contains("mart.quota ") && answer.out.contains("differs: column"), "{}", answer.out);
    std::fs::write(mart("2026-02-13", &run), kept).unwrap();
    // A raw file that is gone is named.
    let raw = tool.path("lake/crm/plan");
    let file = raw
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|ending| ending == "parquet"))
        .unwrap();
    std::fs::remove_file(&file).unwrap();
    let answer = tool.run(&["replay", "--as-of", "2026-02-13"]);
    answer.failed(1, &format!("error: run {run} can't be replayed: 1 of its inputs are missing"));
    assert!(answer.out.contains("crm.plan is no longer whole: 1 of its"), "{}", answer.out);
    tool.run(&["replay", "nothing"])
        .failed(1, "error: there is no published run nothing; SELECT as_of, run_id FROM ops.run lists them");
}

#[test]
fn a_scenario_that_changes_nothing_is_what_was_published_and_others_are_the_frame() {
    let tool = published()
        .file("same.toml", "[[scenario]]\nname = \"same\"\n")
        .file("sweep.toml", "[[scenario]]\nmarket_heat = \"80..120 step 5\"\ntau = [0.5, 0.6]\ndaily_move_max = 100\n")
        .file("staff.toml", "[[scenario]]\nleavers = [\"r00001\"]\nhires = [{ rep = \"neu\", region = \"R1\", tenure_months = 12 }]\nmoves = { r00002 = \"R2\" }\n")
        .file("plan.toml", "[[scenario]]\nplan.R = \"+3%\"\n");
    let whatif = |file: &str, out: &str| {
        tool.run(&["whatif", "--scenario", file, "--by", "rep", "--out", out]).succeeded();
        tool.path(out)
    };
    let rows = |path: &std::path::Path| -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
    };
    let same = rows(&whatif("same.toml", "same.csv"));
    assert!(same.len() > 3 && same.iter().all(|row| row[6] == "0.00"), "{same:?}");
    let published =
        ask(&tool, "SELECT rep_id, quota FROM mart.quota WHERE as_of = DATE '2026-02-13' ORDER BY rep_id");
    let reps: Vec<Vec<String>> =
        same.iter().filter(|row| row[1] == "rep").map(|row| vec![row[2].clone(), row[5].clone()]).collect();
    assert_eq!(reps, published);
    // Every combination; without a daily cap more heat is more to expect, and a lower chance a higher quota.
    let sweep = rows(&whatif("sweep.toml", "sweep.csv"));
    let company: Vec<&Vec<String>> = sweep.iter().filter(|row| row[1] == "company").collect();
    assert_eq!(company.len(), 18);
    let expected: Vec<i64> = company.iter().step_by(2).map(|row| cents(&row[7])).collect();
    assert!(expected.windows(2).all(|pair| pair[0] <= pair[1]) && expected[0] < expected[8], "{expected:?}");
    // A state that is really published with that setting is the same to the cent.
    std::fs::write(tool.path("tau.toml"), "[quota]\nattain_probability = 0.7\n").unwrap();
    std::fs::write(tool.path("tau_case.toml"), "[[scenario]]\ntau = 0.7\n").unwrap();
    let tried = rows(&whatif("tau_case.toml", "tau.csv"));
    tool.run(&["--config", "tau.toml", "daily", "--as-of", "2026-02-13"]).succeeded();
    let real =
        ask(&tool, "SELECT rep_id, quota FROM mart.quota WHERE as_of = DATE '2026-02-13' ORDER BY rep_id");
    let tried: Vec<Vec<String>> =
        tried.iter().filter(|row| row[1] == "rep").map(|row| vec![row[2].clone(), row[5].clone()]).collect();
    assert_eq!(tried, real);
    // People come, go and move, and plans hold all the same.
    let staff = rows(&whatif("staff.toml", "staff.csv"));
    let of = |id: &str| staff.iter().find(|row| row[2] == id).unwrap().clone();
    assert_eq!((of("r00001")[5].as_str(), of("r00001")[3].as_str()), ("0.00", "0"));
    assert!(cents(&of("neu")[5]) > 0);
    let plan = rows(&whatif("plan.toml", "plan.csv"));
    let region = plan.iter().find(|row| row[1] == "region" && row[2] == "R").unwrap();
    let target = one(
        &tool,
        "SELECT round(plan * 1.03, 2) FROM mart.quota_plan WHERE as_of = DATE '2026-02-13' AND region_id = 'R'",
    );
    assert_eq!(cents(&region[8]), cents(&target));
    assert_eq!(cents(&region[9]), cents(&region[5]) - cents(&region[8]));
    // Nothing of it was published.
    assert_eq!(one(&tool, "SELECT count(DISTINCT as_of) FROM mart.quota"), "2");
}

#[test]
fn a_scenario_with_somebody_unknown_is_refused_by_its_line() {
    let tool = published()
        .file("region.toml", "[[scenario]]\nmarket_heat.R9 = 90\n")
        .file("rep.toml", "[[scenario]]\nname = \"x\"\nleavers = [\"r0001\"]\n");
    let region = tool.run(&["whatif", "--scenario", "region.toml"]);
    assert_eq!(region.status, 1);
    assert!(
        region.err.contains("error: region.toml, line 2: market_heat.R9: there is no region R9"),
        "{}",
        region.err
    );
    tool.run(&["whatif", "--scenario", "rep.toml"])
        .failed(1, "error: rep.toml, line 3: leavers: no rep r0001 is on duty; did you mean r00001?");
    tool.run(&["whatif", "--scenario", "none.toml"])
        .failed(1, "error: the scenarios none.toml can't be read: No such file or directory (os error 2)");
}

#[test]
fn a_measures_change_is_split_into_mix_and_rate_that_add_up() {
    let tool = published();
    tool.run(&["daily", "--as-of", "2026-02-20"]).succeeded();
    for metric in [
        "process_health",
        "response_timeliness",
        "interaction_depth",
        "visit_frequency",
        "touch_density",
        "sla_share",
        "conversion",
        "revenue_per_rep",
        "attainment",
    ] {
        let out = tool
            .run(&["explain", "--region", "R", "--metric", metric, "--since", "2026-02-13"])
            .succeeded()
            .out;
        let head = out.lines().next().unwrap();
        let Some((_, total)) = head.rsplit_once(", ").filter(|(_, total)| total.starts_with(['+', '-']))
        else {
            panic!("{metric}: {out}");
        };
        let sums: Vec<&str> = out.lines().filter(|line| line.trim_start().starts_with("all ")).collect();
        assert!(!sums.is_empty() || cents(total) == 0, "{metric}: {out}");
        for sum in sums {
            let together = sum.split_whitespace().last().unwrap();
            assert_eq!(together.replace('–', "+0.000000"), total, "{metric}: {out}");
        }
    }
    // The value is the published one.
    let out = tool
        .run(&["explain", "--company", "--metric", "touch_density", "--since", "2026-02-13"])
        .succeeded()
        .out;
    let density = one(
        &tool,
        "SELECT touch_density FROM mart.touch_density WHERE scope = 'company' AND as_of = DATE '2026-02-20'",
    );
    let density: f64 = density.parse().unwrap();
    assert!(out.contains(&format!("{density:.6} on 2026-02-20")), "{out}");
    tool.run(&["explain", "--company", "--metric", "touch_densty"])
        .failed(1, "error: there is no measure touch_densty; did you mean touch_density?");
    let region = tool.run(&["explain", "--region", "R99", "--metric", "touch_density"]);
    assert!(region.status == 1 && region.err.contains("there is no region R99 as of"), "{}", region.err);
}

#[test]
fn a_market_between_the_thresholds_stays_what_it_was_the_day_before() {
    let tool = world()
        .file(
            "cold.toml",
            "[factor]\nheat_threshold = 900\nheat_hysteresis = 0\nattainment_points_cold = 20\n",
        )
        .file("between.toml", "[factor]\nheat_threshold = 0.1\nheat_hysteresis = 900\n")
        .file("wrong.toml", "[factor]\nheat_hysteresis = -1\n");
    let run = |config: &str, day: &str| tool.run(&["--config", config, "daily", "--as-of", day]).succeeded();
    let seen = |day: &str| {
        let query = format!(
            "SELECT DISTINCT e.cold, e.attainment_weight, e.attainment_points, q.attainment_weight FROM mart.elasticity e
             JOIN mart.quota q ON q.as_of = e.as_of AND q.region_id = e.region_id
             WHERE e.as_of = DATE '{day}' AND q.market_heat IS NOT NULL"
        );
        ask(&tool, &query)
    };
    run("between.toml", "2026-02-12");
    assert_eq!(seen("2026-02-12"), [["false", "1.0", "0.0", "1.0"]]);
    run("cold.toml", "2026-02-13");
    assert_eq!(seen("2026-02-13"), [["true", "1.2", "20.0", "1.2"]]);
    run("between.toml", "2026-02-14");
    assert_eq!(seen("2026-02-14"), [["true", "1.2", "0.0", "1.2"]]);
    tool.run(&["--config", "wrong.toml", "daily", "--as-of", "2026-02-14"])
        .failed(1, "error: wrong.toml: factor.heat_hysteresis must be between 0 and 1,000");
}
