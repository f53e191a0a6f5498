//! The least that planning, applying and operating a stack takes of IAM, from what each type declares
//! ([`leoctl_aws::permissions`]) and the names in the stack. What AWS has chosen does not matter: the policy of a
//! stack is the same before its first apply as after it.

mod arn;
mod document;
mod operate;
mod subject;
pub mod trust;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

pub use document::LIMIT;

use self::document::Denied;
use self::subject::Subject;
use leoctl_aws::permissions::{ASSUME, Grant, IDENTITY, On, PREFLIGHT};
use leoctl_core::model::value::Value;
use leoctl_core::plan::preflight::image;
use leoctl_core::plan::types::Plan;
use leoctl_core::stack::backend::Backend;
use leoctl_core::stack::encryption::{Encryption, KmsKey, With};
use leoctl_core::stack::scope::Identity;

/// How many managed policies a role takes unless its quota has been raised (IAM User Guide, "IAM and AWS STS quotas").
pub const ATTACHED: usize = 10;

/// Who a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Who plans.
    Plan,
    /// Who applies.
    Apply,
    /// Who operates: looks at what runs, and scales, redeploys, runs tasks, pushes images and values of secrets.
    Operate,
}

/// What a policy is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The account that it is for.
    pub account: &'a str,
    /// The roles that whoever has it assumes.
    pub roles: &'a [String],
    /// Whether it has nothing but these: what the stack takes is a role's.
    pub only_roles: bool,
    /// Where the state is, unless in a file.
    pub backend: Option<&'a Backend>,
    /// What the state is encrypted with, when it is.
    pub encryption: Option<&'a Encryption>,
    /// Where other stacks' states are that data sources read.
    pub others: &'a [Backend],
    /// The keys that those are encrypted with.
    pub other_keys: &'a [KmsKey],
    /// The other objects in buckets, by bucket and key, that data sources read.
    pub objects: &'a [(String, String)],
    /// Who it is for.
    pub role: Role,
    /// The name or ARN of the role or user that gets it, who then may ask what it may do. Without one it may not: a
    /// policy does not know whom it is attached to.
    pub principal: Option<&'a str>,
}

/// What has to be so for an action to be allowed: a key of the request and the value it has to have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Condition {
    key: &'static str,
    value: String,
}

/// On what each action is allowed, and when: where all of the conditions hold.
type Allowed = BTreeMap<(String, Vec<Condition>), BTreeSet<String>>;

/// The policy documents of a role, each within IAM's limit.
pub fn documents(plan: &Plan, asked: Asked<'_>) -> Vec<Json> {
    let allowed = allowed(plan, asked);
    let denied = (asked.role == Role::Plan).then(|| denied(plan, asked.account, &allowed)).flatten();
    document::documents(&allowed, denied.as_ref())
}

/// What keeps who plans from reading secure parameters of Systems Manager, whose key decrypts for everybody in the account
/// who may get them unless it is a key of one's own (Systems Manager User Guide, "How AWS Systems Manager Parameter Store
/// uses AWS KMS"): but for those that the stack takes the values of itself.
fn denied(plan: &Plan, account: &str, allowed: &Allowed) -> Option<Denied> {
    const READ: [&str; 2] = ["ssm:GetParameter", "ssm:GetParameters"];
    if !allowed.keys().any(|(action, _)| READ.contains(&action.as_str())) {
        return None;
    }
    let subjects = in_account(plan, account);
    let data = subjects.iter().filter(|subject| subject.arn.is_empty() && subject.type_name == "ssm_parameter");
    let decrypted = data.filter(|subject| subject.attributes.get("with_decryption") != Some(&Value::Bool(false)));
    let arns: BTreeSet<String> = decrypted.filter_map(|subject| arn::parameter(subject.text("name")?, &subject.place())).collect();
    let mut condition = json!({ "StringLike": { "kms:ViaService": "ssm.*" } });
    if let (false, Some(condition)) = (arns.is_empty(), condition.as_object_mut()) {
        condition.insert("StringNotLike".to_owned(), json!({ "kms:EncryptionContext:PARAMETER_ARN": arns }));
    }
    Some(Denied { actions: &["kms:Decrypt"], condition })
}

