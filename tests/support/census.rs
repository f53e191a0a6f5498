//! What of each type is in an account, asked past leoctl and its SDK: the answer of the service's own list call, of which
//! only the identifiers are taken.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use tokio::net::TcpStream;

use super::proxy::http::{self, Message};

/// How a list call is written, and where the identifiers are in its answer.
enum Ask {
    /// A form: service, version of the API, operation with its parameters, and the element.
    Form(&'static str, &'static str, &'static str, &'static str),
    /// JSON with a target: service, target, body, key.
    Target(&'static str, &'static str, &'static str, &'static str),
    /// A path that answers JSON: service, path, key.
    Path(&'static str, &'static str, &'static str),
    /// A path that answers XML: service, path, element.
    Xml(&'static str, &'static str, &'static str),
}

/// Of an element or a key, the values with which an entry does not count; any value, where none is named.
type Gone = &'static [(&'static str, &'static [&'static str])];

/// Stands among the values of [`Gone`] for every region but the one that is asked: a copy there belongs to its original.
const ELSEWHERE: &str = "elsewhere";

/// How a type is listed: `{}` in the last call stands for each identifier that the one before it gave.
struct Listing {
    type_name: &'static str,
    calls: &'static [Ask],
    /// One that a region does not have for itself.
    global: bool,
    /// What an entry has that is as good as gone: the element or key, and its values.
    gone: Gone,
}

const EC2: &str = "2016-11-15";
const ELB: (&str, &str) = ("elasticloadbalancing", "2015-12-01");

const fn plain(type_name: &'static str, calls: &'static [Ask]) -> Listing {
    Listing { type_name, calls, global: false, gone: &[] }
}

const fn global(type_name: &'static str, calls: &'static [Ask]) -> Listing {
    Listing { type_name, calls, global: true, gone: &[] }
}

use Ask::{Form, Path, Target, Xml};

