//! What there is to say of what stands at a place.

use std::ops::Range;

use leoctl_core::model::address::Block;
use leoctl_core::model::schema::{Catalog, TypeSchema};
use leoctl_core::stack::keys;
use leoctl_core::stack::mention::{Mention, mentions};
use leoctl_core::stack::outline::{Inside, Name, insides};

use super::analysis::InFile;
use super::names::Symbol;
use super::value::{self, Around, Yields};
use super::{functions, shape};
use crate::docs;

/// What there is to say, and of what part of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Of what.
    pub range: Range<usize>,
    /// What, in Markdown.
    pub text: String,
}

/// What there is to say of what stands at a place.
pub fn hover(file: InFile<'_>, at: usize, catalog: &Catalog) -> Option<Said> {
    if let Some(inside) = expression_at(file, at) {
        return of_expression(file, &inside, at);
    }
    let covers = |name: &&Name| name.range.start <= at && at <= name.range.end;
    if let Some(header) = file.outline.headers.iter().find(|header| header.range.contains(&at)) {
        let name = header.names.iter().find(covers)?;
        return of_names(file, catalog, &header.names, name);
    }
    let pair = file.outline.pairs.iter().find(|pair| pair.key.start <= at && at <= pair.key.end)?;
    let name = pair.path.iter().filter(|name| name.range.start >= pair.key.start).find(covers)?;
    of_names(file, catalog, &pair.path, name)
}

/// The expression at a place.
pub fn expression_at(file: InFile<'_>, at: usize) -> Option<Inside> {
    let scalar = file.outline.scalar_at(at)?;
    insides(file.text, scalar).into_iter().find(|inside| inside.range.start <= at && at <= inside.range.end)
}

/// What there is to say of one of the names of a header or a key.
fn of_names(file: InFile<'_>, catalog: &Catalog, names: &[Name], name: &Name) -> Option<Said> {
    let count = names.iter().position(|one| one == name)? + 1;
    let path: Vec<&str> = names.iter().take(count).map(|name| name.text.as_str()).collect();
    let text = match path.as_slice() {
        [section] => keys::SECTIONS.iter().find(|key| key.name == *section)?.doc.to_owned(),
        ["resource" | "data", kind] | ["resource" | "data", kind, _] => {
            let of = [*path.first()?, *kind, ""];
            let (schema, _) = shape::schema(catalog, &of)?;
            let title = if path.first() == Some(&"data") { format!("data.{kind}") } else { (*kind).to_owned() };
            let required = schema.attributes.iter().filter(|attribute| attribute.required);
            let required: Vec<String> = required.map(|attribute| format!("`{}`", attribute.name)).collect();
            let needs = if required.is_empty() { String::new() } else { format!("\n\nNeeds {}.", required.join(", ")) };
            format!("**{title}**\n\n{}{needs}", schema.doc)
        }
        ["vars", variable] => of_symbol(file, &Symbol::Variable((*variable).to_owned()))?,
        _ => of_key(file, catalog, &path)?,
    };
    Some(Said { range: name.range.clone(), text })
}

fn of_key(file: InFile<'_>, catalog: &Catalog, path: &[&str]) -> Option<String> {
    if let Some((schema, rest)) = shape::schema(catalog, path)
        && let Ok(text) = docs::attribute(&schema, rest.iter().copied())
        && !text.is_empty()
    {
        return Some(text);
    }
    let (name, around) = path.split_last()?;
    let known = shape::keys(file, catalog, around).into_iter().find(|known| known.name == *name)?;
    let detail = if known.detail.is_empty() { String::new() } else { format!(" ({})", known.detail) };
    Some(format!("`{name}`{detail}: {}", known.doc))
}

fn of_expression(file: InFile<'_>, inside: &Inside, at: usize) -> Option<Said> {
    let offset = at.checked_sub(inside.range.start)?;
    let place = |range: &Range<usize>| inside.range.start + range.start..inside.range.start + range.end;
    let around = value::around(file, at);
    if let Some((function, range)) = function_at(&inside.source, offset) {
        return Some(Said { range: place(&range), text: format!("```\n{}\n```\n\n{}", function.usage, function.text()) });
    }
    let mentioned = mentions(&inside.source).into_iter().find(|mention| {
        let range = mention.range();
        range.start <= offset && offset <= range.end
    });
    let Some(mention) = mentioned else {
        let yields = around.yields(&inside.source).map(|yields| of_value(&yields))?;
        return Some(Said { range: inside.range.clone(), text: yields });
    };
    // As much of it as is pointed at.
    let steps = mention.steps.iter().take_while(|(_, range)| range.start <= offset).count().max(2);
    let mention = Mention { steps: mention.steps.into_iter().take(steps).collect() };
    let range = mention.range();
    let source = inside.source.get(range.clone())?;
    // The bracket behind a key belongs to it.
    let behind = inside.source.get(range.end..).unwrap_or_default();
    let closing = behind.find(']').filter(|_| behind.starts_with(['\'', '"', ']'])).map_or(0, |end| end + 1);
    let source = inside.source.get(range.start..range.end + closing).unwrap_or(source);
    let text = of_mention(file, &around, &mention, source)?;
    Some(Said { range: place(&range), text })
}

