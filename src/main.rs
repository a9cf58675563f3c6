//! The executable: hands the arguments over and exits with what comes back.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    siteserver::cli::run(std::env::args_os())
}
