//! What somebody should act on today, the most severe first.

mod ahead;

use std::collections::BTreeMap;

use crate::catalogue::{Catalogue, Flags};
use crate::error::Result;
use crate::mart::{Columns, Mart};
use crate::measure::customer::Color;
use crate::measure::funnel::Week;
use crate::measure::process::ProcessHealth;
use crate::measure::{at, ratio};
use crate::pipeline::marts::Measured;
use crate::pipeline::quotas::Quotas;
use crate::pipeline::stage::{Measures, Windows};
use crate::rule::{Action, Book, Language, Ruled, Severity};
use crate::settings::Settings;
use crate::tile::Tiles;
use crate::tile::keys::index;
use crate::time::{Day, Micros, Zone};

/// One alert.
pub(in crate::pipeline) struct Alert<'a> {
    pub(in crate::pipeline) rule: &'a str,
    pub(in crate::pipeline) severity: &'static str,
    scope: &'static str,
    pub(in crate::pipeline) scope_id: String,
    entity: Option<String>,
    since: Option<Micros>,
    pub(in crate::pipeline) message: String,
    pub(in crate::pipeline) evidence: String,
}

/// The most severe first.
const SEVERITIES: [&str; 3] = ["high", "medium", "low"];

impl Alert<'_> {
    /// What alerts are ordered by: the most severe first.
    fn place(&self) -> (Option<usize>, &str, &str, Option<&str>, Option<Micros>) {
        (
            SEVERITIES.iter().position(|severity| *severity == self.severity),
            self.rule,
            &self.scope_id,
            self.entity.as_deref(),
            self.since,
        )
    }
}

pub(super) fn alerts(day: &Measured<'_>, (quotas, book): (&Quotas, &Book), weeks: &[Week]) -> Result<Mart> {
    let Measured { tiles, windows, measures, settings, catalogue, zone, as_of, .. } = *day;
    let mut alerts = Vec::new();
    conversion(&mut alerts, windows, weeks, settings);
    process(&mut alerts, windows, measures);
    ahead::turning_red(&mut alerts, day);
    leads(&mut alerts, windows, measures, settings, zone, as_of);
    deals(&mut alerts, windows, measures, zone.end(as_of));
    customers(&mut alerts, tiles, windows, measures);
    derived(&mut alerts, measures, catalogue);
    fairness(&mut alerts, quotas);
    rules(&mut alerts, windows, quotas, book);
    alerts.sort_by(|a, b| Alert::place(a).cmp(&Alert::place(b)));
    Columns::default()
        .text(alerts.iter().map(|alert| alert.rule))
        .text(alerts.iter().map(|alert| alert.severity))
        .text(alerts.iter().map(|alert| alert.scope))
        .text(alerts.iter().map(|alert| alert.scope_id.as_str()))
        .maybe_text(alerts.iter().map(|alert| alert.entity.as_deref()))
        .time(alerts.iter().map(|alert| alert.since))
        .text(alerts.iter().map(|alert| alert.message.as_str()))
        .text(alerts.iter().map(|alert| alert.evidence.as_str()))
        .of("mart.alert")
}

/// Effective conversion under the red line for the configured weeks running; the running week doesn't count.
fn conversion(alerts: &mut Vec<Alert<'_>>, windows: &Windows, weeks: &[Week], settings: &Settings) {
    let mut by_scope: BTreeMap<Option<usize>, Vec<&Week>> = BTreeMap::new();
    for week in weeks {
        by_scope.entry(week.region).or_default().push(week);
    }
    for (region, weeks) in by_scope {
        let complete = &weeks[..weeks.len().saturating_sub(1)];
        let n = settings.lead.conversion_alert_weeks;
        let low = |week: &&&Week| {
            ratio(week.converted, week.effective)
                .is_some_and(|share| share < settings.lead.conversion_red_below)
        };
        let running = complete.iter().rev().take_while(low).count();
        if n > 0 && running >= n {
            let id = region
                .and_then(|region| windows.crm.regions.ids.get(region))
                .map_or("company", String::as_str);
            let last: Vec<String> = complete
                .iter()
                .rev()
                .take(n)
                .map(|week| format!("{} {}/{}", week.name, week.converted, week.effective))
                .collect();
            alerts.push(Alert {
                rule: "lead_conversion_low",
                severity: "high",
                scope: if region.is_some() { "region" } else { "company" },
                scope_id: id.to_owned(),
                entity: None,
                since: None,
                message: format!("effective lead conversion has been red for {running} weeks"),
                evidence: last.join("; "),
            });
        }
    }
}

