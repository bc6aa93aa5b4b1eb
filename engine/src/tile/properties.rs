//! Merging tiles is addition and maximum: in whatever order and grouping, the result is that of a rescan.

use arrow::array::RecordBatch;
use proptest::prelude::*;

use super::BLOCK_DAYS;
use super::block::{Span, spans};
use super::rep::{Channels, RepTile};
use super::rule::{Kind, Rule};
use crate::lake::tables;
use crate::time::Day;
use crate::window::CustomerSums;

const CUSTOMERS: usize = 5;

/// An event as the kernel counts it: rep, flags, kind, channel, evidence, amount.
type Act = (u8, u16, u8, bool, i32, i64);

fn act() -> impl Strategy<Value = Act> {
    (0_u8..4, 0_u16..512, 0_u8..6, any::<bool>(), 0..3, -100_i64..100_000)
}

fn rep_tile(acts: &[(Day, Act)]) -> RepTile {
    let mut tile = RepTile::default();
    for (day, (rep, flags, kind, visit, evidence, amount)) in acts {
        let kind = match kind {
            0 => Kind::Order,
            1 => Kind::Deal,
            2 => Kind::QuoteSent,
            3 => Kind::QuoteAccepted,
            4 => Kind::QuoteRejected,
            _ => Kind::Other,
        };
        let row = tile.row(&format!("r{rep}"));
        let channel = if *visit { Channels::Visit } else { Channels::Other };
        tile.add(row, Rule { flags: *flags, kind, ..Rule::default() }, channel, *evidence, *amount, *day);
    }
    tile
}

fn rep_rows(tile: RepTile) -> RecordBatch {
    tile.into_batch(&tables::spec("tile.rep_day").unwrap().file_schema()).unwrap()
}

/// A touch: day, customer, effective, evidence, instant.
type Touch = (Day, usize, bool, i64, i64);

fn touch() -> impl Strategy<Value = Touch> {
    (-10..70_i32, 0..CUSTOMERS, any::<bool>(), 0..4_i64, 0..1_000_000_i64)
}

fn customer_sums<'a>(touches: impl Iterator<Item = &'a Touch>) -> CustomerSums {
    let mut sums = CustomerSums::new(CUSTOMERS);
    for (_, customer, effective, evidence, at) in touches {
        sums.touches[*customer] += 1;
        sums.effective[*customer] += i32::from(*effective);
        sums.evidenced[*customer] += i32::from(*effective && *evidence > 0);
        sums.evidence[*customer] += evidence;
        sums.last_touch[*customer] = sums.last_touch[*customer].max(*at);
    }
    sums
}

fn merged(parts: impl IntoIterator<Item = CustomerSums>) -> CustomerSums {
    let mut sums = CustomerSums::new(CUSTOMERS);
    for part in parts {
        sums.add(&part.into_batch().unwrap()).unwrap();
    }
    sums
}

proptest! {
    #[test]
    fn rep_tiles_merge_in_any_order_and_grouping(
        events in prop::collection::vec((0..20_i32, act()), 0..80),
        group_of in prop::collection::vec(0_usize..6, 80),
        order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let mut groups = vec![Vec::new(); 6];
        for (event, group) in events.iter().zip(&group_of) {
            groups[*group].push(*event);
        }
        // The first three one by one from files, the others merged among themselves first.
        let mut whole = RepTile::default();
        let mut others = RepTile::default();
        for (position, group) in order.iter().enumerate() {
            let tile = rep_tile(&groups[*group]);
            if position < 3 { whole.merge_batch(&rep_rows(tile)).unwrap() } else { others.merge(&tile) }
        }
        others.merge(&whole);
        let days_of = |rep: &str| {
            let own = events.iter().filter(|(_, act)| format!("r{}", act.0) == rep && act.2 == 1);
            own.map(|(day, _)| *day).min()
        };
        for (rep, tile) in others.iter() {
            prop_assert_eq!(tile.first_deal, days_of(rep));
        }
        let mut sorted = events.clone();
        sorted.sort_by_key(|(day, _)| -day);
        prop_assert_eq!(rep_rows(others), rep_rows(rep_tile(&sorted)));
    }

    #[test]
    fn a_window_of_blocks_and_days_is_a_rescan(
        touches in prop::collection::vec(touch(), 0..120),
        first in -8..60_i32,
        length in 0..62_i32,
        backwards in any::<bool>(),
    ) {
        let last = first + length - 1;
        let within = |from: Day, to: Day| customer_sums(touches.iter().filter(move |touch| (from..=to).contains(&touch.0)));
        let mut parts: Vec<CustomerSums> = spans(first, last)
            .into_iter()
            .map(|span| match span {
                Span::Day(day) => within(day, day),
                Span::Block(end) => merged((end - BLOCK_DAYS + 1..=end).map(|day| within(day, day))),
            })
            .collect();
        if backwards {
            parts.reverse();
        }
        prop_assert_eq!(merged(parts).into_batch().unwrap(), within(first, last).into_batch().unwrap());
    }
}
