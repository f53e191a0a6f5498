//! What a deployment waits for at its stages: functions that are asked, and pauses.

use aws_sdk_ecs::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use leoctl_core::model::value::Value;

/// The hook that asks a function.
const FUNCTION: &str = "AWS_LAMBDA";
/// The hook that waits for somebody to say how it goes on.
const PAUSE: &str = "PAUSE";

/// A function that is asked before a deployment goes on, or a pause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LifecycleHook {
    /// `AWS_LAMBDA` asks a function; `PAUSE` waits until somebody continues the deployment or rolls it back.
    #[schemars(extend("default" = FUNCTION, "enum" = [FUNCTION, PAUSE]))]
    target_type: String,
    /// The Lambda function; not of a pause.
    #[schemars(extend("x-format" = "arn:lambda"))]
    hook_target_arn: Option<String>,
    /// The role ECS calls it with; not of a pause.
    #[schemars(extend("x-format" = "arn:iam"))]
    role_arn: Option<String>,
    /// When it is asked, such as `POST_TEST_TRAFFIC_SHIFT`.
    #[schemars(extend("x-set" = true))]
    lifecycle_stages: Vec<Stage>,
    /// How long it may take, and what happens then.
    #[schemars(extend("x-server" = true))]
    timeout_configuration: Option<HookTimeout>,
}

/// How long a hook may take, and what happens then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HookTimeout {
    /// Minutes, at most fourteen days; a day when left out.
    #[schemars(extend("default" = 1440), range(min = 1, max = 20_160))]
    timeout_in_minutes: i32,
    /// Whether the deployment goes on or back then.
    #[schemars(extend("default" = "ROLLBACK", "enum" = ["CONTINUE", "ROLLBACK"]))]
    action: String,
}

/// A moment in a deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("enum" = [
    "RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"
]))]
pub struct Stage(String);

impl LifecycleHook {
    pub(super) fn to_api(&self) -> api::DeploymentLifecycleHook {
        let Self { target_type, hook_target_arn, role_arn, lifecycle_stages, timeout_configuration } = self;
        let stages = lifecycle_stages.iter().map(|Stage(stage)| api::DeploymentLifecycleHookStage::from(stage.as_str()));
        let timeout = timeout_configuration.as_ref().map(|timeout| {
            api::DeploymentLifecycleHookTimeoutConfiguration::builder()
                .timeout_in_minutes(timeout.timeout_in_minutes)
                .action(api::DeploymentLifecycleHookAction::from(timeout.action.as_str()))
                .build()
        });
        api::DeploymentLifecycleHook::builder()
            // A function is what AWS takes it for.
            .set_target_type((target_type != FUNCTION).then(|| api::DeploymentLifecycleHookTargetType::from(target_type.as_str())))
            .set_hook_target_arn(hook_target_arn.clone())
            .set_role_arn(role_arn.clone())
            .set_lifecycle_stages(Some(stages.collect()))
            .set_timeout_configuration(timeout)
            .build()
    }

    pub(super) fn from_api(hook: &api::DeploymentLifecycleHook) -> Self {
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            target_type: hook.target_type().map_or(FUNCTION, api::DeploymentLifecycleHookTargetType::as_str).to_owned(),
            hook_target_arn: text(hook.hook_target_arn()),
            role_arn: text(hook.role_arn()),
            lifecycle_stages: hook.lifecycle_stages().iter().map(|stage| Stage(stage.as_str().to_owned())).collect(),
            timeout_configuration: hook.timeout_configuration().map(|timeout| HookTimeout {
                timeout_in_minutes: timeout.timeout_in_minutes().unwrap_or(1440),
                action: timeout.action().map_or("ROLLBACK", api::DeploymentLifecycleHookAction::as_str).to_owned(),
            }),
        }
    }
}

/// How many minutes a deployment may wait for a hook, at all of its stages (ECS Developer Guide, "Lifecycle hooks").
pub(super) fn minutes(hook: &Value) -> u64 {
    let stages = hook.get("lifecycle_stages").and_then(Value::as_list).map_or(1, <[_]>::len);
    let each = match hook.get("timeout_configuration").and_then(|timeout| timeout.get("timeout_in_minutes")) {
        Some(Value::Int(minutes)) => u64::try_from(*minutes).unwrap_or_default(),
        _ => 24 * 60,
    };
    u64::try_from(stages).unwrap_or_default().saturating_mul(each)
}

/// What is wrong with the hooks of a deployment configuration as far as they are written.
pub(super) fn problem(deployment: &Value) -> Option<&'static str> {
    let hooks = deployment.get("lifecycle_hooks").and_then(Value::as_list).unwrap_or_default();
    hooks.iter().find_map(|hook| {
        let given = |name: &str| hook.get(name).is_some_and(|value| !value.is_null());
        let of = match hook.get("target_type") {
            None | Some(Value::Null) => FUNCTION,
            Some(written) => written.as_str()?,
        };
        let pauses = of == PAUSE;
        match (given("hook_target_arn"), given("role_arn")) {
            (true, _) | (_, true) if pauses => Some("a lifecycle hook that is a pause has neither `hook_target_arn` nor `role_arn`"),
            (false, _) | (_, false) if !pauses && hook.as_map().is_some() => {
                Some("a lifecycle hook that asks a function needs `hook_target_arn` and `role_arn`")
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pause_that_was_made_elsewhere_stays_a_pause() {
        let timeout = api::DeploymentLifecycleHookTimeoutConfiguration::builder();
        let timeout = timeout.timeout_in_minutes(60).action(api::DeploymentLifecycleHookAction::Continue).build();
        let pause = api::DeploymentLifecycleHook::builder().target_type(api::DeploymentLifecycleHookTargetType::Pause);
        let pause = pause.lifecycle_stages(api::DeploymentLifecycleHookStage::PostScaleUp).timeout_configuration(timeout).build();
        assert_eq!(LifecycleHook::from_api(&pause).to_api(), pause);
        let function = api::DeploymentLifecycleHook::builder().hook_target_arn("arn:f").role_arn("arn:r");
        let function = function.lifecycle_stages(api::DeploymentLifecycleHookStage::PreScaleUp).build();
        assert_eq!(LifecycleHook::from_api(&function).to_api(), function);
    }

    #[test]
    fn a_hook_asks_a_function_or_pauses() {
        let of = |hook: serde_json::Value| problem(&Value::from(json!({ "lifecycle_hooks": [hook] }))).is_some();
        assert!(of(json!({ "hook_target_arn": "arn:f" })));
        assert!(of(json!({ "target_type": "PAUSE", "role_arn": "arn:r" })));
        assert!(!of(json!({ "target_type": "PAUSE", "lifecycle_stages": ["POST_SCALE_UP"] })));
        assert!(!of(json!({ "hook_target_arn": "arn:f", "role_arn": "arn:r" })));
    }

    #[test]
    fn a_hook_may_take_as_long_as_it_says() {
        let of = |hook: serde_json::Value| minutes(&Value::from(hook));
        assert_eq!(of(json!({ "lifecycle_stages": ["PRE_SCALE_UP", "POST_SCALE_UP"] })), 2 * 24 * 60);
        assert_eq!(of(json!({ "lifecycle_stages": ["PRE_SCALE_UP"], "timeout_configuration": { "timeout_in_minutes": 20160 } })), 20160);
    }
}
