//! The target groups of VPC Lattice that a service's tasks are registered in.

use aws_sdk_ecs::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unbuilt;
use leoctl_core::engine::ports::Outcome;

/// A target group of VPC Lattice that tasks are registered in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VpcLattice {
    /// The target group.
    #[schemars(extend("x-format" = "arn:vpc-lattice"))]
    target_group_arn: String,
    /// The port mapping's name in the task definition.
    port_name: String,
    /// The role ECS registers tasks with.
    #[schemars(extend("x-format" = "arn:iam"))]
    role_arn: String,
    /// Where new tasks stand until the requests move to them, for strategies other than `ROLLING`: it is read, and cannot be
    /// written, as a rule whose requests ECS moves would be moved back.
    advanced_configuration: Option<LatticeAlternate>,
}

/// Where new tasks stand until the requests move to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LatticeAlternate {
    /// The other target group.
    #[schemars(extend("x-format" = "arn:vpc-lattice"))]
    alternate_target_group_arn: Option<String>,
    /// The rule or listener whose requests move.
    #[schemars(extend("x-format" = "arn:vpc-lattice"))]
    production_listener_rule: Option<String>,
    /// The rule or listener of test requests, which move first.
    #[schemars(extend("x-format" = "arn:vpc-lattice"))]
    test_listener_rule: Option<String>,
}

impl VpcLattice {
    /// The configuration for a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::VpcLatticeConfiguration> {
        let Self { target_group_arn, port_name, role_arn, advanced_configuration } = self.clone();
        let advanced = advanced_configuration.map(|alternate| {
            let LatticeAlternate { alternate_target_group_arn, production_listener_rule, test_listener_rule } = alternate;
            api::VpcLatticeAdvancedConfiguration::builder()
                .set_alternate_target_group_arn(alternate_target_group_arn)
                .set_production_listener_rule(production_listener_rule)
                .set_test_listener_rule(test_listener_rule)
                .build()
        });
        api::VpcLatticeConfiguration::builder()
            .target_group_arn(target_group_arn)
            .port_name(port_name)
            .role_arn(role_arn)
            .set_advanced_configuration(advanced)
            .build()
            .map_err(unbuilt)
    }

    /// The configuration AWS returned.
    pub fn from_api(lattice: &api::VpcLatticeConfiguration) -> Self {
        Self {
            target_group_arn: lattice.target_group_arn().to_owned(),
            port_name: lattice.port_name().to_owned(),
            role_arn: lattice.role_arn().to_owned(),
            advanced_configuration: lattice.advanced_configuration().map(|alternate| LatticeAlternate {
                alternate_target_group_arn: alternate.alternate_target_group_arn().map(str::to_owned),
                production_listener_rule: alternate.production_listener_rule().map(str::to_owned),
                test_listener_rule: alternate.test_listener_rule().map(str::to_owned),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_group_of_vpc_lattice_reads_back_as_it_was_written() {
        let advanced = LatticeAlternate {
            alternate_target_group_arn: Some("green".to_owned()),
            production_listener_rule: Some("rule".to_owned()),
            test_listener_rule: None,
        };
        for advanced_configuration in [None, Some(advanced)] {
            let lattice = VpcLattice {
                target_group_arn: "blue".to_owned(),
                port_name: "http".to_owned(),
                role_arn: "arn:aws:iam::1:role/r".to_owned(),
                advanced_configuration,
            };
            assert_eq!(VpcLattice::from_api(&lattice.to_api().unwrap()), lattice);
        }
    }
}
