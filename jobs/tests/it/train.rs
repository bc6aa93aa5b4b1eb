//! `tideline train` on a generated lake: what comes into use when, what a day publishes then, and how far what was learnt
//! is from what the generator drew by.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate};
use models::tabular::{Measures, measure};
use serde_json::Value;

use crate::tool::Tool;

/// The day that training looks from; the data goes on for 45 days after it.
const DAY: &str = "2026-02-14";
const BEFORE: &str = "2026-02-13";
/// Days judged by the truth: each is a fortnight after the other, so that hardly a lead is open on two of them.
const JUDGED: [&str; 2] = ["2026-02-14", "2026-02-28"];
/// How far below the oracle's AUC, and above its log loss, a model may be.
const REGRET_AUC: f64 = 0.04;
const REGRET_LOG_LOSS: f64 = 0.06;

fn generated() -> Tool {
    // Fewer rows than there are: the test shall not take minutes.
    let tool =
        Tool::new().variable("TIDELINE_MODEL__STEP_DAYS", "10").variable("TIDELINE_MODEL__ROWS_MAX", "2500");
    let scale = ["--reps", "40", "--customers", "200", "--days", "200", "--events-per-day", "450"];
    let rest = ["--leads", "3600", "--seed", "11", "--clean", "--out", "data"];
    tool.run(&[&["generate"][..], &scale, &rest].concat()).succeeded();
    for stream in ["crm.rep", "crm.customer", "crm.region", "crm.plan", "crm.calendar", "market_factor"] {
        let file = format!("data/{stream}.ndjson");
        tool.run(&["ingest", "--stream", stream, "--from", &file]).succeeded();
    }
    tool.run(&["ingest", "--stream", "behaviour", "--from", "data/behaviour"]).succeeded();
    tool
}

fn ask(tool: &Tool, query: &str) -> String {
    tool.run(&["sql", "--format", "csv", "-c", query]).succeeded().out
}

fn daily(tool: &Tool, day: &str) -> String {
    let said = tool.run(&["daily", "--as-of", day]).succeeded().out;
    assert!(said.starts_with(&format!("{day}: published run ")), "{said}");
    said.split_whitespace().nth(3).unwrap().to_owned()
}

#[test]
fn a_model_is_fitted_judged_used_and_taken_back() {
    let tool = generated();
    too_little_history_changes_nothing(&tool);
    daily(&tool, BEFORE);
    let without = daily(&tool, DAY);
    let query = format!(
        "SELECT DISTINCT basis FROM factor WHERE as_of = DATE '{DAY}' AND factor = 'mean_lead_score'"
    );
    assert!(ask(&tool, &query).contains("heuristic"));
    let said = tool.run(&["train", "--as-of", DAY]).succeeded().out;
    assert!(said.contains("MODEL of lead ") && said.contains("MODEL of win "), "{said}");
    assert_eq!(said.matches(&format!("in use from {DAY} on")).count(), 4, "{said}");
    assert!(said.contains("MODEL of index ") && said.contains("the index as it is: off by "), "{said}");
    assert!(said.contains("MODEL of customer ") && said.contains("the rate by stage of life"), "{said}");
    let listed = tool.run(&["model", "list"]).succeeded().out;
    assert_eq!(listed.matches("in use").count(), 4, "{listed}");
    let lead = listed.lines().find(|line| line.contains("lead")).unwrap()[..16].to_owned();
    let with = daily(&tool, DAY);
    assert_ne!(with, without);
    open_leads_have_scores_that_add_up(&tool, &lead);
    open_opportunities_have_chances(&tool);
    customers_have_a_value(&tool);
    indices_are_forecast(&tool);
    a_day_before_the_model_has_none(&tool);
    the_same_training_is_found(&tool);
    learnt_is_near_what_was_drawn_by(&tool);
    indices_were_forecast_better_than_to_stay(&tool);
    comes_out_again(&tool, &["--as-of", BEFORE]);
    comes_out_again(&tool, &["--as-of", DAY]);
    comes_out_again(&tool, &[&without]);
    what_is_taken_back_is_gone(&tool, &lead, &without);
    with_other_models_nothing_is_replayed(&tool, &with, &lead);
}

fn too_little_history_changes_nothing(tool: &Tool) {
    let said = tool.run(&["train", "--as-of", "2025-10-01"]).succeeded().out;
    assert!(said.contains("NO MODEL as of 2025-10-01: 0 looks at open leads"), "{said}");
    let wrong = tool.run(&["train", "--as-of", "2020-01-01"]);
    wrong.failed(1, "error: the lake has no events up to 2020-01-01; `tideline ingest` takes some in");
    assert_eq!(tool.run(&["model", "list"]).succeeded().out, "no model yet; `tideline train` fits one\n");
    let wrong = tool.run(&["model", "rollback"]);
    wrong.failed(1, "error: no model of lead is in use; `tideline train` fits one");
    assert_eq!(ask(tool, "SELECT count(*) AS n FROM ops.model"), "n\n0\n");
}

