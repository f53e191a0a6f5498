//! Certificates and names.

use super::Case;
use crate::gaps::Gap;
use crate::support::emulator::Emulator;

pub const NEEDS: &[(&str, &str)] = &[
    ("zone", "[resource.route53_zone.n]\nname = \"NAME.example.org\"\n"),
    ("certificate", "[resource.acm_certificate.n]\ndomain_name = \"NAME.example.org\"\n"),
    ("second-network", "[resource.vpc.m]\ncidr_block = \"10.10.0.0/16\"\n"),
];

pub const CASES: &[Case] = &[
    Case {
        type_name: "acm_certificate",
        needs: "",
        least: "domain_name = \"NAME.example.org\"",
        optional: &[
            "subject_alternative_names = [\"*.NAME.example.org\", \"www.NAME.example.org\"]",
            "key_algorithm = \"EC_prime256v1\"",
            "export = \"ENABLED\"",
            "tags = { a = \"b\" }",
        ],
        changed: &[("NAME.example.org", "other.NAME.example.org")],
    },
    Case {
        type_name: "acm_certificate",
        needs: "",
        least: "domain_name = \"mail.NAME.example.org\"\nvalidation_method = \"EMAIL\"",
        optional: &["domain_validation_options = [{ domain_name = \"mail.NAME.example.org\", validation_domain = \"example.org\" }]"],
        changed: &[],
    },
    // Two certificates of one key.
    Case {
        type_name: "acm_imported_certificate",
        needs: "",
        least: "certificate_body = \"-----BEGIN CERTIFICATE-----\\nMIIBoTCCAUegAwIBAgIUcbNRo0ZXdSH8aJf0OPSOOa0U2z0wCgYIKoZIzj0EAwIw\\nGDEWMBQGA1UEAwwNYS5leGFtcGxlLm9yZzAgFw0yNjExMjcyMTE3MjJaGA8yMTI2\\nMTEwMzIxMTcyMlowGDEWMBQGA1UEAwwNYS5leGFtcGxlLm9yZzBZMBMGByqGSM49\\nAgEGCCqGSM49AwEHA0IABJssEnIoII8DY1/K+diR3gbZNnCIrSpBos0aiURu//1C\\n8/18ldpRzkb2zSV+BvLJmmOCo5r5IUWr/IddMqgl/u2jbTBrMB0GA1UdDgQWBBQ9\\nfut/JNBX54j61TaaRrfiLbFLzTAfBgNVHSMEGDAWgBQ9fut/JNBX54j61TaaRrfi\\nLbFLzTAPBgNVHRMBAf8EBTADAQH/MBgGA1UdEQQRMA+CDWEuZXhhbXBsZS5vcmcw\\nCgYIKoZIzj0EAwIDSAAwRQIgRMpvzpC8njqLw5zva9Q30qF8cPfk9kIpYMohtlk3\\n4WsCIQCFm4fY6op7sTb/56+FRDODvWD3YZ4izrn9+YKfSwtfZQ==\\n-----END CERTIFICATE-----\\n\"\nprivate_key = \"-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEEIKvkj8kIyv5RlsVvOoKct9CYet4Iy7vTIYCQBsdcLysKoAoGCCqGSM49\\nAwEHoUQDQgAEmywSciggjwNjX8r52JHeBtk2cIitKkGizRqJRG7//ULz/XyV2lHO\\nRvbNJX4G8smaY4KjmvkhRav8h10yqCX+7Q==\\n-----END EC PRIVATE KEY-----\\n\"",
        optional: &[
            "certificate_chain = \"-----BEGIN CERTIFICATE-----\\nMIIBoTCCAUegAwIBAgIUfLoP5rLH+BkltpF9bX3X6yeoHuswCgYIKoZIzj0EAwIw\\nGDEWMBQGA1UEAwwNYi5leGFtcGxlLm9yZzAgFw0yNjExMjcyMTE3MjJaGA8yMTI2\\nMTEwMzIxMTcyMlowGDEWMBQGA1UEAwwNYi5leGFtcGxlLm9yZzBZMBMGByqGSM49\\nAgEGCCqGSM49AwEHA0IABJssEnIoII8DY1/K+diR3gbZNnCIrSpBos0aiURu//1C\\n8/18ldpRzkb2zSV+BvLJmmOCo5r5IUWr/IddMqgl/u2jbTBrMB0GA1UdDgQWBBQ9\\nfut/JNBX54j61TaaRrfiLbFLzTAfBgNVHSMEGDAWgBQ9fut/JNBX54j61TaaRrfi\\nLbFLzTAPBgNVHRMBAf8EBTADAQH/MBgGA1UdEQQRMA+CDWIuZXhhbXBsZS5vcmcw\\nCgYIKoZIzj0EAwIDSAAwRQIhANTNea4r366KJ4FsJdcDdVBChCtPDYAL+/wCp+hx\\nJ8IpAiAUOAGY5TkHryk/5ZrRa2STe6NXewyY/BAuukxk9HR9EQ==\\n-----END CERTIFICATE-----\\n\"",
            "tags = { a = \"b\" }",
        ],
        changed: &[(
            "-----BEGIN CERTIFICATE-----\\nMIIBoTCCAUegAwIBAgIUcbNRo0ZXdSH8aJf0OPSOOa0U2z0wCgYIKoZIzj0EAwIw\\nGDEWMBQGA1UEAwwNYS5leGFtcGxlLm9yZzAgFw0yNjExMjcyMTE3MjJaGA8yMTI2\\nMTEwMzIxMTcyMlowGDEWMBQGA1UEAwwNYS5leGFtcGxlLm9yZzBZMBMGByqGSM49\\nAgEGCCqGSM49AwEHA0IABJssEnIoII8DY1/K+diR3gbZNnCIrSpBos0aiURu//1C\\n8/18ldpRzkb2zSV+BvLJmmOCo5r5IUWr/IddMqgl/u2jbTBrMB0GA1UdDgQWBBQ9\\nfut/JNBX54j61TaaRrfiLbFLzTAfBgNVHSMEGDAWgBQ9fut/JNBX54j61TaaRrfi\\nLbFLzTAPBgNVHRMBAf8EBTADAQH/MBgGA1UdEQQRMA+CDWEuZXhhbXBsZS5vcmcw\\nCgYIKoZIzj0EAwIDSAAwRQIgRMpvzpC8njqLw5zva9Q30qF8cPfk9kIpYMohtlk3\\n4WsCIQCFm4fY6op7sTb/56+FRDODvWD3YZ4izrn9+YKfSwtfZQ==\\n-----END CERTIFICATE-----\\n",
            "-----BEGIN CERTIFICATE-----\\nMIIBoTCCAUegAwIBAgIUfLoP5rLH+BkltpF9bX3X6yeoHuswCgYIKoZIzj0EAwIw\\nGDEWMBQGA1UEAwwNYi5leGFtcGxlLm9yZzAgFw0yNjExMjcyMTE3MjJaGA8yMTI2\\nMTEwMzIxMTcyMlowGDEWMBQGA1UEAwwNYi5leGFtcGxlLm9yZzBZMBMGByqGSM49\\nAgEGCCqGSM49AwEHA0IABJssEnIoII8DY1/K+diR3gbZNnCIrSpBos0aiURu//1C\\n8/18ldpRzkb2zSV+BvLJmmOCo5r5IUWr/IddMqgl/u2jbTBrMB0GA1UdDgQWBBQ9\\nfut/JNBX54j61TaaRrfiLbFLzTAfBgNVHSMEGDAWgBQ9fut/JNBX54j61TaaRrfi\\nLbFLzTAPBgNVHRMBAf8EBTADAQH/MBgGA1UdEQQRMA+CDWIuZXhhbXBsZS5vcmcw\\nCgYIKoZIzj0EAwIDSAAwRQIhANTNea4r366KJ4FsJdcDdVBChCtPDYAL+/wCp+hx\\nJ8IpAiAUOAGY5TkHryk/5ZrRa2STe6NXewyY/BAuukxk9HR9EQ==\\n-----END CERTIFICATE-----\\n",
        )],
    },
    Case {
        type_name: "acm_certificate_validation",
        needs: "certificate",
        least: "certificate_arn = \"${acm_certificate.n.arn}\"",
        optional: &["validation_record_fqdns = [\"${acm_certificate.n.validation_records['NAME.example.org'].name}\"]"],
        changed: &[],
    },
    Case {
        type_name: "route53_zone",
        needs: "",
        least: "name = \"NAME.example.org\"",
        optional: &["comment = \"ours\"", "force_destroy = true", "tags = { a = \"b\" }"],
        changed: &[("NAME.example.org", "other.NAME.example.org")],
    },
    Case {
        type_name: "route53_zone",
        needs: "network+second-network",
        least: "name = \"NAME.internal\"\nprivate_zone = true\nvpcs = [{ vpc_id = \"${vpc.n.id}\" }]",
        optional: &[],
        changed: &[(
            "{ vpc_id = \"${vpc.n.id}\" }",
            "{ vpc_id = \"${vpc.n.id}\" }, { vpc_id = \"${vpc.m.id}\", vpc_region = \"us-east-1\" }",
        )],
    },
    Case {
        type_name: "route53_record",
        needs: "zone",
        least: "zone_id = \"${route53_zone.n.id}\"\nname = \"www.NAME.example.org\"\ntype = \"A\"\nttl = 300\nrecords = [\"192.0.2.1\"]",
        optional: &[],
        changed: &[
            ("ttl = 300", "ttl = 60"),
            ("\"192.0.2.1\"", "\"192.0.2.2\", \"192.0.2.1\""),
            ("www.NAME", "other.NAME"),
            ("type = \"A\"\nttl = 300\nrecords = [\"192.0.2.1\"]", "type = \"TXT\"\nttl = 300\nrecords = [\"\\\"v=spf1 -all\\\"\"]"),
            ("type = \"A\"\nttl = 300\nrecords = [\"192.0.2.1\"]", "type = \"MX\"\nttl = 300\nrecords = [\"10 mail.example.org\"]"),
        ],
    },
    Case {
        type_name: "route53_record",
        needs: "zone",
        least: "zone_id = \"${route53_zone.n.id}\"\nname = \"*.NAME.Example.org.\"\ntype = \"${'CNA' + 'ME'}\"\nttl = 300\nrecords = [\"elsewhere.example.org\"]",
        optional: &[],
        changed: &[("elsewhere", "otherwhere")],
    },
    Case {
        type_name: "route53_record",
        needs: "zone+network+balancer",
        least: "zone_id = \"${route53_zone.n.id}\"\nname = \"NAME.example.org\"\ntype = \"A\"\nalias = { dns_name = \"${lb.n.dns_name}\", zone_id = \"${lb.n.canonical_hosted_zone_id}\" }",
        optional: &[],
        changed: &[("canonical_hosted_zone_id}\" }", "canonical_hosted_zone_id}\", evaluate_target_health = true }")],
    },
    Case {
        type_name: "route53_record",
        needs: "zone",
        least: "zone_id = \"${route53_zone.n.id}\"\nname = \"w.NAME.example.org\"\ntype = \"A\"\nttl = 60\nrecords = [\"192.0.2.1\"]\nset_identifier = \"blue\"\nweight = 10",
        optional: &[],
        changed: &[("weight = 10", "weight = 0"), ("\"blue\"", "\"green\"")],
    },
    Case {
        type_name: "route53_record",
        needs: "zone",
        least: "zone_id = \"${route53_zone.n.id}\"\nname = \"f.NAME.example.org\"\ntype = \"A\"\nttl = 60\nrecords = [\"192.0.2.1\"]\nset_identifier = \"one\"\nfailover = \"SECONDARY\"",
        optional: &[],
        changed: &[],
    },
    Case {
        type_name: "route53_record",
        needs: "zone",
        least: "zone_id = \"${route53_zone.n.id}\"\nname = \"r.NAME.example.org\"\ntype = \"A\"\nttl = 60\nrecords = [\"192.0.2.1\"]\nset_identifier = \"one\"\nregion = \"eu-central-1\"",
        optional: &["health_check_id = \"11111111-2222-3333-4444-555555555555\""],
        changed: &[("eu-central-1", "eu-west-1")],
    },
    Case {
        type_name: "route53_record",
        needs: "zone",
        least: "zone_id = \"${route53_zone.n.id}\"\nname = \"g.NAME.example.org\"\ntype = \"A\"\nttl = 60\nrecords = [\"192.0.2.1\"]\nset_identifier = \"one\"\ngeo_location = { country_code = \"US\", subdivision_code = \"CA\" }",
        optional: &[],
        changed: &[("{ country_code = \"US\", subdivision_code = \"CA\" }", "{ continent_code = \"EU\" }")],
    },
    Case {
        type_name: "route53_record",
        needs: "zone",
        least: "zone_id = \"${route53_zone.n.id}\"\nname = \"p.NAME.example.org\"\ntype = \"A\"\nttl = 60\nrecords = [\"192.0.2.1\"]\nset_identifier = \"one\"\ngeo_proximity_location = { aws_region = \"eu-central-1\", bias = 10 }",
        optional: &[],
        changed: &[],
    },
    Case {
        type_name: "route53_record",
        needs: "zone",
        least: "zone_id = \"${route53_zone.n.id}\"\nname = \"m.NAME.example.org\"\ntype = \"A\"\nttl = 60\nrecords = [\"192.0.2.1\"]\nset_identifier = \"one\"\nmulti_value_answer = true",
        optional: &[],
        changed: &[],
    },
];

