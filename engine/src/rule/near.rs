//! The nearest name to a misspelt one.

/// Words longer than this many characters are not looked at.
const CHARS_MAX: usize = 40;
/// The fewest characters that may stand for a longer name that begins with them.
const PREFIX_CHARS_MIN: usize = 2;

/// The first of the `names` nearest to `word`, if it is near: a slip for every three characters, or a
/// continuation of the word.
pub(super) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let word: Vec<char> = word.to_lowercase().chars().collect();
    if word.is_empty() || word.len() > CHARS_MAX {
        return None;
    }
    // A single character says nothing: it is one slip from every other.
    let slips_max = (word.len() / 3).max(1).min(word.len() - 1);
    names
        .filter_map(|name| {
            let letters: Vec<char> = name.chars().collect();
            if letters.len().abs_diff(word.len()) <= slips_max {
                let slips = distance(&word, &letters);
                return (slips <= slips_max).then_some((slips, name));
            }
            (word.len() >= PREFIX_CHARS_MIN && letters.starts_with(&word)).then_some((slips_max + 1, name))
        })
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, name)| name.to_owned())
}

/// How many characters to insert, delete, replace, or swap with their neighbour.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before = vec![0; right.len() + 1];
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut least = (above[j] + usize::from(a != b)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[right.len()]
}
