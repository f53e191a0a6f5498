//! What types that are managed through Cloud Control cost: a table that says of each what is charged for its being there. What
//! is paid for by use is named, not counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::Deserialize;

use super::bill::{Basis, Desk};
use super::prices::Rate;
use super::side::{Resource, Side, get, number, text};
use crate::model::value::Value;

/// The region under which a price stands that is the same in all.
const EVERYWHERE: &str = "everywhere";

/// The types, by their names in stack files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// Those that AWS does not charge for by themselves.
    free: BTreeSet<String>,
    priced: BTreeMap<String, Charged>,
}

/// What a type costs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Charged {
    /// What is paid for beside the charges, by use.
    beside: Option<String>,
    #[serde(default)]
    charges: Vec<Charge>,
}

/// One item of a bill. Attributes are paths of names joined by dots.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Charge {
    /// What is paid for.
    what: String,
    /// In what it is counted, in the plural.
    unit: String,
    /// Whether it is paid for by the hour, and not by the month.
    #[serde(default)]
    hourly: bool,
    /// The values of attributes of which each has to be one of these, in any case of letters. Of charges for the same only the
    /// first that fits counts.
    #[serde(default)]
    only: BTreeMap<String, Vec<String>>,
    /// Attributes with which it is not this one.
    #[serde(default)]
    without: Vec<String>,
    /// The attribute whose value chooses the price.
    by: Option<String>,
    /// Attributes whose numbers, or numbers of elements, it is multiplied by, each with what leaving it out means.
    #[serde(default)]
    times: BTreeMap<String, f64>,
    /// Attributes whose numbers it is multiplied by with one more, such as replicas beside what they are of.
    #[serde(default)]
    one_more: Vec<String>,
    /// The attribute whose number, where it is known, is how many there are in place of `times` and `one_more`.
    instead: Option<String>,
    /// Attributes that say that there are two of it.
    #[serde(default)]
    doubled_by: Vec<String>,
    /// US dollars for a unit, by region.
    usd: BTreeMap<String, Usd>,
    /// Whether no copy of AWS's list confirms them.
    #[serde(default)]
    unconfirmed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Usd {
    One(f64),
    Each(BTreeMap<String, f64>),
}

fn table() -> Option<&'static Table> {
    static TABLE: OnceLock<Option<Table>> = OnceLock::new();
    // A test reads it.
    TABLE.get_or_init(|| toml::from_str(include_str!("charges.toml")).ok()).as_ref()
}

/// Whether it is known what a type costs; then the bill of a resource is written.
pub fn write(desk: &mut Desk<'_>, side: &Side<'_>, resource: &Resource<'_>) -> bool {
    let name = resource.address.type_name();
    let Some(table) = table() else { return false };
    match table.priced.get(name) {
        Some(charged) => charged.write(desk, side, resource),
        None => return table.free.contains(name),
    }
    true
}

impl Charged {
    fn write(&'static self, desk: &mut Desk<'_>, side: &Side<'_>, resource: &Resource<'_>) {
        let mut written = BTreeSet::new();
        let mut unfit: BTreeMap<&str, String> = BTreeMap::new();
        for charge in &self.charges {
            match charge.unfit(resource) {
                Some(why) => drop(unfit.insert(&charge.what, why)),
                None if written.insert(charge.what.as_str()) => charge.write(desk, side, resource),
                None => {}
            }
        }
        for (what, why) in unfit.into_iter().filter(|(what, _)| !written.contains(what)) {
            desk.missing(format!("{what}: leoctl has no price for it with {why}"));
        }
        if let Some(beside) = &self.beside {
            desk.missing(format!("{beside}: leoctl has no prices for that"));
        }
    }
}

