//! HTTPS from nothing in one apply: a zone, a certificate validated by records in it, a load balancer that shows the
//! certificate, and a name for it. Not on MiniStack, whose ELBv2 lacks DescribeListenerCertificates (`gaps.rs`).

use crate::cases::scaffold;
use crate::support::emulator::Emulator;
use crate::support::world::{World, shown};

const STACK: &str = r#"
[locals]
domains = "${['NAME.example.org', 'www.NAME.example.org']}"

[resource.route53_zone.main]
name = "NAME.example.org"

[resource.acm_certificate.main]
domain_name               = "NAME.example.org"
subject_alternative_names = ["www.NAME.example.org"]

[resource.route53_record.validation]
for_each = "${locals.domains}"
zone_id  = "${route53_zone.main.id}"
name     = "${acm_certificate.main.validation_records[each.value].name}"
type     = "${acm_certificate.main.validation_records[each.value].type}"
ttl      = 300
records  = ["${acm_certificate.main.validation_records[each.value].value}"]

[resource.acm_certificate_validation.main]
certificate_arn         = "${acm_certificate.main.arn}"
validation_record_fqdns = "${pluck(route53_record.validation, 'fqdn')}"

[resource.lb_listener.https]
load_balancer_arn = "${lb.n.arn}"
port              = 443
protocol          = "HTTPS"
certificates      = [{ certificate_arn = "${acm_certificate_validation.main.certificate_arn}" }]
default_actions   = [{ type = "forward", target_group_arn = "${lb_target_group.n.arn}" }]

[resource.route53_record.web]
for_each = "${locals.domains}"
zone_id  = "${route53_zone.main.id}"
name     = "${each.value}"
type     = "A"
alias    = { dns_name = "${lb.n.dns_name}", zone_id = "${lb.n.canonical_hosted_zone_id}" }

[data.route53_zone.seen]
zone_id = "${route53_zone.main.id}"

[outputs]
url          = "${'https://' + route53_record.web['www.NAME.example.org'].fqdn}"
name_servers = "${data.route53_zone.seen.name_servers}"
"#;

async fn https(emulator: Emulator) {
    let Some(endpoint) = emulator.endpoint() else {
        eprintln!("{emulator:?} is not installed here: skipped");
        return;
    };
    let name = "https";
    let world = World::new(endpoint, name).await;
    let stack = format!("{}{STACK}", scaffold("network+balancer")).replace("NAME", name);
    let first = world.plan(&stack).await.unwrap();
    assert!(first.changes.iter().all(|change| change.id().is_none()), "{}", shown(&first));
    world.apply(&stack).await.unwrap();
    let again = world.plan(&stack).await.unwrap();
    assert!(!again.has_changes() && again.drift.is_empty(), "{}", shown(&again));

    let zone = world.id("route53_zone.main").await.unwrap();
    let certificate = world.id("acm_certificate.main").await.unwrap();
    let record = world.id("route53_record.web[\"www.https.example.org\"]").await.unwrap();
    assert_eq!(record, format!("{zone}/www.https.example.org/A"));
    assert_eq!(world.id("acm_certificate_validation.main").await.unwrap(), certificate);

    world.destroy(&stack).await.unwrap();
    for (type_name, id) in [("route53_zone", &zone), ("acm_certificate", &certificate), ("route53_record", &record)] {
        assert!(!world.exists(type_name, id).await, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn https_from_nothing_in_one_apply_on_fakecloud() {
    https(Emulator::Fakecloud).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn https_from_nothing_in_one_apply_on_moto() {
    https(Emulator::Moto).await;
}
