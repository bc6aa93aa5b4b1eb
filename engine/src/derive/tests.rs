//! Each kind over a written-out list of events, with ties and boundaries; then the models that the contract names.

use super::{DerivedEvent, SequenceEvent, recognise, still_needed};
use crate::catalogue::{Catalogue, Definition, Entity};

const SECOND: i64 = 1_000_000;

/// The built-in catalogue with one more derived model, `derived.test` over customers, and that model alone.
fn catalogue_with(sequence: &str) -> (Catalogue, Vec<Definition>) {
    let builtin = include_str!("../../catalogue/catalogue.toml");
    let text =
        format!("{builtin}\n[derived.test]\nen = \"Test\"\nzh = \"测试\"\nentity = \"customer\"\n{sequence}");
    let catalogue = Catalogue::from_toml(&text, "test.toml").unwrap();
    let mut definitions = catalogue.definitions().to_vec();
    definitions.retain(|definition| definition.name == "derived.test");
    (catalogue, definitions)
}

/// The entities of all tests, by number; of any kind.
pub(super) const NAMES: [&str; 3] = ["a", "b", "x"];

/// The number of a name; `-` is nobody.
fn number(name: &str) -> Option<u32> {
    assert!(name == "-" || NAMES.contains(&name), "{name}");
    (0..).zip(NAMES).find(|(_, known)| *known == name).map(|(number, _)| number)
}

/// What is recognised from events of which nothing was known before.
pub(super) fn recognised(
    definitions: &[Definition],
    events: &[SequenceEvent],
    from: i64,
    until: i64,
) -> Vec<DerivedEvent<'static>> {
    let name = |_, number| NAMES[usize::try_from(number).unwrap()];
    recognise(definitions, events.iter().copied(), (from, until), &|_, _| false, &name)
}

/// Lines of "second code customer"; `-` is no customer. Events of one second keep the order of the lines.
fn events(catalogue: &Catalogue, lines: &str) -> Vec<SequenceEvent> {
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.enumerate().map(|(place, line)| event(catalogue, line, place)).collect()
}

fn event(catalogue: &Catalogue, line: &str, place: usize) -> SequenceEvent {
    let [second, code, customer] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
    SequenceEvent {
        time_us: second.parse::<i64>().unwrap() * SECOND,
        place,
        code: catalogue.get(code).unwrap().0,
        ids: [None, number(customer), None, None],
        only_for: None,
    }
}

