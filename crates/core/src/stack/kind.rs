//! Static types: what kind of value an expression gives, as far as the schemas and its text say so. What they do not
//! say is [`Kind::Any`], and is never wrong.

use std::cell::RefCell;
use std::collections::BTreeMap;

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr as Ast, IdedExpr, LiteralValue, operators};

use super::Stack;
use super::config::ResourceBlock;
use super::deps::{Local, LocalKind};
use super::expand::Instances;
use super::expr::Expr;
use super::handle::{Handle, Named};
use super::reference::{Home, Placeholder, Reference, Step, root_length};
use super::template::{Template, TemplateKind};
use super::vars::constant;
use crate::model::address::Block;
use crate::model::module::MODULE;
use crate::model::schema::{Attribute, Type, TypeSchema};
use crate::model::value::Value;

/// A kind of value.
#[derive(Clone, Debug)]
pub enum Kind<'a> {
    /// Not known.
    Any,
    /// Nothing.
    Null,
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// Any number.
    Float,
    /// Text.
    Text,
    /// A list of these.
    List(Box<Kind<'a>>),
    /// A table with free keys of these.
    Table(Box<Kind<'a>>),
    /// A table with these keys.
    Fields(BTreeMap<String, Kind<'a>>),
    /// A resource, a data source or a table inside one.
    Object(&'a [Attribute]),
    /// One of these.
    Either(Vec<Kind<'a>>),
}

impl Kind<'_> {
    /// The kind in words; nothing when it is not known.
    pub fn described(&self) -> Option<&'static str> {
        match self {
            Self::Any | Self::Null | Self::Either(_) => None,
            Self::Bool => Some("a boolean"),
            Self::Int => Some("an integer"),
            Self::Float => Some("a number"),
            Self::Text => Some("a string"),
            Self::List(_) => Some("a list"),
            Self::Table(_) | Self::Fields(_) | Self::Object(_) => Some("a table"),
        }
    }
}

/// The kinds of a stack's expressions.
pub struct Kinds<'a> {
    stack: &'a Stack,
    /// What `each.value` is.
    each: Kind<'a>,
    /// The locals being looked at: one that depends on itself is of no kind.
    open: RefCell<Vec<Local>>,
}

/// An expression whose tree is being looked at.
struct Tree<'e, 'a> {
    expr: &'e Expr,
    parts: &'e [IdedExpr],
    bound: Vec<(&'e str, Kind<'a>)>,
}

impl<'a> Kinds<'a> {
    /// Whether anything of the stack may be missing because it could not be read.
    pub fn is_partly_read(&self) -> bool {
        self.stack.config.unread.anything
    }

    /// The kinds outside of a resource.
    pub fn new(stack: &'a Stack) -> Self {
        Self { stack, each: Kind::Any, open: RefCell::default() }
    }

    /// The kinds inside a resource.
    pub fn within(stack: &'a Stack, resource: &'a ResourceBlock) -> Self {
        let kinds = Self::new(stack);
        let each = resource.for_each.as_ref().map_or(Kind::Any, |template| element(&kinds.of(template)));
        Self { each, ..kinds }
    }

    /// The kind of a template's value.
    pub fn of(&self, template: &'a Template) -> Kind<'a> {
        match &template.kind {
            TemplateKind::Literal(value) => of_value(value),
            TemplateKind::Expr(expr) => self.of_expr(expr),
            TemplateKind::Text(_) => Kind::Text,
            TemplateKind::List(items) => Kind::List(Box::new(either(items.iter().map(|item| self.of(item)).collect()))),
            TemplateKind::Table(fields) => Kind::Fields(fields.iter().map(|(key, field)| (key.clone(), self.of(&field.value))).collect()),
        }
    }

    /// The ARN of a resource or a data source of which a template takes another attribute: one of those that `is_name` says
    /// to be no ARN.
    pub fn arn_instead(&self, template: &Template, is_name: fn(&str) -> bool) -> Option<Reference> {
        let (reference, schema, attribute) = self.attribute(template)?;
        if attribute.name == "arn" || !is_name(&attribute.name) || schema.attribute("arn").is_none() {
            return None;
        }
        let mut arn = reference.clone();
        *arn.path.last_mut()? = Step::Key("arn".to_owned());
        Some(arn)
    }

    /// What a template gives that is nothing but a reference to something by which others refer to a resource.
    pub fn names<'t>(&self, template: &'t Template) -> Option<Named<'t>>
    where
        'a: 't,
    {
        let (reference, schema, attribute) = self.attribute(template)?;
        Some(Named { reference, type_name: &schema.name, handle: Handle::of(schema, attribute)? })
    }

    /// The id of the first resource of a type where a reference stands, as it is written there.
    pub fn id_of(&self, type_name: &str, home: &Home) -> Option<String> {
        let mut resources = self.stack.config.resources.iter();
        let (block, resource) = resources.find(|(block, _)| block.type_name == type_name && block.module == home.module)?;
        let key = if resource.for_each.is_some() { "['KEY']" } else { "" };
        Some(format!("{type_name}.{}{key}.id", block.name))
    }

    /// The attribute of a resource or a data source that is all that a template refers to.
    fn attribute<'t>(&self, template: &'t Template) -> Option<(&'t Reference, &'a TypeSchema, &'a Attribute)> {
        let TemplateKind::Expr(expr) = &template.kind else { return None };
        let reference = expr.references.first().filter(|_| expr.tree().is_none())?;
        let from = root_length(reference.root());
        let home = &reference.home.module;
        let block = |at: usize| Some(Block::new(reference.key(at)?, reference.key(at + 1)?).within(home));
        let (schema, steps): (&'a TypeSchema, _) = match reference.root() {
            "data" => (&*self.stack.config.data.get(&block(1)?)?.schema, reference.path.get(from..)?),
            _ => {
                let resource = self.stack.config.resources.get(&block(0)?)?;
                let keys = from + usize::from(resource.for_each.is_some());
                (&resource.schema.schema, reference.path.get(keys..)?)
            }
        };
        let [Step::Key(name)] = steps else { return None };
        Some((reference, schema, schema.attribute(name)?))
    }

    /// The kind of an expression's value.
    pub fn of_expr(&self, expr: &Expr) -> Kind<'a> {
        match expr.tree() {
            None => expr.references.first().map_or(Kind::Any, |reference| self.of_reference(reference)),
            Some((node, parts)) => self.node(node, &mut Tree { expr, parts, bound: Vec::new() }),
        }
    }

    /// What the sides of comparisons in an expression are that are never equal, in words: CEL compares values of different types,
    /// and they never are. What loops go through is not looked into.
    pub fn never_equal(&self, expr: &Expr) -> Vec<(&'static str, &'static str)> {
        let Some((node, parts)) = expr.tree() else { return Vec::new() };
        let mut found = Vec::new();
        for node in std::iter::once(node).chain(parts) {
            visit(node, &mut |node| {
                let Ast::Call(CallExpr { func_name, args, target: None }) = &node.expr else { return };
                let (operators::EQUALS | operators::NOT_EQUALS, [left, right]) = (func_name.as_str(), args.as_slice()) else { return };
                let mut tree = Tree { expr, parts, bound: Vec::new() };
                found.extend(differ(&self.node(left, &mut tree), &self.node(right, &mut tree)));
            });
        }
        found
    }

    fn of_reference(&self, reference: &Reference) -> Kind<'a> {
        let name = reference.key(1).unwrap_or_default();
        let home = &reference.home.module;
        let local = |kind| Local { module: home.clone(), kind, name: name.to_owned() };
        let (kind, from) = match reference.root() {
            "vars" if !home.is_root() => (self.of_local(&local(LocalKind::Input)), 2),
            MODULE => return self.of_module(reference),
            "vars" => (self.stack.vars.get(name).map_or(Kind::Any, of_value), 2),
            "env" | "stack" => (Kind::Text, 2),
            "each" => match name {
                "key" => (Kind::Text, 2),
                "index" => (Kind::Int, 2),
                _ => match reference.home.each.as_ref().map(|path| self.stack.config.modules.instances.get(path)) {
                    Some(module) => (module.and_then(|module| module.each.as_ref()).map_or(Kind::Any, |each| of_value(&each.value)), 2),
                    None => (self.each.clone(), 2),
                },
            },
            "locals" => (self.of_local(&local(LocalKind::Local)), 2),
            "data" => {
                let block = Block::new(name, reference.key(2).unwrap_or_default()).within(home);
                let data = self.stack.config.data.get(&block);
                (data.map_or(Kind::Any, |data| Kind::Object(&data.schema.attributes)), 3)
            }
            type_name => match self.stack.config.resources.get(&Block::new(type_name, name).within(home)) {
                Some(resource) => {
                    let one = Kind::Object(&resource.schema.schema.attributes);
                    let optional = resource.when.is_some() && reference.path.len() == 2;
                    match (resource.for_each.is_some(), optional) {
                        (true, _) => (Kind::Table(Box::new(one)), 2),
                        (false, true) => (Kind::Any, 2),
                        (false, false) => (one, 2),
                    }
                }
                None => (Kind::Any, 2),
            },
        };
        reference.path.iter().skip(from).fold(kind, |kind, step| taken(&kind, step))
    }

    fn of_local(&self, local: &Local) -> Kind<'a> {
        let Some(template) = self.stack.config.template_of(local) else { return self.of_default(local) };
        if self.open.borrow().contains(local) {
            return Kind::Any;
        }
        self.open.borrow_mut().push(local.clone());
        let kind = self.of(template);
        self.open.borrow_mut().pop();
        kind
    }

    /// The kind of an input that is not given.
    fn of_default(&self, local: &Local) -> Kind<'a> {
        let vars = self.stack.config.vars_of(&local.module).filter(|_| local.kind == LocalKind::Input);
        let default = vars.and_then(|vars| vars.get(&local.name)?.default.as_ref());
        default.map_or(Kind::Any, |default| of_value(&constant(default)))
    }

    /// What modules tell: the outputs of an instance, or of every one.
    fn of_module(&self, reference: &Reference) -> Kind<'a> {
        let path = reference.home.module.inside(reference.key(1).unwrap_or_default(), None);
        let rest = reference.path.get(2..).unwrap_or_default();
        let Some(used) = self.stack.config.modules.uses.get(&path) else { return Kind::Any };
        let (instance, is_keyed) = match &used.instances {
            Instances::Single if used.when.is_none() || !rest.is_empty() => (Some(path), false),
            Instances::Each(_) => (self.stack.config.modules.instances.keys().find(|instance| path.matches(instance)).cloned(), true),
            _ => (None, false),
        };
        let Some(instance) = instance else { return Kind::Any };
        let outputs = self.stack.config.outputs_of(&instance).into_iter().flat_map(|outputs| outputs.keys());
        let local = |name: &String| Local { module: instance.clone(), kind: LocalKind::Output, name: name.clone() };
        let one = Kind::Fields(outputs.map(|name| (name.clone(), self.of_local(&local(name)))).collect());
        match (is_keyed, rest) {
            (true, [Step::Every, rest @ ..]) => Kind::Table(Box::new(rest.iter().fold(one, |kind, step| taken(&kind, step)))),
            (true, steps) => steps.iter().fold(Kind::Table(Box::new(one)), |kind, step| taken(&kind, step)),
            (false, steps) => steps.iter().fold(one, |kind, step| taken(&kind, step)),
        }
    }

    fn node<'e>(&self, node: &'e IdedExpr, tree: &mut Tree<'e, 'a>) -> Kind<'a> {
        match &node.expr {
            Ast::Ident(name) => self.named(name, tree),
            Ast::Literal(literal) => of_literal(literal),
            Ast::List(list) => Kind::List(Box::new(either(list.elements.iter().map(|item| self.node(item, tree)).collect()))),
            Ast::Map(map) => {
                let mut fields = BTreeMap::new();
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else { return Kind::Any };
                    let Ast::Literal(LiteralValue::String(key)) = &entry.key.expr else { return Kind::Table(Box::new(Kind::Any)) };
                    fields.insert(key.inner().to_owned(), self.node(&entry.value, tree));
                }
                Kind::Fields(fields)
            }
            Ast::Select(select) if select.test => Kind::Bool,
            Ast::Select(select) => taken(&self.node(&select.operand, tree), &Step::Key(select.field.clone())),
            Ast::Call(call) => self.call(call, tree),
            Ast::Comprehension(comprehension) => self.comprehension(comprehension, tree),
            Ast::Struct(_) | Ast::Unspecified => Kind::Any,
        }
    }

    fn named<'e>(&self, name: &str, tree: &mut Tree<'e, 'a>) -> Kind<'a> {
        if let Some((_, kind)) = tree.bound.iter().rev().find(|(bound, _)| *bound == name) {
            return kind.clone();
        }
        match Placeholder::of(name) {
            Some(Placeholder::Reference(number)) => {
                tree.expr.references.get(number).map_or(Kind::Any, |reference| self.of_reference(reference))
            }
            Some(Placeholder::Part(number)) => tree.parts.get(number).map_or(Kind::Any, |part| self.node(part, tree)),
            None => Kind::Any,
        }
    }

    /// What `map`, `filter` and the others give: of a list, what its step adds.
    fn comprehension<'e>(&self, of: &'e ComprehensionExpr, tree: &mut Tree<'e, 'a>) -> Kind<'a> {
        let item = match self.node(&of.iter_range, tree) {
            Kind::List(item) => *item,
            Kind::Table(_) | Kind::Fields(_) | Kind::Object(_) => Kind::Text,
            _ => Kind::Any,
        };
        match &of.accu_init.expr {
            Ast::Literal(LiteralValue::Boolean(_)) => Kind::Bool,
            Ast::List(_) => {
                let depth = tree.bound.len();
                tree.bound.push((&of.iter_var, item));
                let added = self.added(&of.loop_step, tree);
                tree.bound.truncate(depth);
                Kind::List(Box::new(added))
            }
            _ => Kind::Any,
        }
    }

    fn added<'e>(&self, step: &'e IdedExpr, tree: &mut Tree<'e, 'a>) -> Kind<'a> {
        let Ast::Call(CallExpr { func_name, args, target: None }) = &step.expr else { return Kind::Any };
        match (func_name.as_str(), args.as_slice()) {
            (operators::CONDITIONAL, [_, then, _]) => self.added(then, tree),
            (operators::ADD, [_, more]) => match self.node(more, tree) {
                Kind::List(item) => *item,
                _ => Kind::Any,
            },
            _ => Kind::Any,
        }
    }

    fn call<'e>(&self, call: &'e CallExpr, tree: &mut Tree<'e, 'a>) -> Kind<'a> {
        let nodes: Vec<&'e IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
        match (call.func_name.as_str(), nodes.as_slice()) {
            (operators::CONDITIONAL, [_, yes, no]) => either(vec![self.node(yes, tree), self.node(no, tree)]),
            (operators::INDEX, [of, index]) => {
                let of = self.node(of, tree);
                match &index.expr {
                    Ast::Literal(LiteralValue::String(key)) => taken(&of, &Step::Key(key.inner().to_owned())),
                    _ => element(&of),
                }
            }
            ("pluck", [of, field]) => match &field.expr {
                Ast::Literal(LiteralValue::String(field)) => {
                    let one = element(&self.node(of, tree));
                    Kind::List(Box::new(taken(&one, &Step::Key(field.inner().to_owned()))))
                }
                _ => Kind::List(Box::new(Kind::Any)),
            },
            ("values", [of]) => Kind::List(Box::new(element(&self.node(of, tree)))),
            ("first" | "last", [of]) => element(&self.node(of, tree)),
            ("reverse" | "slice" | "distinct" | "sort" | "@sorted", [of, ..]) => match self.node(of, tree) {
                list @ Kind::List(_) => list,
                _ => Kind::Any,
            },
            ("coalesce", nodes) => either(nodes.iter().map(|node| self.node(node, tree)).collect()),
            (operators::ADD, [left, right]) => match (self.node(left, tree), self.node(right, tree)) {
                (Kind::Text, _) | (_, Kind::Text) => Kind::Text,
                (Kind::List(one), Kind::List(other)) => Kind::List(Box::new(either(vec![*one, *other]))),
                (Kind::List(_), _) | (_, Kind::List(_)) => Kind::List(Box::new(Kind::Any)),
                (Kind::Int, Kind::Int) => Kind::Int,
                (Kind::Int | Kind::Float, Kind::Int | Kind::Float) => Kind::Float,
                _ => Kind::Any,
            },
            (name, _) => of_function(name),
        }
    }
}

