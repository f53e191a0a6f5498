//! What a listener does with a request.

mod authenticate;
pub mod moved;
mod route;

use aws_sdk_elasticloadbalancingv2::types::{Action as ApiAction, ActionTypeEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::authenticate::{Cognito, Jwt, Oidc};
use self::route::{FixedResponse, Forward, Redirect};
use leoctl_core::model::value::Value;

/// What a listener does with a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// What is done. The last action is a `forward`, `redirect` or `fixed-response`; others come before it.
    #[schemars(extend("enum" = ["forward", "redirect", "fixed-response", "authenticate-oidc", "authenticate-cognito", "jwt-validation"]))]
    r#type: String,
    /// Where to forward to.
    target_group_arn: Option<String>,
    /// Where to forward to, in shares.
    forward_config: Option<Forward>,
    /// Where to redirect to.
    redirect_config: Option<Redirect>,
    /// What to answer.
    fixed_response_config: Option<FixedResponse>,
    /// Who says who the user is, by OpenID Connect; for HTTPS listeners.
    authenticate_oidc_config: Option<Oidc>,
    /// The Cognito user pool that says who the user is; for HTTPS listeners.
    authenticate_cognito_config: Option<Cognito>,
    /// Which JSON Web Tokens are good; for HTTPS listeners.
    jwt_validation_config: Option<Jwt>,
}

impl Action {
    fn from_api(action: &ApiAction) -> Self {
        let (target_group_arn, forward_config) = Forward::from_api(action);
        Self {
            r#type: action.r#type().map_or("", ActionTypeEnum::as_str).to_owned(),
            target_group_arn,
            forward_config,
            redirect_config: action.redirect_config().map(Redirect::from_api),
            fixed_response_config: action.fixed_response_config().map(FixedResponse::from_api),
            authenticate_oidc_config: action.authenticate_oidc_config().map(Oidc::from_api),
            authenticate_cognito_config: action.authenticate_cognito_config().map(Cognito::from_api),
            jwt_validation_config: action.jwt_validation_config().map(Jwt::from_api),
        }
    }

    fn to_api(&self, order: Option<i32>, known_secret: Option<&str>) -> ApiAction {
        let Self {
            r#type,
            target_group_arn,
            forward_config,
            redirect_config,
            fixed_response_config,
            authenticate_oidc_config,
            authenticate_cognito_config,
            jwt_validation_config,
        } = self;
        ApiAction::builder()
            .r#type(ActionTypeEnum::from(r#type.as_str()))
            .set_order(order)
            .set_target_group_arn(target_group_arn.clone())
            .set_forward_config(forward_config.as_ref().map(Forward::to_api))
            .set_redirect_config(redirect_config.as_ref().map(Redirect::to_api))
            .set_fixed_response_config(fixed_response_config.as_ref().map(FixedResponse::to_api))
            .set_authenticate_oidc_config(authenticate_oidc_config.as_ref().map(|oidc| oidc.to_api(known_secret)))
            .set_authenticate_cognito_config(authenticate_cognito_config.as_ref().map(Cognito::to_api))
            .set_jwt_validation_config(jwt_validation_config.as_ref().map(Jwt::to_api))
            .build()
    }
}

/// Actions for a call, where `from` are there. They are performed in the order of the list; AWS goes by a number,
/// which it requires of several (ELBv2 API Reference, Action).
pub fn to_api(from: &[Action], actions: &[Action]) -> Option<Vec<ApiAction>> {
    // A listener or rule authenticates once (Application Load Balancers guide, "Authenticate users").
    let known_secret = from.iter().filter_map(|action| action.authenticate_oidc_config.as_ref()).find_map(Oidc::secret);
    let order = |index: i32| (actions.len() > 1).then_some(index);
    Some((1..).zip(actions).map(|(index, action)| action.to_api(order(index), known_secret)).collect())
}

/// The actions AWS returned.
pub fn from_api(actions: &[ApiAction]) -> Vec<Action> {
    let mut ordered: Vec<&ApiAction> = actions.iter().collect();
    ordered.sort_by_key(|action| action.order());
    ordered.into_iter().map(Action::from_api).collect()
}

