//! The data source `route53_zone`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use crate::permissions::Grant;
use crate::resource::{DataSource, wrong_argument};
use crate::route53::{bare, canonical, zone};
use leoctl_core::engine::ports::Outcome;

/// One hosted zone, by its name or its id.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route53Zone {
    /// Its domain.
    #[schemars(extend("x-format" = "domain"))]
    name: Option<String>,
    /// Its id.
    zone_id: Option<String>,
    /// Whether it is a private zone; only the other kind is found.
    #[schemars(extend("default" = false))]
    private_zone: bool,
    /// A VPC that sees the private zone.
    #[schemars(extend("x-format" = "id:vpc:vpc-"))]
    vpc_id: Option<String>,
    /// Its id.
    #[schemars(extend("x-computed" = true))]
    id: Option<String>,
    /// Its ARN.
    #[schemars(extend("x-computed" = true))]
    arn: Option<String>,
    /// Its domain.
    #[schemars(extend("x-computed" = true))]
    domain: Option<String>,
    /// What it is for.
    #[schemars(extend("x-computed" = true))]
    comment: Option<String>,
    /// The servers that answer for a public zone.
    #[schemars(extend("x-computed" = true))]
    name_servers: Option<Vec<String>>,
}

impl DataSource for Route53Zone {
    const TYPE: &'static str = "route53_zone";
    const PERMISSIONS: &'static [Grant] = &[
        Grant::any(&["route53:ListHostedZonesByName"]),
        Grant::on(&["route53:GetHostedZone"], &["arn:{partition}:route53:::hostedzone/{zone_id}"]),
    ];

    async fn read(self, aws: &Aws) -> Outcome<Self> {
        let ids: Vec<String> = match (&self.zone_id, &self.name) {
            (Some(id), _) => vec![bare(id).to_owned()],
            (None, Some(name)) => zone::by_name(aws, name).await?.iter().map(|zone| bare(&zone.id).to_owned()).collect(),
            (None, None) => return Err(wrong_argument("a zone is looked for by `name` or `zone_id`")),
        };
        let mut matching = Vec::new();
        for id in ids {
            let found = aws.route53().get_hosted_zone().id(&id).send().await.or_fail("route53:GetHostedZone").or_absent()?;
            let Some((found, zone)) = found.and_then(|found| Some((found.clone(), found.hosted_zone?))) else { continue };
            let is_private = zone.config().is_some_and(|config| config.private_zone);
            let named_so = self.name.as_ref().is_none_or(|name| canonical(&zone.name) == *name);
            let seen = self.vpc_id.is_none() || found.vpcs().iter().any(|vpc| vpc.vpc_id() == self.vpc_id.as_deref());
            if is_private == self.private_zone && named_so && seen {
                matching.push((id, found, zone));
            }
        }
        let (id, found, zone) = match matching.len() {
            1 => matching.into_iter().next(),
            0 => None,
            several => return Err(wrong_argument(format!("{several} zones match: say more, such as `zone_id`"))),
        }
        .ok_or_else(|| wrong_argument(self.missing()))?;
        let domain = canonical(&zone.name);
        Ok(Self {
            arn: Some(format!("arn:{}:route53:::hostedzone/{id}", crate::partition(&aws.region))),
            // What it was not looked for by is answered, too.
            zone_id: Some(self.zone_id.unwrap_or_else(|| id.clone())),
            name: Some(self.name.unwrap_or_else(|| domain.clone())),
            id: Some(id),
            domain: Some(domain),
            comment: zone.config.and_then(|config| config.comment),
            name_servers: Some(found.delegation_set.map(|set| set.name_servers).unwrap_or_default()),
            private_zone: self.private_zone,
            vpc_id: self.vpc_id,
        })
    }
}

impl Route53Zone {
    /// That there is no such zone, with what was looked for.
    fn missing(&self) -> String {
        let kind = if self.private_zone { "private" } else { "public" };
        let by = [("zone_id", &self.zone_id), ("name", &self.name), ("vpc_id", &self.vpc_id)];
        let by: Vec<String> = by.iter().filter_map(|(what, value)| Some(format!("{what} = {}", value.as_ref()?))).collect();
        format!("no {kind} zone matches {}", by.join(", "))
    }
}