#[rustfmt::skip]
const LISTINGS: &[Listing] = &[
    plain("vpc", &[Form("ec2", EC2, "DescribeVpcs", "vpcId")]),
    plain("subnet", &[Form("ec2", EC2, "DescribeSubnets", "subnetId")]),
    plain("internet_gateway", &[Form("ec2", EC2, "DescribeInternetGateways", "internetGatewayId")]),
    plain("egress_only_internet_gateway", &[Form("ec2", EC2, "DescribeEgressOnlyInternetGateways", "egressOnlyInternetGatewayId")]),
    plain("route_table", &[Form("ec2", EC2, "DescribeRouteTables", "routeTableId")]),
    plain("security_group", &[Form("ec2", EC2, "DescribeSecurityGroups", "groupId")]),
    plain("security_group_rule", &[Form("ec2", EC2, "DescribeSecurityGroupRules", "securityGroupRuleId")]),
    plain("eip", &[Form("ec2", EC2, "DescribeAddresses", "allocationId")]),
    plain("key_pair", &[Form("ec2", EC2, "DescribeKeyPairs", "keyPairId")]),
    Listing { gone: &[("state", &["deleted", "deleting"])], ..plain("nat_gateway", &[Form("ec2", EC2, "DescribeNatGateways", "natGatewayId")]) },
    Listing { gone: &[("state", &["deleted", "deleting"])], ..plain("vpc_endpoint", &[Form("ec2", EC2, "DescribeVpcEndpoints", "vpcEndpointId")]) },
    Listing { gone: &[("name", &["terminated", "shutting-down"])], ..plain("instance", &[Form("ec2", EC2, "DescribeInstances", "instanceId")]) },
    plain("lb", &[Form(ELB.0, ELB.1, "DescribeLoadBalancers", "LoadBalancerArn")]),
    plain("lb_target_group", &[Form(ELB.0, ELB.1, "DescribeTargetGroups", "TargetGroupArn")]),
    plain("lb_listener", &[
        Form(ELB.0, ELB.1, "DescribeLoadBalancers", "LoadBalancerArn"), Form(ELB.0, ELB.1, "DescribeListeners&LoadBalancerArn={}", "ListenerArn"),
    ]),
    plain("lb_listener_rule", &[
        Form(ELB.0, ELB.1, "DescribeLoadBalancers", "LoadBalancerArn"), Form(ELB.0, ELB.1, "DescribeListeners&LoadBalancerArn={}", "ListenerArn"),
        Form(ELB.0, ELB.1, "DescribeRules&ListenerArn={}", "RuleArn"),
    ]),
    global("iam_role", &[Form("iam", "2010-05-08", "ListRoles", "Arn")]),
    global("iam_policy", &[Form("iam", "2010-05-08", "ListPolicies&Scope=Local", "Arn")]),
    global("iam_instance_profile", &[Form("iam", "2010-05-08", "ListInstanceProfiles", "InstanceProfileName")]),
    global("iam_openid_connect_provider", &[Form("iam", "2010-05-08", "ListOpenIDConnectProviders", "Arn")]),
    plain("sns_topic", &[Form("sns", "2010-03-31", "ListTopics", "TopicArn")]),
    plain("sns_topic_subscription", &[Form("sns", "2010-03-31", "ListSubscriptions", "SubscriptionArn")]),
    plain("cloudwatch_metric_alarm", &[Form("monitoring", "2010-08-01", "DescribeAlarms", "AlarmArn")]),
    global("cloudwatch_dashboard", &[Form("monitoring", "2010-08-01", "ListDashboards", "DashboardName")]),
    plain("cloudwatch_log_group", &[Target("logs", "Logs_20140328.DescribeLogGroups", "{}", "arn")]),
    plain("cloudwatch_log_metric_filter", &[Target("logs", "Logs_20140328.DescribeMetricFilters", "{}", "filterName")]),
    plain("ecs_cluster", &[Target("ecs", "AmazonEC2ContainerServiceV20141113.ListClusters", "{}", "clusterArns")]),
    Listing { gone: &[("status", &["INACTIVE"])], ..plain("ecs_service", &[
        Target("ecs", "AmazonEC2ContainerServiceV20141113.ListClusters", "{}", "clusterArns"),
        Target("ecs", "AmazonEC2ContainerServiceV20141113.ListServices", r#"{"cluster":"{}"}"#, "serviceArns"),
    ]) },
    plain("ecs_task_definition", &[Target("ecs", "AmazonEC2ContainerServiceV20141113.ListTaskDefinitions", r#"{"status":"ACTIVE"}"#, "taskDefinitionArns")]),
    plain("ecr_repository", &[Target("ecr", "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories", "{}", "repositoryArn")]),
    Listing { gone: &[("DeletedDate", &[]), ("PrimaryRegion", &[ELSEWHERE])], ..plain("secretsmanager_secret", &[Target("secretsmanager", "secretsmanager.ListSecrets", "{}", "ARN")]) },
    plain("ssm_parameter", &[Target("ssm", "AmazonSSM.DescribeParameters", "{}", "ARN")]),
    Listing { gone: &[("KeyState", &["PendingDeletion"]), ("KeyManager", &["AWS"])], ..plain("kms_key", &[
        Target("kms", "TrentService.ListKeys", "{}", "KeyId"), Target("kms", "TrentService.DescribeKey", r#"{"KeyId":"{}"}"#, "Arn"),
    ]) },
    plain("kms_alias", &[Target("kms", "TrentService.ListAliases", "{}", "AliasArn")]),
    plain("acm_certificate", &[Target("acm", "CertificateManager.ListCertificates", "{}", "CertificateArn")]),
    plain("acm_imported_certificate", &[Target("acm", "CertificateManager.ListCertificates", "{}", "CertificateArn")]),
    plain("appautoscaling_target", &[Target("application-autoscaling", "AnyScaleFrontendService.DescribeScalableTargets", r#"{"ServiceNamespace":"ecs"}"#, "ScalableTargetARN")]),
    plain("appautoscaling_policy", &[Target("application-autoscaling", "AnyScaleFrontendService.DescribeScalingPolicies", r#"{"ServiceNamespace":"ecs"}"#, "PolicyARN")]),
    plain("appautoscaling_scheduled_action", &[Target("application-autoscaling", "AnyScaleFrontendService.DescribeScheduledActions", r#"{"ServiceNamespace":"ecs"}"#, "ScheduledActionARN")]),
    plain("service_discovery_private_dns_namespace", &[Target("servicediscovery", "Route53AutoNaming_v20170314.ListNamespaces", "{}", "Arn")]),
    plain("service_discovery_service", &[Target("servicediscovery", "Route53AutoNaming_v20170314.ListServices", "{}", "Arn")]),
    plain("backup_vault", &[Path("backup", "/backup-vaults", "BackupVaultArn")]),
    plain("backup_plan", &[Path("backup", "/backup/plans", "BackupPlanId")]),
    plain("backup_selection", &[Path("backup", "/backup/plans", "BackupPlanId"), Path("backup", "/backup/plans/{}/selections", "SelectionId")]),
    plain("efs_file_system", &[Path("elasticfilesystem", "/2015-02-01/file-systems", "FileSystemId")]),
    plain("efs_access_point", &[Path("elasticfilesystem", "/2015-02-01/access-points", "AccessPointId")]),
    plain("efs_mount_target", &[
        Path("elasticfilesystem", "/2015-02-01/file-systems", "FileSystemId"),
        Path("elasticfilesystem", "/2015-02-01/mount-targets?FileSystemId={}", "MountTargetId"),
    ]),
    plain("scheduler_schedule", &[Path("scheduler", "/schedules", "Arn")]),
    global("s3_bucket", &[Xml("s3", "/", "Name")]),
    global("route53_zone", &[Xml("route53", "/2013-04-01/hostedzone", "Id")]),
    global("route53_record", &[Xml("route53", "/2013-04-01/hostedzone", "Id"), Xml("route53", "/2013-04-01{}/rrset", "ResourceRecordSet")]),
];

/// What of these types has leoctl's tags.
#[rustfmt::skip]
const OURS: &[(&str, &[Ask])] = &[
    ("route_table", &[Form("ec2", EC2, "DescribeRouteTables&Filter.1.Name=tag-key&Filter.1.Value.1=leoctl:address", "routeTableId")]),
    ("security_group", &[Form("ec2", EC2, "DescribeSecurityGroups&Filter.1.Name=tag-key&Filter.1.Value.1=leoctl:address", "groupId")]),
    ("security_group_rule", &[Form("ec2", EC2, "DescribeSecurityGroupRules&Filter.1.Name=tag-key&Filter.1.Value.1=leoctl:address", "securityGroupRuleId")]),
];

/// Stands for the region of what is in all of them: an emulator that has no regions for it.
const ANYWHERE: &str = "anywhere";

/// The types of which there is nothing to list: they are no objects of AWS, or there before leoctl is and after it.
pub const NOTHING_TO_LIST: &[&str] = &["acm_certificate_validation", "default_route_table", "default_security_group"];

/// The types that are listed.
pub fn types() -> impl Iterator<Item = &'static str> {
    LISTINGS.iter().map(|listing| listing.type_name)
}

/// Whether what the census found is in a region, or in none.
pub fn is_in(found: &str, region: &str) -> bool {
    let mut words = found.split(' ');
    let type_name = words.next();
    let place = words.next();
    place == Some(region)
        || place == Some(ANYWHERE)
        || LISTINGS.iter().any(|listing| listing.global && type_name == Some(listing.type_name))
}

/// Whether what the census found is in one region, or of a service that has none.
pub fn is_in_one_region(found: &str) -> bool {
    found.split(' ').nth(1) != Some(ANYWHERE)
}

/// An account of an emulator.
pub struct Census {
    address: String,
    account: String,
    regions: Vec<String>,
}

impl Census {
    /// The account whose access key is `account`, in some regions.
    pub fn new(endpoint: &str, account: &str, regions: &[&str]) -> Self {
        let address = endpoint.trim_start_matches("http://").to_owned();
        Self { address, account: account.to_owned(), regions: regions.iter().map(ToString::to_string).collect() }
    }

    /// Every identifier of a type, with the region it is in; one that is in all of them is not in any.
    pub async fn of(&self, type_name: &str) -> BTreeSet<String> {
        match LISTINGS.iter().find(|listing| listing.type_name == type_name) {
            Some(listing) => self.listed(type_name, listing.calls, listing).await,
            None => BTreeSet::new(),
        }
    }

    /// The same of every type; of what every VPC has of itself, and fakecloud keeps when the VPC is gone, only what has
    /// leoctl's tags.
    pub async fn all(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for listing in LISTINGS {
            let ours = OURS.iter().find(|(type_name, _)| *type_name == listing.type_name);
            let calls = ours.map_or(listing.calls, |(_, calls)| calls);
            found.extend(self.listed(listing.type_name, calls, listing).await);
        }
        found
    }

    async fn listed(&self, type_name: &str, calls: &[Ask], listing: &Listing) -> BTreeSet<String> {
        let regions = if listing.global { &self.regions[..1] } else { &self.regions[..] };
        let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for region in regions {
            let mut ids = vec![String::new()];
            for (at, ask) in calls.iter().enumerate() {
                let last = at + 1 == calls.len();
                let mut next = Vec::new();
                for id in &ids {
                    next.extend(self.ask(region, ask, id, if last { listing.gone } else { &[] }).await);
                }
                ids = next;
            }
            // What AWS makes for its own use is nobody's.
            ids.retain(|id| !id.contains(":alias/aws/") && !id.contains("/aws-service-role/"));
            // A subscription that is never confirmed stays for days, whoever unsubscribes (SNS API Reference, Unsubscribe).
            ids.retain(|id| id != "PendingConfirmation");
            ids.into_iter().for_each(|id| found.entry(id).or_default().push(region));
        }
        let place = |regions: Vec<&str>| if regions.len() == self.regions.len() { ANYWHERE.to_owned() } else { regions.join("+") };
        found.into_iter().map(|(id, regions)| format!("{type_name} {} {id}", place(regions))).collect()
    }

    async fn ask(&self, region: &str, ask: &Ask, id: &str, gone: Gone) -> Vec<String> {
        let (service, head, body) = match ask {
            Form(service, version, operation, _) => {
                let body = format!("Action={}&Version={version}", operation.replace("{}", &percent(id)));
                (*service, "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n".to_owned(), body)
            }
            Target(service, target, body, _) => {
                let head = format!("POST / HTTP/1.1\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: {target}\r\n");
                (*service, head, body.replacen("\"{}\"", &format!("\"{id}\""), 1))
            }
            Path(service, path, _) | Xml(service, path, _) => {
                (*service, format!("GET {} HTTP/1.1\r\n", path.replace("{}", id)), String::new())
            }
        };
        let answer = self.send(service, region, &head, &body).await;
        match ask {
            Form(.., element) | Xml(.., element) => elements(&answer, element, gone),
            Target(.., key) | Path(.., key) => {
                let mut found = Vec::new();
                keys(&serde_json::from_str(&answer).unwrap_or_default(), key, region, gone, &mut found);
                found
            }
        }
    }

    async fn send(&self, service: &str, region: &str, head: &str, body: &str) -> String {
        let sign = format!(
            "Host: {}\r\nX-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential={}/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            self.address,
            self.account,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        http::write(&mut stream, format!("{head}{sign}{body}").as_bytes()).await.unwrap();
        Message::read_answer(&mut stream, false).await.unwrap().map(|answer| answer.text()).unwrap_or_default()
    }
}

fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The texts of an element, without those of entries that are as good as gone.
fn elements(answer: &str, element: &str, gone: Gone) -> Vec<String> {
    let open = format!("<{element}>");
    let mut parts = answer.split(open.as_str());
    parts.next();
    let mut found: Vec<String> = Vec::new();
    for part in parts {
        let Some(text) = part.split(&format!("</{element}>")).next() else { continue };
        let is_gone = gone.iter().any(|(key, values)| values.iter().any(|value| part.contains(&format!("<{key}>{value}</{key}>"))));
        if !is_gone && !found.iter().any(|known| known == text) {
            found.push(text.to_owned());
        }
    }
    found
}

/// The texts under a key, wherever it is, without those of entries that are as good as gone.
fn keys(json: &Json, key: &str, region: &str, gone: Gone, found: &mut Vec<String>) {
    match json {
        Json::Object(map) => {
            let is_gone = gone.iter().any(|(state, values)| match map.get(*state) {
                None | Some(Json::Null) => false,
                Some(value) => {
                    let is_elsewhere = values.contains(&ELSEWHERE) && value.as_str() != Some(region);
                    values.is_empty() || is_elsewhere || value.as_str().is_some_and(|value| values.contains(&value))
                }
            });
            if is_gone {
                return;
            }
            for (name, value) in map {
                match value {
                    Json::String(text) if name == key => found.push(text.clone()),
                    Json::Array(texts) if name == key => found.extend(texts.iter().filter_map(|text| text.as_str().map(str::to_owned))),
                    inner => keys(inner, key, region, gone, found),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| keys(item, key, region, gone, found)),
        _ => {}
    }
}
