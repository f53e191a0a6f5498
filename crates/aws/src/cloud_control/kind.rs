//! A type of AWS's as leoctl manages it: its schema, and what its life takes.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::bundle::Bundle;
use super::facts::{Facts, Verb};
use super::hints;
use super::knowledge::{self, Governor, Knowledge};
use super::model;
use super::names::{snake, type_name};
use super::rules;
use super::shape::{Part, Property, Reading, Shape};
use crate::permissions::{Grant, On, Permissions};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::path::{Path, Segment};
use leoctl_core::model::place::Scope;
use leoctl_core::model::schema::{After, Attribute, Governed, HangsOn, Named, ResourceSchema, TextRule, Type, TypeSchema};
use leoctl_core::model::value::Value;

/// A type.
#[derive(Debug)]
pub struct Kind {
    /// What AWS's schema says.
    pub facts: Facts,
    /// What is known beyond it.
    pub knowledge: Knowledge,
    /// Its attributes in stack files, but for those that are moved into its schema.
    root: Part,
    /// The properties that its ids are made of.
    identifier: Vec<String>,
    /// Texts that the schema of the planner borrows.
    lent: Lent,
    has_sensitive: bool,
}

/// What is lent for as long as the program runs.
#[derive(Debug, Default)]
struct Lent {
    unique: Vec<&'static [&'static str]>,
    held_by: Vec<&'static str>,
    interrupts: Vec<(&'static str, &'static str)>,
    after: Vec<After>,
    hangs_on: Vec<HangsOn>,
    /// What turns off each property that protects one.
    protections: Vec<&'static str>,
    plan: Vec<Grant>,
    apply: Vec<Grant>,
}

/// A type is read once and never forgotten: at most as many as AWS has are ever lent.
fn lend<T: ?Sized>(value: Box<T>) -> &'static T {
    Box::leak(value)
}

fn lend_text(text: &str) -> &'static str {
    lend(text.into())
}

fn has_sensitive(attributes: &[Attribute]) -> bool {
    fn inside(ty: &Type) -> bool {
        match ty {
            Type::Object(attributes) => has_sensitive(attributes),
            Type::List { item, .. } | Type::Map { item, .. } => inside(item),
            _ => false,
        }
    }
    attributes.iter().any(|attribute| attribute.sensitive || inside(&attribute.ty))
}

impl Kind {
    /// Reads a type, for as long as the program runs.
    pub fn read(aws: &'static str, schema: Json) -> (&'static Self, Arc<ResourceSchema>) {
        let facts = Facts::new(aws, schema);
        let mut knowledge = knowledge::of(aws);
        let (mut attributes, root) = Reading::read(&facts, &knowledge);
        hints::complete(&mut knowledge, &facts, &attributes, &root);
        if !attributes.iter().any(|attribute| attribute.name == "id") {
            attributes.push(id(aws));
        }
        let has_sensitive = has_sensitive(&attributes);
        let identifier = facts.identifier();
        let lent = Lent::of(&facts, &knowledge, &identifier);
        let kind: &'static Self = lend(Box::new(Self { facts, knowledge, root, identifier, lent, has_sensitive }));
        (kind, Arc::new(kind.schema(attributes)))
    }

    fn schema(&'static self, attributes: Vec<Attribute>) -> ResourceSchema {
        let name = type_name(self.facts.aws);
        let doc = format!("{} through the Cloud Control API.\n\nImport by {}.", self.facts.aws, self.identifier.join(" and "));
        ResourceSchema {
            scope: Scope::Regional,
            create_before_destroy: self.knowledge.create_before_destroy,
            // An update sends what a resource is to be as a whole: Cloud Control's patches say what is not to be in it any more.
            takes_away: true,
            unique: &self.lent.unique,
            held_by: &self.lent.held_by,
            interrupts: &self.lent.interrupts,
            after: &self.lent.after,
            hangs_on: &self.lent.hangs_on,
            data_loss: self.knowledge.data_loss.as_deref(),
            instead: super::own::instead(self.facts.aws),
            part_of: super::own::part_of(self.facts.aws),
            check: lend(Box::new(|value: &Value| rules::check(self, value))),
            protected: lend(Box::new(|live: &Value| self.protected(live))),
            unheard: lend(Box::new(|live: &Value, wanted: &Value| super::change::unheard(self, live, wanted))),
            governed: lend(Box::new(|live: &Value, wanted: &Value| self.governed(live, wanted))),
            ..ResourceSchema::plain(TypeSchema { name, doc, attributes })
        }
    }

