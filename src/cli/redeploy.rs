//! `leoctl redeploy`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::args::RedeployArgs;
use super::operate::{self, Change, On, Operation};
use super::release::{self, Following};
use super::{CliError, Context, Exit, apply, status};
use crate::ops::image::{self, Asked, Container, Unclear};
use crate::ops::release::{Followed, Reader, Release, Verdict};
use crate::ops::service::{self, Service};
use crate::ops::{Deployed, task_definition};
use crate::ui::{self, BAD, STRONG, styled};
use leoctl_aws::ecs::rollout::Deployment;
use leoctl_core::engine::ports::{Failure, FailureKind};
use leoctl_core::engine::refresh::Planned;
use leoctl_core::model::address::Address;
use leoctl_core::plan::select::Options;

/// How long exchanging the tasks may take, as `ecs_service` has it.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Starts new deployments and follows them.
pub async fn run(context: &Context, args: &RedeployArgs) -> Result<Exit, CliError> {
    let asked = Redeployment { services: &args.services, image: args.image.as_deref(), container: args.container.as_deref() };
    operate::run(context, args.stack.as_deref(), args.yes, &asked).await
}

/// Starts new deployments of these services, which a person has agreed to.
pub async fn agreed(context: &Context, stack: &Path, services: &[Address]) -> Result<Exit, CliError> {
    let services: Vec<String> = services.iter().map(ToString::to_string).collect();
    operate::run(context, Some(stack), true, &Redeployment { services: &services, image: None, container: None }).await
}

struct Redeployment<'a> {
    services: &'a [String],
    image: Option<&'a str>,
    container: Option<&'a str>,
}

/// What is done.
enum Prepared {
    /// New tasks of what these services run.
    Anew(Vec<Service>),
    /// Another image, by a plan, for these services, each with the task definition that gets it.
    Image(Box<Planned>, Vec<(Service, Address)>),
}

impl Operation for Redeployment<'_> {
    type Prepared = Prepared;

    const LOCK: Option<&'static str> = Some("leoctl redeploy");

    fn check(&self, on: &On<'_>) -> Result<(), CliError> {
        self.services(&on.deployed()).map(drop)
    }

    async fn prepare(&self, on: &On<'_>) -> Result<Option<(Change, Prepared)>, CliError> {
        if self.image.is_some() {
            return self.with_image(on).await;
        }
        let services = self.services(&on.deployed())?;
        let what = |service: &Service| if service.desired_count == Some(0) { "no tasks run, and none are started" } else { "new tasks" };
        let lines = services.iter().map(|service| format!("  {}: {}", styled(STRONG, &service.address), what(service))).collect();
        Ok(Some((Change { lines, question: question(services.len()) }, Prepared::Anew(services))))
    }

    async fn act(&self, on: &On<'_>, prepared: Prepared) -> Result<Exit, CliError> {
        match prepared {
            Prepared::Anew(services) => all(on, &services).await,
            Prepared::Image(planned, changed) => with_image(on, *planned, &changed).await,
        }
    }
}

fn question(services: usize) -> Option<String> {
    Some(if services == 1 { "Redeploy this service?" } else { "Redeploy these services?" }.to_owned())
}

