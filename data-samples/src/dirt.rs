//! Dirt: how a day's good events become the records of files, with copies, late ones, broken ones and disorder,
//! every one of them counted.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::clock::HOUR;
use crate::draw::{Draw, Stream};
use crate::event::{Event, Flaw, NO_AMOUNT, NONE, event_id};
use crate::life::hours::minutes;
use crate::number::{at, narrow, real, slot, whole};
use crate::scale::{Dirt, Scale};
use crate::world::World;
use crate::write::Format;

/// How much dirt of each kind the files hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DirtCounts {
    /// Exact copies in the same file.
    pub duplicates_same_day: u64,
    /// Exact copies in the next day's file.
    pub duplicates_next_day: u64,
    /// Copies of the same id and day with another content.
    pub conflicts: u64,
    /// Ids used again on the next day.
    pub reused_ids: u64,
    /// Good events in a later file than their day's.
    pub late: u64,
    /// Records behind one of a later time in the same file; those whose time is unreadable or ahead of the
    /// file's day by more than a day left aside.
    pub out_of_order: u64,
    /// Extra records that break the contract, by how.
    pub bad: BTreeMap<&'static str, u64>,
    /// Extra records more than a day ahead of their file.
    pub future: u64,
    /// Good events of a rep that the CRM does not know.
    pub unknown_reps: u64,
    /// Good events of a customer that the CRM does not know.
    pub unknown_customers: u64,
}

/// Records that arrive on later days, and the counts.
#[derive(Debug)]
pub(crate) struct Arrivals {
    dirt: Dirt,
    flaws: &'static [Flaw],
    /// By day of arrival: the place in the file (as an instant), and the record.
    later: Vec<Vec<(i64, Event)>>,
    /// What was done so far.
    pub(crate) counts: DirtCounts,
}

/// The records of one file, and the order they stand in.
#[derive(Debug)]
pub(crate) struct DayFile {
    pub(crate) records: Vec<Event>,
    pub(crate) order: Vec<u32>,
}

/// A day while its file is put together.
struct Sorting<'a> {
    world: &'a World,
    day: i32,
    last: bool,
    /// Ids given so far.
    ids: u32,
    records: Vec<Event>,
    /// Place of each record.
    places: Vec<i64>,
}

impl Arrivals {
    pub(crate) fn new(scale: &Scale, format: Format) -> Self {
        let later = vec![Vec::new(); slot(i32::try_from(scale.days).unwrap_or(0))];
        Self { dirt: scale.dirt, flaws: format.flaws(), later, counts: DirtCounts::default() }
    }

    /// Numbers the good events of a day, of which the first `of_lives` are not to be tampered with, and puts
    /// the day's file together.
    pub(crate) fn day(
        &mut self,
        world: &World,
        day: i32,
        mut events: Vec<Event>,
        of_lives: usize,
    ) -> DayFile {
        for (event, sequence) in events.iter_mut().zip(0..) {
            event.id = event_id(world.seed, day, sequence);
        }
        let ids = narrow(events.len());
        let last = !world.covers(day + 1);
        let places = vec![0; events.len()];
        let mut file = Sorting { world, day, last, ids, records: events, places };
        let mut gone = Vec::new();
        for n in 0..at(ids) {
            let mut draw =
                Draw::new(world.seed, Stream::Dirt, u64::from(day.unsigned_abs()), u64::from(narrow(n)));
            file.places[n] = file.records[n].time;
            if draw.chance(self.dirt.reordered) {
                file.places[n] += minutes(draw.between(0.0, f64::from(self.dirt.reorder_minutes_max)));
            }
            if self.soil(&mut file, n, n >= of_lives, &mut draw) {
                gone.push(narrow(n));
            }
        }
        for (place, record) in std::mem::take(&mut self.later[slot(day)]) {
            file.records.push(record);
            file.places.push(place);
        }
        let file = file.put_in_order(&gone);
        self.counts.out_of_order += file.out_of_order(world.clock.midnight(day + 1) + 24 * HOUR);
        file
    }

    /// Does to a good event what its lot says. True if it is gone from today's file.
    fn soil(&mut self, file: &mut Sorting, n: usize, ordinary: bool, draw: &mut Draw) -> bool {
        let dirt = self.dirt;
        let shares = [
            dirt.late,
            dirt.duplicates,
            dirt.bad,
            dirt.unknown_entities,
            dirt.conflicts,
            dirt.future,
            dirt.reused_ids,
        ];
        let mut lot = draw.unit();
        let Some(which) = shares.iter().position(|share| {
            lot -= share;
            lot < 0.0
        }) else {
            return false;
        };
        match which {
            0 => return self.delay(file, n, draw),
            1 => self.duplicate(file, n, draw),
            2 => self.spoil(file, n, draw),
            3 if ordinary => self.estrange(file, n, draw),
            4 => self.contradict(file, n, draw),
            5 => self.postdate(file, n, draw),
            6 if ordinary => self.reuse(file, n, draw),
            _ => {}
        }
        false
    }

