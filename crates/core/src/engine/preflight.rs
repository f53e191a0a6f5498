//! Asking AWS what would make a plan's apply fail: everything at once, and nothing that fails the plan.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;

use super::ports::{Failure, FailureKind, Inspector, Outcome};
use crate::plan::preflight::{
    Check, Finding, Preflight, Unchecked, certificate, contents, image, permission, private_dns, secret, security_group,
};
use crate::plan::types::Plan;

/// How long a plan waits for one check: what is only advice holds nobody up, whatever is tried again meanwhile.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is found about a plan.
pub async fn preflight(plan: &Plan, inspector: &dyn Inspector) -> Preflight {
    let names = secret::wanted(plan);
    let holders = contents::holders(plan);
    let (images, without_images) = image::images(plan);
    let (certificates, elsewhere) = certificate::certificates(plan);
    let groups = security_group::groups(plan);
    let needed = permission::needed(plan);
    let checks = tokio::join!(
        ask(Check::ScheduledSecret, &names, async |one| Ok(secret::judge(plan, one, inspector.scheduled_secret(one).await?))),
        ask(Check::NotEmpty, &holders, async |one| Ok(contents::judge(plan, one, &inspector.contents(one).await?))),
        ask(Check::Image, &images, async |one| Ok(image::judge(one, inspector.image(one).await?))),
        ask(Check::Certificate, &certificates, async |one| Ok(certificate::judge(one, inspector.certificate(one).await?))),
        ask(Check::SecurityGroup, &groups, async |one| Ok(security_group::judge(plan, one, &inspector.interfaces(one).await?))),
        ask(Check::Permission, &needed, async |(account, all)| Ok(permission::judge(all, &inspector.denied(account, all).await?))),
    );
    let (secrets, contents, mut images, mut certificates, groups, permissions) = checks;
    images.findings.splice(..0, without_images);
    certificates.findings.splice(..0, elsewhere);
    let endpoints = Preflight { findings: private_dns::findings(plan), unchecked: Vec::new() };
    let all = [permissions, secrets, contents, groups, images, certificates, endpoints];
    let (findings, unchecked): (Vec<_>, Vec<_>) = all.into_iter().map(|one| (one.findings, one.unchecked)).unzip();
    Preflight { findings: findings.concat(), unchecked: unchecked.concat() }.redacted(&plan.redactor())
}

/// Asks about each of some things at once.
async fn ask<T>(check: Check, things: &[T], one: impl AsyncFn(&T) -> Outcome<Vec<Finding>>) -> Preflight {
    let mut findings = Vec::new();
    let mut unchecked = BTreeSet::new();
    for answer in join_all(things.iter().map(|thing| tokio::time::timeout(PATIENCE, one(thing)))).await {
        let why = match answer {
            Ok(Ok(found)) => {
                findings.extend(found);
                continue;
            }
            Ok(Err(failure)) => why(&failure),
            Err(_) => format!("AWS did not answer within {} seconds", PATIENCE.as_secs()),
        };
        unchecked.insert(Unchecked { check, why });
    }
    Preflight { findings, unchecked: unchecked.into_iter().collect() }
}

/// Why something could not be asked, in a line.
fn why(failure: &Failure) -> String {
    match (failure.kind, failure.operation.as_str()) {
        (FailureKind::Denied, operation) if !operation.is_empty() => format!("{operation} is not allowed"),
        (_, "") => failure.message.clone(),
        (_, operation) => {
            let code = failure.code.as_deref().unwrap_or_else(|| failure.message.lines().next().unwrap_or_default());
            format!("{operation} failed: {code}")
        }
    }
}