fn allowed(plan: &Plan, asked: Asked<'_>) -> Allowed {
    let mut allowed = Allowed::new();
    allow(&mut allowed, IDENTITY.actions, None, ["*".to_owned()]);
    let identity = plan.identity.within(asked.account);
    allow(&mut allowed, ASSUME, None, asked.roles.iter().cloned());
    if let Some(principal) = asked.principal {
        allow(&mut allowed, PREFLIGHT, None, [principal_arn(principal, &identity)]);
    }
    if let Some(backend) = asked.backend {
        state(&mut allowed, backend, &plan.identity, asked.role);
    }
    if let Some(encryption) = asked.encryption {
        keys(&mut allowed, encryption, &plan.identity, asked.role);
    }
    // Whoever applies plans, too, and only reads the states of others.
    if asked.role != Role::Operate {
        asked.other_keys.iter().for_each(|key| allow(&mut allowed, &["kms:Decrypt"], by_alias(key), [key_arn(key, &plan.identity)]));
        asked.others.iter().for_each(|other| state(&mut allowed, other, &plan.identity, Role::Plan));
        for (bucket, key) in asked.objects {
            let bucket = format!("arn:{}:s3:::{}", plan.identity.partition, arn::literal(bucket));
            allow(&mut allowed, &["s3:ListBucket"], None, [bucket.clone()]);
            allow(&mut allowed, &["s3:GetObject"], None, [format!("{bucket}/{}", arn::literal(key))]);
        }
    }
    let subjects = if asked.only_roles { Vec::new() } else { in_account(plan, asked.account) };
    for subject in &subjects {
        let more = match asked.role {
            Role::Plan => &[],
            Role::Apply => subject.apply,
            Role::Operate => operate::grants(&subject.type_name),
        };
        for grant in subject.plan.iter().chain(more).filter(|grant| is_needed(grant, subject)) {
            let (resources, condition) = resources(grant.on, subject, &subjects);
            allow(&mut allowed, grant.actions, condition, resources);
        }
    }
    allowed
}

/// What of a plan is in an account.
fn in_account(plan: &Plan, account: &str) -> Vec<Subject> {
    let mut subjects = subject::all(plan);
    subjects.retain(|subject| subject.identity.account_id == account);
    subjects
}

/// The ARN of a role or user that is named by it, or of the role of a name or path.
pub fn principal_arn(named: &str, identity: &Identity) -> String {
    let Identity { partition, account_id, .. } = identity;
    if named.contains(':') { named.to_owned() } else { format!("arn:{partition}:iam::{account_id}:role/{}", named.trim_start_matches('/')) }
}

fn allow(
    allowed: &mut Allowed,
    actions: &[&str],
    conditions: impl IntoIterator<Item = Condition>,
    resources: impl IntoIterator<Item = String> + Clone,
) {
    let conditions: Vec<Condition> = conditions.into_iter().collect();
    // What is on nothing is not allowed at all.
    for action in actions.iter().filter(|_| resources.clone().into_iter().next().is_some()) {
        allowed.entry(((*action).to_owned(), conditions.clone())).or_default().extend(resources.clone());
    }
}

/// Whether the attribute that a grant hangs on is set, or may be.
fn is_needed(grant: &Grant, subject: &Subject) -> bool {
    let Some(attribute) = grant.when else { return true };
    let is_set = |value: &&Value| !matches!(value.revealed(), Value::Null | Value::Bool(false));
    arn::values(&subject.attributes, attribute).iter().any(is_set)
}

/// The ARNs of what a grant is on, and what has to be so.
fn resources(on: On, subject: &Subject, all: &[Subject]) -> (Vec<String>, Option<Condition>) {
    let (place, identity) = (subject.place(), &subject.identity);
    let passed = |service: &str| Some(Condition { key: "iam:PassedToService", value: String::from(service) });
    match on {
        On::Any => (vec!["*".to_owned()], None),
        On::Itself => (arn::fill(subject.arn, &subject.attributes, &place), None),
        On::These(templates) => (templates.iter().flat_map(|one| arn::fill(one, &subject.attributes, &place)).collect(), None),
        On::Key(attribute) => (arn::keys(&subject.attributes, attribute, &place), None),
        On::Role { attribute, service } => {
            let names = arn::texts(&subject.attributes, attribute).into_iter();
            (names.map(|name| role(name.as_deref(), all, identity)).collect(), passed(service))
        }
        On::RoleOfProfile(attribute) => {
            let names = arn::texts(&subject.attributes, attribute).into_iter();
            let roles = names.map(|name| {
                let profile = name.and_then(|name| named("iam_instance_profile", &name, all));
                role(profile.and_then(|profile| profile.text("role")), all, identity)
            });
            (roles.collect(), passed("ec2.amazonaws.com"))
        }
        On::LinkedRole(service) => {
            let template = format!("arn:{{partition}}:iam::{{account}}:role/aws-service-role/{service}/*");
            (arn::fill(&template, &Value::Null, &place), Some(Condition { key: "iam:AWSServiceName", value: service.to_owned() }))
        }
        On::Images(attribute) => {
            // One that is not known yet is in a repository of the stack, which has its own grant.
            let images = arn::texts(&subject.attributes, attribute).into_iter().flatten();
            (images.filter_map(|image| repository_arn(&image, identity)).collect(), None)
        }
        On::Named { attribute, service } => {
            let named = arn::texts(&subject.attributes, attribute).into_iter();
            let any = || format!("arn:{}:{service}:{}:{}:*", identity.partition, subject.region, identity.account_id);
            let is_of = |arn: &String| arn.split(':').nth(2) == Some(service);
            (named.map(|arn| arn.map_or_else(any, |arn| arn::literal(&arn))).filter(is_of).collect(), None)
        }
        On::Cluster(attribute) => {
            let clusters = arn::fill(&cluster_template(attribute), &subject.attributes, &place);
            let Some(cluster) = clusters.into_iter().next() else { return (Vec::new(), None) };
            (vec!["*".to_owned()], Some(Condition { key: "ecs:cluster", value: cluster }))
        }
    }
}