/// What two kinds are, in words, when no value is of both.
fn differ(left: &Kind<'_>, right: &Kind<'_>) -> Option<(&'static str, &'static str)> {
    let is_number = |kind: &Kind<'_>| matches!(kind, Kind::Int | Kind::Float);
    let is_table = |kind: &Kind<'_>| matches!(kind, Kind::Table(_) | Kind::Fields(_) | Kind::Object(_));
    let (one, other) = (left.described()?, right.described()?);
    let alike = one == other || is_number(left) && is_number(right) || is_table(left) && is_table(right);
    (!alike).then_some((one, other))
}

/// An expression and what it is made of, but for what loops go through.
pub(super) fn visit<'e>(node: &'e IdedExpr, see: &mut dyn FnMut(&'e IdedExpr)) {
    see(node);
    match &node.expr {
        Ast::Call(call) => call.target.as_deref().into_iter().chain(&call.args).for_each(|node| visit(node, see)),
        Ast::List(list) => list.elements.iter().for_each(|node| visit(node, see)),
        Ast::Map(map) => {
            for entry in &map.entries {
                if let EntryExpr::MapEntry(entry) = &entry.expr {
                    visit(&entry.key, see);
                    visit(&entry.value, see);
                }
            }
        }
        Ast::Select(select) => visit(&select.operand, see),
        Ast::Ident(_) | Ast::Literal(_) | Ast::Comprehension(_) | Ast::Struct(_) | Ast::Unspecified => {}
    }
}

