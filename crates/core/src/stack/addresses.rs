//! The addresses that `[[moved]]`, `[[import]]` and `[[removed]]` name.

use super::Stack;
use super::config::Moved;
use super::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use super::expand::Instances;
use crate::model::address::{Address, Block};
use crate::model::module::ModulePath;
use crate::model::selector::Selector;

/// Reports addresses that cannot be what they are said to be.
pub fn check(stack: &Stack, diagnostics: &mut Diagnostics) {
    for import in &stack.config.imports {
        let to = Selector::Resource(import.to.clone());
        absent(stack, &to, &import.to_span, "[[import]] to").into_iter().for_each(|error| diagnostics.push(error));
    }
    for (number, moved) in stack.config.moved.iter().enumerate() {
        if let Some(other) = stack.config.moved.iter().take(number).find(|other| other.from == moved.from) {
            let problem = match other.to == moved.to {
                true => format!("[[moved]] says twice that {} becomes {}", moved.from, moved.to),
                false => format!("[[moved]] says that {} becomes {}, and that it becomes {}", moved.from, other.to, moved.to),
            };
            diagnostics.push(
                Diagnostic::error(Code::Moves, &moved.from_span, problem).help("one resource has one address: remove one of the two"),
            );
        }
        one_move(stack, moved, diagnostics);
    }
    for removed in &stack.config.removed {
        if is_there(stack, &removed.from) {
            let problem = format!("[[removed]] from {}, which is still in the stack", removed.from);
            diagnostics.push(Diagnostic::error(Code::Moves, &removed.span, problem).help("remove that block, or this [[removed]]"));
        }
    }
}

fn one_move(stack: &Stack, moved: &Moved, diagnostics: &mut Diagnostics) {
    // The end of a chain is what has to be there.
    let goes_on = stack.config.moved.iter().any(|next| is_from(&moved.to, &next.from));
    let missing = absent(stack, &moved.to, &moved.to_span, "[[moved]] to").filter(|_| !goes_on);
    missing.into_iter().for_each(|error| diagnostics.push(error));
    match (&moved.from, &moved.to) {
        (Selector::Resource(from), Selector::Resource(to)) => {
            if from.type_name() != to.type_name() && !stack.config.unread_of(&to.block.module).resource(&to.block) {
                let problem = format!("{from} cannot become {to}: they are of different types");
                diagnostics.push(Diagnostic::error(Code::Moves, &moved.from_span, problem));
            }
        }
        (Selector::Module(_), Selector::Module(_)) => {}
        _ => {
            let problem = format!("{} cannot become {}: one is a module, and the other a resource", moved.from, moved.to);
            diagnostics
                .push(Diagnostic::error(Code::Moves, &moved.from_span, problem).help("say of each resource of the module where it goes"));
        }
    }
    if is_there(stack, &moved.from) {
        let problem = format!("[[moved]] from {}, which is still in the stack", moved.from);
        diagnostics.push(Diagnostic::error(Code::Moves, &moved.from_span, problem).help("rename or remove that block, or this [[moved]]"));
    }
}

/// Whether what has become `to` is what another block moves on.
fn is_from(to: &Selector, from: &Selector) -> bool {
    match (to, from) {
        (Selector::Resource(to), Selector::Resource(from)) => to.block == from.block,
        (Selector::Module(to), Selector::Module(from)) => to.used() == from.used(),
        (Selector::Resource(to), Selector::Module(from)) => from.covers(&to.block.module),
        (Selector::Module(_), Selector::Resource(_)) => false,
    }
}

/// An error for an address that the stack does not have.
fn absent(stack: &Stack, address: &Selector, span: &Span, what: &str) -> Option<Diagnostic> {
    let config = &stack.config;
    let (is_missing, module) = match address {
        Selector::Resource(Address { block, .. }) => (!has_block(stack, block), &block.module),
        Selector::Module(path) => (!has_module(stack, path), path),
    };
    let user = module.split().map(|(user, _)| user).unwrap_or_default();
    if !is_missing || config.unread.anything || config.unread_of(&user).anything || may_have(stack, module) {
        return None;
    }
    let known: Vec<String> = match address {
        Selector::Resource(_) => config.resources.keys().map(ToString::to_string).collect(),
        Selector::Module(_) => config.modules.instances.keys().map(ToString::to_string).collect(),
    };
    let error = Diagnostic::error(Code::NotInStack, span, format!("{what} {address}, which the stack does not have"));
    Some(error.suggest(&address.to_string(), known.iter().map(String::as_str)))
}

/// Whether a module is used that has no instance now, or one that it is in: with other variables it has what is named in it.
fn may_have(stack: &Stack, module: &ModulePath) -> bool {
    let modules = &stack.config.modules;
    let mut around = std::iter::successors(Some(module.clone()), |inner| inner.split().map(|(user, _)| user));
    around.any(|path| {
        let whole = path.used();
        let is_used = modules.uses.keys().any(|used| whole.matches(used));
        is_used && !modules.instances.keys().any(|instance| whole.matches(instance))
    })
}

/// Whether the stack has a block; in a module without a key, in any instance of it.
fn has_block(stack: &Stack, block: &Block) -> bool {
    let is_it = |known: &Block| known.type_name == block.type_name && known.name == block.name && block.module.matches(&known.module);
    stack.config.resources.contains_key(block)
        || stack.config.resources.keys().any(is_it)
        || stack.config.unread_of(&block.module).resource(block)
}

/// Whether a module is in use; without a key, with whatever keys it has.
fn has_module(stack: &Stack, path: &ModulePath) -> bool {
    stack.config.modules.instances.contains_key(path) || path.last_key().is_none() && stack.config.modules.uses.contains_key(path)
}

/// Whether the stack has this very address: one instance, or all of a block or a module without a key.
fn is_there(stack: &Stack, address: &Selector) -> bool {
    match address {
        Selector::Resource(address) => {
            let block = stack.config.resources.get(&address.block);
            block.is_some_and(|block| address.key.is_none() && block.for_each.is_none())
        }
        Selector::Module(path) => {
            let single =
                |path: &ModulePath| stack.config.modules.uses.get(path).is_some_and(|used| matches!(used.instances, Instances::Single));
            if path.last_key().is_some() { stack.config.modules.instances.contains_key(path) } else { single(path) }
        }
    }
}