fn open_leads_have_scores_that_add_up(tool: &Tool, model: &str) {
    let on = format!("as_of = DATE '{DAY}'");
    let off = format!(
        "WITH terms AS (SELECT *, unnest(reasons) AS reason FROM lead_score WHERE {on}),
         sums AS (SELECT lead_id, p_convert, intercept, sum(reason['contribution']) AS s FROM terms GROUP BY 1, 2, 3)
         SELECT count(*) > 100 AND max(abs(ln(p_convert / (1 - p_convert)) - intercept - s)) < 1e-9 AS adds_up FROM sums"
    );
    assert_eq!(ask(tool, &off), "adds_up\ntrue\n");
    let sound = format!(
        "SELECT bool_and(low <= p_convert AND p_convert <= high AND 0 < p_convert AND p_convert < 1
                AND abs(score - 100 * p_convert) < 1e-9 AND model_id = '{model}'
                AND grade = CASE WHEN high >= 0.4 THEN 'A' WHEN high >= 0.2 THEN 'B' WHEN high >= 0.08 THEN 'C' ELSE 'D' END
                AND grade_unsure = (grade <> CASE WHEN low >= 0.4 THEN 'A' WHEN low >= 0.2 THEN 'B' WHEN low >= 0.08 THEN 'C' ELSE 'D' END)
            ) AS sound FROM lead_score WHERE {on}"
    );
    assert_eq!(ask(tool, &sound), "sound\ntrue\n");
    // Exactly the leads of the last thirty days that are open have a score, and older ones beside.
    let missing = format!(
        "SELECT count(*) AS n FROM lead l LEFT JOIN lead_score s ON s.lead_id = l.lead_id AND s.{on}
         WHERE l.{on} AND (s.lead_id IS NULL) <> (l.stage IN ('converted', 'lost', 'disqualified'))"
    );
    assert_eq!(ask(tool, &missing), "n\n0\n");
    let factor = format!(
        "SELECT bool_and(basis = 'model' AND (raw IS NULL OR abs(raw - mean) < 1e-9)) AS same FROM
         (SELECT f.basis, f.raw, avg(s.score) AS mean FROM factor f
          LEFT JOIN lead_score s ON s.rep_id = f.rep_id AND s.{on}
          WHERE f.{on} AND f.factor = 'mean_lead_score' GROUP BY f.rep_id, f.basis, f.raw)
         WHERE basis <> 'no data'"
    );
    assert_eq!(ask(tool, &factor), "same\ntrue\n");
    tool.run(&["export", "--table", "lead_score", "--as-of", DAY, "--to", "scores.parquet"]).succeeded();
    tool.run(&["export", "--table", "ops.model", "--to", "models.csv"]).succeeded();
}

fn open_opportunities_have_chances(tool: &Tool) {
    let on = format!("as_of = DATE '{DAY}'");
    let sound = format!(
        "SELECT count(*) > 50 AND bool_and(open = (p_win IS NOT NULL) AND open = (win_model_id IS NOT NULL)
             AND (p_win IS NULL OR (p_win >= 0 AND p_win < 1))
             AND (p_win IS NULL) = (p_win_low IS NULL) AND (p_win IS NULL) = (p_win_high IS NULL)
             AND (p_win IS NULL OR (0 <= p_win_low AND p_win_low <= p_win AND p_win <= p_win_high AND p_win_high < 1))
             AND (p_win IS NULL OR p_win = 0 OR (p_win_low < p_win_high AND p_win_high - p_win_low < 0.6))
             AND (expected_close IS NULL OR (open AND expected_close > as_of))) AS sound
         FROM opportunity WHERE {on}"
    );
    assert_eq!(ask(tool, &sound), "sound\ntrue\n");
    // The last stage is nearer to its win than the first.
    let order = format!(
        "SELECT avg(p_win) FILTER (WHERE stage = 'contract') > 5 * avg(p_win) FILTER (WHERE stage = 'prospecting') AS later
         FROM opportunity WHERE {on} AND open"
    );
    assert_eq!(ask(tool, &order), "later\ntrue\n");
    let factor = format!(
        "SELECT bool_and(abs(raw - worth) < 0.01) AS same FROM
         (SELECT f.raw, coalesce(sum(o.p_win * CAST(o.amount AS DOUBLE)), 0) AS worth FROM factor f
          LEFT JOIN opportunity o ON o.rep_id = f.rep_id AND o.open AND o.{on}
          WHERE f.{on} AND f.factor = 'weighted_pipeline' AND f.basis = 'model' GROUP BY f.rep_id, f.raw)"
    );
    assert_eq!(ask(tool, &factor), "same\ntrue\n");
    // They are in the forecast, as a term of their own, and the factor counts no second time.
    let term = format!(
        "SELECT bool_and(q.leans_on LIKE '%, pipeline') AS leans, bool_or(e.amount <> 0) AS moves FROM mart.quota q
         JOIN mart.quota_explanation e ON e.rep_id = q.rep_id AND e.as_of = q.as_of
         WHERE q.{on} AND e.kind = 'level' AND e.term = 'pipeline'"
    );
    assert_eq!(ask(tool, &term), "leans,moves\ntrue,true\n");
    let idle = format!(
        "SELECT bool_and(effect = 1) AS idle FROM factor WHERE {on} AND factor = 'weighted_pipeline' AND basis = 'model'"
    );
    assert_eq!(ask(tool, &idle), "idle\ntrue\n");
}