/// What functions and operators give whatever they are given.
fn of_function(name: &str) -> Kind<'static> {
    match name {
        operators::EQUALS
        | operators::NOT_EQUALS
        | operators::LESS
        | operators::LESS_EQUALS
        | operators::GREATER
        | operators::GREATER_EQUALS
        | operators::IN
        | operators::LOGICAL_AND
        | operators::LOGICAL_OR
        | operators::LOGICAL_NOT
        | "bool"
        | "contains"
        | "startsWith"
        | "endsWith"
        | "matches"
        | "hasValue"
        | "math.isNaN"
        | "math.isInf"
        | "math.isFinite" => Kind::Bool,
        "int" | "size" | "indexOf" | "lastIndexOf" | "math.sign" => Kind::Int,
        "double" | "math.sqrt" => Kind::Float,
        "string" | "type" | "jsonencode" | "base64.encode" | "sha256" | "sha512" | "sha1" | "md5" | "title" | "file" | "filebase64"
        | "template" | "urlencode" | "format" | "cidrsubnet" | "cidrhost" | "charAt" | "lowerAscii" | "upperAscii" | "trim" | "replace"
        | "substring" | "join" | "strings.quote" | "regex_replace" => Kind::Text,
        "keys" | "split" | "fileset" => Kind::List(Box::new(Kind::Text)),
        "range" | "lists.range" => Kind::List(Box::new(Kind::Int)),
        "flatten" => Kind::List(Box::new(Kind::Any)),
        "merge" | "zipmap" => Kind::Table(Box::new(Kind::Any)),
        _ => Kind::Any,
    }
}

