//! Whether written values fit the schema: unknown and missing attributes, types (of what is not known yet, too),
//! enumerations, formats.

use std::collections::BTreeSet;

use super::diagnostic::{Code, Diagnostic, Diagnostics, Meant, Span};
use super::habits;
use super::handle::{Handle, a};
use super::kind::Kinds;
use super::misfit::{Misfit, allowed, misfit};
use super::reference::Reference;
use super::template::{Part, Template, TemplateKind};
use crate::model::canonical::{element_name, is_name_secret};
use crate::model::fit::described;
use crate::model::path::{Path, Segment};
use crate::model::pem;
use crate::model::schema::{Attribute, Format, Order, TextRule, Type};
use crate::model::value::Value;

/// Checks the attributes of a resource or data source; the paths of what is refused, of which nothing more is to be said.
///
/// `written` says where things stand and of what kind they are, and `value` what they are as far as that is known.
pub fn check(what: &str, attributes: &[Attribute], written: &Written<'_>, value: &Value, diagnostics: &mut Diagnostics) -> Vec<Path> {
    let mut checker = Checker::new(written, diagnostics);
    checker.object(what, attributes, Some(written.template), value, written.at);
    checker.refused
}

/// Checks a single value of a type.
pub fn check_value(what: &str, ty: &Type, written: &Written<'_>, value: &Value, diagnostics: &mut Diagnostics) {
    Checker::new(written, diagnostics).value(what, ty, Some(written.template), value, written.at);
}

/// The attributes that misspelled keys of a value probably are.
pub fn meant<'a>(type_name: &'a str, attributes: &'a [Attribute], value: &'a Value) -> impl Iterator<Item = &'a str> {
    let keys = value.as_map().into_iter().flat_map(|map| map.keys());
    let unknown = keys.filter(|key| !attributes.iter().any(|attribute| attribute.name == **key));
    unknown.filter_map(move |key| habits::name(type_name, key, writable(attributes)))
}

/// The names of the attributes that can be written.
fn writable(attributes: &[Attribute]) -> impl Iterator<Item = &str> + Clone {
    attributes.iter().filter(|attribute| !attribute.computed).map(|attribute| attribute.name.as_str())
}

/// A value with misspelled keys as what they probably are, at any depth: what is made of them is not known.
pub fn as_meant(type_name: &str, attributes: &[Attribute], value: &Value) -> Value {
    let Some(map) = value.as_map() else { return value.clone() };
    let inside = |name: &String, value: &Value| match attributes.iter().find(|attribute| attribute.name == *name).map(|found| &found.ty) {
        Some(Type::Object(attributes)) => as_meant(type_name, attributes, value),
        Some(Type::List { item, .. }) => match (item.as_ref(), value) {
            (Type::Object(attributes), Value::List(items)) => {
                Value::List(items.iter().map(|item| as_meant(type_name, attributes, item)).collect())
            }
            _ => value.clone(),
        },
        _ => value.clone(),
    };
    let mut corrected: std::collections::BTreeMap<String, Value> =
        map.iter().map(|(name, value)| (name.clone(), inside(name, value))).collect();
    for name in meant(type_name, attributes, value) {
        corrected.entry(name.to_owned()).or_insert(Value::Unknown);
    }
    match value {
        Value::Secret(_) => Value::Map(corrected).into_secret(),
        _ => Value::Map(corrected),
    }
}

/// What is written of a resource or data source.
pub struct Written<'a> {
    /// Its attributes.
    pub template: &'a Template,
    /// Where it is declared.
    pub at: &'a Span,
    /// The kinds of its expressions.
    pub kinds: &'a Kinds<'a>,
    /// The attributes whose expressions have failed, which has been reported: nothing else is said of them.
    pub failed: &'a BTreeSet<String>,
    /// The type it is of.
    pub type_name: &'a str,
}

