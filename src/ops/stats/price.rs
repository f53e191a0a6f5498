//! What Fargate costs.

use super::fargate::Size;

/// Hours of a month, as AWS's calculator has it.
pub const MONTH: f64 = 730.0;

/// Dollars an hour of one task of this size costs, on demand, on Linux; nothing for regions that are not known here.
///
/// From <https://aws.amazon.com/fargate/pricing/>, per vCPU-hour and GB-hour; without taxes, discounts and storage.
pub fn hourly(region: &str, arm: bool, size: Size) -> Option<f64> {
    let (vcpu, gigabyte) = match (region, arm) {
        ("us-east-1" | "us-west-2" | "eu-west-1", false) => (0.040_48, 0.004_445),
        ("us-east-1" | "us-west-2" | "eu-west-1", true) => (0.032_38, 0.003_56),
        _ => return None,
    };
    let (cpu, memory) = (size.cpu as f64 / 1024.0, size.memory as f64 / 1024.0);
    Some(cpu * vcpu + memory * gigabyte)
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
