//! Running a command in a container, through the plugin of Session Manager.

use aws_sdk_ecs::types as api;
use serde_json::json;

use super::service::Service;
use super::task::Task;
use super::task_definition::TaskDefinition;
use super::{Deployed, Problem, word};
use leoctl_aws::client::send_once;
use leoctl_aws::repeat::Changing;
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};
use leoctl_core::stack::diagnostic::suggestion;

/// The program that carries sessions.
pub const PLUGIN: &str = "session-manager-plugin";
/// The variable newer versions of the plugin take the session from, so that no list of processes shows its token.
pub const SESSION_VARIABLE: &str = "AWS_SSM_START_SESSION_RESPONSE";
/// The last version that takes it as an argument only (as the AWS CLI has it).
const BY_ARGUMENT: [u32; 4] = [1, 2, 497, 0];

/// A task to run commands in.
///
/// # Errors
/// When there is none; what would make one is said.
pub fn task<'a>(service: &Service, tasks: &'a [Task], wanted: Option<&str>, enabled: bool) -> Result<&'a Task, Problem> {
    let address = &service.address;
    let running: Vec<&Task> = tasks.iter().filter(|task| task.status() == "RUNNING").collect();
    if running.is_empty() {
        let help = format!("`leoctl tasks list {}` shows what became of its tasks", word::spoken(address));
        return Err(Problem::new(format!("{address} has no running task"), help));
    }
    let mut named: Vec<&Task> = running.iter().copied().filter(|task| wanted.is_none_or(|word| task.is_called(word))).collect();
    if named.is_empty() {
        let ids: Vec<&str> = running.iter().map(|task| task.id.as_str()).collect();
        return Err(Problem::new(
            format!("{address} has no running task `{}`", wanted.unwrap_or_default()),
            format!("it has {}", ids.join(", ")),
        ));
    }
    if let (Some(word), [_, _, ..]) = (wanted, named.as_slice()) {
        return Err(Problem::new(format!("several tasks of {address} begin with `{word}`"), "give more of the id"));
    }
    named.sort_by_key(|task| std::cmp::Reverse(task.started()));
    match named.into_iter().find(|task| task.live.enable_execute_command()) {
        Some(task) => Ok(task),
        None if enabled => {
            let help = format!("`leoctl redeploy {}` starts new ones", word::spoken(address));
            Err(Problem::new(format!("the tasks of {address} started before commands could be run in them"), help))
        }
        None => {
            let help = format!("set `enable_execute_command = true` on {address}, and apply");
            Err(Problem::new(format!("no command can be run in the tasks of {address}"), help))
        }
    }
}

/// The container of a task that is meant.
///
/// # Errors
/// When there is none of the name, several it could be, or commands cannot be run in it.
pub fn container<'a>(task: &'a Task, named: Option<&str>, definition: Option<&TaskDefinition>) -> Result<&'a api::Container, Problem> {
    let containers = task.live.containers();
    let names: Vec<&str> = containers.iter().filter_map(|container| container.name()).collect();
    let wanted = match (named, containers, definition) {
        (Some(named), ..) => named,
        (None, [only], _) => only.name().unwrap_or_default(),
        (None, _, Some(definition)) => &definition.principal(None)?.name,
        (None, ..) => {
            return Err(Problem::new("the task has several containers", format!("name one with `--container`: {}", names.join(", "))));
        }
    };
    let found = task.container(wanted).ok_or_else(|| {
        let help = suggestion(wanted, names.iter().copied()).unwrap_or_else(|| format!("its containers: {}", names.join(", ")));
        Problem::new(format!("the task has no container `{wanted}`"), help)
    })?;
    let mut agents = found.managed_agents().iter();
    match agents.find(|agent| agent.name() == Some(&api::ManagedAgentName::ExecuteCommandAgent)) {
        Some(agent) if agent.last_status() != Some("RUNNING") => {
            let reason = agent.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
            let problem = format!("the agent that runs commands in {wanted} is {}{reason}", agent.last_status().unwrap_or("not there"));
            // ECS Developer Guide, "Monitor Amazon ECS containers with ECS Exec".
            let help = "try again in a moment; if it stays so, the task role may lack the four permissions `ssmmessages:CreateControlChannel`, \
                        `CreateDataChannel`, `OpenControlChannel` and `OpenDataChannel`";
            Err(Problem::new(problem, help))
        }
        _ => Ok(found),
    }
}

