//! Functions of networks and addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::arguments::Arguments;
use super::{Answer, Function, function};
use crate::model::value::Value;
use crate::stack::complaint::{Complaint, complaint};

pub const FUNCTIONS: &[Function] = &[
    function("cidrsubnet", "cidrsubnet('10.0.0.0/16', 8, 0)", (3, 3), |a| {
        Ok(Value::String(subnet(a.text(0)?, a.int(1)?, a.int(2)?)?).into())
    }),
    function("cidrhost", "cidrhost('10.0.0.0/16', 5)", (2, 2), |a: &Arguments<'_>| -> Answer {
        Ok(Value::String(host(a.text(0)?, a.int(1)?)?).into())
    }),
];

fn network(prefix: &str) -> Result<IpNet, Complaint> {
    prefix.parse().map_err(|_| complaint("`{}` is not a network like 10.0.0.0/16", [prefix.to_owned().into()]))
}

/// Subnet number `netnum` of `prefix`, `newbits` longer.
fn subnet(prefix: &str, newbits: i64, netnum: i64) -> Result<String, Complaint> {
    let net = network(prefix)?;
    let bits = u8::try_from(newbits).map_err(|_| complaint("{} new bits are not possible", [newbits.into()]))?;
    let number = u128::try_from(netnum).map_err(|_| complaint("there is no subnet number {}", [netnum.into()]))?;
    let length = net.prefix_len().checked_add(bits).filter(|length| *length <= net.max_prefix_len());
    let length = length.ok_or_else(|| complaint("{} cannot be made {} bits longer", [prefix.to_owned().into(), newbits.into()]))?;
    if bits < 127 && number >> bits != 0 {
        let said = [newbits.into(), (1_u128 << bits).to_string().into(), netnum.into()];
        return Err(complaint("{} new bits make {} subnets, so there is no number {}", said));
    }
    let shifted = number.checked_shl(u32::from(net.max_prefix_len() - length)).unwrap_or(0);
    Ok(format!("{}/{length}", address(&net, shifted)))
}

/// Address number `number` of `prefix`; counted from the end when it is negative.
fn host(prefix: &str, number: i64) -> Result<String, Complaint> {
    let net = network(prefix)?;
    let bits = u32::from(net.max_prefix_len() - net.prefix_len());
    let size = 1_u128.checked_shl(bits);
    let wanted = u128::from(number.unsigned_abs());
    let place = if number >= 0 { Some(wanted) } else { size.unwrap_or(0).wrapping_sub(wanted).into() };
    let fits = size.is_none_or(|size| if number >= 0 { wanted < size } else { wanted <= size });
    match place.filter(|_| fits) {
        Some(place) => Ok(address(&net, place).to_string()),
        None => Err(complaint("{} has no address number {}", [prefix.to_owned().into(), number.into()])),
    }
}

/// The address `offset` behind the first of a network.
fn address(net: &IpNet, offset: u128) -> IpAddr {
    match net.trunc() {
        IpNet::V4(net) => Ipv4Addr::from(u32::from(net.network()) | u32::try_from(offset).unwrap_or(0)).into(),
        IpNet::V6(net) => Ipv6Addr::from(u128::from(net.network()) | offset).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            [("10.0.0.0/16", 1, 2), ("10.0.0.0/16", 17, 0), ("x", 1, 0), ("10.0.0.0/16", -1, 0), ("::/0", 128, -1), ("::/0", 9_000_000, 0)]
        {
            assert!(subnet(prefix, newbits, netnum).is_err(), "{prefix} {newbits} {netnum}");
        }
    }

    #[test]
    fn hosts_count_from_either_end() {
        assert_eq!(host("10.0.0.0/24", 5).unwrap(), "10.0.0.5");
        assert_eq!(host("10.0.0.0/24", -2).unwrap(), "10.0.0.254");
        assert_eq!(host("2001:db8::/64", 1).unwrap(), "2001:db8::1");
        assert_eq!(host("::/0", -1).unwrap(), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
        assert!(host("10.0.0.0/24", 256).is_err() && host("10.0.0.0/24", -257).is_err());
    }
}
