//! The streams of the input contract and their fields: what an emit may write.

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// At most [`ID_BYTES_MAX`] bytes.
    Id,
    Text,
    Channel,
    /// RFC 3339
    Time,
    /// `YYYY-MM-DD`
    Date,
    /// `YYYY-MM` or `YYYY-Qn`
    Period,
    /// A decimal with exactly two places, written as a JSON string.
    Amount,
    /// A finite number, written as a JSON number.
    Number,
    /// `true` or `false`, written as a JSON boolean.
    Bool,
}

/// Longest id, in bytes.
pub(crate) const ID_BYTES_MAX: usize = 64;
pub(crate) const CHANNELS: [&str; 7] = ["phone", "wechat", "visit", "email", "meeting", "web", "system"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stream {
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [Field],
    /// Fields that tell two records of the stream apart.
    pub(crate) key: &'static [&'static str],
    /// At least one of these must be present.
    pub(crate) one_of: &'static [&'static str],
    pub(crate) attributes: bool,
}

impl Stream {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        STREAMS.iter().find(|stream| stream.name == name)
    }

    pub(crate) fn position(&self, field: &str) -> Option<usize> {
        self.fields.iter().position(|known| known.name == field)
    }
}

const fn required(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true }
}

const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false }
}

/// Every stream, its fields in the order in which they are written.
pub(crate) const STREAMS: &[Stream] = &[
    Stream {
        name: "behaviour",
        fields: &[
            required("event_id", Kind::Id),
            required("event_time", Kind::Time),
            required("event_type", Kind::Text),
            optional("channel", Kind::Channel),
            optional("rep_id", Kind::Id),
            optional("customer_id", Kind::Id),
            optional("lead_id", Kind::Id),
            optional("opportunity_id", Kind::Id),
            optional("amount", Kind::Amount),
        ],
        key: &["event_id"],
        one_of: &["rep_id", "customer_id", "lead_id", "opportunity_id"],
        attributes: true,
    },
    Stream {
        name: "market_factor",
        fields: &[
            required("factor", Kind::Id),
            optional("region_id", Kind::Id),
            required("observed_at", Kind::Time),
            required("value", Kind::Number),
            required("source", Kind::Text),
            optional("unit", Kind::Text),
        ],
        key: &["factor", "region_id", "observed_at", "source"],
        one_of: &[],
        attributes: true,
    },
    Stream {
        name: "crm.rep",
        fields: &[
            required("rep_id", Kind::Id),
            optional("region_id", Kind::Id),
            optional("manager_id", Kind::Id),
            optional("team", Kind::Text),
            optional("role", Kind::Text),
            optional("hired_on", Kind::Date),
            optional("left_on", Kind::Date),
            optional("status", Kind::Text),
            optional("consent_at", Kind::Time),
            optional("updated_at", Kind::Time),
        ],
        key: &["rep_id", "updated_at"],
        one_of: &[],
        attributes: false,
    },
    Stream {
        name: "crm.customer",
        fields: &[
            required("customer_id", Kind::Id),
            optional("owner_rep_id", Kind::Id),
            optional("region_id", Kind::Id),
            optional("segment", Kind::Text),
            optional("industry", Kind::Text),
            optional("size_band", Kind::Text),
            optional("created_on", Kind::Date),
            optional("lifecycle_stage", Kind::Text),
            optional("updated_at", Kind::Time),
        ],
        key: &["customer_id", "updated_at"],
        one_of: &[],
        attributes: false,
    },
    Stream {
        name: "crm.region",
        fields: &[
            required("region_id", Kind::Id),
            optional("parent_region_id", Kind::Id),
            optional("name", Kind::Text),
            optional("updated_at", Kind::Time),
        ],
        key: &["region_id", "updated_at"],
        one_of: &[],
        attributes: false,
    },
    Stream {
        name: "crm.plan",
        fields: &[
            required("period", Kind::Period),
            required("region_id", Kind::Id),
            required("target_amount", Kind::Amount),
            optional("updated_at", Kind::Time),
        ],
        key: &["period", "region_id", "updated_at"],
        one_of: &[],
        attributes: false,
    },
    Stream {
        name: "crm.product",
        fields: &[
            required("product_id", Kind::Id),
            optional("name", Kind::Text),
            optional("category", Kind::Text),
            optional("list_price", Kind::Amount),
            optional("updated_at", Kind::Time),
        ],
        key: &["product_id", "updated_at"],
        one_of: &[],
        attributes: false,
    },
    Stream {
        name: "crm.calendar",
        fields: &[
            required("date", Kind::Date),
            required("is_working_day", Kind::Bool),
            optional("season_tag", Kind::Text),
            optional("updated_at", Kind::Time),
        ],
        key: &["date", "updated_at"],
        one_of: &[],
        attributes: false,
    },
];
