//! Putting the lifecycle rules of a bucket, and waiting until S3 says the same of them every time.

use std::time::Duration;

use aws_sdk_s3::operation::get_bucket_lifecycle_configuration::GetBucketLifecycleConfigurationOutput;
use aws_sdk_s3::types as api;

use super::lifecycle::LifecycleRule;
use super::unbuilt;
use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use crate::repeat::Changing;
use leoctl_core::engine::ports::{Operation, Outcome};

/// The waits between the reads that have to agree: for a minute or more after a change S3 gives old and new in turn.
const WAITS: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];
/// Reads after which it is the next plan's to say what S3 has.
const MOST_READS: usize = 60;

/// The rules of a bucket; none when it has none.
pub async fn get(aws: &Aws, bucket: &str) -> Outcome<Option<GetBucketLifecycleConfigurationOutput>> {
    let call = aws.s3().get_bucket_lifecycle_configuration().bucket(bucket);
    call.send().await.or_fail("s3:GetLifecycleConfiguration").or_absent()
}

/// The rules in what S3 returned.
pub fn rules(found: Option<&GetBucketLifecycleConfigurationOutput>) -> Vec<LifecycleRule> {
    found.iter().flat_map(|found| found.rules()).map(LifecycleRule::from_api).collect()
}

/// Puts rules in place of those there are; what is beside them stays.
pub async fn put(aws: &Aws, bucket: &str, rules: &[LifecycleRule]) -> Outcome<()> {
    if rules.is_empty() {
        return aws.s3().delete_bucket_lifecycle().bucket(bucket).send().await.idempotent("s3:PutLifecycleConfiguration").map(drop);
    }
    let smallest = get(aws, bucket).await?.and_then(|found| found.transition_default_minimum_object_size);
    let rules = rules.iter().map(LifecycleRule::to_api).collect::<Outcome<Vec<_>>>()?;
    let configuration = api::BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().map_err(unbuilt)?;
    let call = aws.s3().put_bucket_lifecycle_configuration().bucket(bucket).lifecycle_configuration(configuration);
    let call = call.set_transition_default_minimum_object_size(smallest);
    call.send().await.idempotent("s3:PutLifecycleConfiguration").map(drop)
}

/// Waits until several reads in a row give these rules.
pub async fn settled(aws: &Aws, operation: &Operation, bucket: &str, wanted: &[LifecycleRule]) -> Outcome<()> {
    let mut agreeing = 0;
    for _ in 0..MOST_READS {
        let found = get(aws, bucket).await?;
        agreeing = if same(&rules(found.as_ref()), wanted) { agreeing + 1 } else { 0 };
        let Some(wait) = WAITS.get(agreeing.max(1) - 1) else { return Ok(()) };
        operation.pause(*wait, "waiting for S3 to have the lifecycle rules everywhere").await?;
    }
    Ok(())
}

/// Whether rules are the same, in whatever order.
fn same(found: &[LifecycleRule], wanted: &[LifecycleRule]) -> bool {
    let found: Vec<_> = found.iter().cloned().map(LifecycleRule::sorted).collect();
    found.len() == wanted.len() && wanted.iter().cloned().map(LifecycleRule::sorted).all(|rule| found.contains(&rule))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patience::tests::operation;
    use crate::scripted::{Answer, Scripted};

    fn answer(days: u32) -> String {
        let rule =
            format!("<ID>r</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter><Expiration><Days>{days}</Days></Expiration>");
        format!("<LifecycleConfiguration><Rule>{rule}</Rule></LifecycleConfiguration>")
    }

    async fn of(days: u32) -> Vec<LifecycleRule> {
        let scripted = Scripted::new(move |_| Answer::ok(answer(days)));
        rules(get(&scripted.aws, "b").await.unwrap().as_ref())
    }

    #[tokio::test(start_paused = true)]
    async fn rules_are_settled_after_several_reads_that_agree() {
        let mut given = vec![1, 2, 1, 2, 2, 2, 2, 1].into_iter();
        let scripted = Scripted::new(move |_| Answer::ok(answer(given.next().unwrap())));
        settled(&scripted.aws, &operation(0), "b", &of(2).await).await.unwrap();
        assert_eq!(scripted.calls().len(), 7);
    }

    #[tokio::test]
    async fn what_is_beside_lifecycle_rules_stays() {
        let header = "x-amz-transition-default-minimum-object-size";
        let scripted = Scripted::new(move |_| Answer(200, vec![(header, "varies_by_storage_class".to_owned())], answer(1)));
        put(&scripted.aws, "b", &of(2).await).await.unwrap();
        let calls = scripted.calls();
        assert_eq!(calls.last().unwrap().header(header), Some("varies_by_storage_class"));
        assert!(calls.last().unwrap().name.starts_with("PUT"));
    }
}
