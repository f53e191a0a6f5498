use std::collections::BTreeMap;
use std::path::Path as File;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{Acceptance, accept};
use crate::model::canonical::canonicalize;
use crate::model::schema::{Catalog, ResourceSchema, TypeSchema};
use crate::model::value::Value;
use crate::plan::diff::{complete, diff};
use crate::plan::types::Drift;
use crate::stack::vars::Given;
use crate::stack::{self, Files, Stack};

struct Texts(BTreeMap<&'static str, String>);

impl Files for Texts {
    fn read(&self, path: &File) -> Result<String, String> {
        self.0.get(path.to_str().unwrap()).cloned().ok_or_else(|| "there is no such file".to_owned())
    }

    fn read_env(&self, _: &File) -> Result<Vec<(String, String)>, String> {
        Ok(Vec::new())
    }
}

fn schema() -> TypeSchema {
    let text = || json!({ "type": "string" });
    let rule = json!({ "type": "object", "properties": { "from": text(), "port": { "type": "integer" }, "note": { "type": "string", "default": "" } } });
    let container = json!({ "type": "object", "properties": { "name": text(), "image": text(), "cpu": { "type": "integer" } } });
    let json = json!({ "type": "object", "properties": {
        "name": text(), "note": text(), "size": { "type": "integer", "default": 1 }, "on": { "type": "boolean", "default": true },
        "password": { "type": "string", "x-sensitive": true },
        "tags": { "type": "object", "additionalProperties": text() },
        "kinds": { "type": "array", "x-set": true, "items": text() },
        "steps": { "type": "array", "items": text() },
        "rules": { "type": "array", "x-set": true, "items": rule },
        "containers": { "type": "array", "x-key": "name", "items": container },
        "policy": { "type": "object", "x-document": "json" },
        "arn": { "type": "string", "x-computed": true },
    } });
    TypeSchema::compile("box", &json).unwrap()
}

fn loaded(files: &[(&'static str, &str)]) -> Stack {
    let mut catalog = Catalog::default();
    catalog.resources.insert("box".to_owned(), Arc::new(ResourceSchema::plain(schema())));
    let texts = Texts(files.iter().map(|(name, text)| (*name, (*text).to_owned())).collect());
    let loaded = stack::load(File::new(files[0].0), &texts, &Given::default(), &catalog);
    let said: Vec<_> = loaded.diagnostics.0.iter().map(|one| one.message.clone()).collect();
    loaded.stack.unwrap_or_else(|| panic!("{said:?}"))
}

/// What has drifted of a resource.
fn drifted(address: &str, before: Json, after: Json) -> Drift {
    let attributes = schema().attributes;
    let value = |json: Json| complete(&attributes, &canonicalize(&attributes, &Value::from(json)), None);
    let attributes = diff(&attributes, &value(before), &value(after));
    Drift { address: address.parse().unwrap(), id: "b-1".to_owned(), loss: None, attributes }
}

const HEAD: &str = "[stack]\nname = \"s\"\nregion = \"eu-west-1\"\n\n";

/// What becomes of the stack file when everything that has drifted of `box.a` is accepted.
fn accepted(body: &str, before: Json, after: Json) -> (String, Vec<String>) {
    let stack = loaded(&[("s.toml", &format!("{HEAD}{body}"))]);
    let Acceptance { refused, texts, .. } = accept(&stack, &[drifted("box.a", before, after)], &["box.a".to_owned()]).unwrap();
    let text = texts.get(&0).map(|text| text.strip_prefix(HEAD).unwrap().to_owned()).unwrap_or_default();
    (text, refused.into_iter().map(|refused| refused.message).collect())
}

#[test]
fn values_are_written_at_their_own_lines_and_comments_stay() {
    let body = r#"# The box.
[resource.box.a]
name  = "a" # Never changes.
# Grown in May.
size  = 2   # GiB
steps = [
  "one", # The first.
  "two",
]
tags = { Team = "web", Cost = "1" }

[resource.box.b]
size = 2
"#;
    let before = json!({ "name": "a", "size": 2, "steps": ["one", "two"], "tags": { "Team": "web", "Cost": "1" } });
    let after = json!({ "name": "a", "size": 4, "steps": ["one", "2"], "tags": { "Team": "ops", "Cost": "1", "Owner": "${me}" } });
    let (text, refused) = accepted(body, before, after);
    assert_eq!(refused, [""; 0]);
    let expected = body.replacen("size  = 2   # GiB", "size  = 4   # GiB", 1).replacen("\"two\"", "\"2\"", 1).replacen(
        "Team = \"web\", Cost = \"1\" }",
        "Team = \"ops\", Cost = \"1\", Owner = \"$${me}\" }",
        1,
    );
    assert_eq!(text, expected);
}

#[test]
fn what_is_not_written_is_added_and_what_is_gone_is_taken_out() {
    let body = "[resource.box.a]\nname = \"a\"\nnote = \"x\"\nkinds = [\"a\", \"b\"]\nsteps = [\"1\", \"2\", \"3\"]\n\n[resource.box.a.tags]\nTeam = \"web\"\n";
    let before = json!({ "name": "a", "note": "x", "kinds": ["a", "b"], "steps": ["1", "2", "3"], "tags": { "Team": "web" } });
    let after = json!({ "name": "a", "on": false, "kinds": ["b", "c"], "steps": ["1"], "tags": { "Owner": "me" }, "containers": [{ "name": "web", "image": "i", "cpu": 1 }] });
    let (text, refused) = accepted(body, before, after);
    assert_eq!(refused, [""; 0]);
    let expected = "[resource.box.a]\nname = \"a\"\nkinds = [\"b\", \"c\"]\nsteps = [\"1\"]\non = false\ncontainers = [{ cpu = 1, image = \"i\", name = \"web\" }]\n\n[resource.box.a.tags]\nOwner = \"me\"\n";
    let lines = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&text), lines(expected), "{text}");
}

#[test]
fn elements_are_found_by_their_keys_and_their_members() {
    let body = r#"[resource.box.a]
rules = [
  { from = "10.0.0.0/8", port = 80 }, # Inside.
  { from = "${vars.office}", port = 443 },
]
containers = [
  { name = "log", image = "log:1" },
  { name = "web", image = "web:1", cpu = 2 }, # The site.
]

[vars.office]
default = "192.0.2.1/32"
"#;
    let office = json!({ "from": "192.0.2.1/32", "port": 443 });
    let before = json!({ "rules": [{ "from": "10.0.0.0/8", "port": 80 }, office], "containers": [{ "name": "log", "image": "log:1" }, { "name": "web", "image": "web:1", "cpu": 2 }] });
    let after = json!({ "rules": [{ "from": "0.0.0.0/0", "port": 22 }, office], "containers": [{ "name": "log", "image": "log:1" }, { "name": "web", "image": "web:2", "cpu": 2 }] });
    let (text, refused) = accepted(body, before, after);
    assert_eq!(refused, [""; 0]);
    let expected = body.replacen("web:1", "web:2", 1).replacen("  { from = \"10.0.0.0/8\", port = 80 }, # Inside.\n", "", 1).replacen(
        "port = 443 },\n",
        "port = 443 },\n  { from = \"0.0.0.0/0\", port = 22 },\n",
        1,
    );
    assert_eq!(text, expected);
}

#[test]
fn documents_stay_tables_or_texts() {
    let before = json!({ "policy": { "Allow": "a" } });
    let after = json!({ "policy": { "Allow": "b" } });
    let (text, _) = accepted("[resource.box.a]\npolicy = { Allow = \"a\" }\n", before.clone(), after.clone());
    assert_eq!(text, "[resource.box.a]\npolicy = { Allow = \"b\" }\n");
    let (text, _) = accepted("[resource.box.a]\npolicy = '{\"Allow\": \"a\"}' # JSON\n", before, after);
    assert!(text.ends_with("# JSON\n") && loaded(&[("s.toml", &format!("{HEAD}{text}"))]).name == "s" && text.contains("b"), "{text}");
}

#[test]
fn what_cannot_be_written_is_said_with_its_place() {
    let cases = [
        ("[vars.size]\ndefault = 2\n[resource.box.a]\nsize = \"${vars.size}\"\n", "`size` cannot be accepted: an expression gives it"),
        ("[resource.box.a]\nsize = 2\npassword = \"x\"\n", "`password` cannot be accepted: it is sensitive"),
        (
            "[resource.box.a]\nsize = 2\n[resource.box.a.tags]\nTeam = \"t-${stack.name}\"\n",
            "`tags.Team` cannot be accepted: an expression gives it",
        ),
    ];
    let (before, after) =
        (json!({ "size": 2, "password": "x", "tags": { "Team": "t" } }), json!({ "size": 3, "password": "y", "tags": { "Team": "u" } }));
    for (body, why) in cases {
        let stack = loaded(&[("s.toml", &format!("{HEAD}{body}"))]);
        let acceptance = accept(&stack, &[drifted("box.a", before.clone(), after.clone())], &["box.a".to_owned()]).unwrap();
        let refused = acceptance.refused.iter().find(|refused| refused.message.contains(why));
        let refused = refused.unwrap_or_else(|| panic!("{why}: {:?}", acceptance.refused));
        assert!(refused.span.is_some(), "{refused:?}");
        assert!(acceptance.texts.values().all(|text| !text.contains("\"y\"")));
    }
    // A block that stands for several.
    let stack = loaded(&[("s.toml", &format!("{HEAD}[resource.box.a]\nfor_each = [\"x\", \"y\"]\nsize = 2\n"))]);
    let acceptance =
        accept(&stack, &[drifted("box.a[\"x\"]", json!({ "size": 2 }), json!({ "size": 3 }))], &["box.a[x].size".to_owned()]).unwrap();
    assert!(
        acceptance.texts.is_empty() && acceptance.refused[0].message.contains("its block stands for several resources"),
        "{acceptance:?}"
    );
    // What is gone.
    let gone =
        Drift { loss: Some("was deleted outside leoctl".to_owned()), attributes: Vec::new(), ..drifted("box.a", json!({}), json!({})) };
    let stack = loaded(&[("s.toml", &format!("{HEAD}[resource.box.a]\nsize = 2\n"))]);
    let acceptance = accept(&stack, &[gone], &["box.a".to_owned()]).unwrap();
    assert!(acceptance.refused[0].message.contains("there is no value to write"), "{acceptance:?}");
    // What has not drifted.
    let drift = [drifted("box.a", json!({ "size": 2 }), json!({ "size": 3 }))];
    for (asked, why) in
        [("box.b", "nothing of `box.b`"), ("box.a.note", "`box.a.note` has not changed"), ("box.a..", "`box.a..` has not changed")]
    {
        let refused = accept(&stack, &drift, &[asked.to_owned()]).unwrap_err();
        assert!(refused.0[0].message.contains(why), "{refused:?}");
    }
}

#[test]
fn each_value_goes_into_the_file_that_says_it() {
    let base = "[resource.box.a]\nsize = 2 # From the base.\n[resource.box.b]\nsize = 5\n";
    let own = "[stack]\nname = \"s\"\nregion = \"eu-west-1\"\nextends = [\"base.toml\"]\n\n[resource.box.a]\nname = \"own\"\n";
    let stack = loaded(&[("s.toml", own), ("base.toml", base)]);
    let drift = [
        drifted("box.a", json!({ "size": 2, "name": "own" }), json!({ "size": 3, "name": "own", "note": "new" })),
        drifted("box.b", json!({ "size": 5 }), json!({ "size": 5, "note": "b" })),
    ];
    let acceptance = accept(&stack, &drift, &["box.a".to_owned(), "box.b.note".to_owned()]).unwrap();
    assert!(acceptance.refused.is_empty(), "{acceptance:?}");
    let text = |name: &str| {
        let number = stack.sources.iter().position(|source| source.path == File::new(name)).unwrap();
        acceptance.texts[&number].clone()
    };
    assert_eq!(text("s.toml"), format!("{own}note = \"new\"\n"));
    assert_eq!(text("base.toml"), "[resource.box.a]\nsize = 3 # From the base.\n[resource.box.b]\nsize = 5\nnote = \"b\"\n");
}
