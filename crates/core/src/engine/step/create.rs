//! Making a resource, so that nothing is ever made twice or lost.

use super::{Runner, open_tokens};
use crate::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use crate::engine::refresh::find::{FindOutcome, find_patiently};
use crate::engine::retry::{backoff, before_trying_again, retrying};
use crate::model::fit::null_in_policy;
use crate::model::journal::Record;
use crate::model::place::Place;
use crate::model::secrecy::secret_paths;
use crate::model::state::Intent;
use crate::model::value::Value;
use crate::plan::naming::named;
use crate::plan::step::{Create, Target};

/// A creation that failed.
struct NotCreated {
    failure: Failure,
    /// Whether something may exist all the same: then the next apply looks for it.
    may_exist: bool,
}

impl Runner<'_> {
    pub(super) async fn create(&self, create: &Create) -> Outcome<String> {
        let Create { target, replaces } = create;
        let written = self.written(target)?;
        let target = &self.known(target, &written)?;
        let desired = self.desired(target, &written, replaces.as_ref(), true)?;
        let block = self.block()?;
        if let Some(path) = null_in_policy(&block.schema.schema.attributes, &desired) {
            let problem = format!("`{path}` is null, and a policy has no null: what its expression refers to has no value");
            return Err(Failure::new(FailureKind::Invalid, problem));
        }
        let random = uuid::Uuid::new_v4().as_u128();
        let desired = self.shared.state(|state| {
            let open = state.open.iter().filter(|open| open.address == *self.address && open.site() == target.site());
            named(&block.schema, desired, &open.cloned().collect::<Vec<_>>(), &|secret| state.digest(secret), random)
        });
        let intent = self.intent(target, &desired)?;
        let token = intent.token.clone();
        self.shared.record(Record::Intent(intent)).await?;
        let predecessor = replaces.as_ref().and_then(|_| self.predecessor(target));
        let operation = self.operation(target.site(), block.timeouts.create, token.clone(), &desired);
        let operation = Operation { replaces: predecessor, ..operation };
        let created = match self.create_once(&operation, target, &desired).await {
            Ok(id) => self.new_place(target, id),
            Err(not_created) => Err(not_created),
        };
        let place = match created {
            Ok(place) => place,
            Err(NotCreated { failure, may_exist }) => {
                if !may_exist {
                    // Nothing was made: what may stand under the same name is not ours.
                    self.shared.record(Record::Refused { address: self.address.clone(), token }).await?;
                }
                return Err(failure);
            }
        };
        self.shared.record(Record::Created { address: self.address.clone(), token, place: place.clone() }).await?;
        // Earlier creations here were looked for when this was planned, and made nothing.
        for token in self.shared.state(|state| open_tokens(state, self.address, &target.site())) {
            self.shared.record(Record::Refused { address: self.address.clone(), token }).await?;
        }
        retrying(&operation, || self.handler.finish_create(&operation, &place.id, &desired)).await?;
        self.save(&operation, target, &place, &desired).await?;
        Ok(place.id)
    }

    /// The id of what a replacement takes the place of, unless that is kept or somewhere else.
    fn predecessor(&self, target: &Target) -> Option<String> {
        let known = self.shared.state(|state| state.current(self.address).map(|known| known.place.clone()))?;
        (known.site() == target.site() && !target.guard.retain).then_some(known.id)
    }

    /// What is durable before AWS is asked. With the token of a creation that may still arrive, AWS makes one of the two;
    /// another wish has another token.
    fn intent(&self, target: &Target, desired: &Value) -> Outcome<Intent> {
        let attributes = self.shared.state(|state| desired.to_public_json(&|secret| state.digest(secret)));
        let same = self.shared.state(|state| {
            let mut open = state.open.iter();
            open.find(|open| open.address == *self.address && open.site() == target.site() && open.attributes == attributes).cloned()
        });
        Ok(Intent {
            address: self.address.clone(),
            account: target.account.clone(),
            region: target.region.clone(),
            token: same.map_or_else(|| uuid::Uuid::new_v4().to_string(), |open| open.token),
            attributes,
            sensitive: secret_paths(&self.block()?.schema.schema.attributes, desired),
            authored: target.authored.clone(),
            depends_on: target.depends_on.clone(),
            guard: target.guard,
        })
    }

    /// Where a new resource is. AWS answers some creations with what is there already: what another address has
    /// is never taken for new.
    fn new_place(&self, target: &Target, id: String) -> Result<Place, NotCreated> {
        let type_name = self.address.type_name().to_owned();
        let place = Place { type_name, account: target.account.clone(), region: target.region.clone(), id };
        match self.other_of(&place) {
            None => Ok(place),
            Some(other) => {
                let message = format!(
                    "AWS answered with {}, which is {other} in the state: it made nothing new, or it made again what {other} was",
                    place.id
                );
                Err(NotCreated { failure: Failure::new(FailureKind::AlreadyExists, message), may_exist: false })
            }
        }
    }

    /// Creates, so that a lost answer never makes a second one: whether the first is there is found out first.
    async fn create_once(&self, operation: &Operation, target: &Target, desired: &Value) -> Result<String, NotCreated> {
        let mut waits = backon::BackoffBuilder::build(backoff().with_total_delay(Some(operation.timeout)));
        let mut may_exist = false;
        loop {
            let failure = match self.handler.create(operation, desired).await {
                Ok(id) => return Ok(id),
                Err(failure) => failure,
            };
            may_exist |= failure.kind.may_exist();
            match failure.kind {
                FailureKind::Transient => {}
                FailureKind::Ambiguous => match self.look(operation, target, desired).await {
                    Err(failure) => return Err(NotCreated { failure, may_exist }),
                    Ok(FindOutcome::Ours(found)) => return Ok(found.place.id),
                    Ok(FindOutcome::Foreign(found)) => return Err(taken(&found.place.id, failure)),
                    Ok(FindOutcome::Hidden) => return Err(taken("something", failure)),
                    Ok(FindOutcome::Absent) => {}
                },
                FailureKind::AlreadyExists
                | FailureKind::NotFound
                | FailureKind::Denied
                | FailureKind::Credentials
                | FailureKind::Interrupted
                | FailureKind::Lost
                | FailureKind::Unrecorded
                | FailureKind::Refused
                | FailureKind::Invalid
                | FailureKind::Other => return Err(NotCreated { failure, may_exist }),
            }
            let Some(wait) = waits.next() else { return Err(NotCreated { failure, may_exist }) };
            before_trying_again(operation, wait, failure).await.map_err(|failure| NotCreated { failure, may_exist })?;
        }
    }

    /// Looks for what a creation whose answer was lost may have made.
    async fn look(&self, operation: &Operation, target: &Target, desired: &Value) -> Outcome<FindOutcome> {
        let wanted = Wanted {
            address: self.address.clone(),
            stack: self.shared.plan.stack.name.clone(),
            account: target.account.clone(),
            region: target.region.clone(),
            token: Some(operation.token.clone()),
            desired: desired.clone(),
            known: self.shared.state(|state| state.all().map(|(_, known)| known.place.clone()).collect()),
        };
        find_patiently(self.handler.as_ref(), &self.block()?.schema.schema, &wanted).await
    }
}

/// The failure of a creation whose answer was lost, and whose place something else has taken.
fn taken(id: &str, failure: Failure) -> NotCreated {
    let message = format!("{id} appeared in its place while it was being created, and is not ours: {}", failure.message);
    NotCreated { failure: Failure { kind: FailureKind::AlreadyExists, message, ..failure }, may_exist: false }
}
