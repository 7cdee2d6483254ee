//! The binary `doudi`: read the command line, do it, say what went wrong.

use std::process::ExitCode;

use clap::Parser;
use doudi_server::{cli::Cli, commands, report};

/// A call allocates much and briefly, on several threads: this one takes less time for it than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("doudi: the runtime cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("doudi: {}", report::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
