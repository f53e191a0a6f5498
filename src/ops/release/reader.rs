//! Reading how releases go, again and again, in few calls: the services of a cluster together, their tasks together, and
//! nothing twice that does not change any more.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types as api;
use futures_util::future::{join_all, try_join_all};

use super::view::{self, Said};
use super::{LogLine, Release, last};
use crate::ops::Deployed;
use crate::ops::image;
use crate::ops::kind::Kind;
use crate::ops::service::Service;
use crate::ops::status::targets::TargetGroup;
use crate::ops::status::{Unreadable, allowed, services, targets, tasks};
use crate::ops::task::{self, Task};
use crate::ops::task_definition::{self, TaskDefinition};
use leoctl_aws::ecs::record;
use leoctl_aws::ecs::rollout::Deployment;
use leoctl_core::engine::ports::{Failure, Outcome};
use leoctl_core::model::address::Address;
use leoctl_core::model::place::Site;
use leoctl_core::model::redact::Redactor;

/// Of how many tasks that failed the logs are read at a time, for each service.
const LOGS_OF: usize = 3;

/// A service whose release is followed.
pub struct Followed {
    /// The service.
    service: Service,
    /// The deployment that is followed; the newest when it is read first, where none is named.
    deployment: Option<Deployment>,
    /// The record of it, once it is known.
    record: Option<String>,
    /// The release, once nothing more comes of it.
    ended: Option<Release>,
}

impl Followed {
    /// This deployment of a service.
    pub fn deployment(service: Service, deployment: Deployment) -> Self {
        Self { service, deployment: Some(deployment), record: None, ended: None }
    }

    /// The deployment that is the newest one of a service when it is read first.
    pub fn newest(service: Service) -> Self {
        Self { service, deployment: None, record: None, ended: None }
    }
}

/// Who reads releases.
pub struct Reader<'a> {
    deployed: &'a Deployed<'a>,
    redactor: Redactor,
    followed: Vec<Followed>,
    definitions: Vec<TaskDefinition>,
    /// The families whose images are sensitive.
    hidden: BTreeSet<String>,
    /// Whether it goes on looking at what has ended, where another release may begin.
    stays: bool,
    /// The tasks that have stopped, by their ARNs: nothing more comes of them.
    stopped: BTreeMap<String, Task>,
    /// What failed tasks wrote last, by their ARNs.
    logs: BTreeMap<String, Vec<LogLine>>,
}

/// What is read of all services together.
struct Found {
    services: Vec<Option<api::Service>>,
    tasks: Vec<Task>,
    target_groups: Vec<TargetGroup>,
    records: Vec<api::ServiceDeployment>,
    unreadable: Vec<Unreadable>,
}

impl<'a> Reader<'a> {
    /// Who reads the releases of these services, and takes what is secret out of what it reads.
    pub fn new(deployed: &'a Deployed<'a>, redactor: Redactor, followed: Vec<Followed>) -> Self {
        let sensitive = deployed.there(Kind::TaskDefinition).filter(|(address, task)| image::is_sensitive(address, task));
        let family = |arn: &str| task_definition::family(arn).to_owned();
        Self {
            hidden: sensitive.map(|(_, task)| family(task_definition::arn(task))).collect(),
            definitions: task_definition::revisions(deployed),
            deployed,
            redactor,
            followed,
            stays: false,
            stopped: BTreeMap::new(),
            logs: BTreeMap::new(),
        }
    }

    /// The same that goes on when a release has ended, and follows the next one of its service.
    pub fn staying(self) -> Self {
        Self { stays: true, ..self }
    }

