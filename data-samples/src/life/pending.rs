//! Events drawn ahead, waiting for the day they happen on.

use crate::event::{Event, NONE};
use crate::number::slot;
use crate::world::World;

/// Events by day; those after the last day are dropped.
#[derive(Debug)]
pub(crate) struct Pending {
    days: Vec<Vec<Event>>,
}

impl Pending {
    pub(crate) fn new(days: i32) -> Self {
        Self { days: vec![Vec::new(); slot(days)] }
    }

    /// Puts an event on its day, which is `from` or a later one.
    pub(crate) fn push(&mut self, world: &World, event: Event, from: i32) {
        if event.time >= world.clock.midnight(world.clock.days()) {
            return;
        }
        let day = world.clock.day_of(event.time, from);
        if let Some(events) = self.days.get_mut(slot(day)) {
            events.push(event);
        }
    }

    /// The events of a day; those of a rep who has left become his heir's.
    pub(crate) fn take(&mut self, world: &World, day: i32) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.days[slot(day)]);
        for event in events.iter_mut().filter(|event| event.rep != NONE) {
            event.rep = world.acting(event.rep, day);
        }
        events
    }
}
