//! How PostgreSQL's `to_char` writes a time, as the planner's function wants to be told.

/// What can be asked for.
pub(super) const RIGHT: &str = "it knows YYYY, YY, MM, Mon, Month, DD, DDD, Dy, Day, HH24, HH12, HH, MI, SS, MS, US, AM, PM, IYYY and IW";

/// The words of PostgreSQL, longest first, and those of chrono.
const WORDS: [(&str, &str); 21] = [
    ("Month", "%B"),
    ("YYYY", "%Y"),
    ("IYYY", "%G"),
    ("HH24", "%H"),
    ("HH12", "%I"),
    ("Mon", "%b"),
    ("DDD", "%j"),
    ("Day", "%A"),
    ("YY", "%y"),
    ("MM", "%m"),
    ("DD", "%d"),
    ("Dy", "%a"),
    ("HH", "%I"),
    ("MI", "%M"),
    ("SS", "%S"),
    ("MS", "%3f"),
    ("US", "%6f"),
    ("IW", "%V"),
    ("AM", "%p"),
    ("PM", "%p"),
    ("TZ", "%Z"),
];

/// The pattern in chrono's words; none where it has `%`, and so is one already, or asks for what isn't known.
pub(super) fn of_chrono(pattern: &str) -> Option<String> {
    if pattern.contains('%') {
        return None;
    }
    let (mut rest, mut found) = (pattern, String::new());
    while let Some(letter) = rest.chars().next() {
        // FM drops blanks, of which chrono writes none.
        if let Some(after) = rest.strip_prefix("FM") {
            rest = after;
        } else if let Some(quoted) = rest.strip_prefix('"') {
            let (words, after) = quoted.split_once('"')?;
            found.push_str(words);
            rest = after;
        } else if let Some((word, chrono)) = WORDS.iter().find(|(word, _)| begins(rest, word)) {
            found.push_str(chrono);
            rest = &rest[word.len()..];
        } else if letter.is_alphanumeric() {
            return None;
        } else {
            found.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    Some(found)
}

/// Whether a text begins with a word; those of numbers in either case.
fn begins(text: &str, word: &str) -> bool {
    let named = word.chars().any(|letter| letter.is_ascii_lowercase());
    text.get(..word.len()).is_some_and(|first| first == word || !named && first.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_postgresql_become_those_of_chrono() {
        for (pattern, expected) in [
            ("YYYY-MM-DD HH24:MI:SS", Some("%Y-%m-%d %H:%M:%S")),
            ("yyyy-mm", Some("%Y-%m")),
            ("IYYY-\"W\"IW", Some("%G-W%V")),
            ("Mon DD", Some("%b %d")),
            ("FMMonth", Some("%B")),
            ("%Y", None),
            ("Q", None),
            ("999D99", None),
        ] {
            assert_eq!(of_chrono(pattern).as_deref(), expected, "{pattern}");
        }
    }
}