/// Whoever has ordered in the last year is worth something, in the order in which orders are to be expected.
fn customers_have_a_value(tool: &Tool) {
    let on = format!("as_of = DATE '{DAY}'");
    let sound = format!(
        "SELECT count(ltv_3y) > 50 AND bool_and((ltv_3y IS NULL) = (orders_365d = 0) AND (ltv_3y IS NULL) = (p_order_30d IS NULL)
             AND (ltv_3y IS NULL) = (ltv_model_id IS NULL) AND (ltv_3y IS NULL OR (ltv_3y > 0 AND p_order_30d > 0 AND p_order_30d < 1))
             -- At most as many orders as the steps and the interval allow, a third more of each, at 30 percent.
             AND (ltv_3y IS NULL OR ltv_3y <= 0.3 * average_order_value * 36.5 * 1.5 * greatest(1, 30 / greatest(1, coalesce(repurchase_interval_days, 30)))))
         AS sound FROM customer_health WHERE {on}"
    );
    assert_eq!(ask(tool, &sound), "sound\ntrue\n");
    // As many order in the thirty days to come as was said, and rather those of whom it was said.
    let came = format!(
        "WITH came AS (SELECT DISTINCT customer_id AS id FROM raw.behaviour WHERE event_type = 'order.placed'
             AND event_date > DATE '{DAY}' AND event_date <= DATE '{DAY}' + INTERVAL '30' DAY),
         said AS (SELECT p_order_30d AS p, id IS NOT NULL AS ordered FROM customer_health
             LEFT JOIN came ON id = customer_id WHERE {on} AND p_order_30d IS NOT NULL)
         SELECT abs(avg(p) - avg(CASE WHEN ordered THEN 1.0 ELSE 0.0 END)) < 0.05 AS near,
             avg(p) FILTER (WHERE ordered) > 1.1 * avg(p) FILTER (WHERE NOT ordered) AS tells FROM said"
    );
    assert_eq!(ask(tool, &came), "near,tells\ntrue,true\n");
}

/// Every rep with an index has a forecast of it, whose interval contains it.
fn indices_are_forecast(tool: &Tool) {
    let sound = format!(
        "SELECT count(p_red_14d) > 20 AND bool_and((p_red_14d IS NULL OR process_health IS NOT NULL)
             AND (p_red_14d IS NULL) = (forecast_model_id IS NULL) AND (p_red_14d IS NULL OR (p_red_14d > 0 AND p_red_14d < 1
             AND 0 <= process_health_14d_low AND process_health_14d_low <= process_health_14d
             AND process_health_14d <= process_health_14d_high AND process_health_14d_high <= 100)))
         AS sound FROM process_health WHERE as_of = DATE '{DAY}' AND scope = 'rep'"
    );
    assert_eq!(ask(tool, &sound), "sound\ntrue\n");
}

