//! What a stack costs, as people read it and as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value as Json, json};

use super::{FAINT, STRONG, WARN, styled, table};
use leoctl_core::cost::bill::{Basis, Bill, Item};
use leoctl_core::cost::prices::Prices;
use leoctl_core::cost::{Assumed, Change, Estimate, changes};
use leoctl_core::model::module::ModulePath;
use leoctl_core::plan::types::Plan;

/// The version of the JSON.
pub const FORMAT_VERSION: u32 = 1;

/// An estimate as text: the dearest first, then the sums, then what they rest on.
pub fn render(plan: &Plan, estimate: &Estimate, prices: &Prices) -> String {
    let mut text = format!("{} in {}, a month, in US dollars\n", styled(STRONG, &plan.stack.name), plan.identity.region);
    line(&mut text, &styled(FAINT, sources(prices)));
    let rows = rows(estimate, &plan.identity.region);
    if !rows.is_empty() {
        line(&mut text, &format!("\n{}", table::render(&["resource", "a month", "for"], rows)));
    }
    text.push('\n');
    // Of what is shown, so that it adds up.
    let (always, by_use) = (cents(estimate.always()), cents(estimate.by_use()));
    let sums = [("Always", always, ""), ("By use", by_use, "  marked ~, as assumed below"), ("Together", always + by_use, "")];
    for (name, usd, note) in sums {
        let note = if usd > 0.0 { note } else { "" };
        line(&mut text, &format!("{}{}", styled(STRONG, format!("{name:<8}  {:>9}", dollars(usd))), styled(FAINT, note)));
    }
    modules(&mut text, estimate);
    section(&mut text, &styled(WARN, "Not in these sums"), estimate.not_priced());
    section(&mut text, &styled(WARN, "At prices that are not confirmed"), estimate.unconfirmed());
    free(&mut text, estimate);
    assumptions(&mut text, &estimate.assumed);
    text
}

fn sources(prices: &Prices) -> String {
    format!("Prices of {}: {}.\nOn demand, without taxes, free allowances and discounts.", prices.compiled, prices.source)
}

fn line(text: &mut String, content: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{content}");
}

fn section(text: &mut String, title: &str, entries: Vec<(impl std::fmt::Display, &str)>) {
    if entries.is_empty() {
        return;
    }
    line(text, &format!("\n{title}"));
    entries.iter().for_each(|(address, what)| line(text, &format!("  {address}: {what}")));
}

/// What the modules cost that cost anything, each with the modules in it.
fn by_module(estimate: &Estimate) -> BTreeMap<&ModulePath, f64> {
    let modules: BTreeSet<&ModulePath> =
        estimate.bills.iter().map(|bill| &bill.address.block.module).filter(|path| !path.is_root()).collect();
    let sum = |module: &ModulePath| estimate.bills.iter().filter(|bill| bill.address.block.module.is_in(module)).map(Bill::total).sum();
    modules.into_iter().map(|module| (module, sum(module))).filter(|(_, usd): &(_, f64)| *usd > 0.0).collect()
}

fn modules(text: &mut String, estimate: &Estimate) {
    let modules = by_module(estimate);
    if modules.is_empty() {
        return;
    }
    line(text, &format!("\n{}", styled(STRONG, "By module")));
    let width = modules.keys().map(|module| module.to_string().chars().count()).max().unwrap_or_default();
    modules.iter().for_each(|(module, usd)| line(text, &format!("  {:width$}  {:>9}", module.to_string(), dollars(*usd))));
}

fn rows(estimate: &Estimate, region: &str) -> Vec<Vec<String>> {
    let mut bills: Vec<&Bill> = estimate.bills.iter().filter(|bill| !bill.items.is_empty()).collect();
    bills.sort_by(|a, b| b.total().total_cmp(&a.total()));
    let amounts = bills.iter().flat_map(|bill| &bill.items).map(|item| amount(item).len());
    let width = amounts.max().unwrap_or_default();
    let mut rows = Vec::new();
    for bill in bills {
        for (at, item) in bill.items.iter().enumerate() {
            let name = match at {
                0 if bill.region == region => bill.address.to_string(),
                0 => format!("{} in {}", bill.address, bill.region),
                _ => String::new(),
            };
            let style = if item.basis == Basis::Use { FAINT } else { anstyle::Style::new() };
            rows.push(vec![name, styled(style, format!("{:>width$}", amount(item))), styled(style, reason(item))]);
        }
    }
    rows
}

