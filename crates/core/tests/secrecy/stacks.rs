//! Stacks with secrets in them: a schema with every kind of attribute, and what may be written for each.

use std::fmt::Write as _;
use std::path::Path as File;
use std::sync::Arc;

use leoctl_core::model::path::Path;
use leoctl_core::model::schema::{Catalog, ResourceSchema, TypeSchema};
use leoctl_core::model::schemas::Schemas;
use leoctl_core::model::value::Value;
use leoctl_core::stack::Files;
use proptest::prelude::*;
use serde_json::json;

/// What is given as a secret: in an env file, in variables, and as what an attribute that is sensitive holds.
pub const MARKER: &str = "m4rk3rInAnEnvFile";
pub const TOKEN: &str = "m4rk3rInAVariable";
pub const WRITTEN: &str = "m4rk3rInAnAttribute";
/// What is in all of them.
pub const ANY: &str = "m4rk3r";

pub fn schema() -> TypeSchema {
    let text = json!({ "type": "string" });
    let rule = json!({ "type": "object", "required": ["name"], "properties": {
        "name": { "type": "string", "x-replace": true }, "value": text, "port": { "type": "integer", "minimum": 1, "maximum": 9 },
    } });
    let json = json!({ "type": "object", "properties": {
        "label": { "type": "string", "maxLength": 40 },
        "kind": { "type": "string", "enum": ["one", "two"] },
        "role": { "type": "string", "x-format": "arn:iam" },
        "net": { "type": "string", "x-format": "cidr" },
        "host": { "type": "string", "x-format": "domain" },
        "digits": { "type": "string", "pattern": "^[0-9]+$", "x-form": "digits" },
        "count": { "type": "integer", "maximum": 100 },
        "members": { "type": "array", "items": text, "x-set": true, "x-replace": true },
        "sequence": { "type": "array", "items": text },
        "rules": { "type": "array", "items": rule, "x-key": "name" },
        "pairs": { "type": "array", "items": rule, "x-set": true },
        "settings": { "type": "object", "additionalProperties": text },
        "groups": { "type": "object", "additionalProperties": { "type": "array", "items": text, "x-set": true } },
        "policy": { "x-document": "policy" },
        "body": { "x-document": "json" },
        "nested": { "type": "object", "properties": { "inner": { "type": "array", "items": text, "x-set": true }, "text": text } },
        "password": { "type": "string", "x-sensitive": true },
        "chosen": { "type": "string", "x-server": true },
        "tags": { "type": "object", "additionalProperties": text },
        "id": { "type": "string", "x-computed": true },
    } });
    TypeSchema::compile("thing", &json).unwrap()
}

/// A check across attributes that quotes what is written, as such checks do.
pub fn quoting(value: &Value) -> Vec<(Path, String)> {
    let label = value.get("label").and_then(Value::as_str).filter(|label| label.len() > 20);
    label.map(|label| (Path::attribute("label"), format!("`{label}` is long"))).into_iter().collect()
}

pub fn catalog() -> Catalog {
    let resource = ResourceSchema {
        create_before_destroy: true,
        data_loss: Some("everything in it"),
        check: &quoting,
        ..ResourceSchema::plain(schema())
    };
    Catalog { resources: [("thing".to_owned(), Arc::new(resource))].into(), data: Schemas::default() }
}

pub struct Texts(pub String);

impl Files for Texts {
    fn read(&self, _: &File) -> Result<String, String> {
        Ok(self.0.clone())
    }

    fn read_env(&self, _: &File) -> Result<Vec<(String, String)>, String> {
        Ok(vec![("SECRET".to_owned(), MARKER.to_owned()), ("ACCOUNT".to_owned(), "471108154711".to_owned())])
    }
}

pub const HEAD: &str = r#"
[stack]
name = "s"
region = "us-east-1"
tags = { Team = "x" }
[env]
files = [".env"]
[vars.token]
sensitive = true
[vars.tokens]
sensitive = true
default = ["m4rk3rFirst", "m4rk3rSecond"]
[vars.plain]
default = "plain"
[locals]
sizes = { small = "1", large = "2" }
joined = "${vars.token}-${vars.plain}"
both = ["a", "${env.SECRET}"]
keyed = "${ {vars.token: 'x'} }"
"#;

