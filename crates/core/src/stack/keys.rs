//! The sections of a file and the keys that may stand in them, besides the attributes of types.

/// A key, or the name of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it is, in Markdown.
    pub doc: &'static str,
}

const fn key(name: &'static str, doc: &'static str) -> Key {
    Key { name, doc }
}

/// The names of some keys.
pub fn names(keys: &[Key]) -> Vec<&'static str> {
    keys.iter().map(|key| key.name).collect()
}

/// The sections of a stack file.
pub const SECTIONS: &[Key] = &[
    key("stack", "The stack: its `name`, `region`, `tags`, where its state is, what it `extends`."),
    key("accounts", "`[accounts.NAME]`: an account that blocks may name, and how calls reach it."),
    key("env", "`files`: files of environment variables."),
    key("vars", "`[vars.NAME]`: a variable; in expressions `vars.NAME`."),
    key("locals", "Named expressions; in expressions `locals.NAME`."),
    key("data", "`[data.TYPE.NAME]`: something that is read, not managed; in expressions `data.TYPE.NAME`."),
    key("resource", "`[resource.TYPE.NAME]`: something that is managed; in expressions `TYPE.NAME`."),
    key("outputs", "What the stack tells the outside."),
    key("checks", "`[checks.NAME]`: a condition that has to hold."),
    key("module", "`[module.NAME]`: a use of a module; in expressions `module.NAME`."),
    key("moved", "`[[moved]]`: an address that changed."),
    key("import", "`[[import]]`: an existing resource to adopt."),
    key("removed", "`[[removed]]`: addresses to forget, without deleting what they are of."),
    key("cost", "How much the stack is used, for `leoctl cost`."),
];

/// The sections of a module's file.
pub const OF_A_MODULE: &[&str] = &["vars", "locals", "data", "resource", "outputs", "checks", "cost", "module"];

/// The sections that are lists of tables, `[[section]]`.
pub const LISTS: &[&str] = &["moved", "import", "removed"];

/// The keys of `[stack]`.
pub const STACK: &[Key] = &[
    key("name", "The stack's name: it names the state and is the ownership tag of its resources. Required."),
    key("region", "The region; that of the AWS configuration when it is left out."),
    key("role_arn", "The role that every call assumes."),
    key("external_id", "The external id that the role asks for."),
    key("session_name", "The name of the role's session."),
    key("extends", "Other stack files, which are merged underneath; this file wins."),
    key("tags", "Tags of every resource that can have some."),
    key("backend", "Where the state is when it is not in a file: `[stack.backend.s3]`."),
];

/// The backends.
pub const BACKENDS: &[Key] = &[key("s3", "The state is in a bucket.")];

/// The keys of `[stack.backend.s3]`.
pub const S3: &[Key] = &[
    key("bucket", "The bucket."),
    key("key", "The key of the state in it."),
    key("region", "The bucket's region, when not the stack's."),
    key("profile", "The profile by which it is reached."),
    key("kms_key_id", "The KMS key by which the state is encrypted."),
];

/// The keys of `[env]`.
pub const ENV: &[Key] =
    &[key("files", "Files of environment variables, later wins. What one says whose name does not end in `.defaults` is sensitive.")];

/// The keys of a variable.
pub const VARIABLE: &[Key] = &[
    key("default", "Its value when nobody gives one: a constant."),
    key("allowed", "The only values allowed."),
    key("description", "What it is."),
    key("sensitive", "Whether its value is never shown."),
    key("validate", "`[[vars.NAME.validate]]`: what its value has to meet."),
];

/// The keys of `[[vars.NAME.validate]]`.
pub const VALIDATION: &[Key] = &[key("condition", "What must be true."), key("message", "What to say when it is not.")];

/// The keys that every resource may have beside its attributes.
pub const META: &[Key] = &[
    key("for_each", "A list or a table: there is one resource for each of its elements, which is `each` in it."),
    key("when", "Whether it exists."),
    key("depends_on", "What it comes after without naming it in an expression, such as `[\"vpc.main\", \"module.web\"]`."),
    key("region", "Its region, when not the stack's."),
    key("account", "Its account, one of `[accounts.NAME]`, when not the stack's."),
    key("timeouts", "How long operations may take: `create`, `update`, `delete`."),
    key("lifecycle", "How it is replaced and deleted."),
];

/// The keys of `timeouts`.
pub const TIMEOUTS: &[Key] = &[
    key("create", "Until a new one is ready, such as `\"30m\"`."),
    key("update", "Until a changed one is ready."),
    key("delete", "Until a deleted one is gone."),
];

/// The keys of `lifecycle`.
pub const LIFECYCLE: &[Key] = &[
    key("prevent_destroy", "Refuse every plan that deletes it."),
    key("deletion_policy", "`\"delete\"`, or `\"retain\"` to forget it instead of deleting it."),
    key("create_before_destroy", "Whether a replacement is made before the old one goes."),
    key("ignore_changes", "Paths of attributes whose live value is left alone."),
];

/// The keys of an output that says more than its value.
pub const OUTPUT: &[Key] =
    &[key("value", "Its value."), key("sensitive", "Whether it is never shown or stored."), key("description", "What it is.")];

/// The keys of a check.
pub const CHECK: &[Key] = &[key("assert", "What must be true."), key("message", "What to say when it is not.")];

/// The keys of `[[moved]]`.
pub const MOVED: &[Key] = &[key("from", "What the address was."), key("to", "What it is.")];

/// The keys of `[[import]]`.
pub const IMPORT: &[Key] = &[key("to", "The address it gets."), key("id", "AWS's id of it.")];

/// The keys of `[[removed]]`.
pub const REMOVED: &[Key] = &[key("from", "The address to forget.")];

/// The keys of a use of a module.
pub const USE: &[Key] = &[
    key("source", "The module's file, relative to this one. Required."),
    key("inputs", "What is given to it: values of its variables."),
    key("for_each", "A list or a table: the module is there once for each of its elements, which is `each` in its inputs."),
    key("when", "Whether it exists."),
    key("depends_on", "What everything in it comes after."),
    key("account", "The account of everything in it that does not say its own."),
];