    /// Whether it has attributes that are sensitive.
    pub fn has_sensitive(&self) -> bool {
        self.has_sensitive
    }

    /// The part that is the resource itself.
    pub fn root(&self) -> &Part {
        &self.root
    }

    fn properties(&self) -> &[Property] {
        match &self.root.shape {
            Shape::Object(properties) => properties,
            _ => &[],
        }
    }

    /// The model of a resource with these attributes.
    pub fn model(&self, value: &Value) -> Map<String, Json> {
        model::model(self.properties(), value)
    }

    /// The attributes of the resource with this id and model.
    pub fn attributes(&self, id: &str, json: &Json) -> Value {
        let mut attributes = model::attributes(self.properties(), json);
        attributes.insert("id".to_owned(), Value::string(id));
        for (name, part) in self.parts(id) {
            attributes.entry(name).or_insert(part);
        }
        Value::Map(attributes)
    }

    /// What an id says of the attributes that it is made of.
    fn parts(&self, id: &str) -> Vec<(String, Value)> {
        let texts: Vec<&str> = if let [_] = self.identifier.as_slice() { vec![id] } else { id.split('|').collect() };
        if texts.len() != self.identifier.len() {
            return Vec::new();
        }
        let known = self.identifier.iter().zip(texts).filter_map(|(aws, text)| {
            let property = self.properties().iter().find(|property| property.aws == *aws)?;
            let is_number =
                self.facts.properties().any(|(name, schema)| name == aws && schema.get("type").is_some_and(|ty| ty == "integer"));
            let value = if is_number { Value::Int(text.parse().ok()?) } else { Value::string(text) };
            matches!(property.part.shape, Shape::Scalar).then(|| (property.name.clone(), value))
        });
        known.collect()
    }

    /// The id of what is to have these attributes, where they say it.
    pub fn id_of(&self, wanted: &Value) -> Option<String> {
        let model = Json::Object(self.model(wanted));
        let part = |path: &String| {
            let found = path.split('/').try_fold(&model, |model, name| model.get(name))?;
            match found {
                Json::String(text) => Some(text.clone()),
                Json::Number(number) => Some(number.to_string()),
                _ => None,
            }
        };
        let parts: Option<Vec<String>> = self.identifier.iter().map(part).collect();
        parts.filter(|parts| !parts.is_empty() && parts.iter().all(|part| !part.is_empty())).map(|parts| parts.join("|"))
    }

    /// Whether AWS makes up the ids: then an id is nobody else's.
    pub fn ids_are_made_up(&self) -> bool {
        // An ARN may follow from a name that somebody else's resource has.
        self.identifier.iter().any(|path| self.facts.read_only.contains(path) && !path.to_ascii_lowercase().ends_with("arn"))
    }

    /// What a list of them has to be asked with, of what is wanted.
    pub fn listed_by(&self, wanted: &Value) -> Option<String> {
        let needed = self.facts.listed_by();
        let model = self.model(wanted);
        let asked: Map<String, Json> = needed.iter().filter_map(|name| Some(((*name).to_owned(), model.get(*name)?.clone()))).collect();
        (!asked.is_empty()).then(|| Json::Object(asked).to_string())
    }

    /// What its operations take of IAM: what the handlers of its schema say, which names no resources.
    pub fn permissions(&'static self) -> Permissions {
        Permissions { arn: "", plan: &self.lent.plan, apply: &self.lent.apply }
    }

