//! Being told to stop.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::ui;

/// True from the first SIGINT or SIGTERM on; the second ends the process: everything done is durable already.
pub fn watch_signals() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
            // Without handlers a signal ends leoctl at once, and the journal has what was done.
            return std::future::pending::<()>().await;
        };
        for count in 0..2 {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if count == 1 {
                ui::note("Stopped. What was done is recorded; run the same command again to continue.");
                std::process::exit(130);
            }
            sender.send_replace(true);
        }
    });
    receiver
}
