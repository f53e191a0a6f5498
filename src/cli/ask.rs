//! Questions at the terminal.

use crate::ui;

/// Asks, and takes a whole line for an answer: anything but a yes is a no, and so are the end of the input and Ctrl-C.
pub async fn agreed(question: &str) -> bool {
    ui::ask(&format!("{question} [yes/no] "));
    let (sender, answer) = tokio::sync::oneshot::channel();
    // A thread that nobody waits for: reading a line cannot be called off.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        // Nobody may be there any more to hear it.
        let _ = sender.send(read.is_ok() && matches!(line.trim().to_lowercase().as_str(), "y" | "yes"));
    });
    tokio::select! {
        answer = answer => answer.unwrap_or(false),
        _ = tokio::signal::ctrl_c() => {
            ui::note("");
            false
        }
    }
}
