//! Secrets: the configuration says where they are, never what they are.

use engine::EngineError;

use super::input;

/// The secret at a place: `env:NAME` or `file:PATH`. `name` is the setting's, for messages.
///
/// # Errors
/// [`EngineError::Input`] for a secret that stands in the file itself, or isn't where it is said to be.
#[expect(clippy::disallowed_methods, reason = "this is where configuration is read")]
pub(crate) fn secret(name: &str, place: &str) -> Result<String, EngineError> {
    let wrong = |problem: String| input(format!("{name}: {problem}"));
    match place.split_once(':') {
        Some(("env", variable)) => std::env::var(variable)
            .map_err(|_| wrong(format!("the environment has no variable {variable} of plain text"))),
        Some(("file", path)) => std::fs::read_to_string(path)
            .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
            .map_err(|error| wrong(format!("{path} can't be read: {error}"))),
        // What stands there may be the secret itself.
        _ => Err(wrong("write where it is, as \"env:NAME\" or \"file:PATH\"".to_owned())),
    }
}
