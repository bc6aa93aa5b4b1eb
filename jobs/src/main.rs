//! The `tideline` command.

use std::process::ExitCode;

/// Columns come and go by the hundred megabytes; the system's allocator spends a tenth of a run on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    jobs::main()
}