fn of_literal(literal: &LiteralValue) -> Kind<'static> {
    match literal {
        LiteralValue::Null => Kind::Null,
        LiteralValue::Boolean(_) => Kind::Bool,
        LiteralValue::Int(_) | LiteralValue::UInt(_) => Kind::Int,
        LiteralValue::Double(_) => Kind::Float,
        LiteralValue::String(_) | LiteralValue::Bytes(_) => Kind::Text,
    }
}

/// The kind of a value.
pub fn of_value(value: &Value) -> Kind<'static> {
    match value.revealed() {
        Value::Null => Kind::Null,
        Value::Bool(_) => Kind::Bool,
        Value::Int(_) => Kind::Int,
        Value::Float(_) => Kind::Float,
        Value::String(_) => Kind::Text,
        Value::List(items) => Kind::List(Box::new(either(items.iter().map(of_value).collect()))),
        Value::Map(map) => Kind::Fields(map.iter().map(|(key, value)| (key.clone(), of_value(value))).collect()),
        Value::Unknown | Value::Secret(_) => Kind::Any,
    }
}

fn of_type(ty: &Type) -> Kind<'_> {
    match ty {
        Type::Bool => Kind::Bool,
        Type::Int { .. } => Kind::Int,
        Type::Float => Kind::Float,
        Type::String(_) => Kind::Text,
        Type::List { item, .. } => Kind::List(Box::new(of_type(item))),
        Type::Map { item, .. } => Kind::Table(Box::new(of_type(item))),
        Type::Object(attributes) => Kind::Object(attributes),
        Type::Document(_) => Kind::Any,
    }
}

