//! Where who asks is sent, among several records of one name and type.

use aws_sdk_route53::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unbuilt;
use leoctl_core::engine::ports::Outcome;

/// From where who asks is sent here; all of it `*` for everybody else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GeoLocation {
    /// The continent, such as `EU`; instead of a country.
    continent_code: Option<String>,
    /// The country, such as `DE`, or `*`.
    country_code: Option<String>,
    /// The state of the USA, such as `CA`.
    subdivision_code: Option<String>,
}

impl GeoLocation {
    /// For a call.
    pub fn to_api(&self) -> api::GeoLocation {
        let Self { continent_code, country_code, subdivision_code } = self.clone();
        let built = api::GeoLocation::builder().set_continent_code(continent_code).set_country_code(country_code);
        built.set_subdivision_code(subdivision_code).build()
    }

    /// What AWS returned.
    pub fn from_api(found: &api::GeoLocation) -> Self {
        Self {
            continent_code: found.continent_code().map(str::to_owned),
            country_code: found.country_code().map(str::to_owned),
            subdivision_code: found.subdivision_code().map(str::to_owned),
        }
    }
}

/// Near what who asks has to be, compared with the others: a region, a local zone, or a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GeoProximity {
    /// The region.
    aws_region: Option<String>,
    /// The local zone group.
    local_zone_group: Option<String>,
    /// The place.
    coordinates: Option<Coordinates>,
    /// By how much the area is larger or smaller, from -99 to 99.
    #[schemars(extend("default" = 0), range(min = -99, max = 99))]
    bias: i32,
}

/// A place on earth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coordinates {
    /// Degrees north, with two decimals, such as `52.52`.
    latitude: String,
    /// Degrees east, with two decimals.
    longitude: String,
}

impl GeoProximity {
    /// For a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::GeoProximityLocation> {
        let Self { aws_region, local_zone_group, coordinates, bias } = self.clone();
        let place = |place: Coordinates| api::Coordinates::builder().latitude(place.latitude).longitude(place.longitude).build();
        let built = api::GeoProximityLocation::builder().set_aws_region(aws_region).set_local_zone_group(local_zone_group);
        Ok(built
            .set_coordinates(coordinates.map(place).transpose().map_err(unbuilt)?)
            .set_bias(Some(bias).filter(|bias| *bias != 0))
            .build())
    }

    /// What AWS returned.
    pub fn from_api(found: &api::GeoProximityLocation) -> Self {
        let place =
            |place: &api::Coordinates| Coordinates { latitude: place.latitude().to_owned(), longitude: place.longitude().to_owned() };
        Self {
            aws_region: found.aws_region().map(str::to_owned),
            local_zone_group: found.local_zone_group().map(str::to_owned),
            coordinates: found.coordinates().map(place),
            bias: found.bias().unwrap_or_default(),
        }
    }
}

/// From which addresses who asks is sent here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CidrRouting {
    /// The CIDR collection.
    collection_id: String,
    /// The location in it, or `*` for all others.
    location_name: String,
}

impl CidrRouting {
    /// For a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::CidrRoutingConfig> {
        let built = api::CidrRoutingConfig::builder().collection_id(&self.collection_id).location_name(&self.location_name);
        built.build().map_err(unbuilt)
    }

    /// What AWS returned.
    pub fn from_api(found: &api::CidrRoutingConfig) -> Self {
        Self { collection_id: found.collection_id().to_owned(), location_name: found.location_name().to_owned() }
    }
}

/// Something AWS answers for itself, such as a load balancer: its addresses, at no cost and however they change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// Its DNS name, such as `${lb.main.dns_name}`.
    #[schemars(extend("x-format" = "domain"))]
    dns_name: String,
    /// The zone of that name, such as `${lb.main.canonical_hosted_zone_id}`.
    zone_id: String,
    /// Whether an answer is given only while it is healthy.
    #[schemars(extend("default" = false))]
    evaluate_target_health: bool,
}

impl Alias {
    /// For a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::AliasTarget> {
        let built = api::AliasTarget::builder().dns_name(&self.dns_name).hosted_zone_id(&self.zone_id);
        built.evaluate_target_health(self.evaluate_target_health).build().map_err(unbuilt)
    }

    /// What AWS returned.
    pub fn from_api(found: &api::AliasTarget) -> Self {
        Self {
            dns_name: super::canonical(found.dns_name()),
            zone_id: found.hosted_zone_id().to_owned(),
            evaluate_target_health: found.evaluate_target_health(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Not every emulator knows these: the two directions are held to each other.
    #[test]
    fn what_is_sent_is_what_is_read() {
        let place = Some(Coordinates { latitude: "52.52".to_owned(), longitude: "13.40".to_owned() });
        let near = GeoProximity { aws_region: None, local_zone_group: None, coordinates: place, bias: -5 };
        assert_eq!(GeoProximity::from_api(&near.to_api().unwrap()), near);
        let (none, zero) = (api::GeoProximityLocation::builder().aws_region("eu-west-1"), Some(0));
        assert_eq!(GeoProximity::from_api(&none.clone().build()), GeoProximity::from_api(&none.set_bias(zero).build()));
        let addresses = CidrRouting { collection_id: "c".to_owned(), location_name: "*".to_owned() };
        assert_eq!(CidrRouting::from_api(&addresses.to_api().unwrap()), addresses);
        let country = GeoLocation { continent_code: None, country_code: Some("US".to_owned()), subdivision_code: Some("CA".to_owned()) };
        assert_eq!(GeoLocation::from_api(&country.to_api()), country);
    }
}
