//! The functions of the stack language beyond CEL's own.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use cel::objects::Key;
use cel::{Context, ExecutionError, Value as Cel};
use ipnet::IpNet;

use super::cel_value::{from_cel, to_cel};
use crate::model::value::Value;

/// Every function an expression may call, for suggestions.
pub const NAMES: &[&str] = &[
    "cidrsubnet",
    "pluck",
    "keys",
    "values",
    "merge",
    "zipmap",
    "jsonencode",
    "jsondecode",
    "size",
    "has",
    "all",
    "exists",
    "map",
    "filter",
    "join",
    "split",
    "replace",
    "slice",
    "distinct",
    "sort",
    "flatten",
    "reverse",
    "lowerAscii",
    "upperAscii",
    "startsWith",
    "endsWith",
    "contains",
    "matches",
    "substring",
    "trim",
    "format",
    "string",
    "int",
    "double",
    "bool",
];

/// Adds the functions to a context.
pub fn register(context: &mut Context<'_, '_>) {
    let added = [
        context.add_function("cidrsubnet", cidrsubnet),
        context.add_function("pluck", pluck),
        context.add_function("keys", keys),
        context.add_function("values", values),
        context.add_function("merge", merge),
        context.add_function("zipmap", zipmap),
        context.add_function("jsonencode", jsonencode),
        context.add_function("jsondecode", jsondecode),
    ];
    for conflict in added.into_iter().filter_map(Result::err) {
        tracing::error!(?conflict, "a function of the stack language could not be added");
    }
}

/// `cidrsubnet(prefix, newbits, netnum)`: subnet number `netnum` of `prefix`, `newbits` longer.
fn cidrsubnet(prefix: Arc<String>, newbits: i64, netnum: i64) -> Result<Cel, ExecutionError> {
    subnet(&prefix, newbits, netnum).map(Cel::from).map_err(|problem| ExecutionError::function_error("cidrsubnet", problem))
}

fn subnet(prefix: &str, newbits: i64, netnum: i64) -> Result<String, String> {
    let net: IpNet = prefix.parse().map_err(|_| format!("`{prefix}` is not a network like 10.0.0.0/16"))?;
    let newbits = u8::try_from(newbits).map_err(|_| format!("{newbits} new bits are not possible"))?;
    let number = u128::try_from(netnum).map_err(|_| format!("there is no subnet number {netnum}"))?;
    let length = net.prefix_len().checked_add(newbits).filter(|length| *length <= net.max_prefix_len());
    let length = length.ok_or_else(|| format!("{prefix} cannot be made {newbits} bits longer"))?;
    if newbits < 127 && number >> newbits != 0 {
        return Err(format!("{newbits} new bits make {} subnets, so there is no number {netnum}", 1_u128 << newbits));
    }
    let shift = u32::from(net.max_prefix_len() - length);
    let shifted = number.checked_shl(shift).unwrap_or(0);
    Ok(match net.trunc() {
        IpNet::V4(net) => {
            let base = u32::from(net.network());
            format!("{}/{length}", Ipv4Addr::from(base | u32::try_from(shifted).unwrap_or(0)))
        }
        IpNet::V6(net) => format!("{}/{length}", Ipv6Addr::from(u128::from(net.network()) | shifted)),
    })
}

/// `pluck(resources, 'field')`: that field of every instance or element, in key order.
fn pluck(items: Cel, field: Arc<String>) -> Result<Cel, ExecutionError> {
    let of = |item: &Cel| match item {
        Cel::Map(map) => map
            .map
            .get(&Key::String(Arc::clone(&field)))
            .cloned()
            .ok_or_else(|| ExecutionError::function_error("pluck", format!("an element has no `{field}`"))),
        other => Err(ExecutionError::function_error("pluck", format!("an element is {}, not a table", other.type_of()))),
    };
    let plucked = match &items {
        Cel::List(items) => items.iter().map(of).collect::<Result<Vec<_>, _>>()?,
        Cel::Map(map) => {
            let sorted: BTreeMap<&Key, &Cel> = map.map.iter().collect();
            sorted.into_values().map(of).collect::<Result<Vec<_>, _>>()?
        }
        other => {
            return Err(ExecutionError::function_error("pluck", format!("expected a table or list, got {}", other.type_of())));
        }
    };
    Ok(Cel::List(Arc::new(plucked)))
}

