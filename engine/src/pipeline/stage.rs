//! The stages of a run up to the measures, each from what the ones before it made.

use futures::future::try_join;
use rustc_hash::FxHashMap;

use super::source::Sources;
use crate::catalogue::Catalogue;
use crate::derive::recognise;
use crate::entity::Crm;
use crate::error::{EngineError, Result};
use crate::factor::market::Market;
use crate::lake::Lake;
use crate::measure::at;
use crate::measure::capability::{Skill, capability};
use crate::measure::customer::{CustomerMeasure, customers};
use crate::measure::facts::Facts;
use crate::measure::firsts::Firsts;
use crate::measure::funnel::rep_positions;
use crate::measure::lead::{Lead, leads};
use crate::measure::opportunity::{Opportunity, Stages, opportunities};
use crate::measure::portfolio::{Portfolios, View};
use crate::measure::process::{Inputs, ProcessHealth, process_health};
use crate::measure::scope::Scopes;
use crate::quota::{Span, months_before};
use crate::settings::{Period, Settings};
use crate::tile::keys::Keys;
use crate::tile::rep::RepTile;
use crate::tile::{FactSource, TileReport, Tiles, ensure};
use crate::time::{Day, Zone};
use crate::window::{
    CustomerFiles, CustomerWindows, OrderHistory, customer_windows, life_day, order_history,
};

/// Opens what a run reads: the tables, and the tiles as they are; with a day, for windows that end with it.
pub(super) async fn open(lake: &Lake, run: Option<(Day, &Catalogue)>) -> Result<(Sources, Tiles)> {
    Box::pin(try_join(Sources::open(lake), Tiles::open(lake, run))).await
}

/// Freshens the tiles.
pub(super) async fn tiles(
    opened: Tiles,
    sources: &Sources,
    catalogue: &Catalogue,
    as_of: Day,
) -> Result<(Tiles, TileReport)> {
    ensure(opened, &sources.raw, catalogue, as_of, sources.versions.customers.ids(), |_, _| {}).await
}

/// The CRM as of the day, and the windows that end with it.
#[derive(Debug)]
pub(super) struct Windows {
    pub(super) crm: Crm,
    pub(super) scopes: Scopes,
    pub(super) customers: CustomerWindows,
    pub(super) orders: OrderHistory,
    pub(super) facts: Facts,
    firsts: Firsts,
    pub(super) reps_30d: RepTile,
    pub(super) reps_90d: RepTile,
    pub(super) reps_month: RepTile,
    /// The month before, up to the same day of it (or its last).
    pub(super) month_before: (Day, Day),
    pub(super) reps_month_before: RepTile,
    /// The day of each rep's first deal of the last twelve months and this.
    pub(super) first_deals: FxHashMap<String, Day>,
    pub(super) market: Market,
    market_before: Market,
    pub(super) period: Span,
    pub(super) reps_period: RepTile,
}

impl Windows {
    /// How much market heat has grown since the same day of the month before, where a scope's reps sell: a rep's or
    /// region's own region, else everywhere.
    pub(super) fn market_growth(&self, scope: usize, settings: &Settings) -> Option<f64> {
        let region = self.scopes.region(&self.crm, scope);
        let (now, before) = (&self.market, &self.market_before);
        Some(now.heat(region, &settings.factor)? / before.heat(region, &settings.factor)? - 1.0)
    }

    /// Touches of the last 30 days of customers that the CRM doesn't know.
    pub(super) fn touches_of_strangers(&self) -> i64 {
        let touches = &self.customers.now.touches;
        let all: i64 = touches.iter().map(|touches| i64::from(*touches)).sum();
        let known: i64 = self.crm.customers.keys.iter().map(|key| i64::from(touches[at(*key)])).sum();
        all - known
    }
}

