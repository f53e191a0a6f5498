//! Reading how long a resource's operations may take, and how it is replaced, kept and compared.

use super::{LONGEST_TIMEOUT, Reader};
use crate::model::path::Path;
use crate::stack::config::{Lifecycle, Timeouts};
use crate::stack::diagnostic::{Code, Diagnostic};
use crate::stack::keys;
use crate::stack::node::{Entry, Node, NodeKind};

impl Reader<'_> {
    pub(super) fn timeouts(&mut self, entry: &Entry) -> Timeouts {
        let table = self.expect_table(entry);
        self.only(&table, &keys::TIMEOUTS, "timeout");
        let mut timeouts = Timeouts::default();
        for (key, slot) in [("create", &mut timeouts.create), ("update", &mut timeouts.update), ("delete", &mut timeouts.delete)] {
            let Some(entry) = table.get(key) else { continue };
            *slot = seconds(&entry.node).filter(|seconds| *seconds <= LONGEST_TIMEOUT);
            if slot.is_none() {
                self.report(
                    Diagnostic::error(Code::BadSetting, &entry.node.span, "expected a duration")
                        .help("write `\"30m\"`, `\"90s\"`, `\"1h\"` or seconds as a number, a week at most"),
                );
            }
        }
        timeouts
    }

    pub(super) fn lifecycle(&mut self, entry: &Entry) -> Lifecycle {
        let table = self.expect_table(entry);
        self.only(&table, &keys::LIFECYCLE, "key of lifecycle");
        let retain = match table.get("deletion_policy").map(|entry| (&entry.node, entry.node.as_str())) {
            None | Some((_, Some("delete"))) => false,
            Some((_, Some("retain"))) => true,
            Some((node, _)) => {
                self.report(Diagnostic::error(Code::BadSetting, &node.span, "`deletion_policy` is \"delete\" or \"retain\""));
                false
            }
        };
        if let Some(all) = table.get("ignore_changes").filter(|entry| entry.node.as_str() == Some("all")) {
            let error = Diagnostic::error(Code::WrongShape, &all.node.span, "expected a list of strings, got a string");
            self.report(error.help("there is no word for all attributes: write `[\"NAME\"]` for each that something else changes"));
        }
        let list = table.get("ignore_changes").filter(|entry| entry.node.as_str() != Some("all"));
        let ignored = list.map(|entry| self.strings(&entry.node)).unwrap_or_default();
        let (mut ignore_changes, mut ignore_spans) = (Vec::new(), Vec::new());
        for (text, span) in ignored {
            match Path::parse(&text).filter(|path| !path.0.is_empty()) {
                Some(path) => {
                    ignore_changes.push(path);
                    ignore_spans.push(span);
                }
                None => self.report(Diagnostic::error(Code::BadSetting, &span, format!("`{text}` is not an attribute path"))),
            }
        }
        Lifecycle {
            prevent_destroy: self.flag(&table, "prevent_destroy"),
            retain,
            create_before_destroy: table.contains_key("create_before_destroy").then(|| self.flag(&table, "create_before_destroy")),
            ignore_changes,
            ignore_spans,
        }
    }
}

/// `90`, `"90s"`, `"30m"` or `"1h"` in seconds.
fn seconds(node: &Node) -> Option<u64> {
    match &node.kind {
        NodeKind::Int(seconds) => u64::try_from(*seconds).ok(),
        NodeKind::String(text) => {
            let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
            let factor = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                _ => return None,
            };
            number.trim().parse::<u64>().ok()?.checked_mul(factor)
        }
        _ => None,
    }
}
