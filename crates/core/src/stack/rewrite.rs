//! What CEL's parser leaves to be done: names of functions with a namespace, macros of extensions, names of types.

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr as Ast, IdedExpr, ListExpr, LiteralValue, operators};

use super::functions;

/// The names of CEL's types: `type(x) == int`.
const TYPES: &[&str] = &["null_type", "bool", "int", "double", "string", "list", "map"];

/// The variable what a macro makes is bound to; no name that can be written.
const MADE: &str = "@made";

/// The expression with namespaces, macros and types in their place; `bound` are the names macros bind.
pub fn rewrite(node: IdedExpr, bound: &mut Vec<String>) -> IdedExpr {
    let IdedExpr { id, expr } = node;
    let expr = match expr {
        Ast::Ident(name) if TYPES.contains(&name.as_str()) && !bound.contains(&name) => Ast::Literal(LiteralValue::String(name.into())),
        // As in the texts of the file.
        Ast::Literal(LiteralValue::String(text)) if text.inner().contains("$${") => {
            Ast::Literal(LiteralValue::String(text.inner().replace("$${", "${").into()))
        }
        Ast::Call(call) => rewrite_call(id, call, bound),
        Ast::Comprehension(inner) => Ast::Comprehension(Box::new(rewrite_comprehension(*inner, bound))),
        mut other => {
            for_each_child(&mut other, &mut |child| *child = rewrite(std::mem::take(child), bound));
            other
        }
    };
    IdedExpr { id, expr }
}

fn rewrite_comprehension(inner: ComprehensionExpr, bound: &mut Vec<String>) -> ComprehensionExpr {
    let iter_range = rewrite(inner.iter_range, bound);
    let accu_init = rewrite(inner.accu_init, bound);
    let depth = bound.len();
    bound.extend([inner.iter_var.clone(), inner.accu_var.clone()]);
    bound.extend(inner.iter_var2.clone());
    let loop_cond = rewrite(inner.loop_cond, bound);
    let loop_step = rewrite(inner.loop_step, bound);
    let result = rewrite(inner.result, bound);
    bound.truncate(depth);
    ComprehensionExpr { iter_range, accu_init, loop_cond, loop_step, result, ..inner }
}

fn rewrite_call(id: u64, mut call: CallExpr, bound: &mut Vec<String>) -> Ast {
    let namespace = match call.target.as_ref().map(|target| &target.expr) {
        Some(Ast::Ident(name)) if !bound.contains(name) && functions::is_namespace(name) => Some(name.clone()),
        _ => None,
    };
    if let Some(namespace) = namespace {
        call.target = None;
        call.func_name = format!("{namespace}.{}", call.func_name);
    }
    let expanded = match (call.func_name.as_str(), call.target.is_some(), call.args.len()) {
        ("cel.bind", false, 3) => bind(id, &mut call.args),
        ("sortBy", true, 2) => sort_by(id, &mut call),
        ("optMap", true, 2) => opt_map(id, &mut call),
        _ => None,
    };
    match expanded {
        Some(comprehension) => Ast::Comprehension(Box::new(rewrite_comprehension(comprehension, bound))),
        None => {
            let mut expr = Ast::Call(call);
            for_each_child(&mut expr, &mut |child| *child = rewrite(std::mem::take(child), bound));
            expr
        }
    }
}

fn node(id: u64, expr: Ast) -> IdedExpr {
    IdedExpr { id, expr }
}

fn list(id: u64, elements: Vec<IdedExpr>) -> IdedExpr {
    node(id, Ast::List(ListExpr::new(elements)))
}

fn made(id: u64) -> IdedExpr {
    node(id, Ast::Ident(MADE.to_owned()))
}

fn call(id: u64, name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    node(id, Ast::Call(CallExpr { func_name: name.to_owned(), target: None, args }))
}

/// The name a macro binds, when its first argument is one.
fn variable(args: &[IdedExpr]) -> Option<String> {
    match args.first().map(|first| &first.expr) {
        Some(Ast::Ident(name)) => Some(name.clone()),
        _ => None,
    }
}

/// `cel.bind(x, value, body)`: a loop over nothing, whose result is `body` with `x` bound.
fn bind(id: u64, args: &mut Vec<IdedExpr>) -> Option<ComprehensionExpr> {
    let name = variable(args)?;
    let (body, init) = (args.pop()?, args.pop()?);
    let iter_range = list(id, Vec::new());
    let never = node(id, Ast::Literal(LiteralValue::Boolean(false.into())));
    let same = node(id, Ast::Ident(name.clone()));
    Some(ComprehensionExpr {
        iter_range,
        iter_var: "@nothing".to_owned(),
        iter_var2: None,
        accu_var: name,
        accu_init: init,
        loop_cond: never,
        loop_step: same,
        result: body,
    })
}

/// A loop over `range` that makes a list of `element`, and gives it to the function `finish`.
fn gather(id: u64, range: IdedExpr, name: String, element: IdedExpr, finish: &str) -> ComprehensionExpr {
    ComprehensionExpr {
        iter_range: range,
        iter_var: name,
        iter_var2: None,
        accu_var: MADE.to_owned(),
        accu_init: list(id, Vec::new()),
        loop_cond: node(id, Ast::Literal(LiteralValue::Boolean(true.into()))),
        loop_step: call(id, operators::ADD, vec![made(id), list(id, vec![element])]),
        result: call(id, finish, vec![made(id)]),
    }
}

/// `list.sortBy(x, key)`: pairs of key and element, sorted, then the elements.
fn sort_by(id: u64, of: &mut CallExpr) -> Option<ComprehensionExpr> {
    let name = variable(&of.args)?;
    let (target, key) = (of.target.take()?, of.args.pop()?);
    let pair = list(id, vec![key, node(id, Ast::Ident(name.clone()))]);
    Some(gather(id, *target, name, pair, "@sorted"))
}

/// `optional.optMap(x, value)`: `value` when there is an `x`.
fn opt_map(id: u64, of: &mut CallExpr) -> Option<ComprehensionExpr> {
    let name = variable(&of.args)?;
    let (target, value) = (of.target.take()?, of.args.pop()?);
    let items = call(id, "@items", vec![*target]);
    Some(gather(id, items, name, value, "@only"))
}

fn for_each_child(expr: &mut Ast, visit: &mut dyn FnMut(&mut IdedExpr)) {
    match expr {
        Ast::Call(call) => call.target.iter_mut().map(AsMut::as_mut).chain(call.args.iter_mut()).for_each(visit),
        Ast::List(list) => list.elements.iter_mut().for_each(visit),
        Ast::Select(select) => visit(&mut select.operand),
        Ast::Map(map) => map.entries.iter_mut().for_each(|entry| visit_entry(&mut entry.expr, visit)),
        Ast::Struct(object) => object.entries.iter_mut().for_each(|entry| visit_entry(&mut entry.expr, visit)),
        Ast::Comprehension(_) | Ast::Unspecified | Ast::Ident(_) | Ast::Literal(_) => {}
    }
}

fn visit_entry(entry: &mut EntryExpr, visit: &mut dyn FnMut(&mut IdedExpr)) {
    match entry {
        EntryExpr::StructField(field) => visit(&mut field.value),
        EntryExpr::MapEntry(entry) => {
            visit(&mut entry.key);
            visit(&mut entry.value);
        }
    }
}
