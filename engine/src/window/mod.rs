//! Windows: day tiles merged over the last days, never a rescan of events.

mod customer;
mod order;
mod order_life;

pub use customer::CustomerWindows;
pub(crate) use customer::{CustomerFiles, NEVER, customer_windows, life_day};
pub(crate) use customer::{CustomerSums, Touches};
pub(crate) use order::all_orders;
pub use order::{OrderDay, OrderHistory, order_history};
pub(crate) use order_life::{ORDER_LIFE, OrderLife};

/// Days of the window that every 30-day measure looks at.
pub const WINDOW_DAYS: crate::time::Day = 30;
/// Days of the window for orders.
pub const ORDER_DAYS: crate::time::Day = 365;
