//! The values of variables: default, variable files, environment, command line; later wins.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::config::Variable;
use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::node::{Node, NodeKind, Table};
use crate::model::value::Value;

/// Values given for variables from outside the stack file.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// What variables were given at the last apply, for commands about what that made.
    pub remembered: BTreeMap<String, serde_json::Value>,
    /// Whether a variable may be without a value as long as nobody needs it: what was made is looked at, and nothing
    /// is planned.
    pub may_lack: bool,
    /// From `--var-file`: where it comes from, and its content.
    pub files: Vec<(String, Table)>,
    /// From the environment (`LEOCTL_VAR_name`): name and text.
    pub environment: Vec<(String, String)>,
    /// From `--var name=value`: name and text.
    pub arguments: Vec<(String, String)>,
}

impl Given {
    /// The declared variables that are given now, and not just remembered or left to their defaults.
    pub fn names(&self, declared: &IndexMap<String, Variable>) -> BTreeSet<String> {
        let files = self.files.iter().flat_map(|(_, table)| table.keys());
        let texts = self.environment.iter().chain(&self.arguments).map(|(name, _)| name);
        files.chain(texts).filter(|name| declared.contains_key(*name)).cloned().collect()
    }
}

/// Variables without a value, and what to say when one is needed.
pub type Lacking = BTreeMap<String, Diagnostic>;

/// Resolves every declared variable that has a value, and says which lack one.
pub fn resolve(declared: &IndexMap<String, Variable>, given: &Given, diagnostics: &mut Diagnostics) -> (BTreeMap<String, Value>, Lacking) {
    let mut values: BTreeMap<String, Value> = BTreeMap::new();
    for (name, variable) in declared {
        if let Some(default) = &variable.default {
            values.insert(name.clone(), constant(default));
        }
    }
    for (name, value) in given.remembered.iter().filter(|(name, _)| declared.contains_key(*name)) {
        values.insert(name.clone(), Value::from(value));
    }
    let unknown = |name: &str, source: &str| {
        Diagnostic::general(Code::UnknownVariable, format!("{source} sets `{name}`, which the stack does not declare"))
            .suggest(name, declared.keys().map(String::as_str))
    };
    for (source, table) in &given.files {
        for (name, entry) in table {
            match declared.contains_key(name) {
                true => drop(values.insert(name.clone(), constant(&entry.node))),
                false => diagnostics.push(unknown(name, source)),
            }
        }
    }
    for (name, text) in &given.environment {
        // Other programs' environment is not ours to judge: an undeclared name is left alone.
        if let Some(variable) = declared.get(name) {
            values.insert(name.clone(), typed(variable, text));
        }
    }
    for (name, text) in &given.arguments {
        match declared.get(name) {
            Some(variable) => drop(values.insert(name.clone(), typed(variable, text))),
            None => diagnostics.push(unknown(name, "--var")),
        }
    }
    let mut lacking = Lacking::new();
    for (name, variable) in declared {
        match values.get(name) {
            // What is refused is judged no further: the default stands for it.
            Some(value) if is_refused(name, variable, value, diagnostics) => {
                let instead = variable.default.as_ref().map_or(Value::Unknown, constant);
                values.insert(name.clone(), instead);
            }
            Some(_) => {}
            None => drop(lacking.insert(name.clone(), lacks(name, variable))),
        }
    }
    let secret = |name: &str| declared.get(name).is_some_and(|variable| variable.sensitive);
    let values = values.into_iter().map(|(name, value)| if secret(&name) { (name, value.into_secret()) } else { (name, value) });
    (values.collect(), lacking)
}

fn lacks(name: &str, variable: &Variable) -> Diagnostic {
    Diagnostic::error(Code::VariableWithoutValue, &variable.span, format!("variable `{name}` has no value"))
        .help(format!("give one with `--var {name}=…` or LEOCTL_VAR_{name}, or add a `default`"))
}

/// Why a variable does not take a value.
pub struct Misfit {
    /// What is wrong, as what is said of the variable.
    pub message: String,
    /// What it takes.
    pub takes: String,
    /// Whether it is of the wrong kind, whatever it is.
    pub of_kind: bool,
}

/// Why a variable does not take a value, if it does not. What is not known yet, or could not be read, is not judged.
pub fn misfit(variable: &Variable, value: &Value) -> Option<Misfit> {
    let expected = variable.default.as_ref().map(constant);
    if value.has_unknown() || expected.as_ref().is_some_and(Value::has_unknown) {
        return None;
    }
    let is_secret = variable.sensitive || value.has_secret();
    let value = value.revealed();
    let is_whole = |expected: &Value| matches!((expected, value), (Value::Float(_), Value::Int(_)));
    if let Some(expected) = expected.filter(|expected| expected.kind() != value.kind() && !is_whole(expected)) {
        let message = format!("is {}, not {}", expected.kind(), value.kind());
        return Some(Misfit { message, takes: format!("the default is {}", expected.kind()), of_kind: true });
    }
    let allowed = variable.allowed.as_ref()?;
    if allowed.iter().any(|allowed| constant(allowed) == *value) {
        return None;
    }
    let list: Vec<String> = allowed.iter().map(|node| show(&constant(node))).collect();
    let given = if is_secret { "that value".to_owned() } else { show(value) };
    Some(Misfit { message: format!("cannot be {given}"), takes: format!("allowed: {}", list.join(", ")), of_kind: false })
}

/// Whether a variable does not take a value, which is reported then.
fn is_refused(name: &str, variable: &Variable, value: &Value, diagnostics: &mut Diagnostics) -> bool {
    let Some(misfit) = misfit(variable, value) else { return false };
    let error = Diagnostic::error(Code::VariableRefused, &variable.span, format!("variable `{name}` {}", misfit.message));
    diagnostics.push(if misfit.of_kind { error.label(misfit.takes) } else { error.help(misfit.takes) });
    true
}

fn show(value: &Value) -> String {
    value.to_public_json(&|_| serde_json::Value::from("(sensitive)")).to_string()
}

/// A constant node as a value.
pub fn constant(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Bool(flag) => Value::Bool(*flag),
        NodeKind::Int(number) => Value::Int(*number),
        NodeKind::Float(number) => Value::Float(*number),
        NodeKind::Unreadable => Value::Unknown,
        NodeKind::String(text) => Value::string(text.as_str()),
        NodeKind::List(items) => Value::List(items.iter().map(constant).collect()),
        NodeKind::Table(table) => Value::Map(table.iter().map(|(key, entry)| (key.clone(), constant(&entry.node))).collect()),
    }
}

/// A text from the command line or the environment, read as what the default is.
fn typed(variable: &Variable, text: &str) -> Value {
    match variable.default.as_ref().map(|default| &default.kind) {
        None | Some(NodeKind::String(_)) => Value::string(text),
        Some(_) => {
            let mut ignored = Diagnostics::default();
            let parsed = super::node::parse(0, &format!("value = {text}"), &mut ignored);
            match parsed.get("value").filter(|_| !ignored.has_errors()) {
                Some(entry) => constant(&entry.node),
                None => Value::string(text),
            }
        }
    }
}