impl Redeployment<'_> {
    /// The image that is asked for. One for a container that is named may be of any repository, and so is written whole.
    fn image(&self, deployed: &Deployed<'_>) -> Result<Option<Cow<'_, str>>, CliError> {
        match self.image {
            Some(asked) if self.container.is_none() => image::complete(deployed, asked).map(Some).map_err(|several| {
                let message = format!("`{asked}` may be of several repositories");
                CliError::usage(&message, &format!("write which: {}", several.join(", ")))
            }),
            asked => Ok(asked.map(Cow::Borrowed)),
        }
    }

    /// The services that are meant: those that are named; else those that run an image of the repository that is named;
    /// else all.
    fn services(&self, deployed: &Deployed<'_>) -> Result<Vec<Service>, CliError> {
        let all = service::all(deployed);
        if all.is_empty() {
            return Err(CliError::usage("the stack has no services", "`leoctl state list` shows what it has"));
        }
        let chosen = service::chosen(all, self.services)?;
        match self.image(deployed)?.as_deref().map(Asked::new) {
            Some(Asked::Image(image)) if self.services.is_empty() => {
                let users = image::users(deployed, image::repository(image), None);
                match (users.is_empty(), self.container.is_some()) {
                    (true, false) => Err(nobody_runs(image::repository(image), deployed)),
                    // A container that is named may change its repository.
                    (true, true) => Ok(chosen),
                    (false, _) => Ok(users),
                }
            }
            Some(Asked::Tag(tag)) if image::repositories(deployed).iter().any(|known| known.ends_with(&format!("/{tag}"))) => {
                let message = format!("`{tag}` is a repository that the stack runs images of: with which tag?");
                Err(CliError::usage(&message, &format!("`--image {tag}:TAG`")))
            }
            Some(Asked::Tag(tag)) if self.services.is_empty() && chosen.len() > 1 => Err(of_which(tag, &chosen)),
            _ => Ok(chosen),
        }
    }

    /// A plan that registers task definitions with another image, and has the services run them.
    async fn with_image(&self, on: &On<'_>) -> Result<Option<(Change, Prepared)>, CliError> {
        let says = on.session.plan(&Options::default(), true).await?;
        let deployed = Deployed { state: says.ledger.state(), provider: &on.session.provider };
        let Some(image) = self.image(&deployed)? else { return Ok(None) };
        let asked = Asked::new(&image);
        let services = self.services(&deployed)?;
        let mut changes: Vec<(Service, Container, String)> = Vec::new();
        for service in &services {
            let containers = image::containers(&deployed, service, &services, (self.container, asked));
            let containers = containers.map_err(|why| unclear(service, why))?;
            changes.extend(containers.into_iter().map(|container| {
                let image = asked.of(&container.image);
                (service.clone(), container, image)
            }));
        }
        if let Asked::Tag(tag) = asked {
            of_one_repository(tag, &changes)?;
        }
        let only = image::only(&deployed, &changes, &says.plan);
        let mut planned = on.session.plan(&Options { only: Some(only), ..Options::default() }, true).await?;
        if !planned.plan.changes_resources() {
            on.context.hint("Nothing to do: this image runs. `leoctl redeploy` without `--image` starts new tasks of it.");
            return Ok(None);
        }
        on.session.preflight(&mut planned, false).await;
        let line = |(service, container, image): &(Service, Container, String)| {
            format!("  {}: container {}: {} → {image}", styled(STRONG, &service.address), container.name, container.image)
        };
        let mut lines: Vec<String> = changes.iter().map(line).collect();
        lines.extend(apply::shown(on.context, &planned)?);
        let mut changed: Vec<(Service, Address)> =
            changes.iter().map(|(service, container, _)| (service.clone(), container.task_definition.clone())).collect();
        changed.dedup_by(|one, other| one.0.address == other.0.address);
        Ok(Some((Change { lines, question: Some("Do this?".to_owned()) }, Prepared::Image(Box::new(planned), changed))))
    }
}

/// A tag is of the repository of the image that a container has: of two repositories it is two images.
fn of_one_repository(tag: &str, changes: &[(Service, Container, String)]) -> Result<(), CliError> {
    let repositories: BTreeSet<&str> = changes.iter().map(|(_, container, _)| image::repository(&container.image)).collect();
    if repositories.len() < 2 {
        return Ok(());
    }
    let each = changes.iter().map(|(service, container, _)| format!("{} runs {}", service.address, container.image));
    let message =
        format!("`{tag}` is a tag, and these services run images of several repositories: {}", each.collect::<Vec<_>>().join("; "));
    Err(CliError::usage(&message, &format!("name the repository: `--image REPOSITORY:{tag}`")))
}

/// A tag without a service is no answer to which services get it.
fn of_which(tag: &str, services: &[Service]) -> CliError {
    let names: Vec<String> = services.iter().map(|service| service.address.to_string()).collect();
    let help =
        format!("name them, or the whole image (`--image REPOSITORY:{tag}`), which is for those that run one of it: {}", names.join(", "));
    CliError::usage(&format!("`{tag}` is a tag alone: of which services?"), &help)
}

fn nobody_runs(repository: &str, deployed: &Deployed<'_>) -> CliError {
    let known = image::repositories(deployed);
    let known = known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let help = match known.is_empty() {
        true => "name the service and, with `--container`, the container that is to run it".to_owned(),
        false => format!("they run images of: {known}. To move a container to another repository, name it with `--container`"),
    };
    CliError::usage(&format!("no service of the stack runs an image of {repository}"), &help)
}