fn process(alerts: &mut Vec<Alert<'_>>, windows: &Windows, measures: &Measures) {
    for ((scope, id), health) in windows.scopes.list.iter().zip(&measures.process) {
        alerts.extend(of_process(scope, id, health));
    }
}

/// The alert of a scope whose process health is red.
pub(in crate::pipeline) fn of_process(
    scope: &'static str,
    id: &str,
    health: &ProcessHealth,
) -> Option<Alert<'static>> {
    let (Some(Color::Red), Some(value)) = (health.color, health.index) else { return None };
    Some(Alert {
        rule: "process_health_red",
        severity: if scope == "rep" { "medium" } else { "high" },
        scope,
        scope_id: id.to_owned(),
        entity: None,
        since: None,
        message: format!("the process-health index is red at {value:.1}"),
        evidence: worst_component(health),
    })
}

fn worst_component(health: &ProcessHealth) -> String {
    let scored = health.components.iter().zip(crate::measure::COMPONENTS);
    let worst = scored
        .filter_map(|(component, name)| Some((component.score?, name, component)))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    worst.map_or_else(String::new, |(score, name, component)| {
        format!("{name} {score:.0} points: {} of {}", component.numerator, component.denominator)
    })
}

fn leads(
    alerts: &mut Vec<Alert<'_>>,
    windows: &Windows,
    measures: &Measures,
    settings: &Settings,
    zone: &Zone,
    as_of: Day,
) {
    let facts = &windows.facts;
    for (lead, number) in measures.leads.iter().zip(0_u32..) {
        let waiting = lead.answered_at.is_none() && lead.is_open(as_of) && lead.created_within(as_of, 30);
        if waiting && lead.escalated(zone.end(as_of), &settings.lead) {
            alerts.push(Alert {
                rule: "lead_unanswered",
                severity: "high",
                scope: "rep",
                scope_id: lead
                    .assignee
                    .and_then(|rep| facts.reps.get(rep))
                    .unwrap_or("unassigned")
                    .to_owned(),
                entity: facts.leads.get(number).map(str::to_owned),
                since: Some(lead.created_at),
                message: "a lead has not been answered and is escalated".to_owned(),
                evidence: format!("escalation after {} s", settings.lead.escalation_seconds),
            });
        }
    }
}

fn deals(alerts: &mut Vec<Alert<'_>>, windows: &Windows, measures: &Measures, end: Micros) {
    let facts = &windows.facts;
    for (deal, number) in measures.opportunities.iter().zip(0_u32..) {
        if measures.stages.is_stuck(deal, end) {
            alerts.push(Alert {
                rule: "opportunity_stuck",
                severity: "medium",
                scope: "rep",
                scope_id: deal.owner.and_then(|rep| facts.reps.get(rep)).unwrap_or("unassigned").to_owned(),
                entity: facts.opportunities.get(number).map(str::to_owned),
                since: Some(deal.stage_changed_at),
                message: format!("no stage change for {} days", deal.stage_age_days(end)),
                evidence: deal.stage.as_deref().unwrap_or_default().to_owned(),
            });
        }
    }
}