/// The words of a command in one line, as a shell would take them apart again. One word is a line already.
pub fn command(words: &[String]) -> String {
    match words {
        [] => "/bin/sh".to_owned(),
        [line] => line.clone(),
        words => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    }
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// What the plugin is started with; not for debug output, as the token is in it.
pub struct Handover {
    /// The session, as the plugin reads it. Its token is a secret.
    pub session: String,
    /// The session's target.
    target: String,
    region: String,
}

/// Begins a session in a container.
///
/// # Errors
/// When AWS refuses.
pub async fn begin(deployed: &Deployed<'_>, task: &Task, container: &api::Container, command: &str) -> Outcome<Handover> {
    let aws = deployed.provider.at(&task.site)?;
    let name = container.name().unwrap_or_default();
    let call = aws.ecs().execute_command().cluster(&task.cluster).task(task.arn()).container(name).command(command).interactive(true);
    // Sent again, it would begin a second session, and the command may run in both.
    let begun = send_once!(aws_sdk_ecs, call).await.sent_once("ecs:ExecuteCommand")?;
    let session = begun.session().ok_or_else(|| Failure::new(FailureKind::Other, "ECS gives no session"))?;
    let runtime = container.runtime_id().unwrap_or_default();
    Ok(Handover {
        session: json!({ "sessionId": session.session_id(), "streamUrl": session.stream_url(), "tokenValue": session.token_value() })
            .to_string(),
        target: format!("ecs:{}_{}_{runtime}", task.cluster, task.id),
        region: task.site.region.clone(),
    })
}

impl Handover {
    /// The plugin's arguments (as the AWS CLI gives them): the session, or the variable it is in; region, operation,
    /// profile, parameters and endpoint.
    pub fn arguments(&self, by_variable: bool, profile: &str, endpoint: Option<&str>) -> [String; 6] {
        let session = if by_variable { SESSION_VARIABLE.to_owned() } else { self.session.clone() };
        let suffix = leoctl_aws::domain(&self.region);
        let endpoint = endpoint.map_or_else(|| format!("https://ssm.{}.{suffix}", self.region), str::to_owned);
        let parameters = json!({ "Target": self.target }).to_string();
        [session, self.region.clone(), "StartSession".to_owned(), profile.to_owned(), parameters, endpoint]
    }
}

/// Whether this version of the plugin takes the session from [`SESSION_VARIABLE`].
pub fn takes_variable(version: &str) -> bool {
    let numbers: Option<Vec<u32>> = version.trim().split('.').map(|number| number.parse().ok()).collect();
    numbers.is_some_and(|numbers| numbers.as_slice() > BY_ARGUMENT.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use leoctl_core::model::place::Site;

    fn service() -> Service {
        Service {
            address: "ecs_service.web".parse().unwrap(),
            name: "shop-web".to_owned(),
            arn: String::new(),
            cluster: "c".to_owned(),
            site: Site::new("1", "r"),
            task_definition: "t:1".to_owned(),
            desired_count: None,
            daemon: false,
        }
    }

    fn running(id: &str, enabled: bool, agent: Option<&str>) -> Task {
        let agent = agent.map(|status| {
            let agent = api::ManagedAgent::builder().name(api::ManagedAgentName::ExecuteCommandAgent).last_status(status);
            agent.reason("no role").build()
        });
        let container = api::Container::builder().name("web").runtime_id("r1").set_managed_agents(agent.map(|agent| vec![agent])).build();
        let live = api::Task::builder().task_arn(format!("arn:aws:ecs:r:1:task/c/{id}")).last_status("RUNNING");
        Task::new(live.enable_execute_command(enabled).containers(container).build(), "r")
    }

    #[test]
    fn a_task_that_takes_commands_is_found_or_it_is_said_what_to_do() {
        let help = |tasks: &[&Task], wanted: Option<&str>, enabled: bool| {
            let tasks: Vec<Task> = tasks.iter().map(|task| (*task).clone()).collect();
            let problem = task(&service(), &tasks, wanted, enabled).unwrap_err();
            format!("{} {}", problem.message, problem.help)
        };
        let (with, without) = (running("abc", true, None), running("def", false, None));
        assert_eq!(task(&service(), &[without.clone(), with.clone()], None, true).unwrap().id, "abc");
        assert!(help(&[], None, true).contains("tasks list web"));
        assert!(help(&[&without], None, false).contains("enable_execute_command = true` on ecs_service.web"));
        assert!(help(&[&without], None, true).contains("leoctl redeploy web"));
        assert!(help(&[&with, &without], Some("de"), true).contains("redeploy"));
        assert!(help(&[&with], Some("x"), true).contains("abc"));
    }

    #[test]
    fn a_container_whose_agent_is_not_there_says_why() {
        assert_eq!(container(&running("a", true, Some("RUNNING")), None, None).unwrap().name(), Some("web"));
        let problem = container(&running("a", true, Some("STOPPED")), None, None).unwrap_err();
        assert!(problem.message.contains("STOPPED: no role") && problem.help.contains("ssmmessages"));
        assert!(container(&running("a", true, None), Some("wbe"), None).unwrap_err().help.contains("web"));
    }

    #[test]
    fn a_command_reads_back_as_its_words() {
        let line = |words: &[&str]| command(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(line(&[]), "/bin/sh");
        assert_eq!(line(&["echo $HOME"]), "echo $HOME");
        assert_eq!(line(&["sh", "-c", "echo it's", ""]), r"sh -c 'echo it'\''s' ''");
    }

    #[test]
    fn the_plugin_gets_what_the_aws_cli_gives_it() {
        let (session, target, region) = ("{}".to_owned(), "ecs:c_a_r1".to_owned(), "cn-north-1".to_owned());
        let handover = Handover { session, target: target.clone(), region };
        let expected = ["{}", "cn-north-1", "StartSession", "p", r#"{"Target":"ecs:c_a_r1"}"#, "https://ssm.cn-north-1.amazonaws.com.cn"];
        assert_eq!(handover.arguments(false, "p", None), expected);
        for (region, domain) in [("us-gov-west-1", "amazonaws.com"), ("eusc-de-east-1", "amazonaws.eu"), ("us-iso-east-1", "c2s.ic.gov")] {
            let endpoint = format!("https://ssm.{region}.{domain}");
            assert_eq!(
                Handover { session: "{}".to_owned(), target: target.clone(), region: region.to_owned() }.arguments(false, "p", None)[5],
                endpoint
            );
        }
        assert_eq!(handover.arguments(true, "", Some("http://x"))[0], SESSION_VARIABLE);
        assert!(takes_variable("1.2.536.0\n") && takes_variable("2.0"));
        assert!(!takes_variable("1.2.497.0") && !takes_variable("1.2.30.0") && !takes_variable("unknown"));
    }
}
