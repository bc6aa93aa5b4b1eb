//! The `tideline` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    jobs::main()
}
