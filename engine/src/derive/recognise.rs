//! Drives every definition over one ordered list of events.

use super::machine::{Fired, Machine, Role, Seen};
use super::{DerivedEvent, SequenceEvent};
use crate::catalogue::{Definition, Entity, EventCode, Sequence};

/// Every derived event that comes true at `from_us` or later and before `until_us`, by time, code, entity id.
///
/// `events` must be in order of time and `event_id`, one of each id; they may begin before `from_us`, and must hold
/// everything that is still needed from there (the whole past, or what [`still_needed`] carried over). Events at or after
/// `until_us` are not looked at. An event without an id of a definition's entity means nothing to that definition.
///
/// `known` says of a `first` model and an entity whether it came true before `events` begin; `names` tells an entity's id.
///
/// A silence or an idle spell fires at its deadline even if no event follows. Two of one model and entity at one instant
/// are one event. Derived events are not looked at: no definition builds on another.
///
/// Late events change the past: recognise again from the earliest of their times, with the past before it.
pub fn recognise<'a>(
    definitions: &[Definition],
    events: impl IntoIterator<Item = SequenceEvent>,
    (from_us, until_us): (i64, i64),
    known: Known<'_>,
    names: &dyn Fn(Entity, u32) -> &'a str,
) -> Vec<DerivedEvent<'a>> {
    let mut run = Run::new(definitions, from_us, known);
    for event in events.into_iter().take_while(|event| event.time_us < until_us) {
        run.take(event.place, &event);
    }
    let mut found = run.fired;
    for (definition, machine) in run.machines.iter().enumerate() {
        found.extend(machine.pending(until_us).into_iter().map(|fired| (definition, fired)));
    }
    let mut derived: Vec<DerivedEvent<'a>> = found
        .into_iter()
        .filter(|(_, fired)| (from_us..until_us).contains(&fired.time_us))
        .filter_map(|(definition, fired)| {
            let definition = definitions.get(definition)?;
            let name = names(definition.entity, u32::try_from(fired.entity).ok()?);
            Some(DerivedEvent::new(definition, name, fired))
        })
        .collect();
    let key = |event: &DerivedEvent<'a>| (event.time_us, event.code, event.entity_id);
    derived.sort_by_key(key);
    derived.dedup_by_key(|event| key(event));
    derived
}

/// The short list of events that can stand for the past: whatever comes later, [`recognise`] finds the same from
/// `as_of_us` on, with these followed by the events since as with the whole list.
///
/// | kind | carried, per entity |
/// |---|---|
/// | `first` | the first, unless it is `known` |
/// | `streak` | the run so far |
/// | `silence_after` | the trigger that waits, unless its deadline is before `as_of_us` |
/// | `idle` | the last of `codes`, unless its deadline is before `as_of_us`; once closed, the event that closed it |
///
/// `events` as for [`recognise`]. Events at or after `as_of_us` come back as they are; of the ones before, one copy for
/// each definition that needs it. The result is in order and can itself be carried further.
pub fn still_needed(
    definitions: &[Definition],
    events: &[SequenceEvent],
    as_of_us: i64,
    known: Known<'_>,
) -> Vec<SequenceEvent> {
    let past = events.partition_point(|event| event.time_us < as_of_us);
    let (past, since) = events.split_at_checked(past).unwrap_or((events, &[]));
    let mut run = Run::new(definitions, i64::MAX, known);
    for (position, event) in past.iter().enumerate() {
        run.take(position, event);
    }
    let mut kept: Vec<(usize, EventCode)> = Vec::new();
    for (definition, machine) in definitions.iter().zip(&run.machines) {
        kept.extend(machine.needed(as_of_us).into_iter().map(|position| (position, definition.code)));
    }
    kept.sort_unstable();
    let carried = kept.into_iter().filter_map(|(position, code)| {
        past.get(position).map(|event| SequenceEvent { only_for: Some(code), ..*event })
    });
    carried.chain(since.iter().copied()).collect()
}

/// By event code: which definitions watch it, and as what.
pub(super) fn watchers(definitions: &[Definition]) -> Vec<Vec<(usize, Role)>> {
    let mut watchers: Vec<Vec<(usize, Role)>> = Vec::new();
    for (position, definition) in definitions.iter().enumerate() {
        let (counts, undoes) = definition.sequence.codes();
        let counts = counts.iter().map(|code| (code, Role::Counts));
        for (code, role) in counts.chain(undoes.iter().map(|code| (code, Role::Undoes))) {
            if watchers.len() <= code.index() {
                watchers.resize(code.index() + 1, Vec::new());
            }
            if let Some(watching) = watchers.get_mut(code.index()) {
                watching.push((position, role));
            }
        }
    }
    watchers
}

/// Whether a `first` model (by its code) has come true for an entity (by its number) before.
pub type Known<'k> = &'k dyn Fn(EventCode, u32) -> bool;

/// All definitions at work on one list of events.
struct Run<'d> {
    definitions: &'d [Definition],
    machines: Vec<Machine>,
    /// By event code: which definitions watch it, and as what.
    watchers: Vec<Vec<(usize, Role)>>,
    /// Definition, and what it recognised.
    fired: Vec<(usize, Fired)>,
    /// What came true before is not kept.
    from_us: i64,
    known: Known<'d>,
}

impl<'d> Run<'d> {
    fn new(definitions: &'d [Definition], from_us: i64, known: Known<'d>) -> Self {
        let watchers = watchers(definitions);
        let machines = definitions.iter().map(|definition| Machine::new(&definition.sequence)).collect();
        Self { definitions, machines, watchers, fired: Vec::new(), from_us, known }
    }

    /// Shows one event to every definition that watches its code and knows its entity.
    fn take(&mut self, place: usize, event: &SequenceEvent) {
        let seen = Seen { place, time_us: event.time_us };
        for &(watcher, role) in self.watchers.get(event.code.index()).map_or(&[][..], Vec::as_slice) {
            let (Some(definition), Some(machine)) =
                (self.definitions.get(watcher), self.machines.get_mut(watcher))
            else {
                continue;
            };
            let Some(id) = event.id(definition.entity) else { continue };
            if event.only_for.is_some_and(|owner| owner != definition.code) {
                continue;
            }
            if matches!(definition.sequence, Sequence::First { .. }) && (self.known)(definition.code, id) {
                continue;
            }
            let Ok(number) = usize::try_from(id) else { continue };
            let fired = machine.see(number, role, seen).filter(|fired| fired.time_us >= self.from_us);
            self.fired.extend(fired.map(|fired| (watcher, fired)));
        }
    }
}
