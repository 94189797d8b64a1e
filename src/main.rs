use std::process::ExitCode;

#[expect(
    unsafe_code,
    clippy::disallowed_methods,
    reason = "a C library reads this from the environment and nowhere else"
)]
fn main() -> ExitCode {
    // SAFETY: no other thread runs yet, so nobody reads the environment meanwhile.
    unsafe { std::env::set_var(huoyan::detect::NO_TELEMETRY, "1") };
    huoyan::cli::main()
}
