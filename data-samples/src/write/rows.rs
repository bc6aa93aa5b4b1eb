//! The entity streams as rows: reps, customers, regions, plans, products, calendar and market factors.

use std::path::Path;

use serde::Serialize;

use crate::draw::{Draw, Stream};
use crate::error::GenerateError;
use crate::event::{money, named, write_customer, write_product, write_rep};
use crate::number::{at, narrow};
use crate::world::rep::Rep;
use crate::world::{PRODUCTS, World, plan};
use crate::write::ndjson::{RowFile, write_rows};

/// Hour at which a change of an entity is recorded.
const CHANGE_HOUR: f64 = 8.0;
/// Days before the first at which what is older was last updated.
const BACK_DAYS: i32 = 30;

#[derive(Serialize, Clone)]
struct RepRow {
    rep_id: String,
    region_id: String,
    manager_id: String,
    team: String,
    role: &'static str,
    hired_on: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_on: Option<String>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    consent_at: Option<String>,
    updated_at: String,
}

#[derive(Serialize)]
struct CustomerRow<'a> {
    customer_id: &'a str,
    owner_rep_id: String,
    region_id: &'a str,
    segment: &'static str,
    industry: &'static str,
    size_band: &'static str,
    created_on: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    lifecycle_stage: Option<&'static str>,
    updated_at: String,
}

#[derive(Serialize)]
struct RegionRow<'a> {
    region_id: &'a str,
    parent_region_id: Option<&'a str>,
    name: &'a str,
    updated_at: String,
}

#[derive(Serialize)]
struct PlanRow<'a> {
    period: String,
    region_id: &'a str,
    target_amount: String,
    updated_at: String,
}

#[derive(Serialize)]
struct ProductRow {
    product_id: String,
    name: String,
    category: &'static str,
    list_price: String,
    updated_at: String,
}

#[derive(Serialize)]
struct CalendarRow {
    date: String,
    is_working_day: bool,
    season_tag: Option<&'static str>,
}

#[derive(Serialize)]
struct MarketRow<'a> {
    factor: &'static str,
    region_id: Option<&'a str>,
    observed_at: String,
    value: f64,
    source: &'static str,
    unit: &'static str,
}

/// Writes the market factors and every entity stream into `folder`.
pub(crate) fn write(world: &World, folder: &Path) -> Result<(), GenerateError> {
    let regions = &world.regions.all;
    let long_ago = || world.clock.hour_text(-BACK_DAYS, CHANGE_HOUR);
    write_rows(
        folder,
        "market_factor.ndjson",
        world.market.observations.iter().map(|seen| MarketRow {
            factor: seen.factor,
            region_id: seen.region.map(|region| regions[region].id.as_str()),
            observed_at: world.clock.text(seen.time),
            value: seen.value,
            source: seen.source,
            unit: seen.unit,
        }),
    )?;
    write_rows(
        folder,
        "crm.region.ndjson",
        regions.iter().map(|region| RegionRow {
            region_id: &region.id,
            parent_region_id: region.parent.map(|parent| regions[parent].id.as_str()),
            name: &region.name,
            updated_at: long_ago(),
        }),
    )?;
    write_rows(
        folder,
        "crm.plan.ndjson",
        plan::plans(world).into_iter().map(|plan| PlanRow {
            period: plan.period,
            region_id: &regions[plan.region].id,
            target_amount: money(plan.target),
            updated_at: long_ago(),
        }),
    )?;
    write_rows(folder, "crm.product.ndjson", (0..PRODUCTS).map(|n| product(world, n, long_ago())))?;
    write_rows(
        folder,
        "crm.calendar.ndjson",
        world.calendar.iter().map(|(_, day)| CalendarRow {
            date: day.date.to_string(),
            is_working_day: day.working,
            season_tag: day.tag,
        }),
    )?;
    let reps = world.reps.iter().zip(0..);
    write_rows(folder, "crm.rep.ndjson", reps.flat_map(|(rep, n)| versions_of_rep(world, n, rep)))?;
    write_customers(world, RowFile::create(folder.join("crm.customer.ndjson"))?)
}

fn product(world: &World, n: u32, updated_at: String) -> ProductRow {
    const CATEGORIES: [&str; 3] = ["hardware", "software", "service"];
    let category = CATEGORIES[at(n % 3)];
    let mut draw = Draw::new(world.seed, Stream::Product, u64::from(n), 0);
    ProductRow {
        product_id: named(write_product, n),
        name: format!("{category} {}", n / 3 + 1),
        category,
        list_price: money(draw.amount(800_000.0, 0.8) / 100 * 100),
        updated_at,
    }
}

fn versions_of_rep(world: &World, n: u32, rep: &Rep) -> Vec<RepRow> {
    let clock = &world.clock;
    let manager = |manager: u32| format!("m{:04}", manager + 1);
    let team = |manager: u32| format!("team-{}", manager + 1);
    let consented_on = rep.hired.max(-BACK_DAYS);
    let mut row = RepRow {
        rep_id: named(write_rep, n),
        region_id: world.regions.territory_id(rep.territory).to_owned(),
        manager_id: manager(rep.manager),
        team: team(rep.manager),
        role: rep.role,
        hired_on: clock.date(rep.hired).to_string(),
        left_on: None,
        status: "active",
        consent_at: rep.consents.then(|| clock.hour_text(consented_on, CHANGE_HOUR)),
        updated_at: clock.hour_text(consented_on, CHANGE_HOUR),
    };
    let mut rows = vec![row.clone()];
    if let Some(moved) = rep.moved {
        world.regions.territory_id(moved.territory).clone_into(&mut row.region_id);
        row.manager_id = manager(moved.manager);
        row.team = team(moved.manager);
        row.updated_at = clock.hour_text(moved.day, CHANGE_HOUR);
        rows.push(row.clone());
    }
    if let Some((day, _)) = rep.left {
        row.left_on = Some(clock.date(day).to_string());
        row.status = "left";
        row.updated_at = clock.hour_text(day, CHANGE_HOUR);
        rows.push(row);
    }
    rows
}

/// One version when created, and one for every change of owner.
fn write_customers(world: &World, mut file: RowFile) -> Result<(), GenerateError> {
    let clock = &world.clock;
    for n in 0..narrow(world.customers.all.len()) {
        let customer = &world.customers.all[at(n)];
        let first = customer.created.max(-BACK_DAYS);
        let leaving = |rep: u32| world.reps[at(rep)].left.map_or(i32::MAX, |(day, _)| day);
        let mut changes = [leaving(customer.owner), customer.handover.0, leaving(customer.handover.1)];
        changes.sort_unstable();
        let mut owner = world.customers.owner(n, first, &world.reps);
        let customer_id = named(write_customer, n);
        let mut row = CustomerRow {
            customer_id: &customer_id,
            owner_rep_id: named(write_rep, owner),
            region_id: world.regions.territory_id(customer.territory),
            segment: customer.segment(),
            industry: customer.industry(),
            size_band: customer.size_band(),
            created_on: clock.date(customer.created).to_string(),
            lifecycle_stage: (customer.interval_days <= 0.0).then_some("prospect"),
            updated_at: clock.hour_text(first, CHANGE_HOUR),
        };
        file.push(&row)?;
        for day in changes.into_iter().filter(|&day| day > first && world.covers(day)) {
            let next = world.customers.owner(n, day, &world.reps);
            if next != owner {
                owner = next;
                row.owner_rep_id = named(write_rep, owner);
                row.updated_at = clock.hour_text(day, CHANGE_HOUR);
                file.push(&row)?;
            }
        }
    }
    file.finish()
}
