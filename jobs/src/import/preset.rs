//! Built-in mappings for the standard exports of common CRMs: written in the same language, read by the same code.

/// Name and text of each.
const PRESETS: [(&str, &str); 4] = [
    ("salesforce-opportunities", include_str!("preset/salesforce_opportunities.toml")),
    ("salesforce-leads", include_str!("preset/salesforce_leads.toml")),
    ("hubspot-deals", include_str!("preset/hubspot_deals.toml")),
    ("hubspot-contacts", include_str!("preset/hubspot_contacts.toml")),
];

/// The names that `tideline import --preset` takes.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// The mapping file of a preset, to use, or to print and adapt.
pub fn text(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
