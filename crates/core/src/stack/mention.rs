//! Where an expression names what: its references, with the place of each of their steps.

use std::ops::Range;

use super::diagnostic::{Source, Span};
use super::expr::Expr;
use super::reference::{RESERVED, Reference, Step};

/// A reference and where its steps stand, in bytes of the expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// What it says, as far as that is constant.
    pub steps: Vec<(Step, Range<usize>)>,
}

impl Mention {
    /// Where it stands.
    pub fn range(&self) -> Range<usize> {
        match (self.steps.first(), self.steps.last()) {
            (Some((_, first)), Some((_, last))) => first.start..last.end,
            _ => 0..0,
        }
    }

    /// Step `n`, if it is a key.
    pub fn key(&self, n: usize) -> Option<&str> {
        match self.steps.get(n) {
            Some((Step::Key(key), _)) => Some(key),
            _ => None,
        }
    }

    /// The reference that it is.
    pub fn reference(&self) -> Reference {
        Reference::new(self.steps.iter().map(|(step, _)| step.clone()).collect())
    }
}

/// What an expression names. Of one that can be read these are its references, of another all that looks like one.
pub fn mentions(source: &str) -> Vec<Mention> {
    let found = Lexer { source, at: 0 }.mentions();
    let Ok(expr) = Expr::parse(source) else { return found };
    let is_one = |mention: &Mention| expr.references.iter().any(|reference| agree(&reference.path, mention));
    found.into_iter().filter(is_one).collect()
}

/// Where a part of a file names this: the first place where an expression in it does, whatever else is wrong with it.
pub fn place(source: &Source, part: &Span, path: &[Step]) -> Option<Span> {
    let text = source.text.get(part.range.clone())?;
    text.match_indices("${").find_map(|(at, open)| {
        let start = at + open.len();
        let found = Lexer { source: text.get(start..)?, at: 0 }.mentions();
        let mention = found.into_iter().find(|mention| mention.steps.len() >= path.len() && agree(path, mention))?;
        let steps = mention.steps.get(..path.len())?;
        let (first, last) = (&steps.first()?.1, &steps.last()?.1);
        let from = part.range.start + start;
        Some(Span { file: part.file, range: from + first.start..from + last.end })
    })
}

/// Where a part of a file first calls what is not among these functions.
pub fn unknown_call(source: &Source, part: &Span, known: &[&str]) -> Option<Span> {
    let text = source.text.get(part.range.clone())?;
    text.match_indices("${").find_map(|(at, open)| {
        let start = at + open.len();
        let called = Lexer { source: text.get(start..)?, at: 0 }.called();
        let range = called.into_iter().find(|(name, _)| !known.contains(&name.as_str()) && !is_method_of(name, known))?.1;
        let from = part.range.start + start;
        Some(Span { file: part.file, range: from + range.start..from + range.end })
    })
}

/// Whether the last of several names is a function's, which is called as a method of what the others name.
fn is_method_of(name: &str, known: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, last)| known.contains(&last))
}

