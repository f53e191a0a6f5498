//! The actions that ask who a client is before its request goes anywhere: OpenID Connect, Cognito, tokens.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use aws_sdk_elasticloadbalancingv2::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

// AWS's defaults: ELBv2 API Reference, AuthenticateOidcActionConfig and AuthenticateCognitoActionConfig.
const COOKIE: &str = "AWSELBAuthSessionCookie";
const SCOPE: &str = "openid";
const TIMEOUT: i64 = 604_800;
const UNAUTHENTICATED: &str = "authenticate";

/// An identity provider that speaks OpenID Connect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// The issuer, a URL with `https://`, domain and path.
    issuer: String,
    /// Where users are sent to, a URL.
    authorization_endpoint: String,
    /// Where codes are exchanged for tokens, a URL.
    token_endpoint: String,
    /// Where it is asked who the user is, a URL.
    user_info_endpoint: String,
    /// The client's id at the provider.
    client_id: String,
    /// The client's secret at the provider. AWS never returns it, so a change outside leoctl is not seen.
    #[schemars(required, extend("x-sensitive" = true, "x-local" = true))]
    client_secret: Option<ClientSecret>,
    /// The name of the cookie that holds the session.
    #[schemars(extend("default" = COOKIE))]
    session_cookie_name: String,
    /// The claims asked for, separated as the provider wants it.
    #[schemars(extend("default" = SCOPE))]
    scope: String,
    /// Seconds until a user has to authenticate again, at most seven days.
    #[schemars(extend("default" = TIMEOUT), range(min = 1, max = TIMEOUT))]
    session_timeout: i64,
    /// Up to ten more parameters of the request that users are sent away with.
    #[schemars(extend("default" = {}))]
    authentication_request_extra_params: BTreeMap<String, String>,
    /// What becomes of a request without a session: `authenticate` sends the user to the provider.
    #[schemars(extend("default" = UNAUTHENTICATED, "enum" = ["deny", "allow", "authenticate"]))]
    on_unauthenticated_request: String,
}

/// A secret that shows itself nowhere.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ClientSecret(String);

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(sensitive)")
    }
}

/// A Cognito user pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cognito {
    /// The user pool.
    #[schemars(extend("x-format" = "arn:cognito-idp"))]
    user_pool_arn: String,
    /// The id of the user pool's client.
    user_pool_client_id: String,
    /// The domain of the user pool: its prefix, or the whole name.
    user_pool_domain: String,
    /// The name of the cookie that holds the session.
    #[schemars(extend("default" = COOKIE))]
    session_cookie_name: String,
    /// The claims asked for, separated as the provider wants it.
    #[schemars(extend("default" = SCOPE))]
    scope: String,
    /// Seconds until a user has to authenticate again, at most seven days.
    #[schemars(extend("default" = TIMEOUT), range(min = 1, max = TIMEOUT))]
    session_timeout: i64,
    /// Up to ten more parameters of the request that users are sent away with.
    #[schemars(extend("default" = {}))]
    authentication_request_extra_params: BTreeMap<String, String>,
    /// What becomes of a request without a session: `authenticate` sends the user to the provider.
    #[schemars(extend("default" = UNAUTHENTICATED, "enum" = ["deny", "allow", "authenticate"]))]
    on_unauthenticated_request: String,
}

/// Which JSON Web Tokens are good. `exp`, `iss`, `nbf` and `iat` are always looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Jwt {
    /// Where the keys are that tokens are signed with, a URL.
    #[schemars(length(max = 256))]
    jwks_endpoint: String,
    /// The issuer.
    #[schemars(length(max = 256))]
    issuer: String,
    /// Up to ten more claims that a token needs.
    #[schemars(extend("default" = [], "x-key" = "name"))]
    additional_claims: Vec<Claim>,
}

/// A claim of a token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The claim.
    name: String,
    /// The form of its value in the token.
    #[schemars(extend("enum" = ["single-string", "string-array", "space-separated-values"]))]
    format: String,
    /// The values that are good.
    #[schemars(extend("x-set" = true))]
    values: Vec<String>,
}

impl Oidc {
    pub(super) fn secret(&self) -> Option<&str> {
        self.client_secret.as_ref().map(|secret| secret.0.as_str())
    }

    pub(super) fn from_api(config: &api::AuthenticateOidcActionConfig) -> Self {
        use api::AuthenticateOidcActionConditionalBehaviorEnum as Behaviour;
        Self {
            issuer: text(config.issuer()),
            authorization_endpoint: text(config.authorization_endpoint()),
            token_endpoint: text(config.token_endpoint()),
            user_info_endpoint: text(config.user_info_endpoint()),
            client_id: text(config.client_id()),
            client_secret: None,
            session_cookie_name: config.session_cookie_name().unwrap_or(COOKIE).to_owned(),
            scope: config.scope().unwrap_or(SCOPE).to_owned(),
            session_timeout: config.session_timeout().unwrap_or(TIMEOUT),
            authentication_request_extra_params: parameters(config.authentication_request_extra_params()),
            on_unauthenticated_request: config.on_unauthenticated_request().map_or(UNAUTHENTICATED, Behaviour::as_str).to_owned(),
        }
    }

