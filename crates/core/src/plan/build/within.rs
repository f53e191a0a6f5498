//! What a resource lies in and stays in, such as the VPC of a load balancer: AWS moves none to another.

use std::collections::BTreeSet;

use super::{Builder, Instance};
use crate::model::address::Address;
use crate::model::path::Path;
use crate::model::value::Value;
use crate::plan::types::{Action, Change};
use crate::stack::template::Template;

impl Builder<'_> {
    /// Whether changing an attribute would take a resource out of what it lies in (`x-within`): what the attribute is
    /// to name lies in another one, or that one is replaced. Nothing is said of what the stack does not manage.
    pub(super) fn leaves(&self, instance: &Instance<'_>, live: &Value, path: &Path) -> bool {
        let Some(name) = path.root() else { return false };
        let attribute = instance.block.schema.schema.attribute(name);
        let Some(within) = attribute.and_then(|attribute| attribute.within.as_deref()) else { return false };
        // The resource itself says where it is.
        let here = live.get(&format!("{within}_id")).and_then(Value::as_str);
        let is_here = |change: &&Change| here.is_none_or(|here| change.id() == Some(here));
        let stays = |change: &&Change| change.place.is_some() && change.action != Action::Replace;
        let wanted = self.named_by(instance, name);
        let holders = || self.changes.iter().filter(|change| change.address.type_name() == within && wanted.contains(&change.address));
        holders().next().is_some() && !holders().any(|change| stays(&change) && is_here(&change))
    }

    /// What an attribute refers to, and everything that is made from; of one that is not written, all that the resource is
    /// made from.
    fn named_by(&self, instance: &Instance<'_>, name: &str) -> BTreeSet<Address> {
        let written = instance.block.attributes.as_table().and_then(|fields| fields.get(name));
        let of = written.map_or_else(|| instance.depends_on.clone(), |field| self.refers_to(&field.value, instance));
        self.all_below(&of)
    }

    /// What a template looks up.
    fn refers_to(&self, template: &Template, instance: &Instance<'_>) -> Vec<Address> {
        let scope = self.scope().with_each(instance.each.as_ref());
        // A failure has been reported where the value was needed; what was looked up before it counts.
        let _ = template.eval(&scope);
        self.edges(&scope.take_lookups())
    }
}
