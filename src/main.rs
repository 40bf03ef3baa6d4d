//! The program. Everything is in the library: code in this file would be compiled a second time.

use std::process::ExitCode;

fn main() -> ExitCode {
    sallyport::cli::main()
}