/// What a replacement under one name meets on its way back.
const MOTO_EXCHANGE: &str = "ChangeResourceRecordSets refuses to create what it once had, in a batch that deletes another record of the \
     name; the Route 53 API Reference has DELETE and CREATE in one batch";

pub const GAPS: &[Gap] = &[
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "acm_imported_certificate",
        attribute: "",
        evidence: "GetCertificate answers a chain of its own making of what was imported without one; by the ACM API Reference there is none",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "acm_imported_certificate",
        attribute: "",
        evidence: "GetCertificate answers a chain of its own making of what was imported without one, and what was deleted is still described",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "acm_certificate",
        attribute: "key_algorithm",
        evidence: "RequestCertificate drops KeyAlgorithm of the ACM API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "acm_certificate",
        attribute: "export",
        evidence: "RequestCertificate drops Export of the ACM API Reference's CertificateOptions",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "acm_certificate",
        attribute: "domain_validation_options",
        evidence: "RequestCertificate drops DomainValidationOptions of the ACM API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "acm_certificate",
        attribute: "key_algorithm",
        evidence: "RequestCertificate drops KeyAlgorithm of the ACM API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "acm_certificate",
        attribute: "EMAIL",
        evidence: "DescribeCertificate says DNS of a certificate that RequestCertificate was asked to validate by e-mail",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "acm_certificate_validation",
        attribute: "",
        evidence: "takes a minute to issue a certificate where it is not told otherwise; the sandbox tells it to take a second",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "route53_record",
        attribute: "geo_proximity_location",
        evidence: "ChangeResourceRecordSets drops GeoProximityLocation of the Route 53 API Reference",
    },
    Gap { emulator: Emulator::Moto, type_name: "route53_record", attribute: "TXT", evidence: MOTO_EXCHANGE },
    Gap { emulator: Emulator::Moto, type_name: "route53_record", attribute: "MX", evidence: MOTO_EXCHANGE },
    Gap { emulator: Emulator::Moto, type_name: "route53_record", attribute: "green", evidence: MOTO_EXCHANGE },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "route53_record",
        attribute: "geo_proximity_location",
        evidence: "ChangeResourceRecordSets drops GeoProximityLocation of the Route 53 API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "route53_zone",
        attribute: "comment",
        evidence: "UpdateHostedZoneComment without a Comment keeps the old one; the Route 53 API Reference deletes it",
    },
];
