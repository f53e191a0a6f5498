//! What expressions give, what they refuse, and what they cost.

use std::collections::BTreeMap;

use serde_json::json;

use crate::model::value::Value;
use crate::stack::budget::Spent;
use crate::stack::expr::{EvalError, Expr, Scope};
use crate::stack::functions;
use crate::stack::reference::{Reference, Step};

#[derive(Default)]
struct Fixed(BTreeMap<String, Value>, Spent);

impl Scope for Fixed {
    fn lookup(&self, reference: &Reference) -> Result<Value, EvalError> {
        let absent = || EvalError::new(format!("no {reference}"));
        let root = Reference::new(reference.path.iter().take(2).cloned().collect());
        let mut value = self.0.get(&root.to_string()).cloned().ok_or_else(absent)?;
        for step in reference.path.iter().skip(2) {
            let secret = matches!(value, Value::Secret(_));
            let found = match (value.revealed(), step) {
                (Value::Unknown, _) => return Ok(Value::Unknown),
                (Value::Map(map), Step::Key(key)) => map.get(key),
                (Value::List(items), Step::Index(index)) => items.get(*index),
                _ => None,
            };
            let found = found.cloned().ok_or_else(|| if secret { absent().withheld() } else { absent() })?;
            value = if secret { found.into_secret() } else { found };
        }
        Ok(value)
    }

    fn spent(&self) -> Option<&Spent> {
        Some(&self.1)
    }
}

const MARKER: &str = "h1ddenv4lue";

fn scope() -> Fixed {
    let value = |json: serde_json::Value| Value::from(json);
    let secret = |json: serde_json::Value| Value::from(json).into_secret();
    let known = [
        ("vars.token", secret(json!(MARKER))),
        ("vars.pin", secret(json!(4711))),
        ("vars.tokens", secret(json!([MARKER, "another"]))),
        ("vars.mixed", Value::List(vec![value(json!("plain")), secret(json!(MARKER))])),
        ("vars.by_token", Value::Map([("k".to_owned(), secret(json!({ MARKER: 1 })))].into())),
        ("locals.hidden", secret(json!({ MARKER: MARKER }))),
        ("locals.sizes", value(json!({ "small": 1, "large": 2 }))),
        ("vars.none", Value::Null),
        ("vars.words", value(json!(["b", "a", "b"]))),
        ("vpc.main", Value::Map([("id".to_owned(), Value::Unknown)].into())),
        ("subnet.a", Value::List(vec![Value::Unknown, value(json!("s-2"))])),
        ("subnet.all", Value::Map([("a".to_owned(), Value::Map([("id".to_owned(), Value::Unknown)].into()))].into())),
    ];
    Fixed(known.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), Spent::default())
}

fn eval(source: &str) -> Result<Value, EvalError> {
    Expr::parse(source).map_err(|error| EvalError::new(error.message))?.eval(&scope())
}

fn said(error: &EvalError) -> String {
    format!("{} {}", error.message, error.help.as_deref().unwrap_or_default())
}