    /// How long operations on one with these attributes usually take.
    pub fn usual(&self, wanted: &Value) -> Option<Usual> {
        let with = self.knowledge.usual_with.iter().find(|(path, _)| attribute_at(wanted, path).is_some());
        with.map(|(_, usual)| *usual).or(self.knowledge.usual)
    }

    fn protected(&self, live: &Value) -> Option<&'static str> {
        let mut protections = self.knowledge.protected_by.iter().zip(&self.lent.protections);
        protections.find(|((path, [on, _]), _)| attribute_at(live, path) == Some(&read_value(on))).map(|(_, off)| *off)
    }

    fn governed(&'static self, live: &Value, wanted: &Value) -> Vec<Governed> {
        let holds = |(path, governor): &(&String, &Governor)| {
            let there = |path: &str| attribute_at(live, path);
            let with = governor.with.as_deref().is_none_or(|with| there(with).is_some());
            let less = number(attribute_at(wanted, path)) <= number(there(path));
            there(path).is_some() && with && (less || !governor.grows)
        };
        let known = self.knowledge.governed.iter().filter(holds);
        let known = known.map(|(path, governor)| Governed { path: path_of(path), by: Some(governor.by.as_str()) });
        let tags = (self.facts.tags_are_fixed() && live.get("tags").is_some())
            .then(|| Governed { path: Path::attribute("tags"), by: Some("AWS, which takes the tags of this type only when it is made,") });
        let tag = |name: &str| Path::attribute("tags").join(Segment::field(name));
        let theirs = self.knowledge.governed_tags.iter().filter(|(name, _)| live.get("tags").is_some_and(|tags| tags.get(name).is_some()));
        let theirs = theirs.map(|(name, by)| Governed { path: tag(name), by: Some(by.as_str()) });
        let begun = self.facts.begun().into_iter().filter(|path| goes_on(attribute_at(live, path), attribute_at(wanted, path)));
        let begun = begun.map(|path| Governed { path: path_of(&path), by: Some("AWS, which chooses the rest of what is written,") });
        known.chain(tags).chain(theirs).chain(begun).collect()
    }
}

/// Whether a text is another one, a dot, and more.
fn goes_on(whole: Option<&Value>, begun: Option<&Value>) -> bool {
    let texts = whole.and_then(|whole| whole.revealed().as_str()).zip(begun.and_then(|begun| begun.revealed().as_str()));
    texts.and_then(|(whole, begun)| whole.strip_prefix(begun)).is_some_and(|rest| rest.starts_with('.'))
}

