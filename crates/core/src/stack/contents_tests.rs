//! Files that expressions name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::diagnostic::{Diagnostics, Source};
use super::scope::StackScope;
use super::vars::Given;
use super::{Files, Loaded, Stack, load, typed};
use crate::model::schema::Catalog;
use crate::model::value::Value;

/// A project: the stack is `stacks/a.toml`.
struct Project(BTreeMap<&'static str, String>);

impl Project {
    fn new(stack: &str, files: &[(&'static str, &str)]) -> Self {
        let stack = format!("[stack]\nname = \"a\"\n{stack}");
        let files = files.iter().map(|(path, text)| (*path, (*text).to_owned()));
        Self([("stacks/a.toml", stack)].into_iter().chain(files).collect())
    }

    fn load(&self) -> Loaded {
        load(Path::new("stacks/a.toml"), self, &Given::default(), &Catalog::default())
    }

    fn stack(&self) -> Stack {
        let loaded = self.load();
        loaded.stack.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
    }

    fn complaint(&self) -> String {
        self.load().diagnostics.0.into_iter().next().map(|first| first.message).unwrap_or_default()
    }
}

impl Files for Project {
    fn read(&self, path: &Path) -> Result<String, String> {
        self.0.get(path.to_str().unwrap()).cloned().ok_or_else(|| "there is no such file".to_owned())
    }

    fn read_env(&self, _: &Path) -> Result<Vec<(String, String)>, String> {
        Ok(vec![("KEY".to_owned(), "value".to_owned())])
    }

    fn real(&self, path: &Path) -> PathBuf {
        // Links.
        let is_link = path.ends_with("link.txt") || path.ends_with("link.defaults");
        if is_link { "stacks/.env".into() } else { path.to_owned() }
    }

    fn below(&self, path: &Path) -> Result<Vec<String>, String> {
        let names = self.0.keys().filter_map(|name| Path::new(name).strip_prefix(path).ok());
        Ok(names.map(|name| name.display().to_string()).collect())
    }
}

fn output(stack: &Stack, name: &str) -> Value {
    stack.config.outputs.get(name).unwrap().value.eval(&StackScope::offline(stack)).unwrap()
}

#[test]
fn a_link_makes_no_private_env_file_public() {
    let of = |file: &str| {
        let stack = format!("[env]\nfiles = ['{file}']\n[outputs]\nkey = {{ value = '${{env.KEY}}', sensitive = true }}\n");
        output(&Project::new(&stack, &[]).stack(), "key")
    };
    assert_eq!(of(".env.defaults"), Value::String("value".to_owned()));
    assert!(of("link.defaults").has_secret());
}

#[test]
fn files_are_read_from_the_folder_of_the_file_that_says_them() {
    let base = "[outputs]\nbase = \"${file('own.txt')}\"\n";
    let stack = r#"extends = "base/b.toml"
[vars.which]
default = "task"
[locals]
all = "${fileset('../files/**/*.json')}"
[outputs]
text = "${file('../files/' + vars.which + '.json')}"
all = "${locals.all.map(path, size(file(path)))}"
"#;
    let files = [("stacks/base/b.toml", base), ("stacks/base/own.txt", "its own"), ("files/task.json", "{}"), ("files/more/x.json", "[1]")];
    let project = Project::new(stack, &files);
    let stack = project.stack();
    assert_eq!(output(&stack, "base"), Value::string("its own"));
    assert_eq!(output(&stack, "text"), Value::string("{}"));
    assert_eq!(output(&stack, "all"), Value::from(serde_json::json!([3, 2])));
    let read: Vec<String> = project.load().files.iter().map(|file| format!("{} {}", file.role.name(), file.path.display())).collect();
    let named = ["content files/more/x.json", "content files/task.json", "content stacks/base/own.txt", "folder files"];
    assert_eq!(read, [&["stack stacks/a.toml", "base stacks/base/b.toml"][..], &named].concat());
}

#[test]
fn modules_read_files_beside_their_own_and_may_be_repeated_over_them() {
    let stack = "[module.text]\nsource = \"../modules/text.toml\"\nfor_each = \"${fileset('../texts/*.txt')}\"\n\
                 [module.text.inputs]\ntext = \"${file(each.value)}\"\n[outputs]\nall = \"${pluck(module.text, 'said')}\"\n";
    let module = "[vars.text]\n[outputs]\nsaid = \"${file('prefix.txt') + vars.text}\"\n";
    let files = [("modules/text.toml", module), ("modules/prefix.txt", "> "), ("texts/a.txt", "one"), ("texts/b.txt", "two")];
    let stack = Project::new(stack, &files).stack();
    assert_eq!(output(&stack, "all"), Value::from(serde_json::json!(["> one", "> two"])));
}

#[test]
fn a_file_of_a_branch_that_is_not_decided_yet_is_read_with_the_stack() {
    let stack = "[outputs]\nx = \"${stack.account_id == '1' ? file('one.txt') : file('other.txt')}\"\n";
    let project = Project::new(stack, &[("stacks/one.txt", "1"), ("stacks/other.txt", "2")]);
    let stack = project.stack();
    assert!(matches!(output(&stack, "x"), Value::Unknown));
    assert_eq!(stack.contents.files().count(), 2);
}

#[test]
fn what_is_typed_names_files_as_the_stack_file_does() {
    let project = Project::new("", &[("files/task.json", "{}"), ("stacks/own.txt", "its own")]);
    let mut stack = project.stack();
    let mut typed = |text: &str| {
        let mut sources = stack.sources.clone();
        sources.push(Source { path: "console".into(), text: text.to_owned(), private: false });
        let template = typed::read(&stack, &sources, &mut Diagnostics::default());
        stack.reading(&project, |stack| template.eval(&StackScope::offline(stack)).map_err(|(error, _)| error.message))
    };
    assert_eq!(typed("file('own.txt')"), Ok(Value::string("its own")));
    assert_eq!(typed("size(file('../files/' + 'task.json'))"), Ok(Value::Int(2)));
    assert_eq!(typed("${file('own.txt')}-${file('own.txt')}"), Ok(Value::string("its own-its own")));
    assert_eq!(typed("file('none.txt')"), Err("file: cannot read none.txt: there is no such file".to_owned()));
}

#[test]
fn what_is_wrong_with_a_file_is_said_where_it_is_named() {
    let of = |expression: &str, files: &[(&'static str, &str)]| {
        Project::new(&format!("[outputs]\nx = \"${{{expression}}}\"\n"), files).complaint()
    };
    assert_eq!(of("file('none.txt')", &[]), "file: cannot read none.txt: there is no such file");
    assert_eq!(of("file('/etc/passwd')", &[]), "file: a path starts from the folder of the file that says it, and this is `/etc/passwd`");
    let template = [("stacks/t.txt", "a\nb ${nme}\n")];
    assert_eq!(
        of("template('t.txt', {'name': 'x'})", &template),
        "template: t.txt line 2: the table that the template is given has no `nme` (did you mean `name`?)"
    );
    assert_eq!(of("template('t.txt', {})", &[("stacks/t.txt", "${1 +}")]).split(": ").nth(1), Some("t.txt line 1"));
    let unknown = Project::new("[outputs]\nx = \"${file(stack.account_id)}\"\n", &[]).stack();
    let identity = super::scope::Identity {
        account_id: "1".to_owned(),
        partition: "aws".to_owned(),
        region: "us-east-1".to_owned(),
        accounts: Default::default(),
    };
    let (data, resources) = (BTreeMap::new(), BTreeMap::new());
    let later = StackScope::new(&unknown, Some(&identity), &data, &resources);
    let (error, _) = unknown.config.outputs.get("x").unwrap().value.eval(&later).unwrap_err();
    assert_eq!(error.message, "file: 1 was not read with the stack: what names it is known only from AWS");
    // What is to be taken where something fails is not for that.
    let tried = Project::new("[outputs]\nx = \"${try(file(stack.account_id), 'none')}\"\n", &[]).stack();
    let later = StackScope::new(&tried, Some(&identity), &data, &resources);
    assert!(tried.config.outputs.get("x").unwrap().value.eval(&later).is_err());
    let open = of("fileset('files/[a')", &[]);
    assert_eq!(open, "fileset: `files/[a` is no pattern: a bracket in it is not closed");
}

#[test]
fn both_branches_of_what_is_not_decided_yet_are_read() {
    let branches = "stack.account_id == '1' ? fileset('*.txt').join(',') : file(vars.n + '.txt')";
    let stack = format!("[vars.n]\ndefault = \"one\"\n[outputs]\nx = \"${{{branches}}}\"\n");
    let stack = Project::new(&stack, &[("stacks/one.txt", "1")]).stack();
    for (account, expected) in [("1", "one.txt"), ("2", "1")] {
        let identity = super::scope::Identity {
            account_id: account.to_owned(),
            partition: "aws".to_owned(),
            region: "us-east-1".to_owned(),
            accounts: Default::default(),
        };
        let (data, resources) = (BTreeMap::new(), BTreeMap::new());
        let later = StackScope::new(&stack, Some(&identity), &data, &resources);
        assert_eq!(stack.config.outputs.get("x").unwrap().value.eval(&later).unwrap(), Value::string(expected));
    }
}

#[test]
fn a_template_costs_what_the_expression_around_it_may_cost() {
    let line = "${size(lists.range(40000))}";
    let stack = "[outputs]\nx = \"${lists.range(1000).map(i, size(template('t.txt', {})))}\"\n";
    let said = Project::new(stack, &[("stacks/t.txt", &line.repeat(100))]).complaint();
    assert!(said.contains("too much to evaluate"), "{said}");
}

#[test]
fn what_is_read_of_a_private_env_file_is_sensitive() {
    let stack = "[outputs]\nx = \"${file('.env')}\"\ny = \"${file('.env.defaults')}\"\nz = \"${template('prod.env', {})}\"\n\
                 l = \"${file('link.txt')}\"\ns = \"${file('net.tfstate')}\"\no = \"${file('own.secrets')}\"\n[env]\nfiles = [\"own.secrets\"]\n";
    let files = [
        ("stacks/link.txt", "A=1"),
        ("stacks/net.tfstate", "{}"),
        ("stacks/own.secrets", "A=1"),
        ("stacks/.env", "A=1"),
        ("stacks/.env.defaults", "A=2"),
        ("stacks/prod.env", "A=3"),
    ];
    let stack = Project::new(stack, &files).stack();
    for name in ["x", "z", "l", "s", "o"] {
        assert!(output(&stack, name).has_secret(), "{name}");
    }
    let wrong = [("stacks/prod.env", "A=abc${hunter2}")];
    let said = Project::new("[outputs]\nz = \"${template('prod.env', {})}\"\n", &wrong).complaint();
    assert!(!said.contains("hunter2"), "{said}");
    assert!(!output(&stack, "y").has_secret());
}

#[test]
fn the_examples_of_the_documentation_are_true() {
    let page = include_str!("../../../../docs/stack-language.md");
    let rows = page.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.trim_end_matches(" |").rsplit_once(" | "));
    let examples: Vec<(String, String)> = rows
        .filter_map(|(_, example)| {
            let (expression, expected) = example.strip_prefix('`')?.strip_suffix('`')?.split_once("` ")?;
            let check = match (expected.strip_prefix("is `"), expected.strip_prefix("begins with `")) {
                (Some(value), _) => format!("({expression}) == ({value})"),
                (_, Some(start)) => format!("({expression}).startsWith('{start}')"),
                _ => return None,
            };
            Some((example.to_owned(), check.replace('\\', "")))
        })
        .collect();
    assert!(examples.len() > 20, "{examples:?}");
    let outputs: String = examples.iter().zip(0..).map(|((_, check), number)| format!("o{number} = '''${{{check}}}'''\n")).collect();
    let files = [("stacks/files/hello.txt", "hello"), ("stacks/files/greeting.txt", "hello ${who}")];
    let stack = Project::new(&format!("[outputs]\n{outputs}"), &files).stack();
    for (number, (example, _)) in examples.iter().enumerate() {
        assert_eq!(output(&stack, &format!("o{number}")), Value::Bool(true), "{example}");
    }
}
