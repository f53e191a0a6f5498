//! The resource type `cloudwatch_dashboard`.

use futures_util::future::{try_join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{tags_of, to_api, update_tags};
use crate::client::{Aws, send_once};
use crate::document::Document;
use crate::error::{OrAbsent, OrFail};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Tags};
use leoctl_core::engine::ports::{Failure, Operation, Outcome, Wanted};
use leoctl_core::model::place::Scope;

/// A dashboard.
///
/// Import by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloudwatchDashboard {
    /// The name, unique in the account.
    #[schemars(extend("x-replace" = true, "pattern" = "^[a-zA-Z0-9_-]+$", "x-form" = "letters, digits, hyphens and underscores"), length(max = 255))]
    name: String,
    /// Its widgets, as CloudWatch's "Dashboard Body Structure and Syntax" has them.
    dashboard_body: Document,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

impl CloudwatchDashboard {
    async fn read_one(aws: &Aws, name: &str) -> Outcome<Option<(String, Self)>> {
        let call = aws.cloudwatch().get_dashboard().dashboard_name(name);
        let Some(found) = call.send().await.or_fail("cloudwatch:GetDashboard").or_absent()? else { return Ok(None) };
        let arn = found.dashboard_arn().unwrap_or_default();
        let body = async { Document::parse(found.dashboard_body().unwrap_or("{}")) };
        let (dashboard_body, tags) = try_join(body, tags_of(aws, arn)).await?;
        Ok(Some((name.to_owned(), Self { name: name.to_owned(), dashboard_body, tags, arn: arn.to_owned() })))
    }
}

impl Resource for CloudwatchDashboard {
    const TYPE: &'static str = "cloudwatch_dashboard";
    // "All dashboards in your account are global, not region-specific" (CloudWatch API Reference, PutDashboard).
    const INFO: Info = Info { unique: &[&["name"]], scope: Scope::Global, timeout: 300, ..Info::DEFAULT };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:cloudwatch::{account}:dashboard/{name}",
        plan: &[Grant::itself(&["cloudwatch:GetDashboard", "cloudwatch:ListTagsForResource"])],
        apply: &[Grant::itself(&[
            "cloudwatch:DeleteDashboards",
            "cloudwatch:PutDashboard",
            "cloudwatch:TagResource",
            "cloudwatch:UntagResource",
        ])],
    };

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        // The list has no bodies.
        let read = try_join_all(ids.iter().map(|name| Self::read_one(aws, name))).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        let call = aws.cloudwatch().get_dashboard().dashboard_name(name);
        let found = call.send().await.or_fail("cloudwatch:GetDashboard").or_absent()?;
        Ok(wanted.pick(found.map(|_| name.to_owned())))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws.cloudwatch().put_dashboard().dashboard_name(&to.name).dashboard_body(to.dashboard_body.to_string());
        let call = call.set_tags(to_api(&to.tags));
        // Putting one that exists changes it, also where somebody else made it.
        if Self::read_one(aws, &to.name).await?.is_some() {
            return Err(Failure::exists("cloudwatch:PutDashboard", &to.name));
        }
        send_once!(aws_sdk_cloudwatch, call).await.sent_once("cloudwatch:PutDashboard")?;
        Ok(to.name.clone())
    }

    fn as_created(to: &Self) -> Self {
        // PutDashboard ignores tags when it finds a dashboard of this name, such as the one of a lost answer: they are
        // set on their own (CloudWatch API Reference, PutDashboard, TagResource).
        Self { tags: Tags::new(), ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { name: _, dashboard_body, tags, arn: _ } = to;
        if *dashboard_body != from.dashboard_body {
            let call = aws.cloudwatch().put_dashboard().dashboard_name(id).dashboard_body(dashboard_body.to_string());
            call.send().await.idempotent("cloudwatch:PutDashboard")?;
        }
        if *tags == from.tags {
            return Ok(());
        }
        let found = aws.cloudwatch().get_dashboard().dashboard_name(id).send().await.or_fail("cloudwatch:GetDashboard")?;
        update_tags(aws, found.dashboard_arn().unwrap_or_default(), &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let call = aws.cloudwatch().delete_dashboards().dashboard_names(id);
        call.send().await.or_gone("cloudwatch:DeleteDashboards").map(drop)
    }
}
