//! References: what an expression names, taken out of it before it is evaluated.

use cel::common::ast::{CallExpr, EntryExpr, Expr as Ast, IdedExpr, LiteralValue, operators};

use crate::model::module::{MODULE, ModulePath};

/// A path from a root, such as `vpc.main.id` or `subnet.public["a"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The root and the fields, keys and indices behind it.
    pub path: Vec<Step>,
    /// Where it is written, which says what its names mean.
    pub home: Home,
}

/// Where a reference is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Home {
    /// The module whose names it means; the stack's own when it is in none.
    pub module: ModulePath,
    /// The use of a module whose `each` it means: an input's.
    pub each: Option<ModulePath>,
}

/// One step of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `.name` or `["name"]`.
    Key(String),
    /// `[0]`.
    Index(usize),
    /// Every instance of a module with `for_each`: what `pluck` takes one output of.
    Every,
}

impl Step {
    /// The key this step is in a table.
    pub fn name(&self) -> String {
        match self {
            Self::Key(key) => key.clone(),
            Self::Index(index) => index.to_string(),
            Self::Every => "*".to_owned(),
        }
    }
}

impl Reference {
    /// A reference that stands in the stack file.
    pub fn new(path: Vec<Step>) -> Self {
        Self { path, home: Home::default() }
    }

    /// The name of the stack's own variable that this is, or is inside of.
    pub fn stack_variable(&self) -> Option<&str> {
        self.key(1).filter(|_| self.root() == "vars" && self.home.module.is_root())
    }

    /// The reference as it is written in an expression, whose text stands between `"` and `"`.
    pub fn in_text(&self) -> String {
        let plain = |key: &str| !key.contains(['"', '\'', '\\']);
        match self.path.iter().all(|step| plain(&step.name())) {
            true => self.to_string().replace('"', "'"),
            false => self.to_string(),
        }
    }

    /// The name the reference starts with.
    pub fn root(&self) -> &str {
        self.key(0).unwrap_or_default()
    }