fn unclear(service: &Service, why: Unclear) -> CliError {
    let name = &service.address;
    match why {
        Unclear::NotOf(repository) => CliError::usage(
            &format!("{name} runs no image of {repository}"),
            "leave it out; or name the container that is to run it with `--container`",
        ),
        Unclear::Foreign => {
            CliError::usage(&format!("{name} runs a task definition that is not the stack's"), "change it where it is made")
        }
        Unclear::Shared(other) => {
            let error = format!("{other} runs the same task definition as {name}");
            CliError::usage(&error, "name both, or give each a task definition of its own")
        }
        Unclear::Secret => CliError::usage(
            &format!("the image of {name} is sensitive, and its tag cannot be changed alone"),
            "change it where it is from, and apply; or take it out of what is sensitive",
        ),
        Unclear::Which(names) => {
            let error = format!("it is not plain which container of {name} gets the image");
            CliError::usage(&error, &format!("name one with `--container`: {}", names.join(", ")))
        }
    }
}

/// Deploys these services anew, at the same time, and follows their releases.
async fn all(on: &On<'_>, services: &[Service]) -> Result<Exit, CliError> {
    let (context, deployed) = (on.context, on.deployed());
    let begun = join_all(services.iter().map(async |service| {
        context.say(&format!("{}: starting new tasks", styled(STRONG, &service.address)));
        service::redeploy(&deployed, service).await
    }));
    let (mut followed, mut exit) = (Vec::new(), Exit::Done);
    for (service, begun) in services.iter().zip(begun.await) {
        match begun {
            Ok(deployment) => followed.push(Followed::deployment(service.clone(), deployment)),
            Err(failure) => {
                not_begun(context, service, &failure);
                exit = Exit::Error;
            }
        }
    }
    if followed.is_empty() {
        return Ok(exit);
    }
    let longest = services.iter().map(|service| service::takes(&deployed, service)).max().unwrap_or_default();
    let patience = PATIENCE.saturating_add(longest);
    let following = Following {
        reader: Reader::new(&deployed, on.session.stack.redactor(), followed),
        title: status::title(&on.state),
        every: release::EVERY,
        patience: Some((Instant::now() + patience, patience)),
        stays: false,
    };
    let followed = following.run(context).await?;
    followed.releases.iter().for_each(|release| ended(context, release));
    if followed.left {
        context.say("The rollout goes on in AWS without being watched; `leoctl status SERVICE --watch` shows it.");
    }
    Ok(if exit == Exit::Done { followed.exit() } else { exit })
}

/// Says that a deployment was not begun, and why.
fn not_begun(context: &Context, service: &Service, failure: &Failure) {
    if context.global.json {
        let failure = ui::json::failure(failure);
        ui::out(
            serde_json::json!({ "service": service.address, "name": service.name, "done": false, "failure": failure, "release": null }),
        );
        return;
    }
    ui::note(format!("{}: {}", styled(STRONG, &service.address), styled(BAD, "not redeployed")));
    ui::failure::lines(failure).iter().for_each(|line| ui::note(ui::prose(format!("  {line}"))));
}

/// Says how a release ended.
fn ended(context: &Context, release: &Release) {
    release::tell(context, release);
    if context.global.json {
        let failure = match &release.verdict {
            Verdict::Done => None,
            Verdict::Going { said: message } | Verdict::Failed { reason: message } => Some(ui::json::failure(&Failure {
                operation: "ecs:DescribeServices".to_owned(),
                ..Failure::new(FailureKind::Other, message)
            })),
        };
        let (service, done) = (&release.service, failure.is_none());
        ui::out(
            serde_json::json!({ "service": service.address, "name": service.name, "done": done, "failure": failure, "release": release }),
        );
    }
}

/// Carries out the plan of another image; when that fails, says what the tasks wrote last that failed of it.
async fn with_image(on: &On<'_>, planned: Planned, changed: &[(Service, Address)]) -> Result<Exit, CliError> {
    let exit = apply::carry_out(on.context, &on.session, planned).await?;
    if exit != Exit::Error {
        return Ok(exit);
    }
    // The failure is the news; not being able to say more of it must not hide it.
    let Ok(state) = on.session.state().await else { return Ok(exit) };
    let deployed = Deployed { state: &state, provider: &on.session.provider };
    let followed = changed.iter().filter_map(|(service, definition)| {
        let arn = task_definition::arn(state.current(definition)?).to_owned();
        Some(Followed::deployment(service.clone(), Deployment::Of(arn)))
    });
    let mut reader = Reader::new(&deployed, on.session.stack.redactor(), followed.collect());
    for release in reader.read().await.unwrap_or_default() {
        release::lines::logs(&release).iter().for_each(|line| on.context.say(&ui::prose(line)));
    }
    Ok(exit)
}