/// What may stand where a text does.
pub const TEXTS: &[&str] = &[
    r#""plain""#,
    r#""${vars.token}""#,
    r#""${env.SECRET}""#,
    r#""x-${vars.token}""#,
    r#""${locals.joined}""#,
    r#""${vars.plain + env.SECRET}""#,
    r#""${vars.tokens[0]}""#,
    r#""${size(vars.token) > 3 ? 'one' : 'two'}""#,
    r#""${base64.encode('x') + vars.token}""#,
    r#""${'%s'.format([env.SECRET])}""#,
    r#""${vars.tokens.filter(t, t.startsWith('m4rk3rF'))[0]}""#,
    r#""${coalesce(null, vars.token)}""#,
];

/// What may not, or is none of what a text may be.
pub const WRONG_TEXTS: &[&str] = &[
    r#""${vars.token}""#,
    r#""x-${env.SECRET}""#,
    r#""${vars.token + 1}""#,
    r#""${locals.sizes[vars.token]}""#,
    r#""${string(cidrsubnet(vars.token, 8, 0))}""#,
    r#""${jsondecode(vars.token)}""#,
    r#""${locals.keyed.nothing}""#,
    r#""${vars.tokens.map(t, locals.sizes[t])[0]}""#,
    r#""${'10.0.0.0/16' + (vars.token == '' ? 'x' : '')}""#,
];

