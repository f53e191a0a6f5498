//! stdin and stdout as streams, for what serves another program over them.

use std::future::Future;
use std::io::{self, Read, Write};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::runtime::Handle;

/// How many bytes are on their way at a time.
const BUFFER: usize = 64 << 10;

/// What comes in on stdin.
///
/// # Errors
/// When the system refuses a thread.
pub fn input() -> io::Result<DuplexStream> {
    let (mut to, stream) = duplex(BUFFER);
    let runtime = Handle::current();
    std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let mut buffer = vec![0; BUFFER];
        while let Ok(count) = io::stdin().lock().read(&mut buffer) {
            let read = buffer.get(..count).filter(|read| !read.is_empty());
            let Some(read) = read else { break };
            if runtime.block_on(to.write_all(read)).is_err() {
                break;
            }
        }
    })?;
    Ok(stream)
}

/// What goes out on stdout.
pub struct Output<F> {
    /// What is written here goes out.
    pub stream: DuplexStream,
    /// Ends once all of it is written.
    pub written: F,
}

impl Output<()> {
    /// Begins to pass on what is written.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start() -> io::Result<Output<impl Future>> {
        let (stream, mut from) = duplex(BUFFER);
        let (done, written) = tokio::sync::oneshot::channel::<()>();
        let runtime = Handle::current();
        std::thread::Builder::new().name("stdout".to_owned()).spawn(move || {
            #[expect(clippy::disallowed_methods, reason = "it is a protocol's, for a program and no terminal")]
            let mut stdout = io::stdout().lock();
            let mut buffer = vec![0; BUFFER];
            while let Ok(count) = runtime.block_on(from.read(&mut buffer)) {
                let said = buffer.get(..count).filter(|said| !said.is_empty());
                let Some(said) = said else { break };
                if stdout.write_all(said).and_then(|()| stdout.flush()).is_err() {
                    break;
                }
            }
            drop(done);
        })?;
        Ok(Output { stream, written })
    }
}
