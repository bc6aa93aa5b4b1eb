//! The event types that are generated: a part of the event catalogue, with the channel each one uses.

macro_rules! kinds {
    ($($name:ident $code:literal $channel:ident,)*) => {
        /// An event type of the catalogue.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub(crate) enum Kind {
            $(#[doc = concat!("`", $code, "`")] $name,)*
        }

        impl Kind {
            /// Every type that is generated.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its code in the catalogue.
            pub(crate) const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Its channel in the catalogue.
            pub(crate) const fn channel(self) -> Channel {
                match self { $(Self::$name => Channel::$channel,)* }
            }

            /// Its position in [`Self::ALL`].
            pub(crate) const fn position(self) -> usize {
                self as usize
            }
        }
    };
}

/// Where something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Channel {
    /// By telephone.
    Phone,
    /// By `WeChat`.
    Wechat,
    /// At the customer's.
    Visit,
    /// By email.
    Email,
    /// In a meeting.
    Meeting,
    /// On the web site.
    Web,
    /// In a system: a fact, not a touch.
    System,
}

impl Channel {
    /// Its name in the contract.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Wechat => "wechat",
            Self::Visit => "visit",
            Self::Email => "email",
            Self::Meeting => "meeting",
            Self::Web => "web",
            Self::System => "system",
        }
    }
}

kinds! {
    CallConnected "call.connected" Phone,
    CallUnanswered "call.unanswered" Phone,
    CallVoicemailLeft "call.voicemail_left" Phone,
    WechatMessageSent "wechat.message_sent" Wechat,
    WechatMessageReceived "wechat.message_received" Wechat,
    WechatMaterialOpened "wechat.material_opened" Wechat,
    EmailSent "email.sent" Email,
    EmailOpened "email.opened" Email,
    EmailReplied "email.replied" Email,
    VisitCheckedIn "visit.checked_in" Visit,
    MeetingHeld "meeting.held" Meeting,
    MaterialSent "material.sent" Email,
    DemoGiven "demo.given" Meeting,
    DemoDeclined "demo.declined" Meeting,
    QuoteSent "quote.sent" Email,
    QuoteAccepted "quote.accepted" Meeting,
    QuoteRejected "quote.rejected" Meeting,
    SolutionAccepted "solution.accepted" Meeting,
    SolutionRejected "solution.rejected" Meeting,
    ContractSigned "contract.signed" Meeting,
    NeedRecorded "need.recorded" Meeting,
    BudgetConfirmed "budget.confirmed" Meeting,
    DecisionMakerIdentified "decision_maker.identified" Meeting,
    CompetitorMentioned "competitor.mentioned" Meeting,
    PriceMentioned "price.mentioned" Meeting,
    PriceObjection "price.objection" Meeting,
    WebPageViewed "web.page_viewed" Web,
    WebProductViewed "web.product_viewed" Web,
    WebPricingViewed "web.pricing_viewed" Web,
    WebFormSubmitted "web.form_submitted" Web,
    LeadCreated "lead.created" System,
    LeadAssigned "lead.assigned" System,
    LeadResponded "lead.responded" System,
    LeadQualified "lead.qualified" System,
    LeadDisqualified "lead.disqualified" System,
    LeadConverted "lead.converted" System,
    LeadLost "lead.lost" System,
    OpportunityOpened "opportunity.opened" System,
    OpportunityStageChanged "opportunity.stage_changed" System,
    OpportunityWon "opportunity.won" System,
    OpportunityLost "opportunity.lost" System,
    DealSigned "deal.signed" System,
    PaymentReceived "payment.received" System,
    OrderPlaced "order.placed" System,
    ComplaintRaised "complaint.raised" System,
    ComplaintResolved "complaint.resolved" System,
}

impl Kind {
    /// Whether a rep reaches a customer or lead by it, so that evidence may be attached.
    pub(crate) const fn is_touch(self) -> bool {
        matches!(
            self,
            Self::CallConnected
                | Self::WechatMessageSent
                | Self::EmailSent
                | Self::VisitCheckedIn
                | Self::MeetingHeld
                | Self::MaterialSent
                | Self::DemoGiven
                | Self::QuoteSent
                | Self::ContractSigned
        )
    }

    /// Whether the catalogue asks for a rep.
    pub(crate) const fn needs_rep(self) -> bool {
        self.is_touch()
            || matches!(
                self,
                Self::CallVoicemailLeft
                    | Self::NeedRecorded
                    | Self::BudgetConfirmed
                    | Self::DecisionMakerIdentified
                    | Self::CompetitorMentioned
                    | Self::QuoteAccepted
                    | Self::QuoteRejected
                    | Self::SolutionAccepted
                    | Self::SolutionRejected
                    | Self::DealSigned
            )
    }
}
