//! What KMS says of aliases that are written for keys.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::Planner;
use crate::model::place::Site;
use crate::plan::build::Alias;

impl Planner<'_> {
    /// What is to be known of aliases that are of other keys by now. Where KMS does not say, nothing: the plan is the same.
    pub(super) async fn moved(&self, aliases: &[Alias]) -> Vec<String> {
        let asked: BTreeSet<(&Site, &str)> = aliases.iter().map(|one| (&one.site, one.alias.as_str())).collect();
        let answers = asked.into_iter().map(async |(site, alias)| {
            let key = self.provider.kms_key(site, alias).await.ok().flatten();
            key.map(|key| ((site, alias), key))
        });
        let keys: BTreeMap<(&Site, &str), String> = join_all(answers).await.into_iter().flatten().collect();
        let moved = aliases.iter().filter_map(|one| {
            let key = keys.get(&(&one.site, one.alias.as_str()))?;
            (*key != one.key).then(|| one.moved(key))
        });
        moved.collect()
    }
}
