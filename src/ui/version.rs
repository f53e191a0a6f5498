//! What this leoctl is, for people and as JSON.

use serde_json::{Value as Json, json};

use super::table;

/// The version of the JSON.
const FORMAT_VERSION: u32 = 1;

/// What a leoctl was built from and for, and which formats it knows.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its own version.
    pub version: &'static str,
    /// The commit it was built from, where the build has said it.
    pub commit: Option<&'static str>,
    /// The platform it was built for, as Rust calls it.
    pub target: &'static str,
    /// The features of Cargo that it was built with.
    pub features: Vec<&'static str>,
    /// The formats, in the order in which they are shown.
    pub formats: Vec<Format>,
    /// AWS's resource schemas that it carries: their day, how many there are, and the cfn-lint that they are from.
    pub schemas: Json,
    /// The day of its price list.
    pub prices: Option<String>,
}

/// A format: what is written, and from which version on it is read.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The version that is written.
    pub writes: u32,
    /// The oldest that is read; none of what leoctl only writes.
    pub reads_from: Option<u32>,
}

/// For people.
pub fn render(of: &Version) -> String {
    let Version { version, commit, target, features, formats, schemas, prices } = of;
    let mut rows = vec![
        ["leoctl".to_owned(), (*version).to_owned()],
        ["commit".to_owned(), commit.unwrap_or("not given by the build").to_owned()],
        ["target".to_owned(), (*target).to_owned()],
    ];
    if !features.is_empty() {
        rows.push(["features".to_owned(), features.join(", ")]);
    }
    rows.extend(formats.iter().map(|format| [format.title.to_owned(), known(format)]));
    let day = schemas.get("date").and_then(Json::as_str).unwrap_or("unknown");
    let types = schemas.get("types").and_then(Json::as_u64).unwrap_or_default();
    rows.push(["AWS schemas".to_owned(), format!("of {day}, {types} types")]);
    rows.extend(prices.iter().map(|day| ["prices".to_owned(), format!("of {day}")]));
    table::render(&["what", "version"], rows.into_iter().map(Vec::from))
}

fn known(format: &Format) -> String {
    match format.reads_from {
        Some(oldest) if oldest < format.writes => format!("{}, reads {oldest} to {}", format.writes, format.writes),
        _ => format.writes.to_string(),
    }
}

/// As JSON.
pub fn json(of: &Version) -> Json {
    let Version { version, commit, target, features, formats, schemas, prices } = of;
    let formats = formats.iter().map(|format| {
        let reads = format.reads_from.map(|oldest| (oldest..=format.writes).collect::<Vec<_>>());
        (format.name.to_owned(), json!({ "writes": format.writes, "reads": reads }))
    });
    json!({
        "format_version": FORMAT_VERSION,
        "version": version,
        "commit": commit,
        "target": target,
        "features": features,
        "formats": formats.collect::<serde_json::Map<_, _>>(),
        "aws_schemas": schemas,
        "prices": prices,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version() -> Version {
        Version {
            version: "1.2.3",
            commit: Some("4f2a9c1"),
            target: "x86_64-unknown-linux-musl",
            features: Vec::new(),
            formats: vec![
                Format { name: "state", title: "state", writes: 2, reads_from: Some(1) },
                Format { name: "plan_json", title: "plan --json", writes: 1, reads_from: None },
            ],
            schemas: json!({ "date": "2026-11-02", "types": 1500, "cfn_lint": "1.58.0" }),
            prices: Some("2026-11-21".to_owned()),
        }
    }

    #[test]
    fn people_see_what_is_written_and_from_which_on_it_is_read() {
        let text = super::super::terminal::plain(&render(&version()));
        insta::assert_snapshot!(text, @r"
        WHAT         VERSION
        leoctl       1.2.3
        commit       4f2a9c1
        target       x86_64-unknown-linux-musl
        state        2, reads 1 to 2
        plan --json  1
        AWS schemas  of 2026-11-02, 1500 types
        prices       of 2026-11-21
        ");
    }

    #[test]
    fn what_the_build_has_not_said_is_no_commit() {
        let of = Version { commit: None, ..version() };
        assert_eq!(json(&of)["commit"], Json::Null);
        assert!(render(&of).contains("not given by the build"));
    }

    #[test]
    fn a_program_reads_which_versions_are_known() {
        let of = json(&version());
        assert_eq!(of["formats"], json!({ "state": { "writes": 2, "reads": [1, 2] }, "plan_json": { "writes": 1, "reads": null } }));
        assert_eq!(of["aws_schemas"]["date"], "2026-11-02");
    }
}