struct Checker<'a> {
    diagnostics: &'a mut Diagnostics,
    kinds: &'a Kinds<'a>,
    failed: &'a BTreeSet<String>,
    type_name: &'a str,
    /// Where what is looked at stands.
    path: Path,
    /// Where what is refused stands.
    refused: Vec<Path>,
}

impl<'a> Checker<'a> {
    fn new(written: &Written<'a>, diagnostics: &'a mut Diagnostics) -> Self {
        let Written { kinds, failed, type_name, .. } = *written;
        Self { diagnostics, kinds, failed, type_name, path: Path::default(), refused: Vec::new() }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.refused.push(self.path.clone());
        self.diagnostics.push(diagnostic);
    }

    /// Looks at what stands one step further.
    fn inside(&mut self, segment: Segment, look: impl FnOnce(&mut Self)) {
        self.path.0.push(segment);
        look(self);
        self.path.0.pop();
    }

    fn object(&mut self, what: &str, attributes: &[Attribute], template: Option<&'a Template>, value: &Value, at: &Span) {
        let Some(map) = value.as_map() else {
            if !matches!(value.revealed(), Value::Unknown | Value::Null) {
                self.report(Diagnostic::error(Code::WrongType, at, format!("expected a table for {what}, got {}", value.kind())));
            }
            return;
        };
        let fields = template.and_then(Template::as_table);
        for (name, given) in map {
            let field = fields.and_then(|fields| fields.get(name));
            let key = field.map_or(at, |field| &field.key);
            let Some(attribute) = attributes.iter().find(|attribute| attribute.name == *name) else {
                let names = writable(attributes);
                let renamed = habits::renamed(self.type_name, name, names.clone());
                let meant = renamed.map(|meant| Meant { given: name.clone(), name: meant.to_owned() });
                // It may be any of those that are not written: nothing more is said of a table inside of the resource.
                if !self.path.0.is_empty() {
                    self.refused.push(self.path.clone());
                }
                let error = Diagnostic::error(Code::UnknownAttribute, key, format!("{what} has no attribute `{name}`")).meaning(meant);
                let error = habits::meant(self.type_name, name, names).into_iter().fold(error, Diagnostic::help);
                self.inside(Segment::field(name), |checker| checker.report(error));
                continue;
            };
            if attribute.computed {
                let error = Diagnostic::error(Code::SetByAws, key, format!("`{name}` of {what} is set by AWS and cannot be written"));
                let here =
                    habits::attributes::habit(self.type_name, name, writable(attributes)).map(|habit| format!("write `{}`", habit.here));
                let error = here.into_iter().fold(error, Diagnostic::help);
                self.inside(Segment::field(name), |checker| checker.report(error));
                continue;
            }
            let span = field.map_or(at, |field| &field.value.span);
            let template = field.map(|field| &field.value).filter(|_| !self.failed.contains(name));
            self.inside(Segment::field(name), |checker| checker.value(&format!("`{name}`"), &attribute.ty, template, given, span));
        }
        let is_meant = |name: &str| meant(self.type_name, attributes, value).any(|meant| meant == name);
        // What is misspelled, or may stand in what could not be read, is not missing on top of that.
        let partly = self.kinds.is_partly_read();
        for attribute in attributes.iter().filter(|attribute| attribute.required && !partly && !is_meant(&attribute.name)) {
            if map.get(&attribute.name).is_none_or(Value::is_null) {
                let summary = attribute.doc.lines().next().unwrap_or_default();
                let error = Diagnostic::error(Code::MissingAttribute, at, format!("{what} needs `{}`", attribute.name))
                    .label(format!("`{}` is missing here", attribute.name))
                    .help(format!("{}: {summary}", attribute.name));
                self.inside(Segment::field(&attribute.name), |checker| checker.report(error));
            }
        }
    }