fn amount(item: &Item) -> String {
    let mark = if item.basis == Basis::Use { "~" } else { "" };
    format!("{mark}{}", dollars(item.usd()))
}

fn reason(item: &Item) -> String {
    let unit = if item.quantity == 1.0 { item.unit.trim_end_matches('s') } else { item.unit };
    format!("{}: {} {unit} at {}", item.what, number(item.quantity), rate(item.rate.usd))
}

/// What costs nothing, by type.
fn free(text: &mut String, estimate: &Estimate) {
    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    for bill in estimate.bills.iter().filter(|bill| bill.items.is_empty() && bill.missing.is_empty()) {
        *types.entry(bill.address.type_name()).or_default() += 1;
    }
    if !types.is_empty() {
        let types: Vec<String> =
            types.iter().map(|(name, count)| if *count > 1 { format!("{count} {name}") } else { (*name).to_owned() }).collect();
        line(text, &format!("\n{}: {}", styled(STRONG, "$0.00"), types.join(", ")));
    }
}

fn assumptions(text: &mut String, assumed: &[Assumed]) {
    if assumed.is_empty() {
        return;
    }
    line(text, &format!("\n{}", styled(STRONG, "Assumed; [cost] in the stack file can say otherwise")));
    // As it would be written.
    let name = |one: &Assumed| format!("{} = {}", one.of.name(), one.value);
    let width = assumed.iter().map(|one| name(one).len()).max().unwrap_or_default();
    for one in assumed {
        let own: Vec<String> = one.own.iter().map(|(block, value)| format!("{value} for {block}")).collect();
        let said = match (one.written, own.is_empty()) {
            (true, true) => " (written)".to_owned(),
            (_, false) => format!(" (written: {})", own.join(", ")),
            (false, true) => String::new(),
        };
        line(text, &format!("  {:width$}  {}{said}", name(one), styled(FAINT, one.doc)));
    }
}

/// What is always paid, as far as there are prices.
fn least(estimate: &Estimate) -> String {
    let least = if estimate.not_priced().is_empty() { "" } else { "at least " };
    format!("{least}{}", dollars(estimate.always()))
}

/// What has no price, by resource: of each what comes first, which is the most of it.
fn unpriced(estimate: &Estimate) -> Option<String> {
    let mut missing: BTreeMap<String, &str> = BTreeMap::new();
    for (address, why) in estimate.not_priced() {
        missing.entry(address.to_string()).or_insert_with(|| why.split(": ").next().unwrap_or(why));
    }
    let named = missing.iter().map(|(address, what)| format!("{address} ({what})"));
    (!missing.is_empty()).then(|| named.collect::<Vec<_>>().join(", "))
}

/// One line on what a plan changes in what the stack costs.
pub fn change(change: &Change, prices: &Prices) -> String {
    let (before, after) = (&change.before, &change.after);
    let by = |usd: f64| styled(STRONG, if usd > 0.0 { format!("+{}", dollars(usd)) } else { dollars(usd) });
    let used = format!("{} → {}", dollars(before.by_use()), dollars(after.by_use()));
    let mut text = match (changes(change.always()), changes(change.by_use())) {
        // Then it is what has no price that changes.
        (false, false) => format!("Cost: {} a month, but for what has no price here", least(after)),
        (false, true) => format!("Cost by use: about {used} a month ({})", by(change.by_use())),
        (true, uses) => {
            let used = if uses { format!(", and by use about {used}") } else { String::new() };
            format!("Cost: {} → {} a month ({}){used}", least(before), least(after), by(change.always()))
        }
    };
    let hours = after.assumed.iter().chain(&before.assumed).find(|one| one.of == leoctl_core::stack::usage::Use::HOURS);
    let hours = hours.map(|one| format!("; {} hours", number(one.value))).unwrap_or_default();
    let _ = write!(text, "{hours}, list prices of {}", prices.compiled);
    if let Some(missing) = unpriced(after) {
        let _ = write!(text, "; not priced: {missing}");
    }
    text.push_str(". `leoctl cost` shows it all.");
    text
}