/// Of the index a fortnight later, which training had not seen: a fortnight of holidays, hence the wide tolerance.
fn indices_were_forecast_better_than_to_stay(tool: &Tool) {
    let came = format!(
        "SELECT avg(abs(f.process_health_14d - l.process_health)) < avg(abs(f.process_health - l.process_health)) AS nearer,
             abs(avg(CASE WHEN l.process_health BETWEEN f.process_health_14d_low AND f.process_health_14d_high
                 THEN 1.0 ELSE 0.0 END) - 0.8) < 0.2 AS held,
             abs(avg(f.p_red_14d) - avg(CASE WHEN l.color = 'red' THEN 1.0 ELSE 0.0 END)) < 0.2 AS near
         FROM process_health f JOIN process_health l ON l.scope = f.scope AND l.scope_id = f.scope_id
         WHERE f.as_of = DATE '{}' AND l.as_of = DATE '{}' AND f.scope = 'rep' AND f.p_red_14d IS NOT NULL",
        JUDGED[0], JUDGED[1]
    );
    assert_eq!(ask(tool, &came), "nearer,held,near\ntrue,true,true\n");
}

/// What came later is not used for a day before it, whose run stays what it was.
fn a_day_before_the_model_has_none(tool: &Tool) {
    let again = tool.run(&["daily", "--as-of", BEFORE]).succeeded().out;
    assert!(again.starts_with(&format!("{BEFORE}: the same inputs were published before")), "{again}");
    let rows = format!("SELECT count(*) AS n FROM lead_score WHERE as_of = DATE '{BEFORE}'");
    assert_eq!(ask(tool, &rows), "n\n0\n");
    for nulls in [
        "p_win) AS n FROM opportunity",
        "p_win_low) AS n FROM opportunity",
        "ltv_3y) AS n FROM customer_health",
        "p_red_14d) AS n FROM process_health",
    ] {
        let nulls = format!("SELECT count({nulls} WHERE as_of = DATE '{BEFORE}'");
        assert_eq!(ask(tool, &nulls), "n\n0\n");
    }
    let wrong = tool.run(&["train", "--as-of", BEFORE]);
    assert_eq!(wrong.status, 1);
    assert!(wrong.err.contains("was fitted as of 2026-02-14, after 2026-02-13"), "{}", wrong.err);
}

fn the_same_training_is_found(tool: &Tool) {
    let entries = ask(tool, "SELECT count(*) AS n FROM ops.model");
    let said = tool.run(&["train", "--as-of", DAY]).succeeded().out;
    assert_eq!(said.matches("the same model was recorded before; nothing to do").count(), 4, "{said}");
    assert_eq!(ask(tool, "SELECT count(*) AS n FROM ops.model"), entries);
}

/// With the models that the run used, or with none where it used none.
fn comes_out_again(tool: &Tool, run: &[&str]) {
    let said = tool.run(&[&["replay"], run].concat()).succeeded().out;
    assert!(!said.contains("differ"), "{said}");
}

/// The model of leads is in use but not what it was, that of wins is taken back.
fn with_other_models_nothing_is_replayed(tool: &Tool, run: &str, lead: &str) {
    let replayed = tool.run(&["replay", run]);
    replayed.failed(1, &format!("error: run {run} can't be replayed: 4 of its inputs are missing"));
    let said = tool.run(&["replay", run]).out;
    assert!(said.contains(&format!("the model {lead} can't be used: ")), "{said}");
    for other in ["win", "customer", "index"] {
        assert!(said.contains(&format!("the run used the {other} model ")), "{said}");
    }
    assert!(
        said.contains(&format!(", and none is in use for {DAY} now; `tideline model promote ")),
        "{said}"
    );
}

fn what_is_taken_back_is_gone(tool: &Tool, lead: &str, without: &str) {
    let said = tool.run(&["model", "rollback"]).succeeded().out;
    assert_eq!(said, format!("{lead} is taken back; none is in use\n"));
    for other in ["win", "customer", "index"] {
        tool.run(&["model", "rollback", "--of", other]).succeeded();
    }
    // The same inputs without a model are the run that they were.
    assert_eq!(daily(tool, DAY), without);
    let said = tool.run(&["model", "promote", &lead[..6]]).succeeded().out;
    assert_eq!(said, format!("{lead} is in use, from {DAY} on\n"));
    assert!(tool.run(&["model", "show", lead]).succeeded().out.contains("promoted by hand"));
    let wrong = tool.run(&["model", "show", "no-such"]);
    wrong.failed(1, "error: there is no model no-such; `tideline model list` lists them");
    // A model that was tampered with is not used.
    let path = tool.path(&format!("lake/_tideline/model/{lead}.json"));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("half_life_days", "half_life_dayz", 1)).unwrap();
    let wrong = tool.run(&["daily", "--as-of", DAY]);
    assert_eq!(wrong.status, 1);
    assert!(wrong.err.contains("its content has changed"), "{}", wrong.err);
}

/// What the files say of a lead.
#[derive(Default)]
struct Truth {
    p: f64,
    created: f64,
    answered: Option<f64>,
    qualified: Option<f64>,
    converted: Option<f64>,
}

