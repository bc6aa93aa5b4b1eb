//! The ranges of values.

use engine::settings::Skill;

use super::Config;

/// Says which value is out of its range, and what the range is.
pub(super) fn check(config: &Config) -> Result<(), String> {
    engine::time::Zone::new(&config.timezone)
        .map(|_| ())
        .map_err(|message| format!("timezone: {message}"))?;
    let rules = numbers(config).into_iter().chain(elasticity(config)).chain(shapes(config));
    let rules = rules
        .chain(live(config))
        .chain(config.serve.rules())
        .chain(config.trace.rules())
        .chain(config.serve.pg.rules())
        .chain(config.model.rules());
    for (key, holds, right) in rules {
        if !holds {
            return Err(format!("{key} must be {right}"));
        }
    }
    config.schedule.check()?;
    super::webhook::check(&config.serve.webhook)?;
    routing(&config.routing.skill)?;
    for (name, component) in components(config) {
        if !component.anchors.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err(format!("process.{name}.anchors must be four ascending numbers"));
        }
        if !(component.weight.is_finite() && component.weight >= 0.0) {
            return Err(format!("process.{name}.weight must be a number of 0 or more"));
        }
    }
    if components(config).iter().map(|(_, component)| component.weight).sum::<f64>() <= 0.0 {
        return Err("process: at least one component must have a weight above 0".to_owned());
    }
    Ok(())
}

/// What is wrong with the skills of routing.
fn routing(skills: &[Skill]) -> Result<(), String> {
    for (place, skill) in skills.iter().enumerate() {
        let wrong = |what: &str| Err(format!("routing.skill {}: {what}", place + 1));
        if skill.attribute.trim().is_empty() {
            return wrong("attribute must name an attribute of lead.created, such as \"source\"");
        }
        if skill.values.is_empty() {
            return wrong("values must name at least one value of the attribute");
        }
        if skill.teams.is_empty() && skill.roles.is_empty() && skill.reps.is_empty() {
            return wrong("teams, roles or reps must name who has the skill");
        }
    }
    Ok(())
}

pub(super) type Rule = (&'static str, bool, &'static str);

fn live(config: &Config) -> Vec<Rule> {
    vec![
        ("live.emit_seconds", (0.0..=3_600.0).contains(&config.live.emit_seconds), "between 0 and 3,600"),
        (
            "live.refresh_seconds",
            (0.1..=86_400.0).contains(&config.live.refresh_seconds),
            "between 0.1 and 86,400",
        ),
        ("live.memory_mib", (1..=1_048_576).contains(&config.live.memory_mib), "between 1 and 1,048,576"),
        (
            "live.alert_topic",
            !config.live.alert_topic.is_empty() && config.live.alert_topic != config.live.quota_topic,
            "the name of another topic than live.quota_topic",
        ),
        ("live.quota_topic", !config.live.quota_topic.is_empty(), "the name of a topic"),
    ]
}

fn elasticity(config: &Config) -> Vec<Rule> {
    let factor = &config.factor;
    let positive = |value: f64| value.is_finite() && value > 0.0;
    vec![
        ("factor.heat_hysteresis", (0.0..=1_000.0).contains(&factor.heat_hysteresis), "between 0 and 1,000"),
        ("factor.attainment_weight_cold", positive(factor.attainment_weight_cold), "above 0"),
        (
            "factor.attainment_points_cold",
            (0.0..=1_000.0).contains(&factor.attainment_points_cold),
            "between 0 and 1,000",
        ),
    ]
}

