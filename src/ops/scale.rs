//! How many tasks a service runs, otherwise than its stack file says.

use serde_json::{Value as Json, json};

use super::service::Service;
use leoctl_core::model::address::Address;
use leoctl_core::model::path::Path;
use leoctl_core::model::pin::{Pin, Pins};
use leoctl_core::model::state::State;
use leoctl_core::plan::select::Only;

/// What is asked of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// This many tasks, until it is scaled up.
    To(i32),
    /// As many as the stack says.
    Up,
}

/// Whether scaling stops tasks that the service has now, as far as that is known.
pub fn stops_tasks(service: &Service, scale: Scale) -> bool {
    match scale {
        Scale::To(0) => true,
        Scale::To(tasks) => service.desired_count.is_none_or(|now| i64::from(tasks) < now),
        Scale::Up => false,
    }
}

/// The plans that scale these services, to be carried out one after the other: autoscaling, where there is any, is
/// stopped before tasks go, and begins again when they are back.
pub fn steps(state: &State, wanted: &[(Service, Scale)]) -> Vec<Only> {
    let (mut down, mut services, mut up) = (Only::default(), Only::default(), Only::default());
    let (count, suspended) = (Path::attribute("desired_count"), Path::attribute("suspended_state"));
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
            && known.place.region == service.region
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
    pins?.get(&Path::attribute("desired_count")).filter(|pin| pin.instead_of.is_none())?.value.as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use leoctl_core::model::place::Place;
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
            region: "r".to_owned(),
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

    #[test]
    fn fewer_tasks_than_now_stops_some_and_none_stops_all() {
        let stops = |now, scale| stops_tasks(&Service { desired_count: now, ..web() }, scale);
        assert!(stops(Some(3), Scale::To(2)) && stops(Some(0), Scale::To(0)) && stops(None, Scale::To(5)));
        assert!(!stops(Some(3), Scale::To(3)) && !stops(Some(3), Scale::To(4)) && !stops(None, Scale::Up));
    }

    #[test]
    fn a_service_that_autoscaling_scales_is_left_to_it() {
        assert!(steps(&state(true), &[(web(), Scale::Up)]).is_empty());
        assert_eq!(addresses(&steps(&state(false), &[(web(), Scale::Up)])), ["ecs_service.web"]);
    }
}
