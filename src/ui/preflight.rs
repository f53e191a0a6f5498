//! What checks before an apply found: as text and as JSON.

use serde_json::{Value as Json, json};

use super::{FAINT, STRONG, WARN, one_line, prose, styled};
use leoctl_core::plan::preflight::{Finding, Preflight};
use leoctl_core::stack::Stack;

/// The findings as text with colours, one line each or more; nothing when there is nothing to say.
pub fn lines(stack: &Stack, preflight: &Preflight) -> Vec<String> {
    let mut lines = Vec::new();
    match preflight.findings.len() {
        0 => {}
        1 => lines.push(styled(WARN, "Preflight: 1 finding")),
        count => lines.push(styled(WARN, format!("Preflight: {count} findings"))),
    }
    for finding in &preflight.findings {
        let place = place(stack, finding).map(|place| styled(FAINT, format!(" ({place})"))).unwrap_or_default();
        lines.push(format!("  {}{place}", styled(STRONG, &finding.address)));
        lines.push(prose(format!("    {}", one_line(&finding.message))));
        lines.push(prose(format!("    fix: {}", one_line(&finding.fix))));
    }
    let unchecked = preflight.unchecked.iter();
    lines.extend(unchecked.map(|one| styled(FAINT, one_line(&format!("Preflight: not checked: {}, as {}", one.check.subject(), one.why)))));
    lines
}

/// `FILE:LINE` of a finding's resource.
pub(super) fn place(stack: &Stack, finding: &Finding) -> Option<String> {
    finding.place(stack).map(|(file, line)| format!("{}:{line}", file.display()))
}

/// The findings as JSON.
pub fn json(stack: &Stack, preflight: &Preflight) -> Json {
    let findings = preflight.findings.iter().map(|finding| {
        let (file, line) = finding.place(stack).unzip();
        json!({
            "check": finding.check,
            "address": finding.address,
            "file": file,
            "line": line,
            "message": finding.message,
            "fix": finding.fix,
        })
    });
    let unchecked = preflight.unchecked.iter().map(|one| json!({ "check": one.check, "why": one.why }));
    json!({ "findings": findings.collect::<Vec<_>>(), "unchecked": unchecked.collect::<Vec<_>>() })
}
