//! What one resource costs a month, item by item.

use std::collections::BTreeSet;

use super::prices::{Price, Prices, Rate};
use super::side::Resource;
use crate::model::address::Address;
use crate::stack::usage::{Usage, Use};

/// What an item is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// That it is there.
    Always,
    /// How much of it is used, which is assumed.
    Use,
}

/// One item of a bill.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What is paid for.
    pub what: String,
    /// How much of it.
    pub quantity: f64,
    /// In what it is counted, in the plural.
    pub unit: &'static str,
    /// US dollars for a unit.
    pub rate: Rate,
    /// Why it is paid for.
    pub basis: Basis,
}

impl Item {
    /// US dollars a month.
    pub fn usd(&self) -> f64 {
        self.quantity * self.rate.usd
    }
}

/// What one resource costs a month.
#[derive(Clone, Debug)]
pub struct Bill {
    /// The resource.
    pub address: Address,
    /// Its region.
    pub region: String,
    /// What is paid for; nothing for what is free.
    pub items: Vec<Item>,
    /// What may cost something and is not among the items, and why.
    pub missing: Vec<String>,
    /// What the items assume.
    pub assumed: BTreeSet<Use>,
}

impl Bill {
    /// US dollars a month for one basis.
    pub fn sum(&self, basis: Basis) -> f64 {
        self.items.iter().filter(|item| item.basis == basis).map(Item::usd).sum()
    }

    /// US dollars a month.
    pub fn total(&self) -> f64 {
        self.sum(Basis::Always) + self.sum(Basis::Use)
    }
}

/// A bill being written: it knows the prices of its region and what is assumed of its resource.
pub struct Desk<'a> {
    /// The bill.
    pub bill: Bill,
    prices: &'a Prices,
    usage: &'a Usage,
}

impl<'a> Desk<'a> {
    /// An empty bill of a resource.
    pub fn new(resource: &Resource<'_>, usage: &'a Usage, prices: &'a Prices) -> Self {
        let (address, region) = (resource.address.clone(), resource.region.to_owned());
        let bill = Bill { address, region, items: Vec::new(), missing: Vec::new(), assumed: BTreeSet::new() };
        Self { bill, prices, usage }
    }

    /// What is assumed, if anything is.
    pub fn assume(&mut self, wanted: Use) -> Option<f64> {
        let value = self.usage.of(&self.bill.address.block, wanted)?;
        self.bill.assumed.insert(wanted);
        Some(value)
    }

    /// An assumption that counts something; nothing is said, so nothing is counted.
    pub fn amount(&mut self, wanted: Use) -> f64 {
        self.assume(wanted).unwrap_or_default()
    }

    /// Hours a month.
    pub fn hours(&mut self) -> f64 {
        self.amount(Use::HOURS)
    }

    /// Adds what is paid because it is there.
    pub fn always(&mut self, what: impl Into<String>, (quantity, unit): (f64, &'static str), price: Price) {
        let rate = self.prices.rate(&self.bill.region, price);
        self.item(what.into(), (quantity, unit), rate, Basis::Always);
    }

    /// Adds what is paid because it is used.
    pub fn by_use(&mut self, what: impl Into<String>, (quantity, unit): (f64, &'static str), price: Price) {
        let rate = self.prices.rate(&self.bill.region, price);
        self.item(what.into(), (quantity, unit), rate, Basis::Use);
    }

    /// Adds an item at a part of its price.
    pub fn discounted(&mut self, what: impl Into<String>, (quantity, unit): (f64, &'static str), price: Price, percent: f64) {
        let rate = self.prices.rate(&self.bill.region, price);
        let rate = rate.map(|rate| Rate { usd: rate.usd * (100.0 - percent) / 100.0, ..rate });
        self.item(what.into(), (quantity, unit), rate, Basis::Always);
    }

    /// Adds the hours of an instance.
    pub fn instance(&mut self, instance_type: &str) {
        let hours = self.hours();
        let rate = self.prices.instance(&self.bill.region, instance_type);
        self.item(instance_type.to_owned(), (hours, "hours"), rate, Basis::Always);
    }

    /// Says what may cost something and is not counted.
    pub fn missing(&mut self, why: impl Into<String>) {
        let why = why.into();
        if !self.bill.missing.contains(&why) {
            self.bill.missing.push(why);
        }
    }

    /// Adds an item at a price; without one it is named.
    pub fn item(&mut self, what: String, (quantity, unit): (f64, &'static str), rate: Option<Rate>, basis: Basis) {
        // Nothing of it costs nothing, whatever its price.
        if quantity <= 0.0 {
            return;
        }
        match rate {
            Some(rate) => self.bill.items.push(Item { what, quantity, unit, rate, basis }),
            None if self.prices.has_region(&self.bill.region) => {
                self.missing(format!("{what}: leoctl has no price for it in {}", self.bill.region))
            }
            None => {
                let known: Vec<&str> = self.prices.regions().collect();
                self.missing(format!("leoctl has no prices for {}, only for {}", self.bill.region, known.join(", ")));
            }
        }
    }
}
