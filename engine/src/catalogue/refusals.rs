//! What the loader says of a catalogue file that is wrong: tables of one change to the built-in file and the message.

use super::Catalogue;

const BUILTIN: &str = include_str!("../../catalogue/catalogue.toml");

/// A change to the built-in file, and the error it brings.
struct Case {
    /// In the file; its first occurrence is replaced.
    old: &'static str,
    new: &'static str,
    /// The message names the line where this begins in the changed file.
    at: &'static str,
    /// After the file's name and the line.
    message: &'static str,
}

const fn case(old: &'static str, new: &'static str, at: &'static str, message: &'static str) -> Case {
    Case { old, new, at, message }
}

const CALL: &str = "\ncall.hung_up              = {";
const HUNG_UP: &str = "zh = \"客户挂断\"";

const CODES: [Case; 8] = [
    case(
        "[wechat]",
        "[wechta]",
        "[wechta]",
        "unknown channel `wechta`; use phone, wechat, visit, email, meeting, web, system or derived",
    ),
    case(
        CALL,
        "\nhangup = {",
        "hangup",
        "`hangup` can't be a code; write noun.verb in lower case letters, digits and `_`, at most 64 characters; the noun \
         `derived` is for recognised events",
    ),
    case(
        CALL,
        "\ncall.Hungup = {",
        "call.Hungup",
        "`call.Hungup` can't be a code; write noun.verb in lower case letters, digits and `_`, at most 64 characters; the \
         noun `derived` is for recognised events",
    ),
    case(
        CALL,
        "\nderived.up = {",
        "derived.up",
        "`derived.up` can't be a code; write noun.verb in lower case letters, digits and `_`, at most 64 characters; the \
         noun `derived` is for recognised events",
    ),
    case(
        CALL,
        "\nemail.bounced = {",
        "email.bounced  ",
        "`email.bounced` is already defined in line 35; keep one of the two",
    ),
    case(
        CALL,
        "\ncall.unanswered = {",
        "call.unanswered = {",
        "duplicate key, at `call.unanswered = { en = \"Customer hung up\", zh = \"客户挂断\", re`",
    ),
    case(
        HUNG_UP,
        "cn = \"客户挂断\"",
        "call.hung_up",
        "`call.hung_up` has no field `cn`; it may have en, zh, requires, flags, amount_required, attributes",
    ),
    case(
        CALL,
        "\ncall.hung_up = 3 # {",
        "call.hung_up = 3",
        "`call.hung_up` needs the field `en`: write { en = \"…\", zh = \"…\" } after the code",
    ),
];

const VALUES: [Case; 7] = [
    case(", zh = \"客户挂断\"", "", "call.hung_up", "`call.hung_up` needs the field `zh`: its Chinese name"),
    case(HUNG_UP, "zh = 7", "call.hung_up", "`zh` of `call.hung_up` is 7; write its Chinese name"),
    case(
        "zh = \"语音留言\", requires = [\"rep\"]",
        "zh = \"语\", requires = [\"agent\"]",
        "call.voicemail_left",
        "`requires` of `call.voicemail_left` is \"agent\"; write a list of rep, customer, lead or opportunity",
    ),
    case(
        HUNG_UP,
        "zh = \"x\", flags = [\"tuch\"]",
        "call.hung_up",
        "`flags` of `call.hung_up` is \"tuch\"; write a list of touch, effective_touch, follow_up, discovery, solution, \
         accepted, rejected, price_sensitive, risk",
    ),
    case(
        HUNG_UP,
        "zh = \"x\", flags = [\"effective_touch\"]",
        "call.hung_up",
        "`flags` of `call.hung_up` is effective_touch without touch; write \"touch\" beside it: an effective touch is a \
         touch",
    ),
    case(
        HUNG_UP,
        "zh = \"x\", amount_required = \"yes\"",
        "call.hung_up",
        "`amount_required` of `call.hung_up` is \"yes\"; write true or false",
    ),
    case(
        HUNG_UP,
        "zh = \"x\", attributes = [\"a b\"]",
        "call.hung_up",
        "`attributes` of `call.hung_up` is \"a b\"; write a list of attribute names without spaces or commas",
    ),
];

const FIXED: [Case; 3] = [
    case(
        "zh = \"电话未接\"",
        "zh = \"电话未接\", flags = [\"risk\"]",
        "call.unanswered",
        "`flags` of `call.unanswered` is fixed by the contract: none, not risk",
    ),
    case(
        "zh = \"线索信息补全\"",
        "zh = \"x\", flags = [\"risk\"]",
        "lead.enriched",
        "`flags` of `lead.enriched` is fixed by the contract: none, not risk",
    ),
    case(
        "\n[phone]\n",
        "\n[phone]\nlead.seen = { en = \"a\", zh = \"b\" }\n",
        "lead.seen",
        "`channel` of `lead.seen` is fixed by the contract: system, not phone",
    ),
];

