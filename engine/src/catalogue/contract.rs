//! The codes, channels and flags that the published metrics rest on: a catalogue that lacks or changes one is refused.

use super::{Channel, Flags, Model};

/// One fixed code.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fixed {
    pub(super) code: &'static str,
    pub(super) channel: Channel,
    pub(super) flags: Flags,
}

/// Nouns whose every code is a fact: channel system, no flags.
const FACT_NOUNS: [&str; 3] = ["lead", "opportunity", "complaint"];

const TOUCH: Flags = Flags::TOUCH.with(Flags::FOLLOW_UP);
const EFFECTIVE: Flags = TOUCH.with(Flags::EFFECTIVE_TOUCH);
const PRESENTING: Flags = EFFECTIVE.with(Flags::SOLUTION);

const fn fixed(code: &'static str, channel: Channel, flags: Flags) -> Fixed {
    Fixed { code, channel, flags }
}

const fn fact(code: &'static str) -> Fixed {
    fixed(code, Channel::System, Flags::NONE)
}

/// Every code that must be in a catalogue.
pub(super) const FIXED: [Fixed; 38] = [
    fixed("call.connected", Channel::Phone, TOUCH),
    fixed("wechat.message_sent", Channel::Wechat, TOUCH),
    fixed("email.sent", Channel::Email, TOUCH),
    fixed("call.unanswered", Channel::Phone, Flags::NONE),
    fixed("wechat.material_opened", Channel::Wechat, Flags::NONE),
    fixed("email.opened", Channel::Email, Flags::NONE),
    fixed("web.pricing_viewed", Channel::Web, Flags::NONE),
    fixed("web.form_submitted", Channel::Web, Flags::NONE),
    fixed("visit.checked_in", Channel::Visit, TOUCH),
    fixed("meeting.held", Channel::Meeting, TOUCH),
    fixed("material.sent", Channel::Email, EFFECTIVE),
    fixed("demo.given", Channel::Meeting, PRESENTING),
    fixed("quote.sent", Channel::Email, PRESENTING),
    fixed("contract.signed", Channel::Meeting, TOUCH),
    fixed("need.recorded", Channel::Meeting, Flags::DISCOVERY),
    fixed("budget.confirmed", Channel::Meeting, Flags::DISCOVERY),
    fixed("decision_maker.identified", Channel::Meeting, Flags::DISCOVERY),
    fixed("competitor.mentioned", Channel::Meeting, Flags::DISCOVERY),
    fixed("solution.accepted", Channel::Meeting, Flags::ACCEPTED),
    fixed("quote.accepted", Channel::Meeting, Flags::ACCEPTED),
    fixed("solution.rejected", Channel::Meeting, Flags::REJECTED),
    fixed("quote.rejected", Channel::Meeting, Flags::REJECTED),
    fact("lead.created"),
    fact("lead.assigned"),
    fact("lead.responded"),
    fact("lead.qualified"),
    fact("lead.disqualified"),
    fact("lead.converted"),
    fact("lead.lost"),
    fact("opportunity.opened"),
    fact("opportunity.stage_changed"),
    fact("opportunity.won"),
    fact("opportunity.lost"),
    fact("deal.signed"),
    fact("order.placed"),
    fact("payment.received"),
    fact("complaint.raised"),
    fact("complaint.resolved"),
];

/// What the contract says of a code: its channel and flags; none where it leaves them to the catalogue.
pub(super) fn required_of(code: &str) -> Option<(Channel, Flags)> {
    if let Some(fixed) = FIXED.iter().find(|fixed| fixed.code == code) {
        return Some((fixed.channel, fixed.flags));
    }
    let noun = code.split('.').next().unwrap_or_default();
    FACT_NOUNS.contains(&noun).then_some((Channel::System, Flags::NONE))
}

/// The first fixed code that is not among `models`, which are in the order of their codes.
pub(super) fn missing_from(models: &[Model]) -> Option<Fixed> {
    FIXED
        .into_iter()
        .find(|fixed| models.binary_search_by(|model| model.code.as_str().cmp(fixed.code)).is_err())
}