/// Customers at risk who are also red: those that a call today may keep.
fn customers(alerts: &mut Vec<Alert<'_>>, tiles: &Tiles, windows: &Windows, measures: &Measures) {
    use crate::measure::customer::Lifestage;
    let crm = &windows.crm;
    for customer in measures.customers.iter().filter(|customer| customer.stage == Lifestage::AtRisk) {
        if customer.color == Color::Red {
            let owner = crm.customers.owner[at(customer.key)].map(|rep| crm.reps[at(rep)].id.clone());
            alerts.push(Alert {
                rule: "customer_at_risk",
                severity: "medium",
                scope: "rep",
                scope_id: owner.unwrap_or_else(|| "unassigned".to_owned()),
                entity: Some(tiles.keys.id(index(customer.key)).to_owned()),
                since: customer.last_touch,
                message: "a customer at risk of leaving has red health".to_owned(),
                evidence: format!("health {}, {} days overdue", customer.health, customer.overdue_days),
            });
        }
    }
}

/// Derived events that the catalogue flags as a risk.
fn derived(alerts: &mut Vec<Alert<'_>>, measures: &Measures, catalogue: &Catalogue) {
    for event in &measures.derived {
        let Some((_, model)) =
            catalogue.get(&event.code).filter(|(_, model)| model.flags.contains(Flags::RISK))
        else {
            continue;
        };
        let [rep, customer, lead, opportunity] = &event.ids;
        alerts.push(Alert {
            rule: "derived_risk",
            severity: "medium",
            scope: "rep",
            scope_id: rep.clone().unwrap_or_else(|| "unassigned".to_owned()),
            entity: opportunity.as_ref().or(lead.as_ref()).or(customer.as_ref()).cloned(),
            since: Some(event.time),
            message: model.name_en.clone(),
            evidence: event.code.clone(),
        });
    }
}

/// Groups whose quotas are harder, or easier, than everyone's.
fn fairness(alerts: &mut Vec<Alert<'_>>, quotas: &Quotas) {
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let everyone = quotas.fairness.iter().find(|group| group.grouping == "company");
    let everyone = everyone.and_then(|group| group.fairness.p_attain).map(|chance| percent(chance.value));
    for group in quotas.fairness.iter().filter(|group| group.fairness.off) {
        let Some(chance) = group.fairness.p_attain else { continue };
        alerts.push(Alert {
            rule: "fairness_off",
            severity: "high",
            scope: group.grouping,
            scope_id: group.group_id.clone(),
            entity: None,
            since: None,
            message: format!(
                "the chance of reaching the quota is {} here and {} for everyone",
                percent(chance.value),
                everyone.as_deref().unwrap_or("unknown")
            ),
            evidence: format!(
                "{} reps, 95 % interval {} to {}",
                group.fairness.reps,
                percent(chance.low),
                percent(chance.high)
            ),
        });
    }
}

/// What the company's own rules raise.
fn rules<'a>(alerts: &mut Vec<Alert<'a>>, windows: &'a Windows, quotas: &'a Quotas, book: &'a Book) {
    for row in &quotas.run.rows {
        alerts.extend(of_rules(book, &windows.crm.reps[row.rep].id, &row.ruled));
    }
}

/// What rules raise about a rep.
pub(in crate::pipeline) fn of_rules<'a>(
    book: &'a Book,
    rep_id: &'a str,
    ruled: &'a Ruled,
) -> impl Iterator<Item = Alert<'a>> {
    ruled.steps.iter().filter_map(move |step| {
        let rule = book.rules.get(at(step.rule))?;
        let Action::Alert { severity, message } = rule.actions.get(at(step.action))? else { return None };
        Some(Alert {
            rule: &rule.name,
            severity: match severity {
                Severity::Red => "high",
                Severity::Amber => "medium",
                Severity::Info => "low",
            },
            scope: "rep",
            scope_id: rep_id.to_owned(),
            entity: None,
            since: None,
            message: message.clone().unwrap_or_else(|| format!("the rule {} applies", rule.name)),
            evidence: rule.sentence(Language::English),
        })
    })
}