impl Lent {
    fn of(facts: &Facts, knowledge: &Knowledge, identifier: &[String]) -> Self {
        let made_up = identifier.iter().any(|path| facts.read_only.contains(path) || path.contains('/'));
        let names: Vec<&'static str> = identifier.iter().map(|path| lend_text(&attribute_path(path))).collect();
        let unique: Vec<&'static [&'static str]> = if made_up || names.is_empty() { Vec::new() } else { vec![lend(names.into())] };
        // An id that is written whole says where the resource is: what it names there, it is a part of.
        let hangs_on = unique.iter().flat_map(|names| names.iter().filter(|name| !name.contains('.')));
        let hangs_on = hangs_on.map(|name| HangsOn { attribute: lend(Box::new([*name])), names: Named::Reference }).collect();
        let interrupts = knowledge.interrupts.iter().map(|(path, how)| (lend_text(&attribute_path(path)), lend_text(how)));
        let is_known = |path: &String| knowledge.interrupts.contains_key(path) || knowledge.in_place.contains(path);
        let conditional = facts.conditional.iter().filter(|path| !is_known(path));
        let interrupts = interrupts.chain(conditional.map(|path| (lend_text(&attribute_path(path)), hints::MAY_REPLACE)));
        let grant = |own: &[&'static str], handlers: Vec<String>| {
            let mut actions: Vec<&'static str> = own.to_vec();
            actions.extend(handlers.iter().map(|action| lend_text(action)));
            vec![Grant { actions: lend(actions.into()), on: On::Any, when: None }]
        };
        Self {
            unique,
            hangs_on,
            held_by: knowledge.held_by.iter().map(|name| lend_text(name)).collect(),
            interrupts: interrupts.collect(),
            after: knowledge
                .after
                .iter()
                .map(|after| After { type_name: lend_text(&after.r#type), through: lend_text(&after.through) })
                .collect(),
            protections: knowledge
                .protected_by
                .iter()
                .map(|(path, [_, off])| lend_text(&format!("{} = {off}", attribute_path(path))))
                .collect(),
            plan: [grant(&["cloudformation:GetResource", "cloudformation:ListResources"], facts.reading()), parts(knowledge)].concat(),
            apply: grant(
                &[
                    "cloudformation:CreateResource",
                    "cloudformation:UpdateResource",
                    "cloudformation:DeleteResource",
                    "cloudformation:GetResourceRequestStatus",
                    "cloudformation:ListResourceRequests",
                ],
                facts.changing(),
            ),
        }
    }
}

/// What reading takes of the types that may be in one: a deletion looks for them.
fn parts(knowledge: &Knowledge) -> Vec<Grant> {
    let facts = |aws: &String| {
        let bundle = Bundle::get()?;
        let entry = bundle.types().get(&type_name(aws))?;
        Some(Facts::new(entry.aws, bundle.schema(entry)?))
    };
    let actions: BTreeSet<String> = knowledge.contains.keys().filter_map(facts).flat_map(|facts| facts.reading()).collect();
    let actions: Vec<&'static str> = actions.iter().map(|action| lend_text(action)).collect();
    if actions.is_empty() { Vec::new() } else { vec![Grant { actions: lend(actions.into()), on: On::Any, when: None }] }
}

/// The name of a property in stack files.
fn attribute_path(path: &str) -> String {
    path.split('/').map(snake).collect::<Vec<_>>().join(".")
}

/// A number, also one that is written as text.
fn number(value: Option<&Value>) -> Option<f64> {
    let json = value?.to_json().ok()?;
    json.as_f64().or_else(|| json.as_str()?.parse().ok())
}

fn read_value(value: &toml::Value) -> Value {
    serde_json::to_value(value).map_or(Value::Null, Value::from)
}

fn path_of(path: &str) -> Path {
    Path(path.split('/').map(|name| Segment::field(snake(name))).collect())
}

fn attribute_at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('/').try_fold(value, |value, name| value.get(&snake(name))).filter(|value| !value.is_null())
}

fn id(aws: &str) -> Attribute {
    let doc = format!("What the Cloud Control API tells one {aws} from another by.");
    Attribute { computed: true, ..Attribute::plain("id", &doc, Type::String(TextRule::default())) }
}

/// Why leoctl cannot manage a type.
pub fn lacking(facts: &Facts) -> Option<String> {
    let needed = [(Verb::Create, "make"), (Verb::Read, "read"), (Verb::Delete, "delete")];
    let missing: Vec<&str> = needed.iter().filter(|(verb, _)| !facts.can(*verb)).map(|(_, word)| *word).collect();
    (!missing.is_empty()).then(|| format!("AWS's Cloud Control API cannot {} an {}", missing.join(" or "), facts.aws))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cloud_control::bundle::Bundle;

    /// Goes through all properties, and says of each list of them whether names in stack files and at AWS are one to one.
    fn one_to_one(part: &Part, at: &str) {
        match &part.shape {
            Shape::Object(properties) => {
                let names: BTreeSet<&str> = properties.iter().map(|property| property.name.as_str()).collect();
                let aws: BTreeSet<&str> = properties.iter().map(|property| property.aws.as_str()).collect();
                assert_eq!((names.len(), aws.len()), (properties.len(), properties.len()), "{at}");
                properties.iter().for_each(|property| one_to_one(&property.part, &format!("{at}.{}", property.aws)));
            }
            Shape::List(item) | Shape::Map(item) => one_to_one(item, at),
            Shape::Scalar | Shape::Document { .. } | Shape::Tags(_) => {}
        }
    }

    #[test]
    fn every_type_has_attributes_and_each_leads_back_to_its_property() {
        let bundle = Bundle::get().unwrap();
        for (name, entry) in bundle.types() {
            let (kind, schema) = Kind::read(entry.aws, bundle.schema(entry).unwrap());
            assert_eq!(schema.schema.name, *name);
            assert!(schema.schema.attribute("id").is_some_and(|id| id.computed), "{name}");
            one_to_one(kind.root(), name);
            for path in &kind.identifier {
                assert!(kind.facts.properties().any(|(aws, _)| path.split('/').next() == Some(aws)), "{name}: {path}");
            }
            if schema.schema.is_taggable() {
                assert!(matches!(schema.schema.attribute("tags").unwrap().ty, Type::Map { .. }), "{name}");
            }
        }
    }

    fn of(aws: &'static str) -> (&'static Kind, Arc<ResourceSchema>) {
        let bundle = Bundle::get().unwrap();
        Kind::read(aws, bundle.schema(&bundle.types()[&type_name(aws)]).unwrap())
    }

    #[test]
    fn what_a_schema_says_of_properties_is_said_of_attributes() {
        let (kind, schema) = of("AWS::RDS::DBInstance");
        let attribute = |name: &str| schema.schema.attribute(name).unwrap_or_else(|| panic!("{name}"));
        assert!(attribute("db_instance_identifier").replace && !attribute("db_instance_class").replace);
        assert!(attribute("master_user_password").sensitive && attribute("master_user_password").local);
        assert!(attribute("db_instance_arn").computed && !attribute("db_instance_arn").required);
        // AWS keeps it in lower case.
        let written = Value::from(serde_json::json!({ "db_instance_identifier": "Main" }));
        let kept = leoctl_core::model::canonical::canonicalize(&schema.schema.attributes, &written);
        assert_eq!(kind.id_of(&kept).as_deref(), Some("main"));
        assert_eq!(schema.unique, [["db_instance_identifier"]]);
        assert_eq!(
            (schema.protected)(&Value::from(serde_json::json!({ "deletion_protection": true }))),
            Some("deletion_protection = false")
        );
        assert_eq!((schema.protected)(&Value::from(serde_json::json!({ "deletion_protection": false }))), None);
    }

    #[test]
    fn a_version_of_which_the_beginning_is_written_is_the_one_that_aws_chose_within_it() {
        for (aws, name) in [("AWS::RDS::DBInstance", "engine_version"), ("AWS::RDS::DBCluster", "engine_version")] {
            let (_, schema) = of(aws);
            let governed = |live: &str, wanted: &str| {
                let version = |text: &str| Value::from(serde_json::json!({ name: text }));
                (schema.governed)(&version(live), &version(wanted)).len()
            };
            assert_eq!(governed("17.6", "17"), 1, "{aws}");
            assert_eq!(governed("17.6", "17.6"), 0);
            assert_eq!(governed("17.6", "1"), 0);
            assert_eq!(governed("16.9", "17"), 0);
        }
    }

    #[test]
    fn what_grows_by_itself_is_compared_only_where_more_is_wanted() {
        let (_, schema) = of("AWS::RDS::DBInstance");
        let governed = |live: serde_json::Value, wanted: &str| {
            let wanted = Value::from(serde_json::json!({ "allocated_storage": wanted }));
            (schema.governed)(&Value::from(live), &wanted).len()
        };
        let growing = serde_json::json!({ "allocated_storage": "40", "max_allocated_storage": 100 });
        assert_eq!(governed(growing.clone(), "20"), 1);
        assert_eq!(governed(growing, "60"), 0);
        assert_eq!(governed(serde_json::json!({ "allocated_storage": "40" }), "20"), 0);
        let (_, pool) = of("AWS::Cognito::UserPool");
        let protected = (pool.protected)(&Value::from(serde_json::json!({ "deletion_protection": "ACTIVE" })));
        assert_eq!(protected, Some("deletion_protection = \"INACTIVE\""));
    }

    #[test]
    fn tags_are_a_table_whatever_aws_has_them_in() {
        let tags = Value::from(serde_json::json!({ "tags": { "Team": "a" } }));
        for (aws, there) in [
            ("AWS::SQS::Queue", serde_json::json!({ "Tags": [{ "Key": "Team", "Value": "a" }] })),
            ("AWS::ApiGatewayV2::Api", serde_json::json!({ "Tags": { "Team": "a" } })),
            ("AWS::Route53::HostedZone", serde_json::json!({ "HostedZoneTags": [{ "Key": "Team", "Value": "a" }] })),
            (
                "AWS::AutoScaling::AutoScalingGroup",
                serde_json::json!({ "Tags": [{ "Key": "Team", "Value": "a", "PropagateAtLaunch": true }] }),
            ),
        ] {
            let (kind, _) = of(aws);
            assert_eq!(Json::Object(kind.model(&tags)), there, "{aws}");
            assert_eq!(kind.attributes("i", &there).get("tags"), tags.get("tags"), "{aws}");
        }
    }

    #[test]
    fn a_tag_that_something_else_in_aws_sets_stays() {
        let (kind, schema) = of("AWS::AutoScaling::AutoScalingGroup");
        let live = Value::from(serde_json::json!({ "tags": { "Team": "a", "AmazonECSManaged": "true" } }));
        let wanted = Value::from(serde_json::json!({ "tags": { "Team": "b" } }));
        let governed = (schema.governed)(&live, &wanted);
        assert_eq!(governed.iter().map(|one| one.path.to_string()).collect::<Vec<_>>(), ["tags.AmazonECSManaged"]);
        // Tags are sent whole: with it.
        let paths: Vec<Path> = governed.into_iter().map(|one| one.path).collect();
        let after = leoctl_core::plan::diff::ignore(&wanted, &live, &paths);
        assert_eq!(kind.model(&after)["Tags"].as_array().map(Vec::len), Some(2));
        assert!((schema.governed)(&wanted, &wanted).is_empty());
    }

    #[test]
    fn an_id_says_what_it_is_made_of_where_an_answer_does_not() {
        let (queue, _) = of("AWS::SQS::Queue");
        let named = |kind: &Kind, id: &str, model: Json| kind.attributes(id, &model).to_json().unwrap();
        assert_eq!(named(queue, "https://q", serde_json::json!({}))["queue_url"], "https://q");
        let (filter, _) = of("AWS::Logs::SubscriptionFilter");
        let seen = named(filter, "errors|/app", serde_json::json!({ "FilterPattern": "" }));
        assert_eq!((&seen["filter_name"], &seen["log_group_name"]), (&"errors".into(), &"/app".into()));
    }

    #[test]
    fn what_aws_sets_anew_follows_what_changes() {
        let (_, schema) = of("AWS::EC2::LaunchTemplate");
        assert_eq!(schema.schema.attribute("latest_version_number").unwrap().follows, ["launch_template_data", "version_description"]);
    }

    #[test]
    fn permissions_are_those_of_the_handlers_and_of_cloud_control() {
        let (kind, _) = of("AWS::SQS::Queue");
        let Permissions { plan, apply, .. } = kind.permissions();
        let has = |grants: &[Grant], action: &str| grants.iter().any(|grant| grant.actions.contains(&action));
        assert!(has(plan, "cloudformation:GetResource") && has(plan, "sqs:GetQueueAttributes") && !has(plan, "sqs:CreateQueue"));
        assert!(has(apply, "cloudformation:CreateResource") && has(apply, "sqs:CreateQueue"));
    }
}
