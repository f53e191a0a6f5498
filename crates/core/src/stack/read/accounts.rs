//! Reading `[accounts.NAME]`, and what `[stack]` says of the stack's own account.

use indexmap::IndexMap;

use super::{ACCOUNT, Reader};
use crate::stack::diagnostic::{Code, Diagnostic, Span};
use crate::stack::keys;
use crate::stack::node::{Entry, Node, NodeKind, Table};
use crate::stack::template::{Field, Template, TemplateKind};

/// The keys of `[accounts.NAME]` that `[stack]` has, too.
const OF_THE_STACK: &[&str] = &["role_arn", "external_id", "session_name"];
/// What is said to AWS when a role is assumed.
const WITH_A_ROLE: &[&str] = &["external_id", "session_name", "source"];

impl Reader<'_> {
    /// How calls reach the stack's own account; nothing where the configured credentials are its.
    pub(super) fn own_account(&mut self, table: &Table, stack: &Table) -> Option<Template> {
        let said: Table =
            stack.iter().filter(|(key, _)| OF_THE_STACK.contains(&key.as_str())).map(|(k, e)| (k.clone(), e.clone())).collect();
        if said.is_empty() {
            return None;
        }
        self.with_a_role(&said, "[stack]");
        let span = table.get("stack").map(|entry| entry.key.clone()).unwrap_or_default();
        Some(self.template(&Node { kind: NodeKind::Table(said), span }))
    }

    /// The accounts that blocks may name.
    pub(super) fn accounts(&mut self, table: &Table) -> IndexMap<String, Field> {
        let section = self.section(table, "accounts");
        let mut accounts = IndexMap::new();
        for (name, entry) in &section {
            self.name(name, &entry.key);
            let body = self.account(name, entry, &section);
            let value = self.template(&Node { kind: NodeKind::Table(body), span: entry.key.clone() });
            accounts.insert(name.clone(), Field { key: entry.key.clone(), value });
        }
        self.sources_go_round(&section);
        accounts
    }

    fn account(&mut self, name: &str, entry: &Entry, all: &Table) -> Table {
        let body = self.expect_table(entry);
        self.only(&body, &keys::AN_ACCOUNT, &format!("key of [accounts.{name}]"));
        self.with_a_role(&body, &format!("[accounts.{name}]"));
        if !body.contains_key("role_arn") && !body.contains_key("profile") && matches!(entry.node.kind, NodeKind::Table(_)) {
            let error = Diagnostic::error(Code::BadAccount, &entry.key, format!("accounts.{name} does not say how calls reach it"));
            self.report(error.help("add `role_arn`, the role to assume there, or `profile`, the profile whose credentials are used"));
        }
        if let (Some(source), true) = (body.get("source"), body.contains_key("profile")) {
            let error = Diagnostic::error(Code::BadAccount, &source.key, format!("accounts.{name} has both `source` and `profile`"));
            self.report(error.help("each says with whose credentials the role is assumed: leave one of them out"));
        }
        if let Some(source) = body.get("source") {
            match source.node.as_str() {
                Some(of) if of.contains("${") => self.constant_source(&source.node),
                Some(of) if !all.contains_key(of) => {
                    let error = Diagnostic::error(Code::BadAccount, &source.node.span, format!("there is no account `{of}`"));
                    self.report(error.suggest(of, all.keys().map(String::as_str)));
                }
                Some(_) => {}
                None => self.constant_source(&source.node),
            }
        }
        body
    }

    fn constant_source(&mut self, node: &Node) {
        if !matches!(node.kind, NodeKind::Unreadable) {
            let error = Diagnostic::error(Code::NotConstant, &node.span, "`source` is the name of another account, as a constant text");
            self.report(error.help("with the credentials of that account the role of this one is assumed"));
        }
    }

    /// Reports what makes sense beside a role only.
    fn with_a_role(&mut self, body: &Table, place: &str) {
        for (key, entry) in body.iter().filter(|(key, _)| WITH_A_ROLE.contains(&key.as_str()) && !body.contains_key("role_arn")) {
            let error =
                Diagnostic::error(Code::BadAccount, &entry.key, format!("`{key}` of {place} is about a role, and there is no `role_arn`"));
            self.report(error.help("add `role_arn`, or leave this out"));
        }
    }

    /// Reports accounts each of which would be reached from the next, round and round.
    fn sources_go_round(&mut self, all: &Table) {
        let source = |name: &str| Some(all.get(name)?.node.as_table()?.get("source")?.node.clone());
        let mut said: Vec<String> = Vec::new();
        for name in all.keys() {
            let mut chain = vec![name.clone()];
            while let Some(next) = chain.last().and_then(|last| source(last)).and_then(|node| node.as_str().map(str::to_owned)) {
                let start = chain.iter().position(|known| *known == next);
                chain.push(next);
                if let Some(start) = start {
                    let cycle = chain.split_off(start);
                    if let Some(node) = source(name).filter(|_| start == 0 && !cycle.iter().any(|one| said.contains(one))) {
                        let error = Diagnostic::error(
                            Code::BadAccount,
                            &node.span,
                            format!("the sources of accounts are a cycle: {}", cycle.join(" → ")),
                        );
                        self.report(error.help("one of them has to be reached with the configured credentials or a profile"));
                        said.extend(cycle);
                    }
                    break;
                }
            }
        }
    }

    /// A module knows no account of the stack that uses it: constant names in its file are reported.
    pub(super) fn of_no_stack<'t>(&mut self, accounts: impl Iterator<Item = &'t Template>) {
        let constants = accounts.filter(|template| matches!(template.kind, TemplateKind::Literal(_)));
        let spans: Vec<Span> = constants.map(|template| template.span.clone()).collect();
        for span in spans {
            let error = Diagnostic::error(Code::BadAccount, &span, "a module does not know the accounts of the stack that uses it");
            self.report(error.help(format!(
                "leave it out, and write `{ACCOUNT}` where the module is used; for some of it only, declare a variable, say `{ACCOUNT} = \"${{vars.NAME}}\"` here and give it the name of the account"
            )));
        }
    }
}
