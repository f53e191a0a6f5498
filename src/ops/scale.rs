//! How many tasks a service runs, otherwise than its stack file says.

use serde_json::{Value as Json, json};

use super::service::Service;
use leoctl_core::model::address::Address;
use leoctl_core::model::path::Path;
use leoctl_core::model::pin::{Pin, Pins};
use leoctl_core::model::state::State;
use leoctl_core::model::value::Value;
use leoctl_core::plan::diff::AttributeChange;
use leoctl_core::plan::select::Only;
use leoctl_core::plan::types::{Change, Plan, RemovalKind};

/// The type that has a number of tasks.
const SERVICE: &str = "ecs_service";
/// Its attribute for that.
const DESIRED_COUNT: &str = "desired_count";

/// What is asked of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// This many tasks, until it is scaled up.
    To(i32),
    /// As many as the stack says.
    Up,
}

/// How many tasks a service is to have in AWS before a plan and after it; nothing of what is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Before.
    pub now: Option<i64>,
    /// After.
    pub then: Option<i64>,
}

impl Count {
    /// What a change does to the number of tasks; nothing when it leaves that as it is.
    pub fn of(change: &Change) -> Option<Self> {
        Self::among(change.address.type_name(), &change.attributes)
    }

    fn among(type_name: &str, attributes: &[AttributeChange]) -> Option<Self> {
        let count = attributes.iter().find(|attribute| type_name == SERVICE && attribute.path == Path::attribute(DESIRED_COUNT))?;
        let number = |value: &Value| match value.revealed() {
            Value::Int(number) => Some(*number),
            _ => None,
        };
        // A service that is not there has no tasks.
        let now = count.before.as_ref().filter(|before| !before.is_null()).map_or(Some(0), number);
        Some(Self { now, then: count.after.as_ref().and_then(number) })
    }

    /// Whether there are fewer tasks afterwards, or there may be.
    pub fn falls(self) -> bool {
        self.now.zip(self.then).is_none_or(|(now, then)| then < now)
    }
}

/// Whether a plan stops tasks that run, or may: with it a service is to have fewer than AWS has it run now, or goes.
pub fn stops_tasks(plan: &Plan) -> bool {
    let goes = |change: &Change| change.removals().any(|removal| removal.kind == RemovalKind::Delete);
    plan.changes.iter().any(|change| goes(change) || Count::of(change).is_some_and(Count::falls))
}

/// The plans that scale these services, to be carried out one after the other: autoscaling, where there is any, is
/// stopped before tasks go, and begins again when they are back.
pub fn steps(state: &State, wanted: &[(Service, Scale)]) -> Vec<Only> {
    let (mut down, mut services, mut up) = (Only::default(), Only::default(), Only::default());
    let (count, suspended) = (Path::attribute(DESIRED_COUNT), Path::attribute("suspended_state"));
    for (service, scale) in wanted {
        let target = target(state, service);
        let is_pinned = |address: &Address, path: &Path| state.pins.get(address).is_some_and(|pins| pins.contains_key(path));
        let pinned = is_pinned(&service.address, &count) || target.is_some_and(|target| is_pinned(target, &suspended));
        match scale {
            // What autoscaling has set is as the stack says.
            Scale::Up if target.is_some() && !pinned => continue,
            Scale::Up => set(state, &mut services, &service.address, &count, None),
            Scale::To(tasks) => set(state, &mut services, &service.address, &count, Some(json!(tasks))),
        }
        let Some(target) = target else { continue };
        match scale {
            Scale::Up => set(state, &mut up, target, &suspended, None),
            Scale::To(_) => set(state, &mut down, target, &suspended, Some(all_suspended())),
        }
    }
    [down, services, up].into_iter().filter(|only| !only.attributes.is_empty()).collect()
}

/// One attribute set and pinned; or released, to be what the stack says.
fn set(state: &State, only: &mut Only, address: &Address, path: &Path, to: Option<Json>) {
    let mut pins = state.pins.get(address).cloned().unwrap_or_default();
    pins.remove(path);
    pins.extend(to.map(|value| (path.clone(), Pin::lasting(value))));
    only.attributes.insert(address.clone(), vec![path.clone()]);
    only.pins.insert(address.clone(), pins);
}

/// The `appautoscaling_target` of a service.
fn target<'a>(state: &'a State, service: &Service) -> Option<&'a Address> {
    let cluster = service.cluster.rsplit('/').next().unwrap_or_default();
    let resource = format!("service/{cluster}/{}", service.name);
    let is = |attributes: &Json, name: &str, value: &str| attributes.get(name).and_then(Json::as_str) == Some(value);
    let mut targets = state.currents().filter(|(address, known)| {
        address.type_name() == "appautoscaling_target"
            && known.place.site() == service.site
            && is(&known.attributes, "resource_id", &resource)
            && is(&known.attributes, "scalable_dimension", "ecs:service:DesiredCount")
    });
    targets.next().map(|(address, _)| address)
}