fn numbers(config: &Config) -> Vec<Rule> {
    let (health, lead, quota, process) = (&config.health, &config.lead, &config.quota, &config.process);
    let lifecycle = &config.lifecycle;
    let share = |value: f64| (0.0..=1.0).contains(&value);
    let positive = |value: f64| value.is_finite() && value > 0.0;
    vec![
        ("health.overdue_after_hours", health.overdue_after_hours >= 0, "0 or more"),
        ("health.overdue_days_max", health.overdue_days_max >= 0, "0 or more"),
        ("health.amber_below", health.red_below <= health.amber_below, "at least health.red_below"),
        ("health.dense_touches", health.dense_touches >= 1, "1 or more"),
        ("lead.sla_seconds", lead.sla_seconds > 0, "above 0"),
        ("lead.escalation_seconds", lead.escalation_seconds >= lead.sla_seconds, "at least lead.sla_seconds"),
        ("lead.activity_half_life_days", positive(lead.activity_half_life_days), "above 0"),
        ("lead.activity_half", positive(lead.activity_half), "above 0"),
        ("lead.mql", lead.mql.iter().all(|&value| share(value)), "three numbers between 0 and 1"),
        (
            "lead.conversion_amber_below",
            share(lead.conversion_red_below)
                && share(lead.conversion_amber_below)
                && lead.conversion_red_below <= lead.conversion_amber_below,
            "between lead.conversion_red_below and 1",
        ),
        ("lead.conversion_alert_weeks", lead.conversion_alert_weeks >= 1, "1 or more"),
        ("pipeline.stuck_days", config.pipeline.stuck_days >= 0, "0 or more"),
        ("process.amber_below", process.red_below <= process.amber_below, "at least process.red_below"),
        ("lifecycle.new_days", lifecycle.new_days >= 0, "0 or more"),
        ("lifecycle.interval_days", positive(lifecycle.interval_days), "above 0"),
        (
            "lifecycle.lost_intervals",
            positive(lifecycle.at_risk_intervals) && lifecycle.lost_intervals >= lifecycle.at_risk_intervals,
            "at least lifecycle.at_risk_intervals, which is above 0",
        ),
        (
            "quota.attain_probability",
            quota.attain_probability > 0.0 && quota.attain_probability < 1.0,
            "between 0 and 1, both excluded",
        ),
        ("quota.floor_share", quota.floor_share >= 0.0 && quota.floor_share.is_finite(), "0 or more"),
        (
            "quota.ceiling_share",
            positive(quota.ceiling_share) && quota.ceiling_share >= quota.floor_share,
            "above 0 and at least quota.floor_share",
        ),
        ("ltv.margin_rate", share(config.ltv.margin_rate), "between 0 and 1"),
        ("quota.daily_move_max", positive(quota.daily_move_max), "above 0"),
        ("quota.fairness_tolerance", share(quota.fairness_tolerance), "between 0 and 1"),
        ("quota.history_months", (1..=240).contains(&quota.history_months), "between 1 and 240"),
        ("ingest.commit_rows", config.ingest.commit_rows >= 1, "1 or more"),
        ("ingest.threads", config.ingest.threads <= 1_024, "at most 1,024"),
        ("ingest.rejected_share_warning", share(config.ingest.rejected_share_warning), "between 0 and 1"),
        ("kafka.commit_rows", config.kafka.commit_rows >= 1, "1 or more"),
        (
            "kafka.commit_seconds",
            (0.0..=86_400.0).contains(&config.kafka.commit_seconds),
            "between 0 and 86,400",
        ),
        ("kafka.memory_mib", (16..=1_048_576).contains(&config.kafka.memory_mib), "between 16 and 1,048,576"),
        ("kafka.connect_seconds", (1..=3_600).contains(&config.kafka.connect_seconds), "between 1 and 3,600"),
        ("kafka.give_up_seconds", config.kafka.give_up_seconds <= 604_800, "at most 604,800"),
        ("kafka.rejected_share_stop", share(config.kafka.rejected_share_stop), "between 0 and 1"),
        ("kafka.group", !config.kafka.group.trim().is_empty(), "the name of a group"),
        ("maintain.keep_days", config.maintain.keep_days >= 1, "1 or more"),
    ]
}

fn shapes(config: &Config) -> Vec<Rule> {
    let pipeline = &config.pipeline;
    let names: Vec<&String> = pipeline.stages.iter().flatten().collect();
    let unique: std::collections::BTreeSet<&String> = names.iter().copied().collect();
    let finite =
        |table: &std::collections::BTreeMap<String, f64>| table.values().all(|value| value.is_finite());
    vec![
        ("lake", !config.lake.trim().is_empty(), "the name of a folder"),
        ("pipeline.stages", !pipeline.stages.is_empty(), "at least one group of names"),
        (
            "pipeline.stages",
            pipeline.stages.iter().all(|group| !group.is_empty()),
            "groups of one name or more",
        ),
        ("pipeline.stages", unique.len() == names.len(), "names that each stand in one group only"),
        (
            "pipeline.win_chance",
            pipeline.win_chance.iter().all(|chance| (0.0..=1.0).contains(chance)),
            "numbers between 0 and 1",
        ),
        ("factor.heat_weight", finite(&config.factor.heat_weight), "finite numbers"),
        ("factor.beta", finite(&config.factor.beta), "finite numbers"),
    ]
}

fn components(config: &Config) -> [(&'static str, engine::settings::Component); 6] {
    let process = &config.process;
    [
        ("response_timeliness", process.response_timeliness),
        ("discovery_depth", process.discovery_depth),
        ("solution_match", process.solution_match),
        ("visit_frequency", process.visit_frequency),
        ("opportunity_velocity", process.opportunity_velocity),
        ("interaction_depth", process.interaction_depth),
    ]
}