const DERIVED: [Case; 10] = [
    case(
        "kind = \"idle\"",
        "kind = \"quiet\"",
        "kind = \"quiet\"",
        "`kind` of `derived.opportunity_unmoved_7d` is \"quiet\"; write first, streak, silence_after or idle",
    ),
    case(
        "codes = [\"deal.signed\"]",
        "codes = [\"deal.singed\"]",
        "codes = [\"deal.singed\"]",
        "`codes` of `derived.first_deal` names `deal.singed`, which is no sent event and no flag of the catalogue; did you \
         mean `deal.signed`?",
    ),
    case(
        "codes = [\"deal.signed\"]",
        "codes = [\"derived.first_order\"]",
        "codes = [\"derived.first_order\"]",
        "`codes` of `derived.first_deal` names `derived.first_order`, which is no sent event and no flag of the catalogue",
    ),
    case(
        "codes = [\"deal.signed\"]",
        "codes = []",
        "[derived.first_deal]",
        "`derived.first_deal` needs the field `codes`: a list of codes, or of flags that stand for all sent codes with that \
         flag",
    ),
    case(
        "count = 3",
        "count = 1",
        "count = 1",
        "`count` of `derived.pricing_viewed_third` is 1; write a whole number, at least 2",
    ),
    case(
        "within = \"72h\"",
        "within = \"3 days\"",
        "within = \"3 days\"",
        "`within` of `derived.quote_unanswered_72h` is \"3 days\"; write a time like \"90s\", \"15min\", \"72h\" or \"7d\", \
         at most ten years",
    ),
    case(
        "codes = [\"touch\"]\nwithin = \"7d\"",
        "codes = [\"touch\"]\nuntil = []",
        "until = []",
        "`derived.rep_inactive_7d` has no field `until`; it may have en, zh, flags, entity, kind, codes, within, ends",
    ),
    case(
        "until = [\"complaint.resolved\"]",
        "until = [\"complaint.raised\"]",
        "until = [\"complaint.raised\"]",
        "`complaint.raised` is in `trigger` and in `until` of `derived.complaint_unresolved_48h`; leave it in one of them",
    ),
    case(
        "flags = [\"price_sensitive\"]\nentity",
        "flags = [\"touch\"]\nentity",
        "flags = [\"touch\"]\nentity",
        "`flags` of `derived.price_first_mentioned` is \"touch\"; write a list of price_sensitive, risk",
    ),
    case(
        "entity = \"rep\"",
        "entity = \"team\"",
        "entity = \"team\"",
        "`entity` of `derived.first_deal` is \"team\"; write rep, customer, lead or opportunity",
    ),
];

fn check(cases: &[Case]) {
    for Case { old, new, at, message } in cases {
        assert!(BUILTIN.contains(old), "{old}");
        let text = BUILTIN.replacen(old, new, 1);
        let offset = text.find(at).unwrap_or_else(|| panic!("{at}"));
        let line = 1 + text[..offset].matches('\n').count();
        let error = Catalogue::from_toml(&text, "team.toml").unwrap_err();
        assert_eq!(error.to_string(), format!("team.toml:{line}: {message}"));
    }
}

#[test]
fn what_is_wrong_with_a_line_is_said() {
    check(&CODES);
    check(&VALUES);
}

#[test]
fn what_the_contract_fixes_stays() {
    check(&FIXED);
    let error =
        Catalogue::from_toml(&BUILTIN.replace("call.connected ", "call.reached "), "team.toml").unwrap_err();
    assert_eq!(
        error.to_string(),
        "team.toml: `call.connected` is missing; it is fixed by the contract: channel phone, flags touch,follow_up"
    );
}

#[test]
fn what_is_wrong_with_a_derived_model_is_said() {
    check(&DERIVED);
}

#[test]
fn any_text_is_refused_without_panic() {
    for text in [
        "",
        "=",
        "[phone",
        "phone = 3",
        "[phone]\ncall = 3",
        "[phone]\ncall.x = 3",
        "derived = []",
        "[derived]\nx = 1",
        "[derived.x]\nen = 1",
        "\u{0}",
        "[phone]\n\"\" = {}",
        "[phone]\n\"a.b.c\" = {}",
        "[phone]\ncall.connected = {}",
    ] {
        assert!(Catalogue::from_toml(text, "x").is_err(), "{text:?}");
    }
    // Cut anywhere before its last fixed code, the file lacks one.
    let last = BUILTIN.find("complaint.resolved").unwrap();
    for end in (0..last).step_by(997).filter(|&end| BUILTIN.is_char_boundary(end)) {
        assert!(Catalogue::from_toml(&BUILTIN[..end], "x").is_err());
    }
}
