//! What is wrong with a rule file, where, and how to put it right.

use unicode_width::UnicodeWidthChar;

/// One fault of a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The first character at fault, from 1 and in characters.
    pub column: usize,
    /// How many characters are at fault; at least 1, and at the end of a line one more than there are.
    pub width: usize,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// What could stand there instead.
    pub expected: Vec<String>,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl Fault {
    /// The fault with its place, the line and a mark beneath it; `text` is the text that was read as `file`.
    ///
    /// ```text
    /// rules.txt:1:7: 复购间隔 is in days, not a share
    /// 当复购间隔<30%时，冻结目标
    ///            ^^^
    /// expected `30天`
    /// ```
    pub fn show(&self, file: &str, text: &str) -> String {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let line = text.split('\n').nth(self.line.saturating_sub(1)).unwrap_or_default();
        let line: Vec<char> = line
            .trim_end_matches('\r')
            .chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .collect();
        let before = self.column.saturating_sub(1);
        let cells = |letters: &mut dyn Iterator<Item = &char>| {
            letters.map(|letter| letter.width().unwrap_or(0)).sum()
        };
        let indent: usize = cells(&mut line.iter().take(before));
        let marked: usize = cells(&mut line.iter().skip(before).take(self.width));
        let mut shown = vec![
            format!("{file}:{}:{}: {}", self.line, self.column, self.message),
            line.iter().collect::<String>().trim_end().to_owned(),
            " ".repeat(indent) + &"^".repeat(marked.max(1)),
        ];
        if let Some((last, others)) = self.expected.split_last() {
            let others: Vec<String> = others.iter().map(|other| format!("`{other}`")).collect();
            let joint = if others.is_empty() { "" } else { " or " };
            shown.push(format!("expected {}{joint}`{last}`", others.join(", ")));
        }
        shown.extend(self.suggestion.as_ref().map(|meant| format!("did you mean `{meant}`?")));
        shown.join("\n")
    }

    pub(super) fn expecting<T: Into<String>>(mut self, expected: impl IntoIterator<Item = T>) -> Self {
        self.expected = expected.into_iter().map(Into::into).collect();
        self
    }

    pub(super) fn suggesting(mut self, suggestion: impl Into<Option<String>>) -> Self {
        self.suggestion = suggestion.into();
        self
    }
}
