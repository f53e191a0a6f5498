//! One attribute of several resources, changed in one call.

use super::update::unite;
use super::{Runner, with};
use crate::engine::ports::Outcome;
use crate::engine::retry::retrying;
use crate::model::journal::Record;
use crate::model::value::Value;
use crate::plan::step::{Member, Reassign};

impl Runner<'_> {
    /// Changes the attribute of all of them, or of none. What else changes of each is a step of its own, which goes on from
    /// here.
    pub(super) async fn reassign(&self, reassign: &Reassign) -> Outcome<String> {
        let Reassign { site, attribute, members } = reassign;
        let operation = self.operation(site.clone(), self.block()?.timeouts.update, String::new(), &Value::Null);
        let to: Vec<(String, Value)> = members.iter().map(|member| (member.place.id.clone(), member.value.clone())).collect();
        for member in members {
            self.begin_reassigning(attribute, member).await?;
        }
        retrying(&operation, || self.handler.reassign(&operation, &to)).await?;
        for member in members {
            self.reassigned(attribute, member).await?;
        }
        Ok(String::new())
    }

    /// Remembers that the attribute is about to change: what leoctl does and does not live to record is no drift.
    async fn begin_reassigning(&self, attribute: &str, member: &Member) -> Outcome<()> {
        let address = &member.address;
        let Some(mut remembered) = self.shared.state(|state| state.current(address).cloned()) else { return Ok(()) };
        remembered.incomplete = true;
        unite(&mut remembered.updating, &[attribute.to_owned()]);
        self.shared.record(Record::Saved { address: address.clone(), remembered }).await
    }

    /// Of what is remembered nothing else is new: what the stack file says of the rest is not done yet.
    async fn reassigned(&self, attribute: &str, member: &Member) -> Outcome<()> {
        let Member { address, live, value, .. } = member;
        self.shared.set_halfway(address, with(live.clone(), attribute, value.clone()));
        let Some(mut remembered) = self.shared.state(|state| state.current(address).cloned()) else { return Ok(()) };
        if let Some(attributes) = remembered.attributes.as_object_mut() {
            let value = self.shared.state(|state| value.to_public_json(&|secret| state.digest(secret)));
            attributes.insert(attribute.to_owned(), value);
        }
        self.shared.record(Record::Saved { address: address.clone(), remembered }).await
    }
}