    fn delay(&mut self, file: &Sorting, n: usize, draw: &mut Draw) -> bool {
        if file.last {
            return false;
        }
        let days = draw.count(1, i32::try_from(self.dirt.late_days_max).unwrap_or(1));
        let arrival = (file.day + days).min(file.world.clock.days() - 1);
        self.later[slot(arrival)].push((file.world.any_time(arrival, draw), file.records[n].clone()));
        self.counts.late += 1;
        true
    }

    fn duplicate(&mut self, file: &mut Sorting, n: usize, draw: &mut Draw) {
        let copy = file.records[n].clone();
        if !file.last && draw.chance(self.dirt.duplicates_next_day) {
            self.later[slot(file.day + 1)].push((file.world.any_time(file.day + 1, draw), copy));
            self.counts.duplicates_next_day += 1;
        } else {
            file.add(copy, minutes(draw.between(0.0, 10.0)));
            self.counts.duplicates_same_day += 1;
        }
    }

    fn spoil(&mut self, file: &mut Sorting, n: usize, draw: &mut Draw) {
        let mut record = file.copy_with_new_id(n);
        record.flaw = draw.pick(self.flaws);
        match record.flaw {
            Flaw::TooManyDecimals if record.amount == NO_AMOUNT => record.amount = 12_345,
            Flaw::MissingEntities => {
                record.rep = NONE;
                record.customer = NONE;
                record.lead = NONE;
                record.opportunity = NONE;
            }
            _ => {}
        }
        *self.counts.bad.entry(record.flaw.name()).or_default() += 1;
        file.add(record, 0);
    }

    fn estrange(&mut self, file: &mut Sorting, n: usize, draw: &mut Draw) {
        let record = &mut file.records[n];
        if record.rep != NONE && draw.chance(0.5) {
            record.rep = narrow(file.world.reps.len()) + draw.below(50);
            self.counts.unknown_reps += 1;
        } else if record.customer != NONE {
            record.customer = narrow(file.world.customers.all.len()) + draw.below(1_000);
            self.counts.unknown_customers += 1;
        }
    }

    fn contradict(&mut self, file: &mut Sorting, n: usize, draw: &mut Draw) {
        let mut copy = file.records[n].clone();
        let time = copy.time + whole(draw.between(1.0, 60.0) * real(HOUR) / 3_600.0);
        if time >= file.world.clock.midnight(file.day + 1) {
            return;
        }
        copy.time = time;
        copy.evidence += 1;
        file.add(copy, 0);
        self.counts.conflicts += 1;
    }

    fn postdate(&mut self, file: &mut Sorting, n: usize, draw: &mut Draw) {
        let mut record = file.copy_with_new_id(n);
        let place = record.time;
        record.time += 24 * HOUR * i64::from(draw.count(3, 400));
        self.counts.future += 1;
        file.records.push(record);
        file.places.push(place);
    }

    fn reuse(&mut self, file: &Sorting, n: usize, draw: &mut Draw) {
        if file.last {
            return;
        }
        let clock = &file.world.clock;
        let mut copy = file.records[n].clone();
        copy.time = clock.instant(file.day + 1, copy.time - clock.midnight(file.day));
        copy.evidence = u8::from(draw.chance(0.5));
        self.later[slot(file.day + 1)].push((copy.time, copy));
        self.counts.reused_ids += 1;
    }
}

impl Sorting<'_> {
    fn add(&mut self, record: Event, delay: i64) {
        self.places.push(record.time + delay);
        self.records.push(record);
    }

    fn copy_with_new_id(&mut self, n: usize) -> Event {
        let id = event_id(self.world.seed, self.day, self.ids);
        self.ids += 1;
        Event { id, ..self.records[n].clone() }
    }

    /// `gone` holds positions in ascending order.
    fn put_in_order(self, gone: &[u32]) -> DayFile {
        let mut missing = gone.iter().peekable();
        let mut order: Vec<(i64, u32)> = Vec::with_capacity(self.records.len());
        for (n, place) in (0..).zip(&self.places) {
            if missing.next_if_eq(&&n).is_none() {
                order.push((*place, n));
            }
        }
        order.sort_unstable();
        DayFile { records: self.records, order: order.into_iter().map(|(_, n)| n).collect() }
    }
}

impl DayFile {
    fn out_of_order(&self, horizon: i64) -> u64 {
        let mut newest = i64::MIN;
        let mut count = 0;
        for record in self.order.iter().map(|&n| &self.records[at(n)]) {
            if matches!(record.flaw, Flaw::BrokenJson | Flaw::BadTime) || record.time >= horizon {
                continue;
            }
            count += u64::from(record.time < newest);
            newest = newest.max(record.time);
        }
        count
    }
}

impl World {
    fn any_time(&self, day: i32, draw: &mut Draw) -> i64 {
        self.clock.hour(day, draw.between(0.0, 24.0))
    }
}

impl Flaw {
    /// Its name in the manifest.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::BrokenJson => "broken_json",
            Self::MissingId => "missing_event_id",
            Self::BadTime => "bad_time",
            Self::UnknownType => "unknown_event_type",
            Self::TooManyDecimals => "too_many_decimals",
            Self::MissingEntities => "missing_required_ids",
        }
    }
}
