//! An answer for all who ask for it at the same time, where finding it takes many calls.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Mutex;

use leoctl_core::engine::ports::Outcome;

/// An answer, and when its call began: who asked before that can have it.
pub struct Shared<T>(Mutex<Option<(Instant, Arc<T>)>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Shared<T> {
    /// The answer as it was when this was called, or is a little later.
    ///
    /// # Errors
    /// When it cannot be found.
    pub async fn get<F: Future<Output = Outcome<T>>>(&self, find: impl FnOnce() -> F) -> Outcome<Arc<T>> {
        let asked = Instant::now();
        let mut last = self.0.lock().await;
        if let Some((_, answer)) = last.as_ref().filter(|(began, _)| *began >= asked) {
            return Ok(Arc::clone(answer));
        }
        let began = Instant::now();
        let answer = Arc::new(find().await?);
        *last = Some((began, Arc::clone(&answer)));
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn those_who_ask_together_share_and_who_asks_later_asks_anew() {
        let (shared, asked) = (Shared::default(), AtomicU32::new(0));
        let find = || async {
            tokio::task::yield_now().await;
            Ok(asked.fetch_add(1, Ordering::SeqCst))
        };
        join_all((0..20).map(|_| shared.get(find))).await;
        // The first may have begun before the others asked.
        let together = asked.load(Ordering::SeqCst);
        assert!(together <= 2, "{together}");
        assert_eq!(*shared.get(find).await.unwrap(), together);
    }
}