    /// How the releases go now, each of its service. One that has ended is not asked about again, unless the reader stays.
    ///
    /// # Errors
    /// When AWS does not say how the services are.
    pub async fn read(&mut self) -> Outcome<Vec<Release>> {
        let goes_on = |(_, one): &(usize, &Followed)| self.stays || one.ended.is_none();
        let going: Vec<usize> = self.followed.iter().enumerate().filter(goes_on).map(|(at, _)| at).collect();
        let services: Vec<Service> = going.iter().filter_map(|at| Some(self.of(*at)?.service.clone())).collect();
        let found = services::found(self.deployed, &services.iter().collect::<Vec<_>>()).await?;
        self.choose(&going, &found);
        let mut found = self.rest(&going, &services, found).await?;
        self.stopped.extend(found.tasks.iter().filter(|task| task.has_stopped()).map(|task| (task.arn().to_owned(), task.clone())));
        found.unreadable.extend(self.read_logs(&going, &found).await?);
        for (number, at) in going.iter().enumerate() {
            let release = self.release(*at, number, &found);
            let ends = release.as_ref().is_some_and(|release| release.verdict.is_final());
            if let (true, Some(one)) = (ends || self.stays, self.followed.get_mut(*at)) {
                one.ended = release;
            }
        }
        Ok((0..self.followed.len()).filter_map(|at| self.seen(at, &going, &found)).collect())
    }

    fn of(&self, at: usize) -> Option<&Followed> {
        self.followed.get(at)
    }

    fn seen(&self, at: usize, going: &[usize], found: &Found) -> Option<Release> {
        let ended = self.of(at)?.ended.clone();
        ended.or_else(|| self.release(at, going.iter().position(|other| *other == at)?, found))
    }

    /// Which deployments are followed: the newest, where none is yet, and where the one before has ended.
    fn choose(&mut self, going: &[usize], found: &[Option<api::Service>]) {
        for (at, found) in going.iter().zip(found) {
            let Some(one) = self.followed.get_mut(*at) else { continue };
            let listed = found.as_ref().map(api::Service::deployments).unwrap_or_default();
            let newest = listed.iter().find(|deployment| deployment.status() == Some("PRIMARY")).and_then(|newest| newest.id());
            let Some(newest) = newest.map(|id| Deployment::Id(id.to_owned())) else { continue };
            // One that was listed when the one before ended is what ECS has gone back to.
            let was_there = |ended: &Release| ended.service.deployments.iter().any(|known| newest == Deployment::Id(known.id.clone()));
            let follows = one.ended.as_ref().is_some_and(|ended| ended.verdict.is_final() && !was_there(ended));
            if one.deployment.is_none() || follows {
                (one.deployment, one.record) = (Some(newest), None);
            }
        }
    }

    async fn rest(&mut self, going: &[usize], services: &[Service], found: Vec<Option<api::Service>>) -> Outcome<Found> {
        let all: Vec<&Service> = services.iter().collect();
        let addresses: Vec<&Address> = services.iter().map(|service| &service.address).collect();
        let arns = self.records(going, &found).await?;
        let ((tasks, a), (target_groups, b), records) = tokio::try_join!(
            allowed("tasks", task::of_services(self.deployed, &all, &self.stopped)),
            allowed("target health", targets::of(self.deployed, &addresses)),
            self.described(&arns),
        )?;
        Ok(Found { services: found, tasks, target_groups, records, unreadable: a.into_iter().chain(b).collect() })
    }

    /// Where the records of the deployments are; those that are known for sure are not looked for again.
    async fn records(&mut self, going: &[usize], found: &[Option<api::Service>]) -> Outcome<Vec<(Site, String)>> {
        let deployed = self.deployed;
        let wanted = going.iter().zip(found).filter_map(|(at, found)| Some((*at, self.of(*at)?, found.as_ref()?)));
        let wanted: Vec<_> = wanted.filter(|(_, one, _)| one.deployment.is_some()).collect();
        let arns = try_join_all(wanted.iter().map(async |(at, one, found)| {
            if let Some(arn) = &one.record {
                return Ok(Some((*at, one.service.site.clone(), arn.clone(), true)));
            }
            let aws = deployed.provider.at(&one.service.site)?;
            let revision = one.deployment.as_ref().and_then(|deployment| deployment.revision(found));
            let arn = record::arn_of(&aws, &one.service.cluster, &one.service.arn, revision).await?;
            Ok::<_, Failure>(arn.map(|arn| (*at, one.service.site.clone(), arn.arn, arn.exact)))
        }));
        let arns: Vec<_> = arns.await?.into_iter().flatten().collect();
        for (at, _, arn, exact) in &arns {
            if let (true, Some(one)) = (*exact, self.followed.get_mut(*at)) {
                one.record = Some(arn.clone());
            }
        }
        Ok(arns.into_iter().map(|(_, site, arn, _)| (site, arn)).collect())
    }