/// Whether one of the two is how the other begins.
fn agree(path: &[Step], mention: &Mention) -> bool {
    path.iter().zip(&mention.steps).all(|(one, (other, _))| one == other || *one == Step::Every)
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn mentions(mut self) -> Vec<Mention> {
        let mut found = Vec::new();
        while let Some(c) = self.rest().chars().next() {
            match c {
                '\'' | '"' => drop(self.text(c)),
                '.' => {
                    // What follows is of a value that is computed.
                    self.at += 1;
                    self.word();
                }
                c if c.is_ascii_alphabetic() || c == '_' => found.extend(self.chain()),
                c if c.is_ascii_digit() => drop(self.word()),
                c => self.at += c.len_utf8(),
            }
        }
        found
    }

    /// The names that are called, with what stands before them and `.`, and where the last name of each stands.
    fn called(mut self) -> Vec<(String, Range<usize>)> {
        let mut found = Vec::new();
        while let Some(c) = self.rest().chars().next() {
            if matches!(c, '\'' | '"') {
                self.text(c);
                continue;
            }
            if c == '}' {
                break;
            }
            let is_behind = c == '.';
            self.at += usize::from(is_behind);
            let mut last = self.word();
            let mut names = vec![last.0.clone()];
            while let Some((Step::Key(name), range)) = self.step() {
                names.push(name.clone());
                last = (name, range);
            }
            if !last.0.is_empty() && self.rest().starts_with('(') {
                let whole = if is_behind { last.0 } else { names.join(".") };
                found.push((whole, last.1));
            } else if last.0.is_empty() && !is_behind {
                self.at += c.len_utf8();
            }
        }
        found
    }

    /// The word that begins here; empty when none does.
    fn word(&mut self) -> (String, Range<usize>) {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default().to_owned();
        let start = self.at;
        self.at += length;
        (word, start..self.at)
    }

    /// The text that begins here with a quote, without its quotes.
    fn text(&mut self, quote: char) -> Option<(String, Range<usize>)> {
        let start = self.at + quote.len_utf8();
        let mut is_escaped = false;
        let inner = self.source.get(start..).unwrap_or_default();
        for (offset, c) in inner.char_indices() {
            if !is_escaped && c == quote {
                self.at = start + offset + quote.len_utf8();
                return Some((inner.get(..offset).unwrap_or_default().to_owned(), start..start + offset));
            }
            is_escaped = !is_escaped && c == '\\';
        }
        self.at = self.source.len();
        None
    }

    /// The reference that begins here; nothing when it is a word of the language or the name of a function.
    fn chain(&mut self) -> Option<Mention> {
        let (word, range) = self.word();
        let mut steps = vec![(Step::Key(word.clone()), range)];
        while let Some(step) = self.step() {
            steps.push(step);
        }
        // The last is a function's or a method's.
        if self.rest().starts_with('(') {
            steps.pop();
        }
        (!steps.is_empty() && !RESERVED.contains(&word.as_str())).then_some(Mention { steps })
    }

    /// `.name`, `.?name`, `["name"]` or `[0]`.
    fn step(&mut self) -> Option<(Step, Range<usize>)> {
        let before = self.at;
        let step = self.next_step();
        if step.is_none() {
            self.at = before;
        }
        step
    }

    fn next_step(&mut self) -> Option<(Step, Range<usize>)> {
        if let Some(rest) = self.rest().strip_prefix('.') {
            self.at += 1 + usize::from(rest.starts_with('?'));
            let (word, range) = self.word();
            // A name that is still to be written is one, too.
            return Some((Step::Key(word), range)).filter(|(_, range)| !range.is_empty());
        }
        let rest = self.rest().strip_prefix('[')?;
        self.at += 1 + usize::from(rest.starts_with('?'));
        let step = match self.rest().chars().next()? {
            quote @ ('\'' | '"') => self.text(quote).map(|(text, range)| (Step::Key(text), range))?,
            _ => {
                let (word, range) = self.word();
                (Step::Index(word.parse().ok()?), range)
            }
        };
        self.rest().starts_with(']').then(|| self.at += 1)?;
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<String> {
        mentions(source).iter().map(|mention| source.get(mention.range()).unwrap().to_owned()).collect()
    }

    #[test]
    fn references_are_found_and_what_only_looks_like_one_is_not() {
        assert_eq!(found("vpc.main.id"), ["vpc.main.id"]);
        assert_eq!(found("cidrsubnet(vpc.main.cidr_block, 8, each.index)"), ["vpc.main.cidr_block", "each.index"]);
        assert_eq!(found("vars.names.map(n, n.size() + vars.more)"), ["vars.names", "vars.more"]);
        assert_eq!(found("subnet.a[each.key].id + 'vpc.main'"), ["subnet.a", "each.key"]);
        assert_eq!(found("subnet.a[\"x\"].id == module.web['y'].url"), ["subnet.a[\"x\"].id", "module.web['y'].url"]);
        assert_eq!(found("has(vars.x) ? math.ceil(vars.x) : null"), ["vars.x", "vars.x"]);
        assert_eq!(found("vars.x.?y.orValue(locals.z)"), ["vars.x.?y", "locals.z"]);
        assert_eq!(found("pluck(module.web, 'url')"), ["module.web"]);
        assert_eq!(found("'${' + vars.x + 'it\\'s vars.y'"), ["vars.x"]);
    }

    #[test]
    fn of_what_is_not_finished_everything_counts_that_may_be_meant() {
        assert_eq!(found("vars.x + vpc."), ["vars.x", "vpc"]);
        assert_eq!(found("'abc"), Vec::<String>::new());
    }

    #[test]
    fn each_step_has_its_place() {
        let source = "é + data.vpc.main.id".replace('é', "'é'");
        let mention = mentions(&source).remove(0);
        let steps: Vec<&str> = mention.steps.iter().map(|(_, range)| source.get(range.clone()).unwrap()).collect();
        assert_eq!(steps, ["data", "vpc", "main", "id"]);
        assert_eq!(mention.reference().to_string(), "data.vpc.main.id");
    }
}
