//! What holds for any events: cutting time anywhere, carrying the past over the cut, and forgetting it again and again
//! change nothing; a plain search that looks at every pair of events finds the same deadlines.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

use super::tests::{NAMES, recognised};
use super::{SequenceEvent, reduce, still_needed};
use crate::catalogue::{Catalogue, Definition, Duration, Sequence};

const MODELS: &str = r#"
[derived.a]
en = "a"
zh = "a"
entity = "customer"
kind = "first"
codes = ["demo.declined", "quote.sent"]
[derived.b]
en = "b"
zh = "b"
entity = "lead"
kind = "streak"
codes = ["demo.declined", "demo.no_show"]
count = 3
without = ["demo.given"]
[derived.c]
en = "c"
zh = "c"
entity = "customer"
kind = "silence_after"
trigger = ["quote.sent", "demo.given"]
until = ["quote.accepted", "demo.no_show"]
within = "5s"
[derived.d]
en = "d"
zh = "d"
entity = "customer"
kind = "idle"
codes = ["demo.declined", "demo.given"]
ends = ["quote.accepted"]
within = "4s"
[derived.e]
en = "e"
zh = "e"
entity = "lead"
kind = "idle"
codes = ["quote.sent"]
within = "6s"
"#;
const CODES: [&str; 5] = ["demo.declined", "demo.no_show", "demo.given", "quote.sent", "quote.accepted"];
const SECOND: i64 = 1_000_000;
const END: i64 = 40;
const DAY: i64 = 86_400 * SECOND;

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
        let builtin = include_str!("../../catalogue/catalogue.toml");
        Catalogue::from_toml(&format!("{builtin}{MODELS}"), "test.toml").unwrap()
    });
    &CATALOGUE
}

/// The models above, which look at each other's codes, and no other.
fn own(catalogue: &Catalogue) -> Vec<Definition> {
    let own = |definition: &&Definition| definition.name.len() == "derived.a".len();
    catalogue.definitions().iter().filter(own).cloned().collect()
}

/// (second, code, customer, lead); 3 is nobody.
type Drawn = (i64, usize, usize, usize);

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    vec((0..END, 0..CODES.len(), 0..=NAMES.len(), 0..=NAMES.len()), 0..60)
}

fn build(catalogue: &Catalogue, mut drawn: Vec<Drawn>) -> Vec<SequenceEvent> {
    drawn.sort_by_key(|event| event.0);
    let number = |position: usize| u32::try_from(position).ok().filter(|_| position < NAMES.len());
    let events = drawn.into_iter().enumerate();
    let built = events.map(|(place, (second, code, customer, lead))| SequenceEvent {
        time_us: second * SECOND,
        place,
        code: catalogue.get(CODES[code]).unwrap().0,
        ids: [None, number(customer), number(lead), None],
        only_for: None,
    });
    built.collect()
}

/// Every deadline that passes, by looking at every pair: an idle spell begins at each sign of life that no other event
/// of the definition follows in time, before the entity closed.
fn idle_by_search(definition: &Definition, events: &[SequenceEvent], until: i64) -> Vec<(i64, u32)> {
    let Sequence::Idle { codes, ends, within } = &definition.sequence else { return Vec::new() };
    let watched: Vec<_> = events
        .iter()
        .filter(|event| codes.contains(&event.code) || ends.contains(&event.code))
        .filter_map(|event| Some((event, event.id(definition.entity)?)))
        .collect();
    let mut found = Vec::new();
    for (position, (event, id)) in watched.iter().enumerate() {
        let deadline = event.time_us + within.as_micros();
        let closed = watched[..=position].iter().any(|(other, of)| of == id && ends.contains(&other.code));
        let answered =
            watched[position + 1..].iter().any(|(other, of)| of == id && other.time_us <= deadline);
        if !closed && !answered && deadline < until {
            found.push((deadline, *id));
        }
    }
    found
}

/// The events of a day that [`reduce`] keeps.
fn cut_down(definitions: &[Definition], day: &[SequenceEvent]) -> Vec<SequenceEvent> {
    let keep = reduce(definitions, day);
    day.iter().zip(keep).filter(|(_, keep)| *keep).map(|(event, _)| *event).collect()
}

/// The definitions with another length of time in all of them.
fn with_deadline(mut definitions: Vec<Definition>, text: &str) -> Vec<Definition> {
    for definition in &mut definitions {
        if let Sequence::SilenceAfter { within, .. } | Sequence::Idle { within, .. } =
            &mut definition.sequence
        {
            *within = Duration::parse(text).unwrap();
        }
    }
    definitions
}