fn map_of<'a>(function: &str, value: &'a Cel) -> Result<BTreeMap<&'a Key, &'a Cel>, ExecutionError> {
    match value {
        Cel::Map(map) => Ok(map.map.iter().collect()),
        other => Err(ExecutionError::function_error(function, format!("expected a table, got {}", other.type_of()))),
    }
}

/// `keys(table)`: its keys, sorted.
fn keys(table: Cel) -> Result<Cel, ExecutionError> {
    Ok(Cel::List(Arc::new(map_of("keys", &table)?.into_keys().map(Cel::from).collect())))
}

/// `values(table)`: its values, in key order.
fn values(table: Cel) -> Result<Cel, ExecutionError> {
    Ok(Cel::List(Arc::new(map_of("values", &table)?.into_values().cloned().collect())))
}

/// `merge(a, b)`: both tables' entries, `b`'s where both have one.
fn merge(a: Cel, b: Cel) -> Result<Cel, ExecutionError> {
    let mut merged = map_of("merge", &a)?;
    merged.extend(map_of("merge", &b)?);
    let map = merged.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    Ok(Cel::Map(cel::objects::Map { map: Arc::new(map) }))
}

/// `zipmap(keys, values)`: a table of these keys and values.
fn zipmap(keys: Cel, values: Cel) -> Result<Cel, ExecutionError> {
    let fail = |problem: String| ExecutionError::function_error("zipmap", problem);
    let (Cel::List(keys), Cel::List(values)) = (&keys, &values) else {
        return Err(fail(format!("expected two lists, got {} and {}", keys.type_of(), values.type_of())));
    };
    if keys.len() != values.len() {
        return Err(fail(format!("{} keys but {} values", keys.len(), values.len())));
    }
    let mut map = std::collections::HashMap::new();
    for (key, value) in keys.iter().zip(values.iter()) {
        let Cel::String(key) = key else { return Err(fail(format!("a key is {}, not a string", key.type_of()))) };
        map.insert(Key::String(Arc::clone(key)), value.clone());
    }
    Ok(Cel::Map(cel::objects::Map { map: Arc::new(map) }))
}

/// `jsonencode(value)`: the value as compact JSON text with sorted keys.
fn jsonencode(value: Cel) -> Result<Cel, ExecutionError> {
    let fail = |problem: String| ExecutionError::function_error("jsonencode", problem);
    let value = from_cel(&value).map_err(|error| fail(error.message))?;
    value.to_json().map(|json| Cel::from(json.to_string())).map_err(|path| fail(format!("{path} is unknown")))
}

/// `jsondecode(text)`: what the JSON text says.
fn jsondecode(text: Arc<String>) -> Result<Cel, ExecutionError> {
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| ExecutionError::function_error("jsondecode", error))?;
    Ok(to_cel(&Value::from(json)))
}

#[cfg(test)]
mod tests {
    use super::subnet;

    #[test]
    fn subnets_of_both_families() {
        assert_eq!(subnet("10.0.0.0/16", 8, 3).unwrap(), "10.0.3.0/24");
        assert_eq!(subnet("10.0.0.0/16", 1, 1).unwrap(), "10.0.128.0/17");
        assert_eq!(subnet("2001:db8::/56", 8, 1).unwrap(), "2001:db8:0:1::/64");
        assert_eq!(subnet("0.0.0.0/0", 32, 0).unwrap(), "0.0.0.0/32");
    }

    #[test]
    fn impossible_subnets_are_errors() {
        for (prefix, newbits, netnum) in
            [("10.0.0.0/16", 1, 2), ("10.0.0.0/16", 17, 0), ("x", 1, 0), ("10.0.0.0/16", -1, 0), ("::/0", 128, -1)]
        {
            assert!(subnet(prefix, newbits, netnum).is_err(), "{prefix} {newbits} {netnum}");
        }
    }
}