    /// `known_secret` is the one AWS has: it is then not sent again.
    pub(super) fn to_api(&self, known_secret: Option<&str>) -> api::AuthenticateOidcActionConfig {
        use api::AuthenticateOidcActionConditionalBehaviorEnum as Behaviour;
        let Self {
            issuer,
            authorization_endpoint,
            token_endpoint,
            user_info_endpoint,
            client_id,
            client_secret,
            session_cookie_name,
            scope,
            session_timeout,
            authentication_request_extra_params,
            on_unauthenticated_request,
        } = self.clone();
        let is_known = self.secret().is_some() && self.secret() == known_secret;
        api::AuthenticateOidcActionConfig::builder()
            .issuer(issuer)
            .authorization_endpoint(authorization_endpoint)
            .token_endpoint(token_endpoint)
            .user_info_endpoint(user_info_endpoint)
            .client_id(client_id)
            .set_client_secret(client_secret.filter(|_| !is_known).map(|secret| secret.0))
            .set_use_existing_client_secret(is_known.then_some(true))
            .session_cookie_name(session_cookie_name)
            .scope(scope)
            .session_timeout(session_timeout)
            .set_authentication_request_extra_params(Some(authentication_request_extra_params.into_iter().collect()))
            .on_unauthenticated_request(Behaviour::from(on_unauthenticated_request.as_str()))
            .build()
    }
}

impl Cognito {
    pub(super) fn from_api(config: &api::AuthenticateCognitoActionConfig) -> Self {
        use api::AuthenticateCognitoActionConditionalBehaviorEnum as Behaviour;
        Self {
            user_pool_arn: text(config.user_pool_arn()),
            user_pool_client_id: text(config.user_pool_client_id()),
            user_pool_domain: text(config.user_pool_domain()),
            session_cookie_name: config.session_cookie_name().unwrap_or(COOKIE).to_owned(),
            scope: config.scope().unwrap_or(SCOPE).to_owned(),
            session_timeout: config.session_timeout().unwrap_or(TIMEOUT),
            authentication_request_extra_params: parameters(config.authentication_request_extra_params()),
            on_unauthenticated_request: config.on_unauthenticated_request().map_or(UNAUTHENTICATED, Behaviour::as_str).to_owned(),
        }
    }

    pub(super) fn to_api(&self) -> api::AuthenticateCognitoActionConfig {
        use api::AuthenticateCognitoActionConditionalBehaviorEnum as Behaviour;
        let Self {
            user_pool_arn,
            user_pool_client_id,
            user_pool_domain,
            session_cookie_name,
            scope,
            session_timeout,
            authentication_request_extra_params,
            on_unauthenticated_request,
        } = self.clone();
        api::AuthenticateCognitoActionConfig::builder()
            .user_pool_arn(user_pool_arn)
            .user_pool_client_id(user_pool_client_id)
            .user_pool_domain(user_pool_domain)
            .session_cookie_name(session_cookie_name)
            .scope(scope)
            .session_timeout(session_timeout)
            .set_authentication_request_extra_params(Some(authentication_request_extra_params.into_iter().collect()))
            .on_unauthenticated_request(Behaviour::from(on_unauthenticated_request.as_str()))
            .build()
    }
}

impl Jwt {
    pub(super) fn from_api(config: &api::JwtValidationActionConfig) -> Self {
        let claims = config.additional_claims().iter().map(|claim| Claim {
            name: text(claim.name()),
            format: claim.format().map_or("", api::JwtValidationActionAdditionalClaimFormatEnum::as_str).to_owned(),
            values: claim.values().to_vec(),
        });
        Self { jwks_endpoint: text(config.jwks_endpoint()), issuer: text(config.issuer()), additional_claims: claims.collect() }
    }

    pub(super) fn to_api(&self) -> api::JwtValidationActionConfig {
        let Self { jwks_endpoint, issuer, additional_claims } = self.clone();
        let claims = additional_claims.into_iter().map(|Claim { name, format, values }| {
            api::JwtValidationActionAdditionalClaim::builder().name(name).format(format.as_str().into()).set_values(Some(values)).build()
        });
        let claims = Some(claims.collect::<Vec<_>>()).filter(|claims| !claims.is_empty());
        api::JwtValidationActionConfig::builder().jwks_endpoint(jwks_endpoint).issuer(issuer).set_additional_claims(claims).build()
    }
}

fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn parameters(parameters: Option<&HashMap<String, String>>) -> BTreeMap<String, String> {
    parameters.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_aws_has_is_not_sent_again_and_not_shown() {
        let mut oidc = Oidc::from_api(&api::AuthenticateOidcActionConfig::builder().build());
        oidc.client_secret = Some(ClientSecret("s3cret".to_owned()));
        let sent = |known: Option<&str>| {
            let config = oidc.to_api(known);
            (config.client_secret().map(str::to_owned), config.use_existing_client_secret())
        };
        assert_eq!(sent(None), (Some("s3cret".to_owned()), None));
        assert_eq!(sent(Some("another")), (Some("s3cret".to_owned()), None));
        assert_eq!(sent(Some("s3cret")), (None, Some(true)));
        assert!(!format!("{oidc:?}").contains("s3cret"));
    }
}
