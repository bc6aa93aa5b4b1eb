//! The nearest name to a misspelt one.

/// Words longer than this many characters are not looked at.
const CHARS_MAX: usize = 40;
/// The fewest characters that may stand for a longer name that begins with them.
const PREFIX_CHARS_MIN: usize = 2;

/// The first of the `names` nearest to `word`, if it is near: a slip for every three characters, or a
/// continuation of the word.
pub(super) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    if length == 0 || length > CHARS_MAX {
        return None;
    }
    // A single character says nothing: it is one slip from every other.
    let slips_max = (length / 3).max(1).min(length - 1);
    names
        .filter_map(|name| {
            // Characters inserted, deleted, replaced, or swapped with their neighbour.
            let slips = strsim::osa_distance(&word, name);
            if slips <= slips_max {
                return Some((slips, name));
            }
            (length >= PREFIX_CHARS_MIN && name.starts_with(&word)).then_some((slips_max + 1, name))
        })
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, name)| name.to_owned())
}
