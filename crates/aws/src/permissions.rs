//! What the operations of a type take of IAM, as data that each type declares beside its operations.
//!
//! Which action an operation needs, and which resources the action can be limited to, is in AWS's Service
//! Authorization Reference, one page for each service. The names in [`super::error::OrFail`] are the API's; where
//! IAM calls the action otherwise, as S3 often does, what is declared here is IAM's.

/// What a resource type takes.
#[derive(Clone, Copy, Debug)]
pub struct Permissions {
    /// The ARN of one, with `*` for what AWS chooses: a template like those of [`On::These`].
    pub arn: &'static str,
    /// What reading and finding takes.
    pub plan: &'static [Grant],
    /// What creating, changing, waiting and deleting takes beyond that.
    pub apply: &'static [Grant],
}

/// What every command asks first: who it is.
pub const IDENTITY: Grant = Grant::any(&["sts:GetCallerIdentity"]);
/// What it takes to become a role, on the role.
pub const ASSUME: &[&str] = &["sts:AssumeRole"];
/// What preflight asks IAM: what the principal that plans may do. It asks about no other.
pub const PREFLIGHT: &[&str] = &["iam:GetRole", "iam:SimulatePrincipalPolicy"];

/// Some actions and what they are allowed on.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// The actions, as IAM writes them.
    pub actions: &'static [&'static str],
    /// On what.
    pub on: On,
    /// The attribute without which they are not needed.
    pub when: Option<&'static str>,
}

/// What actions are allowed on.
#[derive(Clone, Copy, Debug)]
pub enum On {
    /// Everything: the action cannot be limited to resources.
    Any,
    /// The resource itself.
    Itself,
    /// These ARNs. Braces are filled in: `{partition}`, `{region}`, `{account}`, and attributes of the resource, inner
    /// ones as `{target.role_arn}`. `{cluster after cluster/}` is what follows in an attribute that may also be a whole
    /// ARN. What is not known, or AWS's to choose, is `*`.
    These(&'static [&'static str]),
    /// The KMS key an attribute names, by ARN or id. An alias does not say which key it is.
    Key(&'static str),
    /// The role an attribute names by ARN or name, handed to a service.
    Role {
        /// The attribute.
        attribute: &'static str,
        /// The service that assumes it.
        service: &'static str,
    },
    /// The role of the instance profile that an attribute names.
    RoleOfProfile(&'static str),
    /// The role that a service makes for itself when it is first used in an account.
    LinkedRole(&'static str),
    /// The ECR repositories of the images that an attribute names; nothing for images from elsewhere.
    Images(&'static str),
    /// The ARNs that an attribute has, where they are of this service.
    Named {
        /// The attribute.
        attribute: &'static str,
        /// The service, as ARNs write it.
        service: &'static str,
    },
    /// Everything of the cluster that an attribute names, for actions that are limited by condition alone.
    Cluster(&'static str),
}

impl Grant {
    /// Actions that cannot be limited to resources.
    pub const fn any(actions: &'static [&'static str]) -> Self {
        Self { actions, on: On::Any, when: None }
    }

    /// Actions on the resource itself.
    pub const fn itself(actions: &'static [&'static str]) -> Self {
        Self { actions, on: On::Itself, when: None }
    }

    /// Actions on these ARNs.
    pub const fn on(actions: &'static [&'static str], arns: &'static [&'static str]) -> Self {
        Self { actions, on: On::These(arns), when: None }
    }

    /// What the caller has to be allowed with the customer's key that an attribute names, where it does.
    pub const fn key(attribute: &'static str, actions: &'static [&'static str]) -> Self {
        Self { actions, on: On::Key(attribute), when: Some(attribute) }
    }

    /// Handing the role that an attribute names to a service.
    pub const fn pass(attribute: &'static str, service: &'static str) -> Self {
        Self { actions: &["iam:PassRole"], on: On::Role { attribute, service }, when: Some(attribute) }
    }

    /// Handing EC2 the role of the instance profile that an attribute names.
    pub const fn pass_profile(attribute: &'static str) -> Self {
        Self { actions: &["iam:PassRole"], on: On::RoleOfProfile(attribute), when: Some(attribute) }
    }

    /// Having a service make its own role (IAM User Guide, "Create a service-linked role").
    pub const fn linked_role(service: &'static str) -> Self {
        Self { actions: &["iam:CreateServiceLinkedRole"], on: On::LinkedRole(service), when: None }
    }

    /// Actions on the repositories of the images that an attribute names.
    pub const fn images(attribute: &'static str, actions: &'static [&'static str]) -> Self {
        Self { actions, on: On::Images(attribute), when: Some(attribute) }
    }

    /// Actions on what an attribute names by ARN, where that is of this service.
    pub const fn named(attribute: &'static str, service: &'static str, actions: &'static [&'static str]) -> Self {
        Self { actions, on: On::Named { attribute, service }, when: Some(attribute) }
    }

    /// Only where this attribute is set.
    pub const fn when(self, attribute: &'static str) -> Self {
        Self { when: Some(attribute), ..self }
    }
}