/// Days since 1970 of an instant.
fn days(value: &Value) -> f64 {
    let at = DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap();
    f64::from(u32::try_from(at.timestamp()).unwrap()) / 86_400.0
}

fn truth(tool: &Tool) -> BTreeMap<String, Truth> {
    let lines = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap();
    let id = |row: &Value| row["lead_id"].as_str().unwrap_or_default().to_owned();
    let mut leads = BTreeMap::new();
    for line in lines(tool.path("data/truth/lead.ndjson")).lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let known = Truth { p: row["p_convert"].as_f64().unwrap(), ..Truth::default() };
        leads.insert(id(&row), known);
    }
    for entry in std::fs::read_dir(tool.path("data/behaviour")).unwrap() {
        for line in lines(entry.unwrap().path()).lines().filter(|line| line.contains("\"lead.")) {
            let row: Value = serde_json::from_str(line).unwrap();
            let Some(lead) = leads.get_mut(&id(&row)) else { continue };
            let at = days(&row["event_time"]);
            match row["event_type"].as_str().unwrap() {
                "lead.created" => lead.created = at,
                "lead.responded" => lead.answered = Some(at),
                "lead.qualified" => lead.qualified = Some(at),
                "lead.converted" => lead.converted = Some(at),
                _ => {}
            }
        }
    }
    leads
}

impl Truth {
    /// The chance of a conversion by the generator's own laws: qualified after 0.5 to 4 days, ended 1 to 12 days later; of
    /// those that don't convert, 35 % are lost then, 45 % disqualified when they would qualify, and 20 % stay open.
    fn oracle(&self, end: f64) -> f64 {
        if self.qualified.is_some_and(|at| at < end) {
            return self.p / (self.p + 0.35 * (1.0 - self.p));
        }
        let since = end - self.answered.map_or(self.created, |at| at.max(self.created));
        let waiting = ((4.0 - since) / 3.5).clamp(0.0, 1.0);
        let yes = self.p * waiting;
        yes / (yes + (1.0 - self.p) * (0.8 * waiting + 0.2))
    }
}

fn learnt_is_near_what_was_drawn_by(tool: &Tool) {
    let truth = truth(tool);
    let (mut learnt, mut oracle, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    for day in JUDGED {
        if day != DAY {
            daily(tool, day);
        }
        let next = day.parse::<NaiveDate>().unwrap() + Days::new(1);
        let end = days(&Value::from(format!("{next}T00:00:00+08:00")));
        let scores =
            ask(tool, &format!("SELECT lead_id, p_convert FROM lead_score WHERE as_of = DATE '{day}'"));
        for line in scores.lines().skip(1) {
            let (id, p) = line.split_once(',').unwrap();
            let lead = &truth[id];
            learnt.push(p.parse::<f64>().unwrap());
            oracle.push(lead.oracle(end).clamp(1e-4, 1.0 - 1e-4));
            labels.push(lead.converted.is_some_and(|at| at >= end && at < end + 30.0));
        }
    }
    let told = |what: &str, found: &Measures| {
        let auc = found.auc.unwrap();
        println!("{what}: AUC {auc:.4}, log loss {:.4}, ECE {:.4}", found.log_loss, found.ece);
        (auc, found.log_loss)
    };
    let positives = labels.iter().filter(|&&label| label).count();
    println!("{} open leads on {} days, of which {positives} convert in time", labels.len(), JUDGED.len());
    let (auc, loss) = told("learnt", &measure(&learnt, &labels));
    let (best_auc, best_loss) = told("oracle", &measure(&oracle, &labels));
    assert!(best_auc - auc < REGRET_AUC, "AUC {auc} of {best_auc}");
    assert!(loss - best_loss < REGRET_LOG_LOSS, "log loss {loss} of {best_loss}");
    // Of those that may still convert: the ranking that a rep works by.
    let open: Vec<usize> = (0..labels.len()).filter(|&row| oracle[row] > 0.02).collect();
    let of = |p: &[f64]| open.iter().map(|&row| p[row]).collect::<Vec<f64>>();
    let alive: Vec<bool> = open.iter().map(|&row| labels[row]).collect();
    println!("of these {} may still convert", alive.len());
    let (auc, loss) = told("learnt", &measure(&of(&learnt), &alive));
    let (best_auc, best_loss) = told("oracle", &measure(&of(&oracle), &alive));
    assert!(best_auc - auc < 2.0 * REGRET_AUC, "AUC {auc} of {best_auc}");
    assert!(loss - best_loss < 2.0 * REGRET_LOG_LOSS, "log loss {loss} of {best_loss}");
}