    fn value(&mut self, what: &str, ty: &Type, template: Option<&'a Template>, value: &Value, at: &Span) {
        if let Value::Secret(inner) = value {
            let before = self.diagnostics.0.len();
            self.value(what, ty, template, inner, at);
            if self.diagnostics.0.len() > before {
                // What is wrong with it would show it.
                self.diagnostics.0.truncate(before);
                self.report(
                    Diagnostic::error(Code::NotAllowed, at, format!("{what} is {}, but not one that AWS takes", described(ty)))
                        .help("its value is sensitive, and so is not shown"),
                );
            }
            return;
        }
        match value {
            Value::Unknown => {
                if let Some(template) = template {
                    self.unknown(what, ty, template);
                }
                return;
            }
            Value::Null => return,
            _ => {}
        }
        match (ty, value) {
            (Type::Bool, Value::Bool(_)) | (Type::Float, Value::Int(_) | Value::Float(_)) => {}
            (Type::Int { min, max, one_of }, Value::Int(number)) => self.int(what, *number, (*min, *max), one_of, at),
            (Type::String(rule), Value::String(text)) => {
                if let Some(wrong) = template.zip(rule.format.as_ref()).and_then(|(template, format)| self.other_id(what, format, template))
                {
                    return self.report(wrong);
                }
                let instead = template.and_then(|template| self.kinds.arn_instead(template, |_| true));
                self.text(what, rule, text, (at, instead));
            }
            (Type::List { item, order }, Value::List(items)) => self.list(what, item, order, template, items, at),
            (Type::Map { item, .. }, Value::Map(map)) => {
                let fields = template.and_then(Template::as_table);
                for (key, value) in map {
                    let field = fields.and_then(|fields| fields.get(key)).map(|field| &field.value);
                    let span = field.map_or(at, |field| &field.span);
                    self.inside(Segment::field(key), |checker| checker.value(&format!("`{key}` of {what}"), item, field, value, span));
                }
            }
            (Type::Object(attributes), _) => self.object(what, attributes, template, value, at),
            (Type::Document(_), Value::Map(_) | Value::List(_)) => {}
            (Type::Document(_), Value::String(text)) => {
                if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
                    let place = format!("line {}, column {}", error.line(), error.column());
                    self.report(
                        Diagnostic::error(Code::BadDocument, at, format!("{what} is not JSON from its {place} on"))
                            .help("write it as a table: it becomes JSON by itself"),
                    );
                }
            }
            // Environment variables, tags and the like are text to AWS, whatever is convenient to write.
            (Type::String(rule), Value::Int(number)) if rule.one_of.is_empty() => self.text(what, rule, &number.to_string(), (at, None)),
            (Type::String(rule), Value::Bool(_)) if rule.one_of.is_empty() && rule.format.is_none() => {}
            _ => {
                let error = Diagnostic::error(Code::WrongType, at, format!("{what} is {}, not {}", described(ty), value.kind()));
                let cure = template
                    .and_then(|template| self.cure(ty, template))
                    .or_else(|| habits::of_cpu(ty, value))
                    .or_else(|| habits::of_number(ty, value))
                    .or_else(|| allowed(ty));
                self.report(cure.into_iter().fold(error, Diagnostic::help));
            }
        }
    }

    /// What is not known yet is of a kind all the same.
    fn unknown(&mut self, what: &str, ty: &Type, template: &'a Template) {
        if let TemplateKind::Text(parts) = &template.kind {
            self.inside_text(parts);
        }
        let source = source(template);
        if let Type::String(TextRule { format: Some(format), .. }) = ty
            && let Some(wrong) = self.other_id(what, format, template)
        {
            return self.report(wrong);
        }
        if let Type::String(TextRule { format: Some(Format::Arn(_)), .. }) = ty
            && let Some(arn) = self.kinds.arn_instead(template, |name| ["id", "name"].contains(&name))
        {
            let error = Diagnostic::error(Code::NotAllowed, &template.span, format!("{what} is an ARN, and `{source}` is not"));
            return self.report(error.help(format!("write `${{{}}}`", arn.in_text())));
        }
        let Some(Misfit { wanted, given, inside, .. }) = misfit(ty, &self.kinds.of(template), source) else { return };
        let message = match (inside, source) {
            (true, source) => format!("an element of {what} is {wanted}, and one of `{source}` is {given}"),
            (false, ELLIPSIS) => format!("{what} is {wanted}, not {given}"),
            (false, source) => format!("{what} is {wanted}, and `{source}` is {given}"),
        };
        let cure = self.cure(ty, template);
        self.report(cure.into_iter().fold(Diagnostic::error(Code::WrongType, &template.span, message), Diagnostic::help));
    }

    /// What is wrong with a reference to an id, an ARN or a network where the id of a type is wanted, or a network.
    fn other_id(&self, what: &str, wanted: &Format, template: &'a Template) -> Option<Diagnostic> {
        let names = self.kinds.names(template)?;
        let of = match (wanted, &names.handle) {
            (Format::Id { of, .. }, Handle::Id(other)) if of != other => of,
            (Format::Id { of, .. }, Handle::Arn | Handle::Network) => of,
            (Format::Cidr | Format::Cidr4 | Format::Cidr6, Handle::Id(_) | Handle::Arn) => {
                let message = format!("{what} is a network, and `{}` is {}", source(template), names.handle);
                return Some(Diagnostic::error(Code::NotAllowed, &template.span, message));
            }
            _ => return None,
        };
        let message = format!("{what} is the id of {}, and `{}` is {}", a(of), source(template), names.handle);
        let error = Diagnostic::error(Code::NotAllowed, &template.span, message);
        let cure = match (names.type_name == of.as_str(), self.kinds.id_of(of, &names.reference.home)) {
            (true, _) => Some(names.with("id").in_text()),
            (false, id) => id,
        };
        Some(cure.map(|cure| format!("write `${{{cure}}}`")).into_iter().fold(error, Diagnostic::help))
    }

    /// What to write instead of what is of the wrong kind.
    fn cure(&self, ty: &Type, template: &'a Template) -> Option<String> {
        let cure = misfit(ty, &self.kinds.of(template), source(template))?.cure?;
        // A text or a constant stands by itself, without `${` and `}`.
        Some(cure.replace("${…}", ELLIPSIS))
    }

    /// Lists and tables have no place inside a text.
    fn inside_text(&mut self, parts: &'a [Part]) {
        for part in parts {
            let Part::Expr(expr, span) = part else { continue };
            let source = expr.source.trim();
            if let Some(Misfit { given, cure, .. }) =
                misfit(&Type::String(TextRule::default()), &self.kinds.of_expr(expr), source).filter(|misfit| misfit.given != "a number")
            {
                let error = Diagnostic::error(Code::WrongType, span, format!("`{source}` is {given}, which cannot stand inside a text"));
                self.report(cure.into_iter().fold(error, Diagnostic::help));
            }
        }
    }

    fn int(&mut self, what: &str, number: i64, (min, max): (Option<i64>, Option<i64>), one_of: &[i64], at: &Span) {
        if !one_of.is_empty() && !one_of.contains(&number) {
            let list: Vec<String> = one_of.iter().map(ToString::to_string).collect();
            let nearest = one_of.iter().min_by_key(|allowed| (**allowed - number).unsigned_abs());
            let mut diagnostic = Diagnostic::error(Code::NotAllowed, at, format!("{what} cannot be {number}"));
            if let Some(nearest) = nearest {
                diagnostic = diagnostic.label(format!("the nearest allowed is {nearest}"));
            }
            self.report(diagnostic.help(format!("allowed: {}", list.join(", "))));
        }
        let range = match (min, max) {
            (Some(min), Some(max)) => format!("from {min} to {max}"),
            (Some(min), None) => format!("at least {min}"),
            (None, Some(max)) => format!("at most {max}"),
            (None, None) => return,
        };
        if min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max) {
            self.report(Diagnostic::error(Code::NotAllowed, at, format!("{what} is {range}, not {number}")));
        }
    }

    /// `instead` is what to write where an ARN is wanted.
    fn text(&mut self, what: &str, rule: &TextRule, text: &str, (at, instead): (&Span, Option<Reference>)) {
        if !rule.one_of.is_empty() && !rule.one_of.iter().any(|allowed| allowed == text) {
            let allowed = rule.one_of.iter().map(String::as_str);
            let meant = Meant::among(text, allowed.clone());
            let help = meant.iter().map(|meant| format!("did you mean `{}`?", meant.name)).collect::<Vec<_>>();
            let diagnostic = Diagnostic::error(Code::NotAllowed, at, format!("{what} cannot be \"{text}\"")).meaning(meant);
            let diagnostic = help.into_iter().fold(diagnostic, Diagnostic::help);
            let all = format!("allowed: {}", allowed.collect::<Vec<_>>().join(", "));
            self.report(if rule.one_of.len() <= 16 { diagnostic.help(all) } else { diagnostic });
        }
        if let Some(limit) = rule.max_length.filter(|limit| text.chars().count() as u64 > *limit) {
            let length = text.chars().count();
            self.report(Diagnostic::error(Code::NotAllowed, at, format!("{what} has {length} characters, and AWS allows {limit}")));
        }
        if let Some(pattern) = rule.pattern.as_ref().filter(|pattern| !pattern.allows(text)) {
            self.report(
                Diagnostic::error(Code::NotAllowed, at, format!("{what} cannot be \"{text}\""))
                    .help(format!("allowed: {}", pattern.form())),
            );
        }
        if let Some(format) = &rule.format
            && let Err((problem, help)) = check_format(format, text)
        {
            let cure = instead.filter(|_| matches!(format, Format::Arn(_))).map(|arn| format!("write `${{{}}}`", arn.in_text()));
            let help = cure.or(help);
            let diagnostic = Diagnostic::error(Code::NotAllowed, at, format!("{what}: {problem}"));
            self.report(help.into_iter().fold(diagnostic, Diagnostic::help));
        }
    }

    fn list(&mut self, what: &str, item: &Type, order: &Order, template: Option<&'a Template>, items: &[Value], at: &Span) {
        let templates = match template.map(|template| &template.kind) {
            Some(TemplateKind::List(templates)) => templates.as_slice(),
            _ => &[],
        };
        let mut seen = BTreeSet::new();
        for (index, value) in items.iter().enumerate() {
            let template = templates.get(index);
            let span = template.map_or(at, |template| &template.span);
            let element = format!("element {index} of {what}");
            self.inside(Segment::Index(index), |checker| checker.value(&element, item, template, value, span));
            if let Order::Keyed(key) = order
                && !value.get(key).is_none_or(Value::has_unknown)
            {
                let name = element_name(order, value);
                let twice = !seen.insert(name.clone());
                if twice && is_name_secret(order, value) {
                    self.report(Diagnostic::error(
                        Code::DuplicateElement,
                        span,
                        format!("{what} has two elements with the same {key}, which is sensitive"),
                    ));
                } else if twice {
                    self.report(Diagnostic::error(Code::DuplicateElement, span, format!("{what} has two elements with {key} \"{name}\"")));
                }
            }
        }
    }
}

