//! What people are told while AWS, the lock or the sandbox takes long.

use std::time::Duration;

use super::session::Session;
use leoctl_aws::limits::words;

/// After so long without a single answer the address is named.
const NO_ANSWER: Duration = Duration::from_secs(2);

impl Session {
    /// Reads something from AWS; when that takes long, says what, and whose answers are waited for.
    pub async fn reading<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        self.voice.during(|elapsed| self.reading_line(what, elapsed), work).await
    }

    fn reading_line(&self, what: &str, elapsed: Duration) -> String {
        let limited = self.provider.limits().waiting();
        if !limited.is_empty() {
            return format!("reading {what}: {}", words(limited.iter().map(String::as_str)));
        }
        let traffic = self.provider.traffic();
        let services: Vec<String> = traffic.services().into_iter().collect();
        match services.as_slice() {
            [] => format!("reading {what}"),
            services if traffic.answered() == 0 && elapsed >= NO_ANSWER => {
                let address = self.provider.endpoint().unwrap_or("AWS");
                format!("reading {what}: no answer yet from {address} ({})", services.join(", "))
            }
            services => format!("reading {what}: {}", services.join(", ")),
        }
    }

    /// Takes the lock; when somebody has it, says who and how long that can still last.
    pub async fn waiting_for_the_lock<T>(&self, work: impl Future<Output = T>) -> T {
        let line = |_| self.store.waiting_for().unwrap_or_else(|| "taking the lock on the state".to_owned());
        self.voice.during(line, work).await
    }
}
