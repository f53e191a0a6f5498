//! Expressions that somebody types, outside of every file: read and checked as those of the stack file are.

use super::check::names;
use super::diagnostic::{Diagnostics, Source, Span};
use super::files::Files;
use super::kind::Kinds;
use super::meanings;
use super::node::{Node, NodeKind};
use super::template::Template;
use super::{MOST_ROUNDS, Stack};

/// Reads what is typed: an expression, or a text of a stack file that begins with `${`. It is the last of the `sources`, behind
/// those of the stack. What is wrong with it is added to the `diagnostics`; if that has no errors, it can be evaluated.
pub fn read(stack: &Stack, sources: &[Source], diagnostics: &mut Diagnostics) -> Template {
    let text = sources.last().map(|source| source.text.as_str()).unwrap_or_default();
    let span = Span { file: sources.len().saturating_sub(1), range: 0..text.len() };
    let template = match text.starts_with("${") {
        true => Template::parse(&Node { kind: NodeKind::String(text.to_owned()), span }, sources, diagnostics),
        false => Template::expression(text, &span, diagnostics),
    };
    names::named_in(stack, &template, false, diagnostics);
    meanings::compared_in(&Kinds::new(stack), &template, diagnostics);
    template
}

impl Stack {
    /// Evaluates something that is typed, again for as long as it names files that have not been read.
    pub fn reading<T>(&mut self, files: &dyn Files, evaluate: impl Fn(&Self) -> T) -> T {
        self.contents.open();
        let mut value = evaluate(self);
        for _ in 1..MOST_ROUNDS {
            if !self.contents.read(files) {
                break;
            }
            value = evaluate(self);
        }
        self.contents.close();
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::value::Value;
    use crate::stack::diagnostic::Diagnostic;
    use crate::stack::scope::StackScope;
    use crate::testing::{self, OneFile};

    const STACK: &str = r#"
[vars.name]
default = "web"
[locals]
sizes = [1, 2, 3]
"#;

    fn value(text: &str) -> Result<Value, Vec<String>> {
        let mut stack = Stack::clone(&testing::stack(STACK).unwrap());
        let mut sources = stack.sources.clone();
        sources.push(Source { path: "typed".into(), text: text.to_owned(), private: false });
        let mut diagnostics = Diagnostics::default();
        let template = read(&stack, &sources, &mut diagnostics);
        if diagnostics.has_errors() {
            let said = |one: &Diagnostic| {
                let range = one.span.as_ref().map(|span| span.range.clone()).unwrap_or_default();
                format!("{} {}..{} {}", one.code.as_str(), range.start, range.end, one.message)
            };
            return Err(diagnostics.0.iter().map(said).collect());
        }
        let read = stack.reading(&OneFile(STACK), |stack| template.eval(&StackScope::offline(stack)).map_err(|(error, _)| error));
        read.map_err(|error| vec![error.message])
    }

    #[test]
    fn an_expression_has_its_value_with_and_without_its_marks() {
        assert_eq!(value("vars.name + '!'"), Ok(Value::string("web!")));
        assert_eq!(value("${size(locals.sizes)}"), Ok(Value::Int(3)));
        assert_eq!(value("${vars.name}-${size(locals.sizes)}"), Ok(Value::string("web-3")));
        assert_eq!(value("{'a': 1}.a"), Ok(Value::Int(1)));
    }

    #[test]
    fn what_is_wrong_is_said_at_its_place_as_in_a_file() {
        assert_eq!(value("1 +"), Err(vec!["E0401 3..3 invalid expression: the expression ends too early".to_owned()]));
        assert_eq!(value("1 + vars.nane"), Err(vec!["E0402 0..13 there is no variable `nane`".to_owned()]));
        assert_eq!(value("${vars.nane}"), Err(vec!["E0402 0..12 there is no variable `nane`".to_owned()]));
        assert_eq!(value("each.key"), Err(vec!["E0402 0..8 `each` exists only in a resource with `for_each`".to_owned()]));
        assert!(value("1 } 2").is_err());
    }
}