pub(super) async fn windows(
    lake: &Lake,
    sources: &Sources,
    tiles: &Tiles,
    settings: &Settings,
    catalogue: &Catalogue,
    as_of: Day,
) -> Result<Windows> {
    let end = lake.zone().end(as_of);
    let mut life = tiles.life(lake, life_day(as_of)).await?;
    let orders_before = (std::mem::take(&mut life.orders), life.as_of);
    let period = Span::of(as_of, settings.quota.period);
    let month = Span::of(as_of, Period::Month);
    let months = months_before(month.first, 12);
    let before = Span::of(month.first - 1, Period::Month);
    let month_before = (before.first, before.last.min(before.first + as_of - month.first));
    let months = tiles.rep_months(lake, &months).await?;
    let customer_files = CustomerFiles::find(lake, tiles, as_of).await?;
    let FactSource { mut facts, firsts, days: fact_days } = tiles.facts(lake, catalogue, as_of).await?;
    let mut first_deals = months.first_deals()?;
    let spans =
        [(as_of - 29, as_of), (as_of - 89, as_of), (month.first, as_of), month_before, (period.first, as_of)];
    // Who people are is found out by one thread.
    let (crm, (earlier, reps)) = rayon::join(
        || Crm::as_of(&sources.versions, &tiles.keys, end),
        || (customer_files.before(tiles), tiles.reps(&spans, &months)),
    );
    let (crm, earlier) = (crm?, earlier?);
    let (customers, (orders, read)) = rayon::join(
        || customer_windows(tiles, &life, &customer_files, earlier),
        || {
            let orders = || order_history(tiles, orders_before, as_of);
            rayon::join(orders, || facts.read_days(&fact_days, catalogue))
        },
    );
    read?;
    let wrong = || EngineError::Lake("as many windows come out as went in".to_owned());
    let [reps_30d, reps_90d, reps_month, reps_month_before, reps_period] =
        <[RepTile; 5]>::try_from(reps?).map_err(|_| wrong())?;
    for (rep, day) in reps_month.iter().filter_map(|(rep, tile)| Some((rep, tile.first_deal?))) {
        first_deals.entry(rep.to_owned()).or_insert(day);
    }
    Ok(Windows {
        scopes: Scopes::new(&crm),
        customers: customers?,
        orders: orders?,
        facts,
        firsts,
        reps_30d,
        reps_90d,
        reps_month,
        reps_month_before,
        first_deals,
        reps_period,
        market: Market::load(&sources.market, &crm.regions, end)?,
        market_before: Market::load(&sources.market, &crm.regions, lake.zone().end(month_before.1))?,
        month_before,
        period,
        crm,
    })
}

/// What the windows say.
#[derive(Debug)]
pub(super) struct Measures {
    pub(super) customers: Vec<CustomerMeasure>,
    pub(super) leads: Vec<Lead>,
    pub(super) stages: Stages,
    pub(super) opportunities: Vec<Opportunity>,
    pub(super) portfolios: Portfolios,
    pub(super) process: Vec<ProcessHealth>,
    pub(super) capability: Vec<[Skill; 6]>,
    pub(super) derived: Vec<Derived>,
}

/// A derived event of the day.
#[derive(Debug, Clone)]
pub(super) struct Derived {
    pub(super) id: String,
    pub(super) time: i64,
    pub(super) code: String,
    pub(super) ids: [Option<String>; 4],
}

pub(super) fn measures(
    windows: &Windows,
    keys: &Keys,
    settings: &Settings,
    catalogue: &Catalogue,
    zone: &Zone,
    as_of: Day,
) -> Measures {
    let (crm, facts) = (&windows.crm, &windows.facts);
    let stages = Stages::new(&settings.pipeline);
    // Sequences go by one after the other and take longest: everything else is measured meanwhile.
    let (derived, (customers, (leads, opportunities))) = rayon::join(
        || derived(windows, keys, catalogue, zone, as_of),
        || {
            let of_customers = || customers(crm, &windows.customers, &windows.orders, settings, zone, as_of);
            let of_opportunities = || opportunities(facts, catalogue, &stages);
            rayon::join(of_customers, || rayon::join(|| leads(facts, catalogue, as_of), of_opportunities))
        },
    );
    let portfolios = Portfolios::count(
        crm,
        &rep_positions(facts, crm),
        (&customers, &leads, &opportunities),
        &View::new(settings, zone, as_of),
    );
    let process = process_health(&Inputs {
        crm,
        scopes: &windows.scopes,
        portfolios: &portfolios.reps,
        reps_30d: &windows.reps_30d,
        settings,
        as_of,
    });
    let capability = capability(crm, &process, &windows.reps_90d, as_of);
    Measures { customers, leads, stages, opportunities, portfolios, process, capability, derived }
}

/// The derived events that come true on the day.
fn derived(windows: &Windows, keys: &Keys, catalogue: &Catalogue, zone: &Zone, as_of: Day) -> Vec<Derived> {
    let facts = &windows.facts;
    let known = windows.firsts.known(catalogue, keys, &facts.customers);
    let name = |entity, number| facts.names(entity).get(number).unwrap_or_default();
    let day = (zone.start(as_of), zone.end(as_of));
    recognise(catalogue.definitions(), facts.sequence(), day, &known, &name)
        .into_iter()
        .map(|event| Derived {
            id: event.event_id,
            time: event.time_us,
            code: catalogue.model(event.code).map(|model| model.code.clone()).unwrap_or_default(),
            ids: facts.ids(event.trigger).map(|id| id.map(str::to_owned)),
        })
        .collect()
}
