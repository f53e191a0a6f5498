//! leoctl: arguments in, exit code out.

fn main() -> std::process::ExitCode {
    // CEL's parser recurses: it gets room for the deepest expression that is allowed.
    let spawned = std::thread::Builder::new().stack_size(64 << 20).spawn(leoctl::cli::main);
    match spawned.map(std::thread::JoinHandle::join) {
        Ok(Ok(exit)) => exit.into(),
        _ => std::process::ExitCode::FAILURE,
    }
}