#[test]
fn functions_give_what_cel_says() {
    let cases = [
        ("lists.range(3)", json!([0, 1, 2])),
        ("math.floor(1.7)", json!(1.0)),
        ("math.greatest(1, 5, 3)", json!(5)),
        ("math.least([4, 2])", json!(2)),
        ("math.bitShiftLeft(1, 4)", json!(16)),
        ("base64.encode(b'hello')", json!("aGVsbG8=")),
        ("string(base64.decode('aGVsbG8='))", json!("hello")),
        ("strings.quote('a\"b')", json!("\"a\\\"b\"")),
        ("'a,b,,c'.split(',')", json!(["a", "b", "", "c"])),
        ("'abc'.split('', 2)", json!(["a", "bc"])),
        ("'abcdef'.substring(2, 4)", json!("cd")),
        ("'äöü'.substring(1)", json!("öü")),
        ("'tacocat'.indexOf('c', 3)", json!(4)),
        ("'tacocat'.lastIndexOf('a')", json!(5)),
        ("'tacocat'.lastIndexOf('a', 4)", json!(1)),
        ("'abc'.charAt(3)", json!("")),
        ("'hello'.replace('l', 'L', 1)", json!("heLlo")),
        ("['x', 'y'].join('-')", json!("x-y")),
        ("'%s has %d, %.2f, %x'.format(['a', 3, 1.5, 255])", json!("a has 3, 1.50, ff")),
        ("[3, 1, 2].sort()", json!([1, 2, 3])),
        ("[{'n': 2}, {'n': 1}].sortBy(x, x.n)", json!([{"n": 1}, {"n": 2}])),
        ("[[1], [2, [3]]].flatten()", json!([1, 2, [3]])),
        ("[[1], [2, [3]]].flatten(2)", json!([1, 2, 3])),
        ("[1, 2, 1].distinct()", json!([1, 2])),
        ("[1, 2].reverse()", json!([2, 1])),
        ("'abc'.reverse()", json!("cba")),
        ("[1, 2, 3].slice(1, 3)", json!([2, 3])),
        ("cel.bind(x, 3, x * x)", json!(9)),
        ("[1, 2, 3].map(x, x > 1, x * 2)", json!([4, 6])),
        ("[1, 2, 3].exists_one(x, x > 2)", json!(true)),
        ("{'a': 1, 'b': 2}.map(k, k + '!')", json!(["a!", "b!"])),
        ("{'a': 1}.all(k, k == 'a')", json!(true)),
        ("{'a': {'b': 1}}.?a.?b.orValue(0)", json!(1)),
        ("{'a': 1}.?x.orValue('none')", json!("none")),
        ("{'a': 1}[?'a'].hasValue()", json!(true)),
        ("vars.none.?arn.orValue('none')", json!("none")),
        ("optional.of(2).optMap(v, v * 3).orValue(0)", json!(6)),
        ("{?'a': {'b': 1}.?c, 'd': 2}", json!({"d": 2})),
        ("[?{'b': 1}.?b, 2]", json!([1, 2])),
        ("has(locals.sizes.small) && !has(locals.sizes.none)", json!(true)),
        ("'k' in {'k': 1} && !(3 in [1, 2])", json!(true)),
        ("type(1) == int && type('x') == string", json!(true)),
        ("int('42') + int(1.9)", json!(43)),
        ("double('1.5') * 2", json!(3.0)),
        ("string(1.0 / 4.0)", json!("0.25")),
        ("7 / 2 + 7 % 2", json!(4)),
        ("'10.0.0.0/8'.matches('^[0-9.]+/[0-9]+$') && matches('ab', 'b')", json!(true)),
        ("merge({'a': 1}, {'a': 2}, {'b': 3})", json!({"a": 2, "b": 3})),
        ("zipmap(['a', 'b'], [1, 2])", json!({"a": 1, "b": 2})),
        ("jsondecode(jsonencode({'b': [1, true], 'a': null}))", json!({"a": null, "b": [1, true]})),
        ("sha256('')", json!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")),
        ("urlencode('a b/ü')", json!("a%20b%2F%C3%BC")),
        ("yamldecode('a: [1, x]\\nb: null')", json!({"a": [1, "x"], "b": null})),
        ("regex_find_all('a=1,b=2', '([a-z])=')", json!(["a", "b"])),
        ("title('north-east of x1')", json!("North-East Of X1")),
        ("sha1('a')", json!("86f7e437faa5a7fce15d1ddcb9eaeaea377667b8")),
        ("try(1 / 0, [1][3], 'last')", json!("last")),
        ("regex_find('v1.2.3', 'v([0-9]+)') + regex_replace('a-b', '([a-z])', '<$1>')", json!("1<a>-<b>")),
        ("coalesce(vars.none, 'x')", json!("x")),
        ("cidrhost('10.0.1.0/24', 10)", json!("10.0.1.10")),
        ("1 > 0 || 1 / 0 > 0", json!(true)),
        ("1 / 0 > 0 || true", json!(true)),
    ];
    for (source, expected) in cases {
        let value = eval(source).unwrap_or_else(|error| panic!("{source}: {}", said(&error)));
        assert_eq!(value, Value::from(&expected), "{source}");
    }
}

#[test]
fn what_is_unknown_makes_unknown_what_needs_it_and_no_more() {
    for source in [
        "vpc.main.id + 'x'",
        "jsonencode(subnet.a)",
        "subnet.a.filter(x, x == 's-2')",
        "subnet.a.map(x, x)[0]",
        "{vpc.main.id: 1}",
        "vpc.main.id == null",
        "[vpc.main.id].exists(x, x == 'a')",
        "has(subnet.all.a.id)",
        "vpc.main.id.?x.orValue(1)",
        "'a' in [vpc.main.id]",
    ] {
        assert!(matches!(eval(source), Ok(Value::Unknown)), "{source}: {:?}", eval(source));
    }
    for (source, expected) in [
        ("size(subnet.a)", json!(2)),
        ("subnet.a[1]", json!("s-2")),
        ("keys(subnet.all)", json!(["a"])),
        ("'a' in subnet.all", json!(true)),
        ("subnet.a.exists(x, x == 's-2')", json!(true)),
        ("(subnet.a + ['x'])[2]", json!("x")),
        ("{'a': vpc.main.id, 'b': 2}.b", json!(2)),
        ("pluck(subnet.all, 'id').size()", json!(1)),
    ] {
        assert_eq!(eval(source).unwrap(), Value::from(&expected), "{source}");
    }
    assert!(
        matches!(eval("subnet.a.map(x, x)"), Ok(Value::List(items)) if matches!(items[0], Value::Unknown) && items[1] == Value::string("s-2"))
    );
}

#[test]
fn what_a_secret_decides_is_secret() {
    for source in [
        "'x' + vars.token",
        "size(vars.token)",
        "try(int(vars.token), 'a')",
        "try(vars.tokens[7], 'short')",
        "try(int(sensitive('x')), 'a')",
        "cel.bind(t, vars.token, try([1][t == 'x' ? 0 : 9], 'a'))",
        "[1].map(i, try([i][vars.token.charAt(0) == 'x' ? 0 : 9], 2))[0]",
        "vars.token == 'x' ? 'a' : 'b'",
        "vars.tokens[0]",
        "vars.tokens.map(x, 'y')",
        "vars.mixed.filter(x, x == 'plain')",
        "vars.mixed.exists(x, x == 'b')",
        "vars.mixed.sort()",
        "{vars.token: 1}",
        "zipmap([vars.token], [1])",
        "keys(locals.hidden)",
        "locals.hidden.map(k, k)",
        "merge(locals.hidden, {'a': 1})",
        "locals.sizes[vars.token == 'x' ? 'small' : 'large']",
        "locals.hidden.?nothing.orValue('x')",
        "vars.by_token.k",
        "jsonencode(vars.mixed)",
        "cel.bind(x, vars.token, x + x)",
        "[3, 1].sortBy(x, x + vars.pin)",
        "lists.range(vars.pin)",
        "has(locals.hidden.x)",
        "!(vars.token == 'x')",
        "vars.pin > 3 && true",
        "coalesce(vars.none, vars.token)",
        "base64.encode(vars.token)",
        "sha256(vars.token)",
    ] {
        let value = eval(source).unwrap_or_else(|error| panic!("{source}: {}", said(&error)));
        assert!(matches!(value, Value::Secret(_)), "{source}: {value:?}");
    }
    // Beside a secret, what has nothing to do with it stays public.
    assert!(matches!(eval("vars.mixed[0]"), Ok(Value::String(_))));
    assert!(
        matches!(eval("vars.mixed.map(x, x)"), Ok(Value::List(items)) if matches!(items[0], Value::String(_)) && matches!(items[1], Value::Secret(_)))
    );
    assert!(matches!(eval("false && vars.token == 'x'"), Ok(Value::Bool(false))));
}

/// Everything that can be called, with everything that is secret in every place of it: what comes of it is secret where
/// it shows any of that, and no error says it.
#[test]
fn no_function_and_no_operator_lets_a_secret_out() {
    let values = ["vars.token", "vars.pin", "vars.tokens", "vars.mixed", "locals.hidden", "'x'"];
    let pairs = || values.iter().flat_map(|one| values.iter().map(move |other| (*one, *other)));
    let mut sources: Vec<String> = Vec::new();
    for (usage, _) in functions::usages() {
        let name = usage.rsplit('.').next().unwrap_or_default();
        for (one, other) in pairs() {
            let calls = [format!("{usage}({one})"), format!("{usage}({one}, {other})"), format!("{one}.{name}({other})")];
            sources.extend(calls);
            sources.extend([format!("{one}.{name}()"), format!("{usage}({one}, {other}, {one})"), format!("{usage}({other}, 1, {one})")]);
            sources.extend([
                format!("{one}.{name}({other}, {one})"),
                format!("{one}.{name}(x, {other}[x])"),
                format!("{one}.{name}(x, x + {other})"),
            ]);
        }
    }
    for (one, other) in pairs() {
        for operator in ["+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||", "in"] {
            sources.push(format!("{one} {operator} {other}"));
        }
        sources.extend([
            format!("{one}[{other}]"),
            format!("{one}[?{other}].orValue(1)"),
            format!("{one} ? {other} : 1"),
            format!("{{{one}: {other}}}"),
        ]);
        sources.extend([
            format!("{{{one}: 1, {one}: 2}}"),
            format!("{one}.nothing"),
            format!("-{one}"),
            format!("cel.bind(x, {one}, x + {other})"),
        ]);
    }
    sources.sort();
    sources.dedup();
    let (mut given, mut refused) = (0, 0);
    for source in sources {
        let shown = match eval(&source) {
            Ok(value) => {
                given += 1;
                value.to_public_json(&|_| json!("(sensitive)")).to_string()
            }
            Err(error) => {
                refused += 1;
                said(&error)
            }
        };
        assert!(!shown.contains(MARKER) && !shown.contains("4711") && !shown.contains("another"), "{source}: {shown}");
    }
    assert!(given > 300 && refused > 1000, "{given} {refused}");
}

#[test]
fn no_error_quotes_what_is_sensitive() {
    for source in [
        "locals.sizes[vars.token]",
        "locals.sizes[vars.pin]",
        "locals.hidden['nothing']",
        "locals.hidden.nothing",
        "vars.tokens[7]",
        "cidrsubnet(vars.token, 8, 0)",
        "cidrsubnet('10.0.0.0/16', vars.pin, 0)",
        "cidrhost('10.0.0.0/24', vars.pin)",
        "int(vars.token)",
        "double(vars.token)",
        "bool(vars.token)",
        "jsondecode(vars.token)",
        "yamldecode('[' + vars.token)",
        "base64.decode('!' + vars.token)",
        "'x'.matches('(' + vars.token)",
        "regex_find('x', '(' + vars.token)",
        "'x'.substring(vars.pin)",
        "'abc'.charAt(vars.pin)",
        "[1].slice(0, vars.pin)",
        "pluck([{'a': 1}], vars.token)",
        "vars.token + 1",
        "vars.token < 1",
        "vars.token ? 1 : 2",
        "!vars.token",
        "-vars.token",
        "vars.token.nothing",
        "vars.token && true",
        "[vars.token].map(x, x.y)",
        "[vars.token].map(x, locals.sizes[x])",
        "lists.range(vars.token)",
        "('%' + vars.token).format([])",
        "math.bitShiftLeft(1, 0 - vars.pin)",
        "[[1]].flatten(0 - vars.pin)",
        "vars.by_token.k.nothing",
        "vars.by_token.k[vars.token + 'x']",
        "zipmap([vars.token], [])",
        "locals.sizes[vars.token + '!'] + cidrsubnet(vars.token, 1, 0)",
    ] {
        let error = match eval(source) {
            Err(error) => error,
            Ok(value) => panic!("{source} gives {value:?}"),
        };
        let said = said(&error);
        assert!(!said.contains(MARKER) && !said.contains("4711"), "{source}: {said}");
    }
    // What is not sensitive is quoted: that is how it is found.
    assert!(said(&eval("cidrsubnet('10.0.0', 8, 0)").unwrap_err()).contains("10.0.0"));
    assert!(said(&eval("{'small': 1}['smal']").unwrap_err()).contains("did you mean `small`?"));
}

#[test]
fn errors_speak_of_the_stack_file_and_say_what_to_do() {
    let cases = [
        ("vars.none + 1", "`vars.none` has no value: it was left out", "vars.none == null ? … : vars.none"),
        ("'x' + vars.none", "`vars.none` has no value", "== null"),
        ("size(vars.none)", "`vars.none` has no value", ""),
        ("vars.none.arn.x", "no vars.none.arn.x", ""),
        ("[vars.none].map(x, x + 1)", "a side of `+` has no value: it is null", ".orValue(…)"),
        ("cidrsubnet(vars.none, 8, 0)", "`vars.none` has no value", ""),
        ("'dev' + 1", "`+` cannot be used on a string and an integer", "string(x)"),
        ("1 / 0", "nothing can be divided by zero", ""),
        ("9223372036854775807 + 1", "does not fit in 64 bits", ""),
        ("join(',', vars.words)", "`join` is written behind what it works on", "list.join(',')"),
        ("format('%s', vars.words)", "`format` is written behind", "'%s'.format([x])"),
        ("vars.words.keys()", "`keys` takes what it works on between its brackets", "keys(table)"),
        ("length(vars.words)", "there is no function `length`", "size(x)"),
        ("upper('x')", "there is no function `upper`", "upperAscii"),
        ("toset(vars.words)", "there is no function `toset`", "leave it out"),
        ("concat(vars.words, [])", "there is no function `concat`", "a + b"),
        ("lookup(locals.sizes, 'a', 1)", "there is no function `lookup`", "orValue"),
        ("templatefile('x', {})", "there is no function `templatefile`", "template('path', table)"),
        ("yamldecode('id: 012345678901')", "the number 012345678901 in it begins with a zero", "in quotes"),
        ("yamldecode('a: [')", "it is not YAML from line 1, column ", ""),
        ("try(1 / 0, 1 + 'a')", "", "the last argument of `try`"),
        ("floor(1.5)", "there is no function `floor`", "math.floor(x)"),
        ("greatest(1, 2)", "there is no function `greatest`", "math.greatest(a, b)"),
        ("math.flor(1.5)", "there is no function `math.flor`", "did you mean `math.floor`?"),
        ("vars.words.exist(x, true)", "there is no function `exist`", "exists"),
        ("'x'.substring()", "`substring` takes 1 to 2 arguments", "substring(0, 5)"),
        ("!'x'", "what `!` stands before is a string, not a boolean", ""),
        ("'x' ? 1 : 2", "the condition before `?` is a string, not a boolean", ""),
        ("true && 'x'", "a side of `&&` is a string, not a boolean", ""),
        ("vars.words.id", "no vars.words.id", ""),
        ("(vars.words).map(x, x.id)", "a string has no `id`", ""),
        ("[vars.words].map(x, x.id)", "a list has no `id`", "pluck"),
        ("'x'.map(y, y)", "a macro goes through a list or table, not through a string", ".map(x, …)"),
        ("locals.sizes.?small", "a value that may be absent", "orValue"),
        ("optional.none().value()", "there is no value", "orValue"),
        ("jsondecode('{')", "it is not JSON from line 1, column 1 on", ""),
        ("int('x')", "\"x\" is not a whole number", ""),
        ("[1, 'a'].sort()", "an integer and a string have no order", ""),
        ("[1].join(',')", "element 0 of the list is an integer, not a string", "string(x)"),
        ("jsondecode('[18446744073709551615]')", "does not fit in 64 bits", "in quotes"),
        ("duration('1h')", "there is no function `duration`", ""),
        ("Foo{a: 1}", "no typed objects", "{'key': value}"),
    ];
    for (source, message, help) in cases {
        let error = match eval(source) {
            Err(error) => error,
            Ok(value) => panic!("{source} gives {value:?}"),
        };
        assert!(error.message.contains(message), "{source}: {}", said(&error));
        assert!(error.help.as_deref().unwrap_or_default().contains(help), "{source}: {}", said(&error));
        for inside in ["Arc<", "Null", "Int(", "String(", "_==_", "_+_", "!_", "_?_", "_._", "overload", "null_type", "invalid digit", "@"]
        {
            assert!(!said(&error).contains(inside), "{source}: {}", said(&error));
        }
    }
}

/// An expression over the digits, `depth` macros inside each other.
fn nested(depth: usize) -> String {
    let digits = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
    (0..depth).fold("true".to_owned(), |inner, level| format!("{digits}.all(x{level}, {inner})"))
}

/// The program reads stack files on a thread with room for the parser, which the tests' threads have not.
fn with_room(test: fn()) {
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(test).unwrap();
    thread.join().unwrap();
}

#[test]
fn evaluating_ends_by_itself() {
    with_room(whatever_is_written_ends);
}

#[test]
fn evaluating_needs_little_room() {
    with_room(|| {
        let deepest =
            |depth: usize| (0..depth).fold("[1]".to_owned(), |inner, level| format!("cel.bind(x{level}, {inner}, x{level}).map(y, y)"));
        let expr = Expr::parse(&deepest(15)).unwrap();
        // A worker's thread has 2 MB.
        let evaluated = std::thread::scope(|threads| {
            std::thread::Builder::new().stack_size(1 << 20).spawn_scoped(threads, || expr.eval(&scope())).unwrap().join().unwrap()
        });
        assert_eq!(evaluated.unwrap(), Value::from(json!([1])));
    });
}

fn whatever_is_written_ends() {
    assert_eq!(eval(&nested(3)).unwrap(), Value::Bool(true));
    let doubled =
        |depth: usize| (0..depth).fold("[1]".to_owned(), |inner, level| format!("cel.bind(x{level}, {inner}, x{level} + x{level})"));
    assert!(matches!(eval(&doubled(10)), Ok(Value::List(items)) if items.len() == 1024));
    for source in [
        nested(12),
        doubled(28),
        doubled(28).replace("[1]", "'x'"),
        "lists.range(9223372036854775807)".to_owned(),
        "range(1000000000).map(x, x)".to_owned(),
        "lists.range(100000).map(x, lists.range(100000))".to_owned(),
        "lists.range(2000).map(x, lists.range(2000).map(y, x * y))".to_owned(),
        "lists.range(5000).map(x, string(x)).distinct()".to_owned(),
        "lists.range(100).map(x, 'abcdefghij').join('').replace('', 'abcdefghij'.replace('', 'abcdefghij'.replace('', 'abcdefghijabcdefghij')))".to_owned() + ".replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')",
        "lists.range(300).map(x, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa').join('').matches('(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*b{1000}')".to_owned(),
    ] {
        let error = match eval(&source) {
            Err(error) => error,
            Ok(value) => panic!("{source} gives something of weight {}", crate::stack::budget::weight(&value)),
        };
        assert!(error.message.contains("too much to evaluate") && error.message.contains(source.get(..10).unwrap()), "{source}: {}", said(&error));
        assert!(error.help.is_some());
    }
}

#[test]
fn several_expressions_are_bounded_together() {
    let expr = Expr::parse("lists.range(100).map(x, lists.range(1000).map(y, y).size())").unwrap();
    let scope = Fixed(BTreeMap::new(), Spent::nearly_used_up());
    let mut results = (0..200).map(|_| expr.eval(&scope));
    assert!(results.next().unwrap().is_ok());
    let error = results.find_map(Result::err).expect("it ends");
    assert!(error.message.contains("the expressions of this stack"), "{}", said(&error));
}