impl Charge {
    /// What of the resource this charge is not for.
    fn unfit(&self, resource: &Resource<'_>) -> Option<String> {
        let mut unfit = self.only.iter().filter_map(|(path, values)| {
            let value = at(resource, path).and_then(text);
            let fits = values.iter().any(|one| one.eq_ignore_ascii_case(value.unwrap_or_default()));
            (!fits).then(|| value.map_or_else(|| format!("no `{path}`"), |value| format!("`{path} = \"{value}\"`")))
        });
        let there = |path: &&String| at(resource, path).is_some_and(|value| !matches!(value, Value::Unknown));
        let beyond = || self.without.iter().find(there).map(|path| format!("`{path}`"));
        unfit.next().or_else(beyond)
    }

    fn write(&'static self, desk: &mut Desk<'_>, side: &Side<'_>, resource: &Resource<'_>) {
        let mut quantity = if self.hourly { desk.hours() } else { 1.0 };
        let named = |path: &String, otherwise: f64, count: fn(&Value) -> Option<f64>| match known(side, resource, path) {
            Known::Value(value) => count(value).ok_or_else(|| path.clone()),
            Known::AwsChooses => Ok(otherwise),
            Known::NotYet => Err(path.clone()),
        };
        let whole = self.instead.as_ref().and_then(|path| at(resource, path)).and_then(amount);
        let times = self.times.iter().map(|(path, otherwise)| named(path, *otherwise, amount));
        let more = self.one_more.iter().map(|path| named(path, 0.0, amount).map(|count| 1.0 + count));
        let parts = times.chain(more).filter(|_| whole.is_none()).chain(whole.map(Ok));
        let doubled = self.doubled_by.iter().map(|path| named(path, 1.0, doubling));
        for factor in parts.chain(doubled).collect::<Vec<_>>() {
            match factor {
                Ok(factor) => quantity *= factor,
                Err(path) => return desk.missing(format!("{}: `{path}` is not known yet", self.what)),
            }
        }
        let by = self.by.as_deref().map(|path| at(resource, path).and_then(text).unwrap_or("what AWS chooses"));
        let usd = self.usd.get(&desk.bill.region).or_else(|| self.usd.get(EVERYWHERE)).and_then(|usd| match usd {
            Usd::One(usd) => Some(*usd),
            Usd::Each(each) => each.get(by?).copied(),
        });
        let rate = usd.map(|usd| Rate { usd, confirmed: !self.unconfirmed });
        let what = by.map_or_else(|| self.what.clone(), |by| format!("{} {by}", self.what));
        desk.item(what, (quantity, &self.unit), rate, Basis::Always);
    }
}

/// What is known of an attribute before an apply.
enum Known<'v> {
    /// What it is.
    Value(&'v Value),
    /// Nobody says it: AWS chooses, or there is none.
    AwsChooses,
    /// It is said, and known only once something else is.
    NotYet,
}

fn known<'v>(side: &Side<'_>, resource: &Resource<'v>, path: &str) -> Known<'v> {
    match at(resource, path) {
        None => Known::AwsChooses,
        Some(Value::Unknown) if side.writes(resource, path.split('.').next().unwrap_or(path)) => Known::NotYet,
        Some(Value::Unknown) => Known::AwsChooses,
        Some(value) => Known::Value(value),
    }
}

/// How many there are where one says that there are two.
fn doubling(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(is_double) => Some(if *is_double { 2.0 } else { 1.0 }),
        _ => None,
    }
}

/// What stands at a path of names joined by dots.
fn at<'v>(resource: &Resource<'v>, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(resource.attributes, |value, name| get(value, name))
}

/// A number, one that is written as a text, or how many elements there are.
fn amount(value: &Value) -> Option<f64> {
    let elements = || u32::try_from(value.as_list()?.len()).ok().map(f64::from);
    number(value).or_else(|| text(value)?.parse().ok()).or_else(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_and_every_price_chooses_by_something() {
        let table: Table = toml::from_str(include_str!("charges.toml")).unwrap();
        for (name, charged) in &table.priced {
            assert!(name.starts_with("awscc_") && !table.free.contains(name), "{name}");
            for charge in &charged.charges {
                let each = charge.usd.values().any(|usd| matches!(usd, Usd::Each(_)));
                assert_eq!(each, charge.by.is_some(), "{name}: {}", charge.what);
            }
        }
    }
}
