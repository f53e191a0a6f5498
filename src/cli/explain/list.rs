//! All types: those that leoctl knows best, data sources, and every other type of AWS.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::DATA;
use crate::cli::{Context, Exit};
use crate::ui::{self, FAINT, STRONG, styled};
use leoctl_aws::cloud_control::{self, names, own};
use leoctl_aws::registry;

/// A type in the list.
pub struct Listed {
    /// Its name.
    pub name: String,
    service: &'static str,
    /// What kind it is of: `resource`, `data` or `awscc`.
    pub kind: &'static str,
    /// What it is, in a line.
    pub summary: String,
}

/// The kinds of types, in the order in which they are listed, and what stands above each.
const KINDS: [(&str, &str); 3] = [
    ("resource", "Resources that leoctl knows best"),
    ("data", "Data sources"),
    ("awscc", "Every other resource of AWS, through Cloud Control: by `[resource.TYPE.NAME]`, or as a data source by its id"),
];

/// Lists all types.
pub fn run(context: &Context) -> Exit {
    let all = all();
    if context.global.json {
        ui::out(all.iter().map(json).collect::<Json>());
        return Exit::Done;
    }
    let width = all.iter().filter(|listed| !listed.summary.is_empty()).map(|listed| listed.name.len()).max().unwrap_or_default();
    for (kind, title) in KINDS {
        ui::out(styled(STRONG, title));
        let mut services: BTreeMap<&str, Vec<&Listed>> = BTreeMap::new();
        for listed in all.iter().filter(|listed| listed.kind == kind) {
            services.entry(listed.service).or_default().push(listed);
        }
        for (service, types) in services {
            ui::out(if service.is_empty() { String::new() } else { format!("\n{service}") });
            for Listed { name, summary, .. } in types {
                ui::out(if summary.is_empty() { format!("  {name}") } else { format!("  {name:width$}  {}", styled(FAINT, summary)) });
            }
        }
        ui::out("");
    }
    context.say("`leoctl explain TYPE` says what a type has, with an example.");
    Exit::Done
}

/// A type as JSON.
pub fn json(listed: &Listed) -> Json {
    let service = Some(listed.service).filter(|service| !service.is_empty());
    json!({ "type": listed.name, "kind": listed.kind, "service": service, "doc": listed.summary })
}

/// All types.
pub fn all() -> Vec<Listed> {
    let catalog = registry::catalog();
    let summary = |doc: &str| doc.lines().next().unwrap_or_default().to_owned();
    let resources = catalog.resources.iter().map(|(name, resource)| Listed {
        name: name.clone(),
        service: own::service(name).unwrap_or_default(),
        kind: "resource",
        summary: summary(&resource.schema.doc),
    });
    let data = catalog.data.iter().map(|(name, schema)| Listed {
        name: format!("{DATA}{name}"),
        service: "",
        kind: "data",
        summary: summary(&schema.doc),
    });
    // What leoctl has a type of its own for is not recommended twice.
    let others = cloud_control::aws_names().filter(|(_, aws)| own::instead(aws).is_none());
    let others = others.map(|(name, aws)| Listed {
        name: name.to_owned(),
        service: names::service(aws).unwrap_or_default(),
        kind: "awscc",
        summary: String::new(),
    });
    resources.chain(data).chain(others).collect()
}
