//! A store in memory.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::engine::persist::{Line, render, render_record, replay};
use crate::engine::ports::{Store, StoreError};
use crate::model::journal::Record;
use crate::model::state::State;

/// A state that is kept as text, as every store keeps it.
#[derive(Default)]
pub struct Shelf {
    state: Mutex<Option<String>>,
    journal: Mutex<Vec<String>>,
}

impl Shelf {
    /// The state with its journal.
    pub fn state(&self) -> Option<State> {
        let text = self.state.lock().unwrap().clone()?;
        let lines: Vec<Line> =
            self.journal.lock().unwrap().iter().map(|text| Line { text: text.clone(), place: "journal".into(), number: 0 }).collect();
        let state = replay(State::parse(&text).unwrap(), &lines).unwrap();
        state.verify().unwrap();
        Some(state)
    }

    /// Loses the state.
    pub fn lose(&self) {
        self.journal.lock().unwrap().clear();
        *self.state.lock().unwrap() = None;
    }

    /// Changes the state by hand.
    pub fn edit(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state().unwrap();
        change(&mut state);
        self.journal.lock().unwrap().clear();
        *self.state.lock().unwrap() = Some(render(&state).unwrap());
    }
}

#[async_trait]
impl Store for Shelf {
    async fn load(&self) -> Result<Option<State>, StoreError> {
        Ok(self.state())
    }
    async fn lock(&self, _: &str) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }
    async fn watch(&self) -> Option<Arc<dyn Fn() -> bool + Send + Sync>> {
        None
    }
    async fn release(&self) {}
    async fn unlock(&self) -> Result<Option<String>, StoreError> {
        Ok(None)
    }
    async fn begin(&self, state: &State) -> Result<(), StoreError> {
        let mut kept = self.state.lock().unwrap();
        if kept.is_none() {
            *kept = Some(render(state)?);
        }
        Ok(())
    }
    async fn append(&self, record: &Record) -> Result<(), StoreError> {
        self.journal.lock().unwrap().push(render_record(record)?);
        Ok(())
    }
    async fn save(&self, state: &State) -> Result<(), StoreError> {
        *self.state.lock().unwrap() = Some(render(state)?);
        self.journal.lock().unwrap().clear();
        Ok(())
    }
    async fn backup(&self, _: &State) -> Result<String, StoreError> {
        Ok(String::new())
    }
    async fn remove(&self) -> Result<(), StoreError> {
        Ok(())
    }
    async fn saved_at(&self) -> Result<Option<jiff::Timestamp>, StoreError> {
        Ok(None)
    }
    fn location(&self) -> String {
        "memory".into()
    }
}