proptest! {
    #[test]
    fn the_past_carried_over_a_cut_stands_for_the_whole(drawn in drawn(), from in 0..END, until in 0..2 * END) {
        let catalogue = catalogue();
        let events = build(catalogue, drawn);
        for definitions in [own(catalogue), catalogue.definitions().to_vec()] {
            let (from, until) = (from * SECOND, until * SECOND);
            let whole = recognised(&definitions, &events, from, until);
            let carried = still_needed(&definitions, &events, from, &|_, _| false);
            prop_assert_eq!(recognised(&definitions, &carried, from, until), whole);
            // What is carried is only what is needed: a handful per entity and model.
            let facts = carried.iter().filter(|event| event.only_for.is_some()).count();
            prop_assert!(facts <= definitions.len() * NAMES.len() * 4);
        }
    }

    #[test]
    fn a_run_every_step_finds_what_one_run_finds(drawn in drawn(), step in 1..9_i64) {
        let catalogue = catalogue();
        let (definitions, events) = (own(catalogue), build(catalogue, drawn));
        let whole = recognised(&definitions, &events, 0, END * SECOND);
        let (mut stepwise, mut state, mut taken) = (Vec::new(), Vec::new(), 0);
        let mut from = 0;
        while from < END * SECOND {
            let until = (from + step * SECOND).min(END * SECOND);
            let arrived = events.partition_point(|event| event.time_us < until);
            state.extend_from_slice(&events[taken..arrived]);
            stepwise.extend(recognised(&definitions, &state, from, until));
            state = still_needed(&definitions, &state, until, &|_, _| false);
            (from, taken) = (until, arrived);
        }
        prop_assert_eq!(stepwise, whole);
    }

    #[test]
    fn days_cut_down_stand_for_the_whole(drawn in drawn(), within in 0..3_usize, late in vec(any::<bool>(), 60)) {
        let catalogue = catalogue();
        let definitions = with_deadline(own(catalogue), ["2h", "27h", "70h"][within]);
        // Three hours a step: five days.
        let mut events = build(catalogue, drawn);
        for event in &mut events {
            event.time_us *= 3 * 3_600;
        }
        let day_of = |event: &SequenceEvent| event.time_us.div_euclid(DAY);
        let mut reduced = Vec::new();
        for day in events.chunk_by(|a, b| day_of(a) == day_of(b)) {
            let kept = cut_down(&definitions, day);
            prop_assert_eq!(&cut_down(&definitions, &kept), &kept);
            // What was on time, reduced, and then what was late.
            let is_late = |event: &SequenceEvent| late[event.place];
            let (after, before): (Vec<_>, Vec<_>) = day.iter().partition(|event| is_late(event));
            let mut both = [cut_down(&definitions, &before), after].concat();
            both.sort_by_key(|event| (event.time_us, event.place));
            prop_assert_eq!(&cut_down(&definitions, &both), &kept);
            reduced.extend(kept);
        }
        let found = |events| recognised(&definitions, events, 0, 9 * DAY);
        prop_assert_eq!(found(&reduced), found(&events));
    }

    #[test]
    fn output_is_ordered_in_range_and_without_repeats(drawn in drawn(), from in 0..END, until in 0..2 * END) {
        let catalogue = catalogue();
        let events = build(catalogue, drawn);
        let found = recognised(catalogue.definitions(), &events, from * SECOND, until * SECOND);
        let key: Vec<_> = found.iter().map(|event| (event.time_us, event.code, event.entity_id)).collect();
        prop_assert!(key.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(key.iter().all(|key| (from * SECOND..until * SECOND).contains(&key.0)));
        let mut ids: Vec<_> = found.iter().map(|event| &event.event_id).collect();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), found.len());
    }

    #[test]
    fn idle_spells_are_those_a_plain_search_finds(drawn in drawn(), until in 0..2 * END) {
        let catalogue = catalogue();
        let events: Vec<_> = build(catalogue, drawn);
        let known: Vec<_> = events.into_iter().filter(|event| event.time_us < until * SECOND).collect();
        for definition in own(catalogue).into_iter().filter(|d| matches!(d.sequence, Sequence::Idle { .. })) {
            let found = recognised(std::slice::from_ref(&definition), &known, 0, until * SECOND);
            let found: Vec<_> = found.iter().map(|event| (event.time_us, event.entity_id)).collect();
            let mut searched: Vec<_> = idle_by_search(&definition, &known, until * SECOND)
                .into_iter()
                .map(|(time, number)| (time, NAMES[usize::try_from(number).unwrap()]))
                .collect();
            searched.sort_unstable();
            prop_assert_eq!(found, searched);
        }
    }
}
