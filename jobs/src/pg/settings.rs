//! The settings of a connection: those that clients send without asking, a few of which do something.

use std::collections::BTreeMap;
use std::time::Duration;

use super::failure::Failure;

/// Settings that are reported when a connection begins, with what they begin with.
const REPORTED: [(&str, &str); 13] = [
    ("application_name", ""),
    ("client_encoding", "UTF8"),
    ("datestyle", "ISO, MDY"),
    ("default_transaction_read_only", "on"),
    ("in_hot_standby", "off"),
    ("integer_datetimes", "on"),
    ("intervalstyle", "postgres"),
    ("is_superuser", "off"),
    ("server_encoding", "UTF8"),
    ("server_version", sql::SERVER_VERSION),
    ("session_authorization", ""),
    ("standard_conforming_strings", "on"),
    ("timezone", "UTC"),
];

/// Settings that can be asked for, but don't change.
const FIXED: [(&str, &str); 9] = [
    ("server_version_num", "150000"),
    ("transaction_isolation", "repeatable read"),
    ("transaction_read_only", "on"),
    ("default_transaction_isolation", "repeatable read"),
    ("default_table_access_method", "heap"),
    ("max_identifier_length", "63"),
    ("max_index_keys", "32"),
    ("lc_collate", "C"),
    ("lc_ctype", "C"),
];

