//! What one line of the catalogue says: the words of the contract (channel, entity, flag) and the model made of them.

use std::fmt;

/// How a rep and a customer met. `System` is for facts told by other systems and for derived events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Calls and text messages.
    Phone,
    /// `WeChat`, its groups and its official account.
    Wechat,
    /// On the customer's site.
    Visit,
    /// Email, and what is sent by it.
    Email,
    /// Meetings, on site or remote, and what is said in them.
    Meeting,
    /// The website.
    Web,
    /// Facts of other systems.
    System,
}

impl Channel {
    /// Every channel, the six main ones first.
    pub const ALL: [Self; 7] =
        [Self::Phone, Self::Wechat, Self::Visit, Self::Email, Self::Meeting, Self::Web, Self::System];

    /// The word used in records and tables.
    pub const fn as_str(self) -> &'static str {
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

    /// The channel of that exact word, lower case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == word)
    }
}

/// Whom an event can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// `rep_id`.
    Rep,
    /// `customer_id`.
    Customer,
    /// `lead_id`.
    Lead,
    /// `opportunity_id`.
    Opportunity,
}

impl Entity {
    /// Every entity, in the order of the columns of `raw.behaviour`.
    pub const ALL: [Self; 4] = [Self::Rep, Self::Customer, Self::Lead, Self::Opportunity];

    /// The word used in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rep => "rep",
            Self::Customer => "customer",
            Self::Lead => "lead",
            Self::Opportunity => "opportunity",
        }
    }

    /// The entity of that exact word, lower case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entity| entity.as_str() == word)
    }

    /// Position in [`Entity::ALL`].
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Rep => 0,
            Self::Customer => 1,
            Self::Lead => 2,
            Self::Opportunity => 3,
        }
    }
}

/// A set of entities: the ids that an event must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EntitySet(u8);

impl EntitySet {
    /// The set and one more.
    #[must_use]
    pub const fn with(self, entity: Entity) -> Self {
        Self(self.0 | 1 << entity.index())
    }

    /// Whether the entity is in the set.
    pub const fn contains(self, entity: Entity) -> bool {
        self.0 & 1 << entity.index() != 0
    }

    /// Whether no entity is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The entities in the set, in the order of [`Entity::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Entity> {
        Entity::ALL.into_iter().filter(move |&entity| self.contains(entity))
    }
}

/// The words, joined by commas.
impl fmt::Display for EntitySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iter().map(Entity::as_str).collect::<Vec<_>>().join(","))
    }
}

/// What an event counts as: a set of up to nine flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u16);

impl Flags {
    /// Nothing: a fact.
    pub const NONE: Self = Self(0);
    /// The rep reached the customer or lead.
    pub const TOUCH: Self = Self(1);
    /// A touch that sends material, gives a demo, or quotes.
    pub const EFFECTIVE_TOUCH: Self = Self(1 << 1);
    /// The rep kept the contact going.
    pub const FOLLOW_UP: Self = Self(1 << 2);
    /// Asks for or records a need, a budget, a decision maker, a competitor.
    pub const DISCOVERY: Self = Self(1 << 3);
    /// A solution or quote was presented.
    pub const SOLUTION: Self = Self(1 << 4);
    /// The customer said yes to a solution or quote.
    pub const ACCEPTED: Self = Self(1 << 5);
    /// The customer said no to a solution or quote.
    pub const REJECTED: Self = Self(1 << 6);
    /// The customer minds the price.
    pub const PRICE_SENSITIVE: Self = Self(1 << 7);
    /// A sign that the sale or the customer may be lost.
    pub const RISK: Self = Self(1 << 8);

    /// Every flag with its word, in the order of the columns of `catalogue.event`.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::TOUCH, "touch"),
        (Self::EFFECTIVE_TOUCH, "effective_touch"),
        (Self::FOLLOW_UP, "follow_up"),
        (Self::DISCOVERY, "discovery"),
        (Self::SOLUTION, "solution"),
        (Self::ACCEPTED, "accepted"),
        (Self::REJECTED, "rejected"),
        (Self::PRICE_SENSITIVE, "price_sensitive"),
        (Self::RISK, "risk"),
    ];

    /// The single flag of that exact word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|&(_, name)| name == word).map(|(flag, _)| flag)
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every flag of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits; bit k is the k-th flag of [`Flags::ALL`].
    pub const fn bits(self) -> u16 {
        self.0
    }
}

/// The words, joined by commas.
impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> =
            Self::ALL.iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, w)| *w).collect();
        f.write_str(&words.join(","))
    }
}

/// An event type as a dense number: the position of its model in [`super::Catalogue::models`]. It holds for one
/// catalogue only and is never stored: tables keep the code's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventCode(u16);

impl EventCode {
    /// As an index into arrays with one place per model.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Every possible code, ascending.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..=u16::MAX).map(Self)
    }
}

/// One behaviour model: what an event type is and what it counts as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The `event_type`, `noun.verb`.
    pub code: String,
    /// English name.
    pub name_en: String,
    /// Chinese name.
    pub name_zh: String,
    /// The channel of an event that names none.
    pub channel: Channel,
    /// Ids that an event must carry; where empty, any one of the four is enough.
    pub required: EntitySet,
    /// Whether an event without an amount is a bad record.
    pub amount_required: bool,
    /// What it counts as.
    pub flags: Flags,
    /// Attributes that are read from it, in the order of the file.
    pub attributes: Vec<String>,
    /// Recognised from a sequence; an event sent with this code is a bad record.
    pub derived: bool,
}