/// What stands for a constant or a longer text.
const ELLIPSIS: &str = "…";

/// The expression that a template is, or what stands for it.
fn source(template: &Template) -> &str {
    match &template.kind {
        TemplateKind::Expr(expr) => expr.source.trim(),
        _ => ELLIPSIS,
    }
}

fn check_format(format: &Format, text: &str) -> Result<(), (String, Option<String>)> {
    match format {
        Format::Arn(services) => return check_arn(services, text),
        Format::Domain => return check_domain(text),
        Format::SshPublicKey => return check_public_key(text),
        Format::Certificates => return check_certificates(text),
        Format::MaskedUrl | Format::Lowercase | Format::Uppercase => return Ok(()),
        Format::Id { of, prefix } => {
            return match text.starts_with(prefix.as_str()) {
                true => Ok(()),
                false => Err((format!("\"{text}\" is not the id of {}", a(of)), Some(format!("such an id begins with `{prefix}`")))),
            };
        }
        Format::Cidr | Format::Cidr4 | Format::Cidr6 => {}
    }
    let example = if *format == Format::Cidr6 { "2001:db8::/64" } else { "10.0.0.0/16" };
    let Ok(net) = text.parse::<ipnet::IpNet>() else {
        let help = match text.parse::<std::net::IpAddr>() {
            Ok(std::net::IpAddr::V4(address)) => format!("for this one address write {address}/32"),
            Ok(std::net::IpAddr::V6(address)) => format!("for this one address write {address}/128"),
            Err(_) => format!("write a network like {example}"),
        };
        return Err((format!("\"{text}\" is not a CIDR block"), Some(help)));
    };
    let family_fits = match format {
        Format::Cidr4 => matches!(net, ipnet::IpNet::V4(_)),
        Format::Cidr6 => matches!(net, ipnet::IpNet::V6(_)),
        _ => true,
    };
    if !family_fits {
        return Err((format!("\"{text}\" is of the wrong IP version"), Some(format!("write a network like {example}"))));
    }
    if net.trunc() != net {
        return Err((format!("\"{text}\" has bits set behind its prefix"), Some(format!("did you mean {}?", net.trunc()))));
    }
    Ok(())
}

