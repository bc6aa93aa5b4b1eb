//! `tideline key`: keys of the HTTP API, made, listed and taken back.

use std::path::Path;

use engine::EngineError;

use crate::cli::{KeyAddArgs, KeyCommand, KeyRevokeArgs, Scope};
use crate::context::Context;
use crate::output;
use crate::serve::key_file::{Key, KeyFile, new_secret};

pub(crate) fn run(command: KeyCommand, context: &Context) -> anyhow::Result<()> {
    let path = &context.config.serve.keys;
    if path.as_os_str().is_empty() {
        let message = "the configuration names no file of keys; write keys = \"keys.toml\" under [serve] in tideline.toml";
        return Err(EngineError::Input(message.to_owned()).into());
    }
    match command {
        KeyCommand::Add(args) => add(args, path),
        KeyCommand::List => list(path),
        KeyCommand::Revoke(args) => revoke(&args, path),
    }
}

fn add(args: KeyAddArgs, path: &Path) -> anyhow::Result<()> {
    let mut file = KeyFile::read(path)?.unwrap_or_default();
    if file.key.iter().any(|key| key.id == args.id) {
        let message =
            format!("there is a key {} already; choose another name, or revoke that one first", args.id);
        return Err(EngineError::Input(message).into());
    }
    let (token, hash) = new_secret(&args.id)?;
    let mut scopes = if args.scope.is_empty() { vec![Scope::ReadQuotas] } else { args.scope };
    scopes.sort_unstable();
    scopes.dedup();
    let KeyAddArgs { id, rep, manager, requests_per_second, .. } = args;
    let key = Key { id, hash, scopes, rep, manager, requests_per_second };
    key.check().map_err(|what| EngineError::Input(format!("key {}: {what}", key.id)))?;
    file.key.push(key);
    file.write(path)?;
    output::note("this is the key; it is kept as a hash only, so it can't be shown again");
    output::print(&token)
}

fn list(path: &Path) -> anyhow::Result<()> {
    let file = KeyFile::read(path)?.unwrap_or_default();
    if file.key.is_empty() {
        return output::print("no keys");
    }
    for key in &file.key {
        let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.name()).collect();
        let sees = match (&key.rep, &key.manager) {
            (Some(rep), _) => format!("rep {rep}"),
            (None, Some(manager)) => format!("the team of {manager}"),
            (None, None) => "all".to_owned(),
        };
        let rate =
            key.requests_per_second.map_or_else(String::new, |rate| format!(", {rate} requests a second"));
        output::print(&format!("{}: {}; sees {sees}{rate}", key.id, scopes.join(", ")))?;
    }
    Ok(())
}

fn revoke(args: &KeyRevokeArgs, path: &Path) -> anyhow::Result<()> {
    let mut file = KeyFile::read(path)?.unwrap_or_default();
    let before = file.key.len();
    file.key.retain(|key| key.id != args.id);
    if file.key.len() == before {
        let message = format!("there is no key {}; `tideline key list` shows them", args.id);
        return Err(EngineError::Input(message).into());
    }
    file.write(path)?;
    output::print(&format!("{} is revoked", args.id))
}
