//! The built-in catalogue against the contract, and what its editing changes.

use super::{Catalogue, Channel, Definition, Duration, Entity, Flags, Model};

const BUILTIN: &str = include_str!("../../catalogue/catalogue.toml");

fn model(code: &str) -> Model {
    Catalogue::builtin().unwrap().get(code).unwrap_or_else(|| panic!("{code}")).1.clone()
}

#[test]
fn the_fixed_codes_have_the_contract_s_channel_flags_ids_and_amount() {
    let check = |codes: &str, channel: &str, flags: &str, required: &str, amount: bool| {
        for code in codes.split(' ') {
            let model = model(code);
            assert_eq!(model.channel.as_str(), channel, "{code}");
            assert_eq!(model.flags.to_string(), flags, "{code}");
            assert_eq!(model.required.to_string(), required, "{code}");
            assert_eq!(model.amount_required, amount, "{code}");
        }
    };
    check("call.connected", "phone", "touch,follow_up", "rep", false);
    check("wechat.message_sent", "wechat", "touch,follow_up", "rep", false);
    check("email.sent", "email", "touch,follow_up", "rep", false);
    check("call.unanswered", "phone", "", "", false);
    check("wechat.material_opened", "wechat", "", "", false);
    check("email.opened", "email", "", "", false);
    check("web.pricing_viewed web.form_submitted", "web", "", "", false);
    check("visit.checked_in", "visit", "touch,follow_up", "rep", false);
    check("meeting.held contract.signed", "meeting", "touch,follow_up", "rep", false);
    check("material.sent", "email", "touch,effective_touch,follow_up", "rep", false);
    check("demo.given", "meeting", "touch,effective_touch,follow_up,solution", "rep", false);
    check("quote.sent", "email", "touch,effective_touch,follow_up,solution", "rep", true);
    let discovery = "need.recorded budget.confirmed decision_maker.identified competitor.mentioned";
    check(discovery, "meeting", "discovery", "rep", false);
    check("solution.accepted quote.accepted", "meeting", "accepted", "rep", false);
    check("solution.rejected quote.rejected", "meeting", "rejected", "rep", false);
    let lead =
        "lead.created lead.assigned lead.responded lead.qualified lead.disqualified lead.converted lead.lost";
    check(lead, "system", "", "lead", false);
    let opportunity = "opportunity.opened opportunity.stage_changed opportunity.won opportunity.lost";
    check(opportunity, "system", "", "opportunity", false);
    check("deal.signed", "system", "", "rep", true);
    check("order.placed payment.received", "system", "", "customer", true);
    check("complaint.raised complaint.resolved", "system", "", "customer", false);
}

#[test]
fn the_catalogue_is_complete() {
    let catalogue = Catalogue::builtin().unwrap();
    let sent = |model: &&Model| !model.derived;
    let behaviours = catalogue.models().iter().filter(sent).filter(|model| model.channel != Channel::System);
    assert!(behaviours.clone().count() >= 127);
    for channel in Channel::ALL {
        assert!(
            catalogue.models().iter().filter(|model| model.channel == channel).count() >= 20,
            "{channel:?}"
        );
    }
    assert!(catalogue.definitions().len() >= 12);
    for (position, model) in catalogue.models().iter().enumerate() {
        let (code, found) = catalogue.get(&model.code).unwrap();
        assert_eq!((code.index(), found), (position, model));
        assert!(!model.name_zh.is_ascii(), "{}: {}", model.code, model.name_zh);
        // A touch is somebody's touch; what is derived is not.
        assert!(
            !model.flags.contains(Flags::TOUCH) || model.required.contains(Entity::Rep),
            "{}",
            model.code
        );
        assert!(!model.derived || model.code.starts_with("derived."), "{}", model.code);
    }
    let mut names: Vec<_> = catalogue.models().iter().map(|model| &model.name_en).collect();
    names.sort();
    assert_eq!(names.windows(2).find(|pair| pair[0] == pair[1]), None);
    assert_eq!(catalogue.get("call.unheard_of").map(|(code, _)| code), None);
}

