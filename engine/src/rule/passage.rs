//! A sentence or a line of the file: its characters, their plain forms, and where they stand in the file.

use std::ops::Range;

use super::Fault;

/// How many characters of a word a message repeats.
const SHOWN_CHARS_MAX: usize = 40;

/// A sentence or a line of the file.
#[derive(Debug)]
pub(super) struct Passage {
    pub(super) chars: Vec<char>,
    /// The same with full-width forms, blanks and capitals made plain; line breaks stay.
    pub(super) plain: Vec<char>,
    /// Where each line begins, and its number in the file.
    starts: Vec<(usize, usize)>,
}

impl Passage {
    /// The passage of these lines, which follow each other with their numbers.
    pub(super) fn new(lines: &[(usize, &str)]) -> Self {
        let (mut chars, mut starts) = (Vec::new(), Vec::new());
        for (number, line) in lines {
            if !chars.is_empty() {
                chars.push('\n');
            }
            starts.push((chars.len(), *number));
            chars.extend(line.trim_end().chars());
        }
        let plain = chars.iter().copied().map(plain).collect();
        Self { chars, plain, starts }
    }

    pub(super) fn chars(&self) -> usize {
        self.chars.len()
    }

    /// The text as written, shortened for a message.
    pub(super) fn shown(&self, range: Range<usize>) -> String {
        let rest = if range.len() > SHOWN_CHARS_MAX { "…" } else { "" };
        self.written(range.start..range.end.min(range.start + SHOWN_CHARS_MAX)).replace('\n', " ") + rest
    }

    pub(super) fn written(&self, range: Range<usize>) -> String {
        self.chars.get(range).unwrap_or_default().iter().collect()
    }

    /// A fault at a piece of the passage; of several lines, the first is marked.
    pub(super) fn fault(&self, range: Range<usize>, message: impl Into<String>) -> Fault {
        let line = self.starts.partition_point(|(start, _)| *start <= range.start).saturating_sub(1);
        let (start, number) = self.starts.get(line).copied().unwrap_or((0, 1));
        let piece = self.chars.get(range.clone()).unwrap_or_default();
        let width = piece.iter().take_while(|letter| **letter != '\n').count();
        Fault {
            line: number,
            column: range.start - start + 1,
            width: width.max(1),
            message: message.into(),
            expected: Vec::new(),
            suggestion: None,
        }
    }

    /// Where `phrase` ends if it stands at `at`; blanks and underscores are alike, and no word is cut.
    pub(super) fn matches(&self, at: usize, phrase: &str) -> Option<usize> {
        let mut end = at;
        for letter in phrase.chars() {
            let width = match letter {
                ' ' | '_' => self.count(end, |found| found == '_' || found.is_whitespace()),
                _ => usize::from(self.plain.get(end) == Some(&letter)),
            };
            if width == 0 {
                return None;
            }
            end += width;
        }
        let cut = phrase.ends_with(|letter: char| letter.is_ascii_alphanumeric())
            && self.plain.get(end).is_some_and(|next| next.is_ascii_alphanumeric() || *next == '_');
        (!cut).then_some(end)
    }

    /// How many characters from `at` on are so.
    pub(super) fn count(&self, at: usize, is: impl Fn(char) -> bool) -> usize {
        self.plain.iter().skip(at).take_while(|letter| is(**letter)).count()
    }

    /// Whether a digit stands at `at`.
    pub(super) fn digit(&self, at: usize) -> bool {
        self.plain.get(at).is_some_and(char::is_ascii_digit)
    }

    /// Whether the character at `at` belongs to a word: a full stop does if another such follows.
    pub(super) fn in_word(&self, at: usize) -> bool {
        let is = |at: usize, more: &str| {
            self.chars.get(at).is_some_and(|letter| letter.is_alphanumeric() || more.contains(*letter))
        };
        is(at, "-_") || (self.chars.get(at) == Some(&'.') && is(at + 1, "-_"))
    }
}

/// The plain form of a character: full-width ones are 0xfee0 after theirs.
fn plain(letter: char) -> char {
    match letter {
        '。' => '.',
        '、' => ',',
        '−' => '-',
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter).to_ascii_lowercase()
        }
        _ => letter.to_ascii_lowercase(),
    }
}