/// Settings that anybody may set, with what they begin with. Of these, `search_path` and `statement_timeout` do
/// something; the others are remembered.
const FREE: [(&str, &str); 26] = [
    ("application_name", ""),
    ("bytea_output", "hex"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("datestyle", "ISO, MDY"),
    ("default_transaction_isolation", "repeatable read"),
    ("default_transaction_read_only", "on"),
    ("enable_seqscan", "on"),
    ("extra_float_digits", "1"),
    ("geqo", "on"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("intervalstyle", "postgres"),
    ("jit", "off"),
    ("lock_timeout", "0"),
    ("log_statement", "none"),
    ("plan_cache_mode", "auto"),
    ("role", "none"),
    ("row_security", "on"),
    ("search_path", "mart"),
    ("standard_conforming_strings", "on"),
    ("statement_timeout", "0"),
    ("synchronous_commit", "on"),
    ("timezone", "UTC"),
    ("transaction_read_only", "on"),
    ("work_mem", "4MB"),
];

/// Names as the protocol spells them where they aren't small.
const SPELLINGS: [(&str, &str); 3] =
    [("datestyle", "DateStyle"), ("intervalstyle", "IntervalStyle"), ("timezone", "TimeZone")];

/// What a connection has set.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    values: BTreeMap<String, String>,
    first: BTreeMap<String, String>,
}

impl Settings {
    /// The settings that a connection of a user begins with.
    ///
    /// # Errors
    /// Where the client's own can't be.
    pub(super) fn new(user: &str, given: &BTreeMap<String, String>) -> Result<Self, Failure> {
        let known = FREE.iter().chain(&FIXED).chain(&REPORTED);
        let values: BTreeMap<String, String> =
            known.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut settings = Self { first: values.clone(), values };
        settings.values.insert("session_authorization".to_owned(), user.to_owned());
        let options = given.get("options").map(|options| of_options(options)).unwrap_or_default();
        let named = given.iter().map(|(name, value)| (name.clone(), value.clone()));
        for (name, value) in options.into_iter().chain(named) {
            // What isn't known here may be asked of any server, so it is passed over.
            if FREE.iter().any(|(known, _)| *known == name.to_lowercase()) {
                settings.set(&name, &value)?;
            }
        }
        settings.first.clone_from(&settings.values);
        Ok(settings)
    }

    /// Sets one.
    ///
    /// # Errors
    /// 42704 for a name that isn't known, 22023 for a value that can't be.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let name = name.to_lowercase();
        if !FREE.iter().any(|(known, _)| *known == name) {
            return Err(unknown(&name));
        }
        let wrong = |right: &str| Err(Failure::new("22023", format!("{name} can be {right} here")));
        let value = value.trim();
        match name.as_str() {
            "client_encoding" if !is_utf8(value) => return wrong("UTF8"),
            "standard_conforming_strings" if !is_on(value) => return wrong("on"),
            "default_transaction_read_only" | "transaction_read_only" if !is_on(value) => {
                return Err(Failure::read_only(&format!("SET {name} = {value}")));
            }
            "datestyle" if !value.to_uppercase().starts_with("ISO") => return wrong("ISO"),
            "statement_timeout" if milliseconds(value).is_none() => {
                return wrong("a number of milliseconds, or a time such as 30s");
            }
            _ => {}
        }
        self.values.insert(name, value.to_owned());
        Ok(())
    }

    /// Sets one, or all, back to what the connection began with.
    ///
    /// # Errors
    /// 42704 for a name that isn't known.
    pub(super) fn reset(&mut self, name: Option<&str>) -> Result<(), Failure> {
        let Some(name) = name else {
            self.values.clone_from(&self.first);
            return Ok(());
        };
        let name = name.to_lowercase();
        let first = self.first.get(&name).cloned().ok_or_else(|| unknown(&name))?;
        self.values.insert(name, first);
        Ok(())
    }

    /// The value of one.
    ///
    /// # Errors
    /// 42704 for a name that isn't known.
    pub(super) fn get(&self, name: &str) -> Result<&str, Failure> {
        let name = name.to_lowercase();
        self.values.get(&name).map(String::as_str).ok_or_else(|| unknown(&name))
    }

    pub(super) fn all(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// What clients are told of their own accord.
    pub(super) fn reported(&self) -> impl Iterator<Item = (&str, &str)> {
        REPORTED.iter().map(|(name, _)| {
            let spelt = SPELLINGS.iter().find(|(known, _)| known == name).map_or(*name, |(_, spelt)| spelt);
            (spelt, self.values.get(*name).map_or("", String::as_str))
        })
    }

    /// The first schema that names without one are looked for in.
    pub(super) fn schema(&self) -> String {
        let path = self.values.get("search_path").map_or("", String::as_str);
        let first = path.split(',').map(|name| name.trim().trim_matches(['"', '\'']));
        // What PostgreSQL puts there by default isn't here.
        let named = first.into_iter().find(|name| !matches!(*name, "" | "$user" | "public" | "pg_catalog"));
        named.unwrap_or(sql::DEFAULT_SCHEMA).to_owned()
    }

    /// How long a statement may take, as far as the client limits it.
    pub(super) fn statement_timeout(&self) -> Option<Duration> {
        let value = milliseconds(self.values.get("statement_timeout")?)?;
        (value > 0).then(|| Duration::from_millis(value))
    }
}

fn unknown(name: &str) -> Failure {
    Failure::new("42704", format!("unrecognized configuration parameter \"{name}\""))
}

/// Whether an encoding is the one spoken here. As with PostgreSQL, only letters and digits of its name count: asyncpg
/// writes `'utf-8'`, quotes and all.
fn is_utf8(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    matches!(plain.to_lowercase().as_str(), "utf8" | "unicode")
}

fn is_on(value: &str) -> bool {
    matches!(value.to_lowercase().as_str(), "on" | "true" | "yes" | "1")
}

fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let number: u64 = text[..digits].parse().ok()?;
    let factor = match text[digits..].trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// The settings in `-c name=value -c other=value`.
fn of_options(options: &str) -> Vec<(String, String)> {
    let mut words = options.split_whitespace();
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        let pair = match word {
            "-c" => words.next(),
            _ => word.strip_prefix("-c").or_else(|| word.strip_prefix("--")),
        };
        found.extend(pair.and_then(|pair| pair.split_once('=')).map(|(a, b)| (a.to_owned(), b.to_owned())));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(options: &str) -> Settings {
        let given = BTreeMap::from([("options".to_owned(), options.to_owned())]);
        Settings::new("ann", &given).unwrap()
    }

    #[test]
    fn options_of_a_connection_are_what_reset_goes_back_to() {
        let mut settings = settings("-c search_path=crm,public --statement_timeout=2s -c unheard.of=1");
        assert_eq!(settings.schema(), "crm");
        assert_eq!(settings.statement_timeout(), Some(Duration::from_secs(2)));
        settings.set("Search_Path", "\"$user\", public").unwrap();
        assert_eq!(settings.schema(), "mart");
        settings.reset(None).unwrap();
        assert_eq!(settings.schema(), "crm");
    }

    #[test]
    fn only_harmless_names_are_set() {
        let mut settings = settings("");
        for name in ["datafusion.execution.batch_size", "is_superuser", "server_version", "nothing"] {
            assert_eq!(settings.set(name, "1").unwrap_err().code, "42704", "{name}");
        }
        assert_eq!(settings.set("client_encoding", "LATIN1").unwrap_err().code, "22023");
        for name in ["UTF8", "utf-8", "'utf-8'", "Unicode"] {
            settings.set("client_encoding", name).unwrap();
        }
        assert_eq!(settings.set("transaction_read_only", "off").unwrap_err().code, "25006");
        assert_eq!(settings.set("statement_timeout", "soon").unwrap_err().code, "22023");
        assert_eq!(settings.get("nothing").unwrap_err().code, "42704");
        assert_eq!(settings.get("TimeZone").unwrap(), "UTC");
    }
}