    /// Step `n`, if it is a key.
    pub fn key(&self, n: usize) -> Option<&str> {
        match self.path.get(n) {
            Some(Step::Key(key)) => Some(key),
            _ => None,
        }
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, step) in self.path.iter().enumerate() {
            match step {
                Step::Key(key) if crate::model::address::is_name(key) => {
                    write!(f, "{}{key}", if i == 0 { "" } else { "." })?;
                }
                Step::Key(key) => write!(f, "[{}]", serde_json::Value::from(key.as_str()))?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Every => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

/// `a.b["c"][0]` without calling CEL's parser: the most common expression by far.
pub fn plain_reference(source: &str) -> Option<Reference> {
    let mut path = Vec::new();
    let mut rest = source.trim();
    loop {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (name, tail) = rest.split_at_checked(end)?;
        if !crate::model::address::is_name(name) || RESERVED.contains(&name) {
            return None;
        }
        path.push(Step::Key(name.to_owned()));
        rest = tail;
        while let Some(inner) = rest.strip_prefix('[') {
            let (index, tail) = inner.split_once(']')?;
            let quoted = ['"', '\''].iter().find_map(|q| index.strip_prefix(*q)?.strip_suffix(*q));
            path.push(match quoted {
                Some(key) if !key.contains(['\\', '"', '\'']) => Step::Key(key.to_owned()),
                Some(_) => return None,
                None => Step::Index(index.parse().ok()?),
            });
            rest = tail;
        }
        match rest.strip_prefix('.') {
            Some(tail) => rest = tail,
            None if rest.is_empty() => break,
            None => return None,
        }
    }
    Some(Reference::new(path))
}

/// CEL's own words, which are no references.
pub const RESERVED: &[&str] = &[
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// What is taken out of an expression.
#[derive(Debug, Default)]
pub struct Found {
    /// The references; `@0` stands for the first.
    pub references: Vec<Reference>,
    /// Parts that are evaluated by themselves, before what is around them; `@part0` stands for the first. What they
    /// give may be known while the whole of what they take it from is not: `subnet.a[each.key].id`, `keys(subnet.a)`.
    pub parts: Vec<IdedExpr>,
}

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// A reference, by number.
    Reference(usize),
    /// A part, by number.
    Part(usize),
}

impl Placeholder {
    /// The placeholder a name is, if it is one.
    pub fn of(name: &str) -> Option<Self> {
        let rest = name.strip_prefix('@')?;
        match rest.strip_prefix("part") {
            Some(number) => number.parse().ok().map(Self::Part),
            None => rest.parse().ok().map(Self::Reference),
        }
    }
}

/// Whether a node takes something from a reference by an index that is computed, and by nothing a macro binds.
fn is_chain(node: &IdedExpr, bound: &[String]) -> bool {
    match &node.expr {
        Ast::Ident(name) => !name.starts_with('@') && !bound.contains(name),
        Ast::Select(select) if !select.test => is_chain(&select.operand, bound),
        Ast::Call(CallExpr { func_name, args, target: None }) if func_name == operators::INDEX => match args.as_slice() {
            [operand, index] => is_chain(operand, bound) && is_free(index, bound),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a node is `keys(reference)`: of a block with `for_each` they are known before anything else is.
fn is_keys(node: &IdedExpr, bound: &[String]) -> bool {
    match &node.expr {
        Ast::Call(CallExpr { func_name, args, target: None }) if func_name == "keys" => {
            matches!(args.as_slice(), [only] if reference_path(only, bound).is_some())
        }
        _ => false,
    }
}

/// Whether a node uses nothing that a macro binds.
fn is_free(node: &IdedExpr, bound: &[String]) -> bool {
    if let Ast::Ident(name) = &node.expr {
        return !bound.contains(name);
    }
    let mut free = true;
    for_each_child(&mut node.expr.clone(), &mut |child| free &= is_free(child, bound));
    free
}

/// A copy of a part, with the references in it replaced.
fn chain(node: &IdedExpr, bound: &mut Vec<String>, found: &mut Found) -> IdedExpr {
    if reference_path(node, bound).is_some() {
        return extract(node, bound, found);
    }
    if let Some((path, index)) = one_output(node, bound) {
        let args = vec![taken_out(path, node.id, found), extract(index, bound, found)];
        let call = CallExpr { func_name: operators::INDEX.to_owned(), target: None, args };
        return IdedExpr { id: node.id, expr: Ast::Call(call) };
    }
    let mut expr = node.expr.clone();
    match &mut expr {
        Ast::Select(select) => *select.operand = chain(&select.operand, bound, found),
        Ast::Call(call) => {
            let mut first = true;
            for argument in &mut call.args {
                *argument = if first { chain(argument, bound, found) } else { extract(argument, bound, found) };
                first = false;
            }
        }
        _ => {}
    }
    IdedExpr { id: node.id, expr }
}

/// A copy of the expression with every reference replaced by a placeholder; `bound` are the names macros bind.
pub fn extract(node: &IdedExpr, bound: &mut Vec<String>, found: &mut Found) -> IdedExpr {
    if let Some(path) = reference_path(node, bound) {
        return taken_out(path, node.id, found);
    }
    if let Some(path) = declared(node, bound) {
        // What is declared is there unless it is null: a root alone is no value that could be looked into.
        let null = IdedExpr { id: node.id, expr: Ast::Literal(LiteralValue::Null) };
        let args = vec![taken_out(path, node.id, found), null];
        return IdedExpr { id: node.id, expr: Ast::Call(CallExpr { func_name: operators::NOT_EQUALS.to_owned(), target: None, args }) };
    }
    if let Some(path) = plucked(node, bound) {
        let args = vec![taken_out(path, node.id, found)];
        return IdedExpr { id: node.id, expr: Ast::Call(CallExpr { func_name: "values".to_owned(), target: None, args }) };
    }
    if is_chain(node, bound) || is_keys(node, bound) {
        let part = chain(node, bound, found);
        found.parts.push(part);
        return IdedExpr { id: node.id, expr: Ast::Ident(format!("@part{}", found.parts.len() - 1)) };
    }
    let mut expr = node.expr.clone();
    match &mut expr {
        Ast::Comprehension(inner) => {
            inner.iter_range = extract(&inner.iter_range, bound, found);
            inner.accu_init = extract(&inner.accu_init, bound, found);
            let depth = bound.len();
            bound.push(inner.iter_var.clone());
            bound.extend(inner.iter_var2.clone());
            bound.push(inner.accu_var.clone());
            for part in [&mut inner.loop_cond, &mut inner.loop_step, &mut inner.result] {
                *part = extract(part, bound, found);
            }
            bound.truncate(depth);
        }
        other => for_each_child(other, &mut |child| *child = extract(child, bound, found)),
    }
    IdedExpr { id: node.id, expr }
}

/// The placeholder of a reference.
fn taken_out(path: Vec<Step>, id: u64, found: &mut Found) -> IdedExpr {
    let reference = Reference::new(path);
    let index = found.references.iter().position(|known| *known == reference).unwrap_or_else(|| {
        found.references.push(reference);
        found.references.len() - 1
    });
    IdedExpr { id, expr: Ast::Ident(format!("@{index}")) }
}

/// What `has(vars.name)` asks for: something that a root has declared, and not an attribute of a value.
fn declared(node: &IdedExpr, bound: &[String]) -> Option<Vec<Step>> {
    let Ast::Select(select) = &node.expr else { return None };
    let mut path = reference_path(&select.operand, bound).filter(|_| select.test)?;
    let Some(Step::Key(root)) = path.first() else { return None };
    let is_short = path.len() < root_length(root);
    path.push(Step::Key(select.field.clone()));
    is_short.then_some(path)
}

/// What `pluck(module.web, 'url')` takes: that output of every instance, and nothing else of them.
fn plucked(node: &IdedExpr, bound: &[String]) -> Option<Vec<Step>> {
    let Ast::Call(CallExpr { func_name, args, target: None }) = &node.expr else { return None };
    let ("pluck", [of, field]) = (func_name.as_str(), args.as_slice()) else { return None };
    let Ast::Literal(LiteralValue::String(field)) = &field.expr else { return None };
    outputs_named(of, field.inner(), bound)
}

/// What `module.web[each.key].url` takes, and by which key: of all that the instances tell, that output only.
fn one_output<'a>(node: &'a IdedExpr, bound: &[String]) -> Option<(Vec<Step>, &'a IdedExpr)> {
    let Ast::Select(select) = &node.expr else { return None };
    let Ast::Call(CallExpr { func_name, args, target: None }) = &select.operand.expr else { return None };
    let (operators::INDEX, [of, index], false) = (func_name.as_str(), args.as_slice(), select.test) else { return None };
    Some((outputs_named(of, &select.field, bound)?, index))
}

/// One output of every instance of a module, by key.
fn outputs_named(of: &IdedExpr, output: &str, bound: &[String]) -> Option<Vec<Step>> {
    let mut path = reference_path(of, bound)?;
    let is_module = path.len() == root_length(MODULE) && path.first() == Some(&Step::Key(MODULE.to_owned()));
    path.extend([Step::Every, Step::Key(output.to_owned())]);
    is_module.then_some(path)
}

/// How many steps of a reference name what is declared under a root; the rest leads into its value.
pub fn root_length(root: &str) -> usize {
    if root == "data" { 3 } else { 2 }
}

fn for_each_child(expr: &mut Ast, visit: &mut dyn FnMut(&mut IdedExpr)) {
    match expr {
        Ast::Call(call) => call.target.iter_mut().map(AsMut::as_mut).chain(call.args.iter_mut()).for_each(visit),
        Ast::List(list) => list.elements.iter_mut().for_each(visit),
        Ast::Select(select) => visit(&mut select.operand),
        Ast::Map(map) => map.entries.iter_mut().for_each(|entry| visit_entry(&mut entry.expr, visit)),
        Ast::Struct(object) => object.entries.iter_mut().for_each(|entry| visit_entry(&mut entry.expr, visit)),
        Ast::Comprehension(inner) => {
            for part in [&mut inner.iter_range, &mut inner.accu_init, &mut inner.loop_cond, &mut inner.loop_step, &mut inner.result] {
                visit(part);
            }
        }
        Ast::Unspecified | Ast::Ident(_) | Ast::Literal(_) => {}
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

/// The longest constant path this node spells from a root that no macro has bound.
fn reference_path(node: &IdedExpr, bound: &[String]) -> Option<Vec<Step>> {
    match &node.expr {
        Ast::Ident(name) if name.starts_with('@') || bound.contains(name) => None,
        Ast::Ident(name) => Some(vec![Step::Key(name.clone())]),
        Ast::Select(select) if !select.test => {
            let mut path = reference_path(&select.operand, bound)?;
            path.push(Step::Key(select.field.clone()));
            Some(path)
        }
        Ast::Call(CallExpr { func_name, args, target: None }) if func_name == operators::INDEX => {
            let [operand, index] = args.as_slice() else { return None };
            let step = match &index.expr {
                Ast::Literal(LiteralValue::String(key)) => Step::Key(key.inner().to_owned()),
                Ast::Literal(LiteralValue::Int(index)) => Step::Index(usize::try_from(*index.inner()).ok()?),
                _ => return None,
            };
            let mut path = reference_path(operand, bound)?;
            path.push(step);
            Some(path)
        }
        _ => None,
    }
}

/// Calls `visit` with the name and the arguments of every call in an expression.
pub fn calls(node: &IdedExpr, visit: &mut dyn FnMut(&str, &[IdedExpr])) {
    if let Ast::Call(call) = &node.expr {
        visit(&call.func_name, &call.args);
    }
    for_each_child(&mut node.expr.clone(), &mut |child| calls(child, visit));
}

/// The placeholders in an expression.
pub fn placeholders(node: &IdedExpr, found: &mut Vec<Placeholder>) {
    if let Ast::Ident(name) = &node.expr {
        found.extend(Placeholder::of(name));
        return;
    }
    for_each_child(&mut node.expr.clone(), &mut |child| placeholders(child, found));
}
