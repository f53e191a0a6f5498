//! What Fargate costs.

use super::fargate::Size;
use leoctl_core::cost::prices::{Price, Prices};

/// Hours of a month, as AWS's calculator has it.
pub const MONTH: f64 = 730.0;

/// Dollars an hour of one task of this size costs, on demand, on Linux; nothing for regions without prices.
pub fn hourly(region: &str, arm: bool, size: Size) -> Option<f64> {
    let (vcpu, gigabyte) = match arm {
        false => (Price::FargateVcpuHour, Price::FargateGbHour),
        true => (Price::FargateArmVcpuHour, Price::FargateArmGbHour),
    };
    let rate = |price| Some(Prices::built_in().ok()?.rate(region, price)?.usd);
    let (cpu, memory) = (size.cpu as f64 / 1024.0, size.memory as f64 / 1024.0);
    Some(cpu * rate(vcpu)? + memory * rate(gigabyte)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_vcpu_with_two_gigabytes() {
        let size = Size { cpu: 1024, memory: 2048 };
        assert_eq!(format!("{:.2}", hourly("us-east-1", false, size).unwrap() * MONTH), "36.04");
        assert_eq!(format!("{:.2}", hourly("eu-west-1", true, size).unwrap() * MONTH), "28.84");
        assert_eq!(hourly("mars-1", false, size), None);
    }
}
