//! One definition at work: a state per entity, moved by the events that the definition watches.

use crate::catalogue::Sequence;

/// What a code is to a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// `codes` or `trigger`.
    Counts,
    /// `without`, `until` or `ends`.
    Undoes,
}

/// Something recognised: when, of which entity, and the place of the event that set it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fired {
    pub(super) time_us: i64,
    pub(super) entity: usize,
    pub(super) trigger: usize,
}

/// An event's place and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) place: usize,
    pub(super) time_us: i64,
}

impl Seen {
    /// What it brings to light of an entity the moment it comes.
    fn fires(self, entity: usize) -> Fired {
        Fired { time_us: self.time_us, entity, trigger: self.place }
    }
}

/// A definition and the states of its entities, by their numbers.
#[derive(Debug)]
pub(super) enum Machine {
    /// The first event, once there was one.
    First(Vec<Option<usize>>),
    /// The run so far: fewer than `count` events.
    Streak { count: usize, runs: Vec<Vec<usize>> },
    /// The trigger that waits for an answer.
    Silence { within_us: i64, waiting: Vec<Option<Seen>> },
    /// Where the entity stands.
    Idle { within_us: i64, states: Vec<Life> },
}

/// What an idle definition knows of an entity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Life {
    /// No sign of life yet, or it was found idle and gave none since.
    #[default]
    Silent,
    /// The last sign of life.
    Active(Seen),
    /// Closed for good, by the event at this place.
    Closed(usize),
}

impl Machine {
    pub(super) fn new(sequence: &Sequence) -> Self {
        match sequence {
            Sequence::First { .. } => Self::First(Vec::new()),
            Sequence::Streak { count, .. } => Self::Streak { count: *count, runs: Vec::new() },
            Sequence::SilenceAfter { within, .. } => {
                Self::Silence { within_us: within.as_micros(), waiting: Vec::new() }
            }
            Sequence::Idle { within, .. } => Self::Idle { within_us: within.as_micros(), states: Vec::new() },
        }
    }

    /// Takes the next event of an entity; says what it brings to light: the event itself completes a sequence, or it
    /// comes after a deadline that went by.
    pub(super) fn see(&mut self, entity: usize, role: Role, event: Seen) -> Option<Fired> {
        match self {
            Self::First(firsts) => {
                let first = slot(firsts, entity)?;
                if first.is_some() {
                    return None;
                }
                *first = Some(event.place);
                Some(event.fires(entity))
            }
            Self::Streak { count, runs } => {
                let run = slot(runs, entity)?;
                if role == Role::Undoes {
                    run.clear();
                    return None;
                }
                run.push(event.place);
                if run.len() < *count {
                    return None;
                }
                run.clear();
                Some(event.fires(entity))
            }
            Self::Silence { within_us, waiting } => {
                let waiting = slot(waiting, entity)?;
                let fired = waiting.and_then(|trigger| overdue(entity, trigger, *within_us, event.time_us));
                *waiting = match role {
                    Role::Undoes => None,
                    Role::Counts if fired.is_some() => Some(event),
                    Role::Counts => waiting.or(Some(event)),
                };
                fired
            }
            Self::Idle { within_us, states } => {
                let state = slot(states, entity)?;
                let fired = match *state {
                    Life::Active(last) => overdue(entity, last, *within_us, event.time_us),
                    Life::Silent => None,
                    Life::Closed(_) => return None,
                };
                *state = match role {
                    Role::Counts => Life::Active(event),
                    Role::Undoes => Life::Closed(event.place),
                };
                fired
            }
        }
    }

    /// Deadlines before `end_us` that no event has brought to light.
    pub(super) fn pending(&self, end_us: i64) -> Vec<Fired> {
        match self {
            Self::First(_) | Self::Streak { .. } => Vec::new(),
            Self::Silence { within_us, waiting } => {
                let waiting = waiting.iter().enumerate();
                waiting.filter_map(|(entity, seen)| overdue(entity, (*seen)?, *within_us, end_us)).collect()
            }
            Self::Idle { within_us, states } => {
                let states = states.iter().enumerate();
                states
                    .filter_map(|(entity, state)| overdue(entity, state.active()?, *within_us, end_us))
                    .collect()
            }
        }
    }

    /// Places of the events that later recognition rests on, given that everything before `as_of_us` was recognised.
    pub(super) fn needed(&self, as_of_us: i64) -> Vec<usize> {
        let open = |seen: Seen, within_us| overdue(0, seen, within_us, as_of_us).is_none();
        match self {
            Self::First(firsts) => firsts.iter().flatten().copied().collect(),
            Self::Streak { runs, .. } => runs.iter().flatten().copied().collect(),
            Self::Silence { within_us, waiting } => {
                let waiting = waiting.iter().flatten();
                waiting.filter(|seen| open(**seen, *within_us)).map(|seen| seen.place).collect()
            }
            Self::Idle { within_us, states } => {
                let rests_on = |state: &Life| match *state {
                    Life::Silent => None,
                    Life::Active(seen) => open(seen, *within_us).then_some(seen.place),
                    Life::Closed(place) => Some(place),
                };
                states.iter().filter_map(rests_on).collect()
            }
        }
    }
}

impl Life {
    fn active(self) -> Option<Seen> {
        match self {
            Self::Active(seen) => Some(seen),
            Self::Silent | Self::Closed(_) => None,
        }
    }
}

/// Fires at the deadline if that lies before `now_us`: an event at the deadline is still in time.
fn overdue(entity: usize, seen: Seen, within_us: i64, now_us: i64) -> Option<Fired> {
    let deadline_us = seen.time_us.saturating_add(within_us);
    (deadline_us < now_us).then_some(Fired { time_us: deadline_us, entity, trigger: seen.place })
}

/// The place of an entity, made when it is first met.
fn slot<T: Default + Clone>(places: &mut Vec<T>, entity: usize) -> Option<&mut T> {
    if places.len() <= entity {
        places.resize(entity + 1, T::default());
    }
    places.get_mut(entity)
}
