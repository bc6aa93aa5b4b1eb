//! Day tiles: per entity and day, integers that merge by addition and maximum.
//!
//! ```text
//! raw.behaviour, a day ──kernel──► tile.customer_day   touches, evidence, last touch     by customer key
//!                                  tile.order_day      orders, amount                    by customer key
//!                                  tile.rep_day        counts, amount signed             by rep id
//!                                  tile.fact_day       the events of leads, opportunities and sequences, in order
//!                                  tile.id_day         hashes of the event ids
//! eight days ──merge──► tile.customer_block            a month ──merge──► tile.rep_month
//!                                                      a month's amounts by rep and day ──► tile.rep_sale
//! all days up to a block's end ──merge──► tile.life, tile.order_year, tile.fact_life, tile.first_life,
//!                                         tile.lead_life, tile.deal_life
//! ```
//!
//! Every file is named after what it was made of (`tile-SOURCE-CONTENT`), so that a day is stale exactly when its
//! raw files are others than those its tile was made of, and a merged tile exactly when one of its parts changed.
//! Nothing has to be invalidated, and a run cut off anywhere is simply taken up again.

mod ahead;
mod block;
mod build;
mod columns;
mod conflict;
mod day;
mod fact;
mod fact_life;
pub mod keys;
mod life;
mod month;
#[cfg(test)]
mod properties;
pub mod rep;
mod rows;
mod rule;
mod running;
mod sale;
mod since;
mod source;
mod store;

pub(crate) use block::{BLOCK_DAYS, Span, block_end_at_or_before, spans};
pub(crate) use columns::{batch, dates, decimals, signed};
pub use day::DayReport;
pub(crate) use fact_life::FactSource;
pub use life::LifeSource;
pub(crate) use life::{life_file, replace, write_life};
pub(crate) use month::RepMonths;
pub(crate) use rows::read_halves;
pub(crate) use running::{RunningDay, Touched};
pub(crate) use sale::Sale;
pub(crate) use source::content_id;
pub(crate) use store::parse_day;
pub use store::{TileReport, Tiles, ensure};