    async fn described(&self, arns: &[(Site, String)]) -> Outcome<Vec<api::ServiceDeployment>> {
        let mut sites: BTreeMap<&Site, Vec<String>> = BTreeMap::new();
        for (site, arn) in arns {
            sites.entry(site).or_default().push(arn.clone());
        }
        let found = try_join_all(sites.iter().map(async |(site, arns)| {
            let aws = self.deployed.provider.at(site)?;
            record::described(&aws, arns).await
        }));
        Ok(found.await?.into_iter().flatten().collect())
    }

    /// Reads what the newest of the tasks wrote last that failed and of which that is not known yet.
    async fn read_logs(&mut self, going: &[usize], found: &Found) -> Outcome<Option<Unreadable>> {
        let this = &*self;
        let new = going.iter().filter_map(|at| this.of(*at)).flat_map(|one| {
            let definition = task_definition::of_service(&this.definitions, &one.service);
            let tasks = found.tasks.iter().filter(move |task| is_of(task, &one.service) && task.has_stopped() && !task.never_started());
            let failed = tasks.filter(|task| tasks::failed(&task.live)).take(LOGS_OF);
            let failed = failed.filter(|task| !this.logs.contains_key(task.arn()));
            failed.filter_map(move |task| Some((task, this.definition(task).or(definition)?)))
        });
        let read = join_all(new.map(async |(task, definition)| {
            let (lines, lacking) = allowed("logs", last::lines(this.deployed, definition, &task.id)).await?;
            Ok::<_, Failure>((task.arn().to_owned(), lines, lacking))
        }));
        let mut unreadable = None;
        for one in read.await {
            let (arn, lines, lacking) = one?;
            unreadable = unreadable.or(lacking);
            self.logs.insert(arn, lines);
        }
        Ok(unreadable)
    }

    /// The revision that a task runs, where it is one of the stack's.
    fn definition(&self, task: &Task) -> Option<&TaskDefinition> {
        self.definitions.iter().find(|one| Some(one.arn.as_str()) == task.live.task_definition_arn())
    }

    fn release(&self, at: usize, number: usize, found: &Found) -> Option<Release> {
        let one = self.of(at)?;
        let live = found.services.get(number)?.as_ref();
        let record = one.record.as_deref();
        let is_its = |known: &&api::ServiceDeployment| match record {
            Some(arn) => known.service_deployment_arn() == Some(arn),
            None => known.service_arn() == Some(&one.service.arn),
        };
        let said = Said {
            service: services::reported(self.deployed, &one.service, live),
            found: live,
            deployment: one.deployment.as_ref(),
            record: found.records.iter().find(is_its),
            tasks: found.tasks.iter().filter(|task| is_of(task, &one.service)).collect(),
            logs: &self.logs,
            hidden: &self.hidden,
            target_groups: found.target_groups.iter().filter(|group| group.services.contains(&one.service.address)).cloned().collect(),
            unreadable: found.unreadable.clone(),
        };
        Some(view::release(said).redacted(&self.redactor))
    }
}

fn is_of(task: &Task, service: &Service) -> bool {
    task.service.as_deref().is_some_and(|name| service.is(&task.site, &task.cluster, name))
}
