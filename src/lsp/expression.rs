//! What may be written in an expression: roots, functions, names of the stack, and what is in what they name.

use leoctl_core::model::module::{MODULE, ModulePath};
use leoctl_core::model::schema::{Attribute, Type};
use leoctl_core::stack::Stack;
use leoctl_core::stack::expr::Expr;
use leoctl_core::stack::kind::{Kind, Kinds};
use leoctl_core::stack::outline::Inside;
use leoctl_core::stack::scope::{EACH_FIELDS, STACK_FIELDS};

use super::analysis::InFile;
use super::complete::{Item, Offer, Sort};
use super::{functions, value};
use crate::docs;

/// What may be written at a place in an expression.
pub fn complete(file: InFile<'_>, inside: &Inside, at: usize) -> Offer {
    let before = inside.source.get(..at.saturating_sub(inside.range.start)).unwrap_or_default();
    let Some((base, word)) = begun(before) else { return Offer::default() };
    let items = match base {
        None => roots(file, at),
        Some(base) => members(file, at, base),
    };
    Offer { range: at - word.len()..at, items, is_partial: false }
}

/// What an expression may go on with that stands by itself, in no file, and where that begins.
pub fn complete_alone(stack: &Stack, before: &str) -> (usize, Vec<Item>) {
    let Some((base, word)) = begun(before) else { return (before.len(), Vec::new()) };
    let home = ModulePath::default();
    let mut items = match base {
        None => vec![root("vars"), root("locals"), root("stack")].into_iter().chain(named(stack, &home)).chain(called_alone()).collect(),
        Some(base) => match spelled(Some(stack), &home, base) {
            items if !items.is_empty() => items,
            _ => Expr::parse(base).map(|expr| of_value(&Kinds::new(stack).of_expr(&expr))).unwrap_or_default(),
        },
    };
    items.retain(|item| item.insert.starts_with(word));
    // Who asks for what is in a value that has names in it means one of these.
    if base.is_some() && items.iter().any(|item| item.sort != Sort::Function) {
        items.retain(|item| item.sort != Sort::Function);
    }
    items.sort_by(|one, other| (one.rank, &one.label).cmp(&(other.rank, &other.label)));
    (before.len() - word.len(), items)
}

/// What the name at the end of a source is of, if it is of something, and as much of it as is written; nothing where no name
/// can stand.
fn begun(before: &str) -> Option<(Option<&str>, &str)> {
    if is_in_text(before) {
        return None;
    }
    let chain = before.get(chain_start(before)..).unwrap_or_default();
    let (base, word) = chain.rsplit_once('.').map_or((None, chain), |(base, word)| (Some(base), word));
    Some((base.map(|base| base.trim_end_matches('?')), word.trim_start_matches('?')))
}

/// Whether the end of a source is in a text that is not closed.
fn is_in_text(source: &str) -> bool {
    let (mut quote, mut is_escaped) = (None, false);
    for c in source.chars() {
        match quote {
            Some(_) if is_escaped => is_escaped = false,
            Some(_) if c == '\\' => is_escaped = true,
            Some(open) if c == open => quote = None,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            _ => {}
        }
    }
    quote.is_some()
}

/// Where the reference begins that a source ends with.
fn chain_start(source: &str) -> usize {
    let (mut start, mut depth) = (source.len(), 0_usize);
    for (at, c) in source.char_indices().rev() {
        match c {
            ']' | ')' => depth += 1,
            '[' | '(' if depth == 0 => break,
            '[' | '(' => depth -= 1,
            _ if depth > 0 => {}
            c if c.is_ascii_alphanumeric() || matches!(c, '_' | '.') => {}
            '?' if source.get(..at).is_some_and(|before| before.ends_with('.')) => {}
            _ => break,
        }
        start = at;
    }
    start
}

/// What an expression may begin with.
fn roots(file: InFile<'_>, at: usize) -> Vec<Item> {
    let around = value::around(file, at);
    let home = file.analysis.home(file.path);
    let mut items = vec![root("vars"), root("locals"), root("stack")];
    let header = file.outline.header_at(at);
    let is_input = header.and_then(|header| header.names.first()).is_some_and(|name| name.text == MODULE);
    if around.resource.as_ref().is_some_and(|(_, resource)| resource.for_each.is_some()) || is_input {
        items.push(root("each"));
    }
    items.extend(file.analysis.names().into_iter().flat_map(|stack| named(stack, &home)));
    items.extend(called_alone());
    items
}

/// A word of the language that names begin with.
fn root(name: &str) -> Item {
    let doc = match name {
        "vars" => "The variables",
        "locals" => "The named expressions",
        "stack" => "The stack itself",
        "each" => "The element of `for_each` that this is one for",
        "data" => "What is read, not managed",
        "env" => "What the env files say",
        MODULE => "The modules that are used here",
        _ => "",
    };
    Item { rank: 0, ..Item::new(name, Sort::Root).about("", doc) }
}

/// What a stack or module has that expressions name.
fn named(stack: &Stack, home: &ModulePath) -> Vec<Item> {
    let mut items = Vec::new();
    if stack.config.data.keys().any(|block| block.module == *home) {
        items.push(root("data"));
    }
    if stack.config.modules.used_in(home).next().is_some() {
        items.push(root(MODULE));
    }
    if home.is_root() && !stack.env.is_empty() {
        items.push(root("env"));
    }
    let blocks = stack.config.resources.keys().filter(|block| block.module == *home);
    items.extend(blocks.map(|block| Item::new(format!("{}.{}", block.type_name, block.name), Sort::Name).about("resource", "")));
    items
}