/// "second customer", joined by "; ".
fn shown(derived: &[DerivedEvent<'_>]) -> String {
    let lines: Vec<_> = derived.iter().map(|d| format!("{} {}", d.time_us / SECOND, d.entity_id)).collect();
    lines.join("; ")
}

/// Recognises before second `until`, whole and cut in two at every second, with the past carried over the cut.
fn check_until(sequence: &str, lines: &str, until: i64, expected: &str) {
    let (catalogue, definitions) = catalogue_with(sequence);
    let events = events(&catalogue, lines);
    let whole = recognised(&definitions, &events, i64::MIN, until * SECOND);
    assert_eq!(shown(&whole), expected, "{sequence}\n{lines}");
    for cut in 0..until {
        let as_of = cut * SECOND;
        let carried = still_needed(&definitions, &events, as_of, &|_, _| false);
        let before = recognised(&definitions, &events, i64::MIN, as_of);
        let after = recognised(&definitions, &carried, as_of, until * SECOND);
        assert_eq!(shown(&[before, after].concat()), expected, "cut at {cut}: {sequence}\n{lines}");
    }
}

fn check(sequence: &str, lines: &str, expected: &str) {
    check_until(sequence, lines, 1000, expected);
}

#[test]
fn first_is_once_per_entity() {
    let first = "kind = \"first\"\ncodes = [\"price.mentioned\", \"price.objection\"]";
    check(first, "", "");
    check(first, "5 need.recorded a", "");
    check(first, "5 price.mentioned -", "");
    check(first, "5 price.mentioned a\n6 price.objection a\n9 price.mentioned a", "5 a");
    check(first, "5 price.objection b\n5 price.mentioned a\n7 price.mentioned b", "5 a; 5 b");
    check_until(first, "5 price.mentioned a", 5, "");
    check_until(first, "5 price.mentioned a", 6, "5 a");
}

#[test]
fn streak_fires_on_the_last_and_counts_anew() {
    let streak = "kind = \"streak\"\ncodes = [\"demo.declined\", \"demo.no_show\"]\ncount = 3\nwithout = [\"demo.given\"]";
    check(streak, "1 demo.declined a\n2 demo.no_show a", "");
    check(streak, "1 demo.declined a\n2 demo.no_show a\n3 demo.declined a", "3 a");
    check(streak, "1 demo.declined a\n2 demo.declined a\n3 demo.given a\n4 demo.declined a", "");
    check(streak, "1 demo.declined a\n2 demo.declined a\n3 demo.given b\n4 demo.declined a", "4 a");
    let six = "1 demo.declined a\n2 demo.declined a\n3 demo.declined a\n4 demo.declined a\n5 demo.declined a";
    check(streak, six, "3 a");
    check(streak, &format!("{six}\n6 demo.declined a"), "3 a; 6 a");
    // Within one instant the order of ids decides; two of one instant are one.
    check(streak, "1 demo.declined a\n1 demo.declined a\n2 demo.declined a\n2 demo.given a", "2 a");
    check(streak, "1 demo.declined a\n1 demo.declined a\n2 demo.given a\n2 demo.declined a", "");
    check(streak, &"7 demo.declined a\n".repeat(6), "7 a");
}

#[test]
fn silence_after_fires_at_the_deadline() {
    let silence = "kind = \"silence_after\"\ntrigger = [\"quote.sent\"]\nuntil = [\"quote.accepted\"]\nwithin = \"10s\"";
    check(silence, "1 quote.sent a", "11 a");
    check(silence, "1 quote.sent a\n10 quote.accepted a", "");
    check(silence, "1 quote.sent a\n11 quote.accepted a", "");
    check(silence, "1 quote.sent a\n12 quote.accepted a", "11 a");
    check(silence, "1 quote.sent a\n2 quote.accepted b", "11 a");
    check(silence, "1 quote.accepted a\n1 quote.sent a", "11 a");
    check(silence, "1 quote.sent a\n1 quote.accepted a", "");
    // A further trigger doesn't restart the clock, not even at the deadline; one after it waits anew.
    check(silence, "1 quote.sent a\n5 quote.sent a", "11 a");
    check(silence, "1 quote.sent a\n11 quote.sent a", "11 a");
    check(silence, "1 quote.sent a\n11 quote.sent a\n11 quote.accepted a", "");
    check(silence, "1 quote.sent a\n12 quote.sent a", "11 a; 22 a");
    check(silence, "1 quote.sent a\n5 quote.accepted a\n6 quote.sent a", "16 a");
    // The deadline itself must lie before the end of what is known.
    check_until(silence, "1 quote.sent a", 11, "");
    check_until(silence, "1 quote.sent a", 12, "11 a");
    check_until(silence, "1 quote.sent a\n12 quote.accepted a", 12, "11 a");
}

#[test]
fn idle_fires_once_per_spell_while_open() {
    let idle = "kind = \"idle\"\ncodes = [\"opportunity.stage_changed\"]\nends = [\"opportunity.won\"]\nwithin = \"10s\"";
    check(idle, "1 opportunity.stage_changed a", "11 a");
    check(idle, "1 opportunity.stage_changed a\n11 opportunity.stage_changed a", "21 a");
    check(idle, "1 opportunity.stage_changed a\n12 opportunity.stage_changed a", "11 a; 22 a");
    check(idle, "1 opportunity.stage_changed a\n5 opportunity.stage_changed a", "15 a");
    check(idle, "1 opportunity.stage_changed a\n11 opportunity.won a", "");
    check(idle, "1 opportunity.stage_changed a\n12 opportunity.won a", "11 a");
    check(idle, "1 opportunity.won a\n2 opportunity.stage_changed a", "");
    check(idle, "1 opportunity.won a\n2 opportunity.stage_changed b", "12 b");
    check_until(idle, "1 opportunity.stage_changed a", 11, "");
    let endless = "kind = \"idle\"\ncodes = [\"touch\"]\nwithin = \"10s\"";
    check(endless, "1 call.connected a\n3 email.opened a", "11 a");
    check(endless, "1 call.connected a\n9 email.sent a", "19 a");
}

#[test]
fn only_fire_times_between_from_and_until_come_out() {
    let silence = "kind = \"silence_after\"\ntrigger = [\"quote.sent\"]\nuntil = [\"quote.accepted\"]\nwithin = \"10s\"";
    let (catalogue, definitions) = catalogue_with(silence);
    let events = events(&catalogue, "1 quote.sent a\n3 quote.sent b");
    let found =
        |from: i64, until: i64| shown(&recognised(&definitions, &events, from * SECOND, until * SECOND));
    assert_eq!(found(11, 13), "11 a");
    assert_eq!(found(12, 14), "13 b");
    assert_eq!(found(14, 99), "");
    assert_eq!(found(99, 14), "");
}

#[test]
fn derived_events_tell_what_set_them_off() {
    let silence = "kind = \"silence_after\"\ntrigger = [\"quote.sent\"]\nuntil = [\"quote.accepted\"]\nwithin = \"10s\"";
    let (catalogue, definitions) = catalogue_with(silence);
    let quote = event(&catalogue, "1 quote.sent a", 7);
    let carried = still_needed(&definitions, &[quote], 2 * SECOND, &|_, _| false);
    assert_eq!(carried, [SequenceEvent { only_for: Some(definitions[0].code), ..quote }]);
    let found = recognised(&definitions, &carried, 2 * SECOND, 99 * SECOND);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].trigger, 7);
    assert_eq!(found[0].code, definitions[0].code);
    // Stored under this id: it may never change, or a rerun would store the event twice.
    assert_eq!(found[0].event_id, "773c33c24d67f915d3ba6fbac2946457");
}

