//! Which instances a block has: `when` and `for_each`.

use super::config::ResourceBlock;
use super::diagnostic::Code;
use super::expr::EvalError;
use super::scope::{Each, StackScope};
use super::template::{Failure, Template, TemplateKind};
use crate::model::address::Block;
use crate::model::value::Value;

/// The instances of a block.
#[derive(Clone, Debug)]
pub enum Instances {
    /// One, without a key.
    Single,
    /// One for each of these.
    Each(Vec<Each>),
    /// None: `when` is false.
    Absent,
    /// Not known in this scope.
    Unknown,
}

impl Instances {
    /// Whether they are not known.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}

/// The instances of a block in `scope`.
///
/// # Errors
/// When `for_each` or `when` fails or is of the wrong type.
pub fn block(block: &Block, resource: &ResourceBlock, scope: &StackScope<'_>) -> Result<Instances, Failure> {
    instances(&block.to_string(), resource.when.as_ref(), resource.for_each.as_ref(), scope)
}

/// The instances in `scope` of what is spoken of as `what`: a block, or a use of a module.
///
/// # Errors
/// When `for_each` or `when` fails or is of the wrong type.
pub fn instances(what: &str, when: Option<&Template>, for_each: Option<&Template>, scope: &StackScope<'_>) -> Result<Instances, Failure> {
    if let Some(when) = when {
        match &when.eval(scope)? {
            Value::Bool(true) => {}
            Value::Bool(false) => return Ok(Instances::Absent),
            Value::Unknown => return Ok(Instances::Unknown),
            Value::Secret(_) => {
                let problem = format!("`when` of {what} is sensitive, and whether it is there would show it");
                let error = EvalError { code: Code::Exposed, ..EvalError::new(problem) };
                return Err((
                    error.advice("decide it by a variable that is not sensitive, or by a value of a `.defaults` file"),
                    when.span.clone(),
                ));
            }
            other => {
                let error = EvalError::new(format!("`when` of {what} is a boolean, not {}", other.kind()));
                return Err((with_marks(error, when), when.span.clone()));
            }
        }
    }
    let Some(for_each) = for_each else { return Ok(Instances::Single) };
    let value = for_each.eval(scope)?;
    if value.has_secret() {
        let error =
            EvalError { code: Code::Exposed, ..EvalError::new(format!("`for_each` of {what} is sensitive, and its keys would show it")) };
        return Err((error, for_each.span.clone()));
    }
    let pairs: Vec<(String, Value)> = match value {
        Value::Unknown => return Ok(Instances::Unknown),
        Value::Map(map) => map.into_iter().collect(),
        Value::List(items) => {
            if items.iter().any(|item| matches!(item, Value::Unknown)) {
                return Ok(Instances::Unknown);
            }
            items.into_iter().enumerate().map(|(index, item)| (key(index, &item), item)).collect()
        }
        other => {
            let error = EvalError::new(format!("`for_each` of {what} is a list or a table, not {}", other.kind()));
            return Err((with_marks(error, for_each), for_each.span.clone()));
        }
    };
    let mut instances: Vec<Each> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for (index, (key, value)) in pairs.into_iter().enumerate() {
        if !seen.insert(key.clone()) {
            return Err((EvalError::new(format!("`for_each` of {what} has `{key}` twice")), for_each.span.clone()));
        }
        let index = Value::Int(i64::try_from(index).unwrap_or(i64::MAX));
        instances.push(Each { key: Value::String(key), value, index });
    }
    Ok(Instances::Each(instances))
}

/// The error of a text that is an expression without its marks, with what to write.
fn with_marks(error: EvalError, written: &Template) -> EvalError {
    let TemplateKind::Literal(Value::String(text)) = &written.kind else { return error };
    match super::syntax::parse(text).is_ok() && text.contains('.') {
        true => error.advice(format!("an expression stands in `${{…}}`: write `\"${{{text}}}\"`")),
        false => error,
    }
}

/// The key of a list's element: a text is its own, anything else goes by position.
fn key(index: usize, item: &Value) -> String {
    item.as_str().map_or_else(|| index.to_string(), str::to_owned)
}