fn check_domain(text: &str) -> Result<(), (String, Option<String>)> {
    // RFC 1035, section 2.3.4: labels of 1 to 63 characters, 255 in all.
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| !label.is_empty() && label.len() <= 63 && label.chars().all(|c| c.is_ascii_graphic());
    if name.len() <= 255 && name.split('.').all(is_label) {
        return Ok(());
    }
    Err((format!("\"{text}\" is not a domain name"), Some("write a name like www.example.org".to_owned())))
}

fn check_certificates(text: &str) -> Result<(), (String, Option<String>)> {
    if pem::has_certificates(text) {
        return Ok(());
    }
    // What was written may be a private key, and is not repeated.
    let help = "write what a `.pem` file has: `-----BEGIN CERTIFICATE-----`, the certificate, `-----END CERTIFICATE-----`";
    Err(("this is not a certificate in PEM".to_owned(), Some(help.to_owned())))
}

/// One line: the algorithm, the key in Base64, a comment (sshd(8), "AUTHORIZED_KEYS FILE FORMAT").
fn check_public_key(text: &str) -> Result<(), (String, Option<String>)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let sound = matches!(words.as_slice(), ["ssh-ed25519" | "ssh-rsa", key, ..] if key.starts_with("AAAA"));
    if sound && !text.trim().contains('\n') {
        return Ok(());
    }
    // What was written may be a private key, and is not repeated.
    let help = "write the one line of a `.pub` file, such as `ssh-ed25519 AAAA… me@host`";
    Err(("this is not a public SSH key of type ed25519 or rsa".to_owned(), Some(help.to_owned())))
}

fn check_arn(services: &[String], text: &str) -> Result<(), (String, Option<String>)> {
    // ARN: arn:partition:service:region:account:resource (AWS General Reference, "Amazon Resource Names").
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let sound = matches!(parts.as_slice(), ["arn", partition, service, _, _, resource]
        if !partition.is_empty() && !service.is_empty() && !resource.is_empty());
    if !sound {
        return Err((format!("\"{text}\" is not an ARN"), Some("an ARN looks like arn:aws:service:region:account:resource".to_owned())));
    }
    match parts.get(2) {
        Some(service) if !services.is_empty() && !services.iter().any(|allowed| allowed == service) => {
            Err((format!("\"{text}\" is of {service}"), Some(format!("an ARN of {} is wanted here", services.join(" or ")))))
        }
        _ => Ok(()),
    }
}