/// The ARN of the cluster that an attribute names by name or ARN.
fn cluster_template(attribute: &str) -> String {
    format!("arn:{{partition}}:ecs:{{region}}:{{account}}:cluster/{{{attribute} after cluster/}}")
}

/// The ARN of an image's repository; none when it is not in ECR.
fn repository_arn(image: &str, identity: &Identity) -> Option<String> {
    let (account, region, repository) = image::repository(image)?;
    Some(format!("arn:{}:ecr:{}:{account}:repository/{}", identity.partition, arn::literal(region), arn::literal(repository)))
}

/// The resource of a type with this name.
fn named<'a>(type_name: &str, name: &str, all: &'a [Subject]) -> Option<&'a Subject> {
    all.iter().find(|subject| subject.type_name == type_name && subject.text("name") == Some(name))
}

/// The ARN of a role that is named by ARN or name; of any role when it is not known which.
fn role(name: Option<&str>, all: &[Subject], identity: &Identity) -> String {
    let Identity { partition, account_id, .. } = identity;
    match name {
        Some(arn) if arn.contains(':') => arn::literal(arn),
        Some(name) => {
            let own = named("iam_role", name, all).and_then(|role| role.arn_of());
            own.unwrap_or_else(|| format!("arn:{partition}:iam::{account_id}:role/{}", arn::literal(name)))
        }
        None => format!("arn:{partition}:iam::{account_id}:role/*"),
    }
}

/// The state in S3: who plans reads it and its journal, who applies or operates writes them and the lock (`store::s3`).
fn state(allowed: &mut Allowed, backend: &Backend, identity: &Identity, role: Role) {
    let bucket = format!("arn:{}:s3:::{}", identity.partition, arn::literal(&backend.bucket));
    let object = |suffix: &str| format!("{bucket}/{}{suffix}", arn::literal(&backend.key));
    // Without ListBucket an object that is not there is one that may not be read (S3 API Reference, GetObject).
    allow(allowed, &["s3:ListBucket"], None, [bucket.clone()]);
    allow(allowed, &["s3:GetObject"], None, [object(""), object(".journal/*")]);
    if role != Role::Plan {
        let objects = [object(""), object(".backup/*"), object(".journal/*"), object(".lock")];
        allow(allowed, &["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], None, objects);
        // A bucket that keeps old versions would keep one of each renewal.
        allow(allowed, &["s3:DeleteObjectVersion"], None, [object(".lock")]);
        allow(allowed, &["s3:GetBucketVersioning"], None, [bucket.clone()]);
    }
    if let Some(key) = &backend.kms_key_id {
        let place = arn::Place { region: backend.region.as_deref().unwrap_or("*"), identity };
        let key = [arn::key(Some(key), &place)];
        // What S3 takes of the caller (S3 User Guide, "Using server-side encryption with AWS KMS keys").
        let actions: &[&str] = if role == Role::Plan { &["kms:Decrypt"] } else { &["kms:Decrypt", "kms:GenerateDataKey"] };
        allow(allowed, actions, None, key);
    }
}

/// The keys that the state is encrypted with before it is written: who plans reads it, and may make data keys of plans alone.
fn keys(allowed: &mut Allowed, encryption: &Encryption, identity: &Identity, role: Role) {
    for key in encryption.kms_keys() {
        allow(allowed, &["kms:Decrypt"], by_alias(key), [key_arn(key, identity)]);
    }
    if let With::Kms(key) = &encryption.with {
        let plans = Condition { key: "kms:EncryptionContext:leoctl:what", value: "plan".to_owned() };
        let conditions = (role == Role::Plan).then_some(plans).into_iter().chain(by_alias(key));
        allow(allowed, &["kms:GenerateDataKey"], conditions, [key_arn(key, identity)]);
    }
}

/// What keeps the permission on the key of an alias, which only KMS knows, from being one on all others: leoctl names the key by the
/// alias in each of its own requests (KMS Developer Guide, "Use aliases to control access to KMS keys": `kms:RequestAlias`).
fn by_alias(key: &KmsKey) -> Option<Condition> {
    let name = key.key_id.find("alias/").and_then(|at| key.key_id.get(at..))?;
    Some(Condition { key: "kms:RequestAlias", value: arn::literal(name) })
}

fn key_arn(key: &KmsKey, identity: &Identity) -> String {
    let region = key.region.as_deref().unwrap_or(&identity.region);
    arn::key(Some(&key.key_id), &arn::Place { region, identity })
}

#[cfg(test)]
mod tests;
