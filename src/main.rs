//! leoctl: arguments in, exit code out.

fn main() -> std::process::ExitCode {
    leoctl::cli::main().into()
}