#[test]
fn a_fact_carried_for_one_model_misleads_no_other() {
    // The first refusal is carried for `first`; were it to count in the streak, from which the demo cut it off, two more
    // would make three.
    let builtin = include_str!("../../catalogue/catalogue.toml");
    let own = "[derived.refused_first]\nen = \"a\"\nzh = \"a\"\nentity = \"customer\"\nkind = \"first\"\ncodes = [\"demo.declined\"]";
    let catalogue = Catalogue::from_toml(&format!("{builtin}\n{own}"), "test.toml").unwrap();
    let mut definitions = catalogue.definitions().to_vec();
    let names = ["derived.refused_first", "derived.demo_avoided_third"];
    definitions.retain(|definition| names.contains(&definition.name.as_str()));
    let lines = "1 demo.declined a\n2 demo.given a\n3 demo.declined a\n4 demo.declined a";
    let events = events(&catalogue, lines);
    let carried = still_needed(&definitions, &events, 3 * SECOND, &|_, _| false);
    let kept: Vec<_> = carried.iter().map(|event| event.place).collect();
    assert_eq!(kept, [0, 2, 3]);
    assert_eq!(recognised(&definitions, &carried, 3 * SECOND, 9 * SECOND), []);
}

/// One entity id for all four columns; lines of "second code"; expected "second code".
fn check_builtin(model: &str, lines: &str, expected: &str) {
    let catalogue = Catalogue::builtin().unwrap();
    let lines: Vec<String> = lines.split("; ").map(|line| format!("{line} x")).collect();
    let mut events = events(&catalogue, &lines.join("\n"));
    for event in &mut events {
        event.ids = [event.ids[Entity::Customer.index()]; Entity::ALL.len()];
    }
    let found = recognised(catalogue.definitions(), &events, i64::MIN, 100 * 86_400 * SECOND);
    let of_model = found.iter().filter(|event| catalogue.model(event.code).unwrap().code == model);
    let seconds: Vec<String> = of_model.map(|event| (event.time_us / SECOND).to_string()).collect();
    assert_eq!(seconds.join("; "), expected, "{model}: {lines:?}");
}

#[test]
fn the_models_that_the_contract_names_are_recognised() {
    check_builtin("derived.price_first_mentioned", "5 price.mentioned; 6 price.objection", "5");
    check_builtin("derived.demo_avoided_third", "1 demo.declined; 2 demo.no_show; 3 demo.postponed", "3");
    check_builtin(
        "derived.demo_avoided_third",
        "1 demo.declined; 2 demo.given; 3 demo.no_show; 4 demo.no_show",
        "",
    );
    check_builtin("derived.quote_unanswered_72h", "0 quote.sent", "259200");
    check_builtin("derived.quote_unanswered_72h", "0 quote.sent; 259200 quote.rejected", "");
    check_builtin(
        "derived.opportunity_unmoved_7d",
        "0 opportunity.opened; 9 opportunity.stage_changed",
        "604809",
    );
    check_builtin("derived.opportunity_unmoved_7d", "0 opportunity.opened; 9 opportunity.lost", "");
    check_builtin("derived.lead_unanswered_sla", "0 lead.created; 901 lead.responded", "900");
    check_builtin("derived.lead_unanswered_sla", "0 lead.created; 900 call.connected", "");
    check_builtin("derived.lead_unanswered_sla", "0 lead.created; 60 call.unanswered", "900");
}