#[test]
fn the_table_has_a_row_per_model() {
    let catalogue = Catalogue::builtin().unwrap();
    let batch = catalogue.to_batch().unwrap();
    assert_eq!(batch.num_rows(), catalogue.models().len());
    let names: Vec<_> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(
        names.join(" "),
        "code name_en name_zh channel requires_rep requires_customer requires_lead requires_opportunity amount_required \
         touch effective_touch follow_up discovery solution accepted rejected price_sensitive risk derived attributes rule"
    );
    let row = catalogue.get("derived.opportunity_unmoved_7d").unwrap().0.index();
    let cell = |name: &str| {
        let column = batch.column_by_name(name).unwrap();
        arrow::util::display::array_value_to_string(column, row).unwrap()
    };
    assert_eq!(cell("derived"), "true");
    assert_eq!(cell("requires_opportunity"), "true");
    assert_eq!(
        cell("rule"),
        "idle 7d: opportunity.opened, opportunity.stage_changed; ends opportunity.lost, opportunity.won"
    );
}

#[test]
fn the_hash_is_of_the_content() {
    let hash = |text: &str| Catalogue::from_toml(text, "x").unwrap().hash().to_owned();
    let same = |text: &str| assert_eq!(hash(text), hash(BUILTIN));
    let differs = |text: &str| assert_ne!(hash(text), hash(BUILTIN));
    same(&format!("# a comment\n{}", BUILTIN.replace(" = { en", "  =  { en")));
    let (line, rest) = BUILTIN.split_once("call.voicemail_left").unwrap();
    let (voicemail, rest) = rest.split_once('\n').unwrap();
    let (next, rest) = rest.split_once('\n').unwrap();
    same(&format!("{line}{next}\ncall.voicemail_left{voicemail}\n{rest}"));
    differs(&BUILTIN.replace("Voicemail left", "Left a voicemail"));
    differs(&BUILTIN.replace("\"72h\"", "\"73h\""));
    differs(&BUILTIN.replace("count = 5", "count = 6"));
}

#[test]
fn a_team_adds_models_by_editing_the_file() {
    let added = "\n[phone]\nfax.sent = { en = \"Fax sent\", zh = \"传真\", flags = [\"touch\"] }\n\"fax.read\" = { en = \"F\", zh = \"传\" }\n";
    let text = BUILTIN.replacen("\n[phone]\n", added, 1);
    let catalogue = Catalogue::from_toml(&text, "team.toml").unwrap();
    let (code, fax) = catalogue.get("fax.sent").unwrap();
    assert_eq!((fax.channel, fax.flags, fax.derived), (Channel::Phone, Flags::TOUCH, false));
    assert_eq!(catalogue.get("fax.read").unwrap().1.name_zh, "传");
    // It is a touch, so the models that look at touches look at it.
    let watched = |definition: &Definition| definition.sequence.codes().0.contains(&code);
    assert!(catalogue.definitions().iter().any(watched));
}

#[test]
fn times_are_read_and_shown() {
    let check = |text: &str, micros: Option<i64>| {
        assert_eq!(Duration::parse(text).map(Duration::as_micros), micros, "{text}");
    };
    check("1s", Some(1_000_000));
    check("15min", Some(900_000_000));
    check("72h", Some(259_200_000_000));
    check("7d", Some(604_800_000_000));
    for wrong in [
        "",
        "7",
        "d",
        "0s",
        "-1d",
        "1.5h",
        "7 d",
        "3661d",
        "99999999999999999999s",
        "9223372036854775807d",
        "7天",
    ] {
        check(wrong, None);
    }
    assert_eq!(Duration::parse("72h").unwrap().to_string(), "3d");
    assert_eq!(Duration::parse("90s").unwrap().to_string(), "90s");
}
