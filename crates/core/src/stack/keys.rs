//! The keys that leoctl itself understands in stack and module files, beside the attributes of types: what they are called, what
//! they hold, and what they say. The reader takes no others, and editors are told of these.

/// A key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// What it says, in Markdown.
    pub doc: &'static str,
}

/// What a key holds.
#[derive(Clone, Copy, Debug)]
pub enum Holds {
    /// Text, in which expressions may stand.
    Text,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A list of constant texts, or one alone.
    Texts,
    /// True or false.
    Flag,
    /// A number of seconds, or text such as `30m`.
    Duration,
    /// Anything.
    Any,
    /// A list of anything.
    List,
    /// A table with names of the user's own, of anything.
    Free,
    /// A table with these keys.
    Table(&'static [Key]),
    /// Tables with these keys, each below a name.
    Named(&'static [Key]),
    /// A list of tables with these keys.
    Tables(&'static [Key]),
    /// The resources, by type and name.
    Resources,
    /// The data sources, by type and name.
    Data,
    /// What is assumed of the use of what the stack makes.
    Usage,
}

const fn key(name: &'static str, holds: Holds, doc: &'static str) -> Key {
    Key { name, holds, doc }
}

/// The names of keys.
#[expect(clippy::indexing_slicing, reason = "it runs when it is compiled, where nothing else can be done")]
pub const fn names<const N: usize>(keys: &[Key; N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut at = 0;
    while at < N {
        names[at] = keys[at].name;
        at += 1;
    }
    names
}

/// What names the account that something is in.
pub(super) const ACCOUNT: &str = "account";

const FOR_EACH: Key =
    key("for_each", Holds::Any, "Makes one for each entry of a list or a table, as `each.key`, `each.value` and `each.index`.");
const WHEN: Key = key("when", Holds::Any, "Whether it is there at all.");
const DEPENDS_ON: Key =
    key("depends_on", Holds::Texts, "What it is made after, such as `\"iam_role.app\"` or `\"module.web\"`, beside what it refers to.");
const ROLE_ARN: Key = key("role_arn", Holds::Text, "The role that is assumed to act in the account.");
const EXTERNAL_ID: Key = key("external_id", Holds::Text, "The external id that the role asks for.");
const SESSION_NAME: Key = key("session_name", Holds::Text, "What the role's sessions are called in AWS's logs.");

/// The tables of a stack file.
pub const SECTIONS: [Key; 14] = [
    key("stack", Holds::Table(&STACK), "The stack: its name, where it is, and where its state is."),
    key("accounts", Holds::Named(&AN_ACCOUNT), "Other accounts, by the name that `account` gives of a block."),
    key("env", Holds::Table(&ENV), "The files whose variables are `env.NAME`."),
    VARS,
    LOCALS,
    DATA,
    RESOURCE,
    OUTPUTS,
    CHECKS,
    MODULE,
    key("moved", Holds::Tables(&MOVED), "Addresses that have changed: nothing is made anew for it."),
    key("import", Holds::Tables(&IMPORT), "What is there already and is taken over."),
    key("removed", Holds::Tables(&REMOVED), "What is forgotten and stays in AWS."),
    COST,
];

/// The tables of a module's file.
pub const OF_A_MODULE: [Key; 8] = [VARS, LOCALS, DATA, RESOURCE, OUTPUTS, CHECKS, COST, MODULE];

const VARS: Key = key("vars", Holds::Named(&A_VARIABLE), "What is given from outside, as `vars.NAME`.");
const LOCALS: Key = key("locals", Holds::Free, "Values that are computed once and used as `locals.NAME`.");
const DATA: Key = key("data", Holds::Data, "What is there already and is read, as `data.TYPE.NAME`.");
const RESOURCE: Key = key("resource", Holds::Resources, "What is to exist, by type and name; expressions have it as `TYPE.NAME`.");
const OUTPUTS: Key = key(
    "outputs",
    Holds::Free,
    "What is shown after an apply and given to others: a value, or `{ value = …, sensitive = true, description = \"…\" }`.",
);
const CHECKS: Key = key("checks", Holds::Named(&A_CHECK), "What has to be true, and what is said when it is not.");
const MODULE: Key = key("module", Holds::Named(&A_USE), "Uses of modules, whose outputs are `module.NAME.OUTPUT`.");
const COST: Key = key("cost", Holds::Usage, "What `leoctl cost` assumes of the use: of all, or under `[cost.TYPE.NAME]` of one.");

/// The keys of `[stack]`.
pub const STACK: [Key; 9] = [
    key("name", Holds::Text, "The stack's name, which marks all that it makes: unique within an account and region."),
    key("region", Holds::Text, "The region; without it that of the AWS configuration."),
    ROLE_ARN,
    EXTERNAL_ID,
    SESSION_NAME,
    key("extends", Holds::Texts, "Other stack files, relative to this one, which this one is laid over table by table."),
    key("tags", Holds::Any, "The tags of everything that can have tags."),
    key("backend", Holds::Table(&BACKEND), "Where the state is; without it in a file in `state/`."),
    key("encryption", Holds::Table(&ENCRYPTION), "What state, journal, copies and saved plans are encrypted with before they are written."),
];

/// The keys of `[stack.encryption]`.
pub const ENCRYPTION: [Key; 4] = [
    AGE,
    KMS,
    key("previous", Holds::Table(&PREVIOUS), "What they may still be encrypted with, until `leoctl state rotate` has run."),
    key("required", Holds::Flag, "Whether a state that is not encrypted is refused in place of being read."),
];

/// The keys of `[stack.encryption.previous]`.
pub const PREVIOUS: [Key; 2] = [AGE, KMS];

const AGE: Key = key("age", Holds::Table(&ENCRYPTION_AGE), "Keys of age: who has the identity of a recipient can decrypt.");
const KMS: Key = key("kms", Holds::Table(&ENCRYPTION_KMS), "A key of KMS: who may use it can decrypt.");

/// The keys of `[stack.encryption.age]`.
pub const ENCRYPTION_AGE: [Key; 2] = [
    key("recipients", Holds::List, "Who can decrypt, each by a recipient such as `age1…`."),
    key(
        "identity_file",
        Holds::Text,
        "The file with the identities that decrypt here, relative to the stack file or from `~/` on; `LEOCTL_AGE_IDENTITY` has further ones.",
    ),
];

/// The keys of `[stack.encryption.kms]`.
pub const ENCRYPTION_KMS: [Key; 3] = [
    key("key_id", Holds::Text, "The symmetric key, by its ARN, id or alias."),
    key("region", Holds::Text, "The key's region; without it that of its ARN, or the stack's."),
    key("profile", Holds::Text, "The profile of the AWS configuration that may use the key."),
];

/// The keys of `[stack.backend]`.
pub const BACKEND: [Key; 1] = [key("s3", Holds::Table(&BACKEND_S3), "The state is an object in a bucket, which a team shares.")];

/// The keys of `[stack.backend.s3]`.
pub const BACKEND_S3: [Key; 5] = [
    key("bucket", Holds::Text, "The bucket, which has versioning on and is not one of this stack's."),
    key("key", Holds::Text, "The object's key, such as `prod.json`."),
    key("region", Holds::Text, "The bucket's region; without it the stack's."),
    key("profile", Holds::Text, "The profile of the AWS configuration that reaches the bucket."),
    key("kms_key_id", Holds::Text, "The KMS key that the state is encrypted with."),
];

/// The keys of `[accounts.NAME]`.
pub const AN_ACCOUNT: [Key; 6] = [
    ROLE_ARN,
    EXTERNAL_ID,
    SESSION_NAME,
    key("profile", Holds::Text, "The profile of the AWS configuration whose credentials are used."),
    key("region", Holds::Text, "The region of what says no other; without it the stack's."),
    key("source", Holds::Text, "The account with whose credentials the role is assumed."),
];

/// The keys of `[env]`.
pub const ENV: [Key; 1] =
    [key("files", Holds::Texts, "The files, relative to this one; later ones win, and what is not in a `.defaults` file is sensitive.")];

/// The keys of `[vars.NAME]`.
pub const A_VARIABLE: [Key; 5] = [
    key("default", Holds::Any, "Its value when none is given, a constant; without it one has to be given."),
    key("allowed", Holds::List, "The only values that it can have."),
    key("description", Holds::Text, "What it is."),
    key("sensitive", Holds::Flag, "Whether its value is never shown or stored."),
    key("validate", Holds::Tables(&A_CONDITION), "What its value has to meet."),
];

/// The keys of `[[vars.NAME.validate]]`.
pub const A_CONDITION: [Key; 2] = [
    key("condition", Holds::Any, "An expression that is true of a value that is accepted."),
    key("message", Holds::Text, "What is said of another value."),
];

/// The keys of an output that says more than its value.
pub const AN_OUTPUT: [Key; 3] = [
    key("value", Holds::Any, "Its value."),
    key("sensitive", Holds::Flag, "Whether it is never shown or stored."),
    key("description", Holds::Text, "What it is."),
];

/// The keys of `[checks.NAME]`.
pub const A_CHECK: [Key; 2] =
    [key("assert", Holds::Any, "An expression that has to be true."), key("message", Holds::Text, "What is said when it is not.")];

/// The keys of `[module.NAME]`.
pub const A_USE: [Key; 6] = [
    key("source", Holds::Text, "The module's file, relative to this one."),
    key("inputs", Holds::Free, "The values of the module's variables."),
    FOR_EACH,
    WHEN,
    DEPENDS_ON,
    key(ACCOUNT, Holds::Text, "The account that all of it is in, one of `[accounts.NAME]`."),
];

/// The keys of `[[moved]]`.
pub const MOVED: [Key; 2] =
    [key("from", Holds::Text, "The address of before, of a resource or a module."), key("to", Holds::Text, "The address of now.")];

/// The keys of `[[import]]`.
pub const IMPORT: [Key; 2] =
    [key("to", Holds::Text, "The address that it gets."), key("id", Holds::Text, "What AWS calls it, as `leoctl import` takes it.")];

/// The keys of `[[removed]]`.
pub const REMOVED: [Key; 1] = [key("from", Holds::Text, "The address of what is forgotten, of a resource or a module.")];

/// The keys that every resource has beside its attributes.
pub const META: [Key; 7] = [
    FOR_EACH,
    WHEN,
    DEPENDS_ON,
    key("region", Holds::Text, "The region it is in; without it the stack's."),
    key(ACCOUNT, Holds::Text, "The account it is in, one of `[accounts.NAME]`."),
    key("timeouts", Holds::Table(&TIMEOUTS), "How long its operations may take."),
    key("lifecycle", Holds::Table(&LIFECYCLE), "How it is replaced, kept and compared."),
];

/// The keys that every data source has beside its arguments.
pub const OF_DATA: [Key; 1] = [key(ACCOUNT, Holds::Text, "The account it is read in, one of `[accounts.NAME]`.")];

/// The keys of `timeouts`.
pub const TIMEOUTS: [Key; 3] = [
    key("create", Holds::Duration, "How long making it may take."),
    key("update", Holds::Duration, "How long changing it may take."),
    key("delete", Holds::Duration, "How long deleting it may take."),
];

/// The keys of `lifecycle`.
pub const LIFECYCLE: [Key; 4] = [
    key("prevent_destroy", Holds::Flag, "Refuses every plan that would delete or replace it."),
    key("deletion_policy", Holds::OneOf(&["delete", "retain"]), "Whether it is deleted when it goes from the stack, or stays in AWS."),
    key("create_before_destroy", Holds::Flag, "Whether its replacement is made before it goes."),
    key("ignore_changes", Holds::Texts, "Attributes that are set when it is made and not compared afterwards."),
];