/// The functions that are not written behind what they work on.
fn called_alone() -> impl Iterator<Item = Item> {
    functions::ALL.iter().filter(|function| !function.is_method()).map(|function| called(function, function.name))
}

fn called(function: &functions::Documented, name: &str) -> Item {
    Item { insert: format!("{name}("), rank: 2, ..Item::new(name, Sort::Function).about(function.usage, function.text()) }
}

/// What may follow a name and a `.`.
fn members(file: InFile<'_>, at: usize, base: &str) -> Vec<Item> {
    let stack = file.analysis.names().map(|stack| &**stack);
    let items = spelled(stack, &file.analysis.home(file.path), base);
    if !items.is_empty() {
        return items;
    }
    let around = value::around(file, at);
    let Some((kinds, expr)) = around.kinds().zip(around.expr(base)) else { return Vec::new() };
    of_value(&kinds.of_expr(&expr))
}

/// The functions of a namespace, or the names that the stack or module declares under a root.
fn spelled(stack: Option<&Stack>, home: &ModulePath, base: &str) -> Vec<Item> {
    let prefix = format!("{base}.");
    let inside = |function: &&functions::Documented| function.name.starts_with(&prefix);
    let namespace = functions::ALL.iter().filter(inside).map(|function| called(function, function.name.trim_start_matches(&prefix)));
    namespace.chain(stack.into_iter().flat_map(|stack| declared(stack, home, base))).collect()
}

/// What may be asked of a value of this kind.
fn of_value(kind: &Kind<'_>) -> Vec<Item> {
    let methods = functions::ALL.iter().filter(|function| function.is_method() && works_on(function, kind));
    of_kind(kind).into_iter().chain(methods.map(|function| called(function, function.name))).collect()
}

/// Whether a method may be written behind a value of a kind, by what its usage writes before it.
fn works_on(function: &functions::Documented, kind: &Kind<'_>) -> bool {
    let of = function.usage.split('.').next().unwrap_or_default();
    match kind {
        Kind::Object(_) | Kind::Fields(_) | Kind::Null => false,
        // What goes through a list goes through the keys of a table, too.
        Kind::Table(_) | Kind::List(_) => of != "text",
        Kind::Text => of != "list",
        Kind::Bool | Kind::Int | Kind::Float => !["text", "list"].contains(&of),
        Kind::Any | Kind::Either(_) => true,
    }
}

fn of_kind(kind: &Kind<'_>) -> Vec<Item> {
    match kind {
        Kind::Object(attributes) => attributes.iter().map(of_attribute).collect(),
        Kind::Fields(fields) => {
            let field = |(name, kind): (&String, &Kind<'_>)| Item::new(name, Sort::Key).about(kind.described().unwrap_or_default(), "");
            fields.iter().map(field).collect()
        }
        _ => Vec::new(),
    }
}

fn of_attribute(attribute: &Attribute) -> Item {
    // What others refer to comes first.
    let is_handle = attribute.computed || matches!(attribute.ty, Type::String(_)) && attribute.name == "name";
    Item { rank: u8::from(!is_handle), ..Item::new(&attribute.name, Sort::Key).about(docs::kind(&attribute.ty), &attribute.doc) }
}

/// The names that the stack or module declares under a root.
fn declared(stack: &Stack, home: &ModulePath, base: &str) -> Vec<Item> {
    let config = &stack.config;
    let name = |name: &str| Item::new(name, Sort::Name);
    let fields = |all: &[&str]| all.iter().map(|field| Item::new(*field, Sort::Key)).collect();
    match base.split('.').collect::<Vec<_>>().as_slice() {
        ["vars"] => {
            let vars = config.vars_of(home).into_iter().flatten();
            vars.map(|(of, variable)| name(of).about("variable", &variable.description)).collect()
        }
        ["locals"] => config.locals_of(home).into_iter().flat_map(|locals| locals.keys()).map(|of| name(of).about("local", "")).collect(),
        ["stack"] => fields(STACK_FIELDS),
        ["each"] => fields(EACH_FIELDS),
        ["env"] => stack.env.keys().map(|of| name(of)).collect(),
        [MODULE] => config.modules.used_in(home).map(|of| name(of).about(MODULE, "")).collect(),
        ["data"] => types(config.data.keys().filter(|block| block.module == *home).map(|block| block.type_name.as_str())),
        ["data", kind] => {
            let blocks = config.data.keys().filter(|block| block.module == *home && block.type_name == *kind);
            blocks.map(|block| name(&block.name).about("data source", "")).collect()
        }
        [kind] => {
            let blocks = config.resources.keys().filter(|block| block.module == *home && block.type_name == *kind);
            blocks.map(|block| name(&block.name).about("resource", "")).collect()
        }
        _ => Vec::new(),
    }
}

fn types<'a>(all: impl Iterator<Item = &'a str>) -> Vec<Item> {
    let mut all: Vec<&str> = all.collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(|one| Item::new(one, Sort::Type)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_at_the_end_is_found() {
        for (source, chain) in [
            ("vpc.main.", "vpc.main."),
            ("1 + vars.x", "vars.x"),
            ("f(subnet.a[each.key].", "subnet.a[each.key]."),
            ("f(a.b).c.", "f(a.b).c."),
            ("x ? vars.", "vars."),
            ("a.?b.", "a.?b."),
            ("(", ""),
        ] {
            assert_eq!(source.get(chain_start(source)..).unwrap(), chain);
        }
        assert!(is_in_text("'a") && !is_in_text("'a' + ") && is_in_text("'it\\'s"));
    }
}