/// An estimate as JSON.
pub fn json(plan: &Plan, estimate: &Estimate, prices: &Prices) -> Json {
    json!({
        "format_version": FORMAT_VERSION,
        "stack": plan.stack.name,
        "account_id": plan.identity.account_id,
        "region": plan.identity.region,
        "currency": "USD",
        "prices": { "compiled": prices.compiled, "source": prices.source },
        "monthly": sums(estimate),
        "modules": by_module(estimate).iter().map(|(module, usd)| json!({ "module": module.to_string(), "monthly": exact(*usd) })).collect::<Vec<_>>(),
        "resources": estimate.bills.iter().map(bill).collect::<Vec<_>>(),
        "assumptions": estimate.assumed.iter().map(assumption).collect::<Vec<_>>(),
    })
}

/// A change of cost as JSON.
pub fn change_json(change: &Change, prices: &Prices) -> Json {
    json!({
        "currency": "USD",
        "prices": { "compiled": prices.compiled, "source": prices.source },
        "before": sums(&change.before),
        "after": sums(&change.after),
        "change": { "always": exact(change.always()), "by_use": exact(change.by_use()), "total": exact(change.always() + change.by_use()) },
        "not_priced": change.after.not_priced().iter().map(|(address, why)| json!({ "address": address, "why": why })).collect::<Vec<_>>(),
        "assumptions": change.after.assumed.iter().map(assumption).collect::<Vec<_>>(),
    })
}

fn sums(estimate: &Estimate) -> Json {
    json!({ "always": exact(estimate.always()), "by_use": exact(estimate.by_use()), "total": exact(estimate.total()) })
}

fn bill(bill: &Bill) -> Json {
    json!({
        "address": bill.address,
        "module": super::json::module(&bill.address),
        "type": bill.address.type_name(),
        "region": bill.region,
        "monthly": exact(bill.total()),
        "items": bill.items.iter().map(item).collect::<Vec<_>>(),
        "not_priced": bill.missing,
    })
}

fn item(item: &Item) -> Json {
    let basis = match item.basis {
        Basis::Always => "always",
        Basis::Use => "use",
    };
    json!({
        "what": item.what, "monthly": exact(item.usd()), "basis": basis, "quantity": exact(item.quantity), "unit": item.unit,
        "unit_price": item.rate.usd, "confirmed": item.rate.confirmed,
    })
}

fn assumption(one: &Assumed) -> Json {
    let own: serde_json::Map<String, Json> = one.own.iter().map(|(block, value)| (block.clone(), json!(value))).collect();
    json!({ "name": one.of.name(), "value": one.value, "written": one.written, "own": own, "meaning": one.doc })
}

/// Without what binary fractions add to decimal ones.
fn exact(value: f64) -> f64 {
    // A sum of nothing is minus zero.
    (value * 1e6).round() / 1e6 + 0.0
}

/// Rounded to cents.
fn cents(usd: f64) -> f64 {
    (usd * 100.0).round() / 100.0
}

/// Dollars and cents.
fn dollars(usd: f64) -> String {
    let usd = cents(usd);
    let sign = if usd < 0.0 { "-" } else { "" };
    let text = format!("{:.2}", usd.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "00"));
    format!("{sign}${}.{fraction}", thousands(whole))
}

/// A price with all its digits, cents at least.
fn rate(usd: f64) -> String {
    let text = format!("{usd:.10}");
    let text = text.trim_end_matches('0');
    let digits = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    format!("${text}{}", "0".repeat(2_usize.saturating_sub(digits)))
}

/// A number with at most two decimals.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match text.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", thousands(whole)),
        None => thousands(text),
    }
}

fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_cents_and_prices_keep_their_digits() {
        let amounts = [0.0, 0.004, 0.005, 1.0, 66.2151, 1234.5, 1_234_567.899, -36.04].map(dollars);
        assert_eq!(amounts, ["$0.00", "$0.00", "$0.01", "$1.00", "$66.22", "$1,234.50", "$1,234,567.90", "-$36.04"]);
        assert_eq!([0.04048, 0.5, 3.0, 0.0000004, 0.012144].map(rate), ["$0.04048", "$0.50", "$3.00", "$0.0000004", "$0.012144"]);
        assert_eq!([730.0, 0.1, 0.2302, 100_000.0, 1460.0].map(number), ["730", "0.1", "0.23", "100,000", "1,460"]);
    }
}