/// The attribute that says more of each type of action.
const CONFIGS: [(&str, &str); 6] = [
    ("forward", "forward_config"),
    ("redirect", "redirect_config"),
    ("fixed-response", "fixed_response_config"),
    ("authenticate-oidc", "authenticate_oidc_config"),
    ("authenticate-cognito", "authenticate_cognito_config"),
    ("jwt-validation", "jwt_validation_config"),
];

/// What is wrong with a list of actions as far as it is known.
pub fn problems(actions: Option<&Value>) -> Vec<String> {
    let actions = actions.and_then(Value::as_list).unwrap_or_default();
    let mut problems: Vec<String> = actions.iter().filter_map(problem).collect();
    // ELBv2 API Reference, CreateRule: one of these, and performed last.
    let routes = |action: &Value| Some(matches!(action.get("type")?.as_str()?, "forward" | "redirect" | "fixed-response"));
    let Some(routes) = actions.iter().map(routes).collect::<Option<Vec<bool>>>() else { return problems };
    let well = routes.split_last().is_none_or(|(last, others)| *last && !others.contains(&true));
    if !well {
        problems.push("the last action, and no other, is a `forward`, `redirect` or `fixed-response`".to_owned());
    }
    problems
}

/// Whether any of the actions asks who a client is, which only HTTPS listeners do (ELBv2 API Reference, Action).
pub fn authenticates(actions: Option<&Value>) -> bool {
    let asks = |action: &Value| {
        let of = action.get("type").and_then(Value::as_str);
        matches!(of, Some("authenticate-oidc" | "authenticate-cognito" | "jwt-validation"))
    };
    actions.and_then(Value::as_list).unwrap_or_default().iter().any(asks)
}

fn problem(action: &Value) -> Option<String> {
    let present = |key: &str| action.get(key).is_some_and(|value| !value.is_null());
    let of = action.get("type").and_then(Value::as_str)?;
    if let Some((_, config)) = CONFIGS.iter().find(|(other, config)| *other != of && present(config)) {
        return Some(format!("`{config}` is not for a {of} action"));
    }
    if of == "forward" {
        return route::forward_problem(action);
    }
    let (_, config) = CONFIGS.iter().find(|(known, _)| *known == of)?;
    if present("target_group_arn") {
        return Some(format!("`target_group_arn` is not for a {of} action"));
    }
    if !present(config) {
        return Some(format!("a {of} action needs `{config}`"));
    }
    (of == "redirect").then(|| route::redirect_problem(action.get(config)?)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(actions: serde_json::Value) -> Vec<String> {
        problems(Some(&Value::from(actions)))
    }

    #[test]
    fn the_last_action_and_no_other_says_where_a_request_goes() {
        let jwt = serde_json::json!({ "type": "jwt-validation", "jwt_validation_config": {} });
        let forward = serde_json::json!({ "type": "forward", "target_group_arn": "a" });
        let message = "the last action, and no other, is a `forward`, `redirect` or `fixed-response`";
        assert!(found(serde_json::json!([jwt, forward])).is_empty());
        assert!(found(serde_json::json!([{ "type": "forward", "target_group_arn": "a" }, { "type": null }])).is_empty());
        assert_eq!(found(serde_json::json!([forward, jwt])), [message]);
        assert_eq!(found(serde_json::json!([forward, forward])), [message]);
    }

    #[test]
    fn a_configuration_belongs_to_its_type_of_action() {
        assert_eq!(found(serde_json::json!([{ "type": "redirect" }])), ["a redirect action needs `redirect_config`"]);
        let mixed = serde_json::json!([{ "type": "forward", "target_group_arn": "a", "redirect_config": {} }]);
        assert_eq!(found(mixed), ["`redirect_config` is not for a forward action"]);
    }

    #[test]
    fn actions_are_read_in_the_order_of_their_numbers() {
        let action = |order: Option<i32>, r#type: ActionTypeEnum| ApiAction::builder().set_order(order).r#type(r#type).build();
        let read = from_api(&[action(Some(2), ActionTypeEnum::Forward), action(Some(1), ActionTypeEnum::JwtValidation)]);
        assert_eq!(read.iter().map(|action| action.r#type.as_str()).collect::<Vec<_>>(), ["jwt-validation", "forward"]);
        let orders = |actions: &[Action]| to_api(&[], actions).unwrap().iter().map(|action| action.order()).collect::<Vec<_>>();
        assert_eq!((orders(&read), orders(&read[1..])), (vec![Some(1), Some(2)], vec![None]));
    }
}
