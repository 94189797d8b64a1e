use std::process::ExitCode;

fn main() -> ExitCode {
    huoyan::cli::main()
}