fn all_suspended() -> Json {
    json!({ "dynamic_scaling_in_suspended": true, "dynamic_scaling_out_suspended": true, "scheduled_scaling_suspended": true })
}

/// How many tasks a service is scaled to by hand; nothing when the stack decides.
pub fn by_hand(pins: Option<&Pins>) -> Option<i64> {
    pins?.get(&Path::attribute(DESIRED_COUNT)).filter(|pin| pin.instead_of.is_none())?.value.as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use leoctl_core::model::place::{Place, Site};
    use leoctl_core::model::state::{Guard, Remembered, ResourceState};

    fn state(with_target: bool) -> State {
        let mut state = State::new("s", "1", "r", "l".to_owned(), "x".to_owned());
        let resource = |id: &str, attributes: Json| {
            let place = Place { type_name: "appautoscaling_target".into(), account: "1".into(), region: "r".into(), id: id.into() };
            let current = Remembered { attributes, guard: Guard::default(), incomplete: false, ..Remembered::unfinished(place) };
            ResourceState { current: Some(current), deposed: Vec::new() }
        };
        let attributes = json!({ "resource_id": "service/c/web", "scalable_dimension": "ecs:service:DesiredCount" });
        if with_target {
            state.resources.insert("appautoscaling_target.web".parse().unwrap(), resource("t", attributes));
        }
        state
    }

    fn web() -> Service {
        Service {
            address: "ecs_service.web".parse().unwrap(),
            name: "web".to_owned(),
            arn: "arn:aws:ecs:r:1:service/c/web".to_owned(),
            cluster: "arn:aws:ecs:r:1:cluster/c".to_owned(),
            site: Site::new("1", "r"),
            task_definition: "t:1".to_owned(),
            desired_count: Some(1),
            daemon: false,
        }
    }

    fn addresses(steps: &[Only]) -> Vec<String> {
        steps.iter().flat_map(|only| only.attributes.keys()).map(ToString::to_string).collect()
    }

    #[test]
    fn autoscaling_stops_before_the_tasks_go_and_begins_when_they_are_back() {
        let mut state = state(true);
        let down = steps(&state, &[(web(), Scale::To(0))]);
        assert_eq!(addresses(&down), ["appautoscaling_target.web", "ecs_service.web"]);
        for only in &down {
            state.pins.extend(only.pins.clone());
        }
        assert_eq!(by_hand(state.pins.get(&web().address)), Some(0));
        let up = steps(&state, &[(web(), Scale::Up)]);
        assert_eq!(addresses(&up), ["ecs_service.web", "appautoscaling_target.web"]);
        // Cut short after the service, it goes on with the rest.
        let mut half = state.clone();
        half.pins.remove(&web().address);
        assert_eq!(addresses(&steps(&half, &[(web(), Scale::Up)])), ["ecs_service.web", "appautoscaling_target.web"]);
        assert!(up.iter().flat_map(|only| only.pins.values()).all(Pins::is_empty));
    }

    fn counted(type_name: &str, attribute: &str, before: Option<Value>, after: Option<Value>) -> Option<Count> {
        let path = Path::attribute(attribute);
        let (forces_replacement, sensitive, document, server_chosen) = (false, false, false, false);
        let change = AttributeChange { path, before, after, forces_replacement, sensitive, document, server_chosen };
        Count::among(type_name, &[change])
    }

    #[test]
    fn tasks_are_stopped_when_there_are_fewer_afterwards_than_in_aws_now() {
        let falls = |now: Option<Value>, then| counted(SERVICE, DESIRED_COUNT, now, then).unwrap().falls();
        let number = |number| Some(Value::Int(number));
        assert!(falls(number(10), number(3)) && falls(number(5), number(1)) && falls(number(1), number(0)));
        assert!(!falls(number(1), number(3)) && !falls(None, number(3)) && !falls(Some(Value::Null), number(3)));
        // What is not known may be fewer.
        assert!(falls(number(1), Some(Value::Unknown)) && falls(Some(Value::Unknown), number(3)));
        assert!(falls(number(2), None));
    }

    #[test]
    fn only_a_service_s_number_of_tasks_is_counted() {
        let fewer = |type_name: &str, attribute: &str| counted(type_name, attribute, Some(Value::Int(5)), Some(Value::Int(1)));
        assert_eq!(fewer(SERVICE, DESIRED_COUNT), Some(Count { now: Some(5), then: Some(1) }));
        assert_eq!(fewer("appautoscaling_target", "min_capacity"), None);
        assert_eq!(fewer(SERVICE, "health_check_grace_period_seconds"), None);
    }

    #[test]
    fn a_service_that_autoscaling_scales_is_left_to_it() {
        assert!(steps(&state(true), &[(web(), Scale::Up)]).is_empty());
        assert_eq!(addresses(&steps(&state(false), &[(web(), Scale::Up)])), ["ecs_service.web"]);
    }
}