pub const WRONG_LISTS: &[&str] = &[r#"["${vars.tokens[1]}", "${int(vars.token)}"]"#, r#""${vars.token}""#];

pub const LISTS: &[&str] = &[
    r#"["a", "b"]"#,
    r#"["a", "${vars.token}"]"#,
    r#"["${vars.token}", "${env.SECRET}", "c"]"#,
    r#"["${env.SECRET}"]"#,
    r#""${vars.tokens}""#,
    r#""${locals.both}""#,
    r#""${vars.tokens + ['a']}""#,
    r#""${[vars.token].map(t, t + 'x')}""#,
];

pub const WRONG_RULES: &[&str] =
    &[r#"[{ name = "${vars.token}" }, { name = "${vars.token}", port = 77 }]"#, r#"[{ nam = "${vars.token}" }]"#];

pub const RULES: &[&str] = &[
    r#"[{ name = "a", value = "1" }, { name = "b", value = "${vars.token}" }]"#,
    r#"[{ name = "${vars.token}", value = "1" }]"#,
    r#"[{ name = "${vars.token}", value = "1" }, { name = "${env.SECRET}", value = "${vars.plain}", port = 3 }]"#,
    r#"[{ name = "a", port = 3 }]"#,
    r#""${vars.tokens.map(t, {'name': t, 'value': 'x'})}""#,
];

pub const WRONG_TABLES: &[&str] = &[r#"{ a = "${locals.keyed[vars.plain]}" }"#];

pub const TABLES: &[&str] = &[
    r#"{ a = "1", b = "2" }"#,
    r#"{ a = "${vars.token}", c = "3" }"#,
    r#"{ "my/key" = "${vars.token}", "A.B" = "${env.SECRET}", 'q"]' = "${vars.token}", "" = "${vars.token}" }"#,
    r#""${ {vars.token: 'x'} }""#,
    r#""${locals.keyed}""#,
    r#""${zipmap(vars.tokens, ['1', '2'])}""#,
    r#""${merge(locals.keyed, {'a': '1'})}""#,
];

pub const GROUPS: &[&str] =
    &[r#"{ g = ["a", "${vars.token}"] }"#, r#"{ g = ["${env.SECRET}"], h = ["x"] }"#, r#""${ {vars.token: [env.SECRET]} }""#];

pub const DOCUMENTS: &[&str] = &[
    r#"{ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["b", "a"], Resource = ["${vars.token}"] }] }"#,
    r#"{ Version = "2012-10-17", Statement = { Effect = "Allow", Action = "a", Principal = { AWS = "${env.ACCOUNT}" }, Sid = "${env.SECRET}" } }"#,
    r#"{ Statement = [{ Effect = "Allow", Resource = "*", Condition = { StringEquals = { k = ["${vars.token}", "x"] } } }] }"#,
    r#""${jsonencode({'Statement': [{'Effect': vars.token}]})}""#,
    r#""${ {vars.token: env.SECRET} }""#,
];

pub const NESTED: &[&str] = &[
    r#"{ inner = ["${vars.token}", "b"], text = "t" }"#,
    r#"{ text = "${env.SECRET}" }"#,
    r#""${ {'inner': [vars.token]} }""#,
    r#"{ inner = ["b"] }"#,
];

/// The attributes, what may stand for each, and what may not.
pub const ATTRIBUTES: &[(&str, &[&str], &[&str])] = &[
    ("label", TEXTS, WRONG_TEXTS),
    ("kind", &[r#""${vars.token == '' ? 'one' : 'two'}""#], WRONG_TEXTS),
    ("role", &[r#""arn:aws:iam::${env.ACCOUNT}:role/x""#], WRONG_TEXTS),
    ("net", &[r#""10.0.0.0/16""#, r#""${vars.token == '' ? '' : '2001:DB8::/32'}""#], WRONG_TEXTS),
    ("host", &[r#""${vars.token}.Example.ORG.""#], &[r#""a..${vars.token}""#]),
    ("digits", &[r#""${env.ACCOUNT}""#], WRONG_TEXTS),
    ("count", &[r#""${size(vars.token)}""#], &[r#""${size(vars.token) + 500}""#, r#""${vars.token}""#]),
    ("members", LISTS, WRONG_LISTS),
    ("sequence", LISTS, WRONG_LISTS),
    ("rules", RULES, WRONG_RULES),
    ("pairs", RULES, WRONG_RULES),
    ("settings", TABLES, WRONG_TABLES),
    ("groups", GROUPS, &[r#"{ g = "${vars.token}" }"#]),
    ("policy", DOCUMENTS, &[r#""${vars.token}""#]),
    ("body", DOCUMENTS, &[r#""${vars.token}""#]),
    ("nested", NESTED, &[r#"{ other = "${vars.token}" }"#]),
    ("password", TEXTS, WRONG_TEXTS),
    ("chosen", TEXTS, WRONG_TEXTS),
    ("tags", TABLES, WRONG_TABLES),
];

/// The attributes of one block: for each, which of what may stand there does, if any, or now and then what may not.
pub type Picks = Vec<Option<(prop::sample::Index, bool)>>;

pub fn picks() -> impl Strategy<Value = Picks> {
    let pick = (any::<prop::sample::Index>(), prop::bool::weighted(0.04));
    prop::collection::vec(prop::option::weighted(0.4, pick), ATTRIBUTES.len())
}

/// The picks of a stack and what it says beside its resource.
pub fn stacks() -> impl Strategy<Value = (Picks, Vec<usize>)> {
    (picks(), prop::collection::vec(0..BESIDE.len() * 3, 0..3))
}

pub const BESIDE: &[&str] = &[
    "[outputs.o]\nvalue = \"${thing.a.label}\"\n",
    "[outputs.p]\nvalue = \"${ {'x': vars.token} }\"\n",
    "[outputs.q]\nvalue = \"${int(env.SECRET)}\"\nsensitive = true\n",
    "[checks.c]\nassert = \"${vars.plain == 'x'}\"\nmessage = \"not ${vars.token}\"\n",
    "[checks.d]\nassert = \"${vars.token}\"\nmessage = \"m\"\n",
    "[resource.thing.b]\nwhen = \"${vars.token}\"\n",
    "[resource.thing.c]\nfor_each = \"${vars.tokens}\"\n",
    "[resource.thing.d]\nfor_each = \"${zipmap([vars.token], ['x'])}\"\n",
    "[resource.thing.e]\nregion = \"${vars.token}\"\n",
    "[resource.thing.f]\nlabel = \"${thing.a.label}\"\nsettings = \"${thing.a.settings}\"\n",
    "[[import]]\nto = \"thing.a\"\nid = \"${vars.token}\"\n",
];

pub fn text((picks, beside): &(Picks, Vec<usize>)) -> String {
    let mut text = HEAD.to_owned();
    let _ = writeln!(text, "[resource.thing.a]");
    for ((name, sound, wrong), pick) in ATTRIBUTES.iter().zip(picks) {
        match pick {
            Some((pick, is_wrong)) => drop(writeln!(text, "{name} = {}", pick.get(if *is_wrong { wrong } else { sound }))),
            None if *name == "password" => drop(writeln!(text, "password = \"{WRITTEN}\"")),
            None => {}
        }
    }
    let mut said: Vec<usize> = beside.clone();
    said.sort_unstable();
    said.dedup();
    said.iter().filter_map(|number| BESIDE.get(*number)).for_each(|beside| text.push_str(beside));
    text
}