/// One of several kinds; not known when one of them is not, or when there are none.
fn either(kinds: Vec<Kind<'_>>) -> Kind<'_> {
    if kinds.iter().any(|kind| matches!(kind, Kind::Any)) {
        return Kind::Any;
    }
    let mut kinds = kinds.into_iter();
    match (kinds.next(), kinds.len()) {
        (None, _) => Kind::Any,
        (Some(only), 0) => only,
        (Some(first), _) => Kind::Either([first].into_iter().chain(kinds).collect()),
    }
}

/// The kind of an element of a list or table, whichever it is.
fn element<'a>(of: &Kind<'a>) -> Kind<'a> {
    match of {
        Kind::List(item) | Kind::Table(item) => (**item).clone(),
        Kind::Fields(fields) => either(fields.values().cloned().collect()),
        _ => Kind::Any,
    }
}

fn taken<'a>(of: &Kind<'a>, step: &Step) -> Kind<'a> {
    match (of, step) {
        (Kind::Object(attributes), Step::Key(name)) => {
            attributes.iter().find(|attribute| attribute.name == *name).map_or(Kind::Any, |attribute| of_type(&attribute.ty))
        }
        (Kind::Fields(fields), Step::Key(name)) => fields.get(name).cloned().unwrap_or(Kind::Any),
        (Kind::Table(item), _) | (Kind::List(item), Step::Index(_)) => (**item).clone(),
        _ => Kind::Any,
    }
}