/// The function whose name is at a place of an expression.
fn function_at(source: &str, at: usize) -> Option<(&'static functions::Documented, Range<usize>)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let start = source.get(..at)?.trim_end_matches(is_part).len();
    let rest = source.get(start..)?;
    let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let name = rest.get(..length).filter(|_| rest.get(length..).is_some_and(|behind| behind.starts_with('(')))?;
    let last = name.rsplit('.').next()?;
    let of_whole = functions::find(name).map(|function| (function, start..start + length));
    // Of `vars.x.split(…)` the method is meant where it is pointed at.
    let method = || functions::find(last).filter(|_| at + last.len() >= start + length);
    of_whole.or_else(|| method().map(|function| (function, start + length - last.len()..start + length)))
}

/// What there is to say of a reference: what it is, its documentation, what it yields.
fn of_mention(file: InFile<'_>, around: &Around<'_>, mention: &Mention, source: &str) -> Option<String> {
    let mut lines = Vec::new();
    let kind = around.kinds().zip(around.expr(source)).and_then(|(kinds, expr)| kinds.of_expr(&expr).described());
    lines.push(match kind {
        Some(kind) => format!("`{source}`: {kind}"),
        None => format!("`{source}`"),
    });
    lines.extend(doc(file, mention));
    lines.extend(around.yields(source).map(|yields| of_value(&yields)));
    Some(lines.join("\n\n"))
}

/// The documentation of what is declared or of the attribute that is named.
fn doc(file: InFile<'_>, mention: &Mention) -> Option<String> {
    let stack = file.analysis.stack.as_deref()?;
    let home = file.analysis.home(file.path);
    let key = |step| mention.key(step);
    match key(0)? {
        "vars" => of_symbol(file, &Symbol::Variable(key(1)?.to_owned())),
        "locals" | "each" | "stack" | "env" | "module" => None,
        "data" => {
            let block = Block::new(key(1)?, key(2)?).within(&home);
            let schema = &stack.config.data.get(&block)?.schema;
            of_attributes(schema, mention, 3)
        }
        kind => {
            let block = Block::new(kind, key(1)?).within(&home);
            let resource = stack.config.resources.get(&block)?;
            let from = if resource.for_each.is_some() { 3 } else { 2 };
            of_attributes(&resource.schema.schema, mention, from)
        }
    }
}

fn of_attributes(schema: &TypeSchema, mention: &Mention, from: usize) -> Option<String> {
    let names: Vec<&str> = (from..mention.steps.len()).filter_map(|step| mention.key(step)).collect();
    match names.is_empty() {
        true => schema.doc.lines().next().map(str::to_owned),
        false => docs::attribute(schema, names).ok(),
    }
}

fn of_symbol(file: InFile<'_>, symbol: &Symbol) -> Option<String> {
    let Symbol::Variable(name) = symbol else { return None };
    let stack = file.analysis.stack.as_deref()?;
    let variable = stack.config.vars_of(&file.analysis.home(file.path))?.get(name)?;
    let secret = if variable.sensitive { " It is sensitive." } else { "" };
    Some(format!("{}{secret}", if variable.description.is_empty() { "A variable." } else { &variable.description }))
}

fn of_value(yields: &Yields) -> String {
    match yields.is_remembered {
        true => format!("As of the last apply: `{}`", yields.shown),
        false => format!("Value: `{}`", yields.shown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_told_from_what_they_are_called_on() {
        let name = |source: &str, at: usize| {
            function_at(source, at).map(|(function, range)| (function.name, source.get(range).unwrap().to_owned()))
        };
        assert_eq!(name("cidrsubnet(vpc.main.id, 8)", 3), Some(("cidrsubnet", "cidrsubnet".to_owned())));
        assert_eq!(name("1 + math.ceil(x)", 6), Some(("math.ceil", "math.ceil".to_owned())));
        assert_eq!(name("vars.x.split(',')", 8), Some(("split", "split".to_owned())));
        assert_eq!(name("vars.x.split(',')", 2), None);
        assert_eq!(name("vars.x", 2), None);
    }
}
