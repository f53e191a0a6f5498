//! Calls that AWS never answered: why, in words for the person who runs leoctl.

use std::fmt::{self, Display, Formatter};

/// Why a call got no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nothing gives credentials.
    NoCredentials,
    /// What is to give credentials fails.
    CredentialsFailed,
    /// The AWS configuration contradicts itself or names what is not there.
    BadConfiguration,
    /// The name of the server is not known.
    Unresolved {
        /// The name.
        host: String,
    },
    /// Nothing listens at the server's address.
    Refused {
        /// The address.
        address: String,
    },
    /// There is no way to the server.
    Unreachable {
        /// Its address.
        address: String,
    },
    /// The connection broke before there was an answer.
    Broken {
        /// The server's address.
        address: String,
    },
}

/// A call without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoAnswer {
    /// Why.
    pub cause: Cause,
    /// All that the SDK says of it.
    pub detail: String,
}

impl Display for Cause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCredentials => f.write_str("no AWS credentials were found"),
            Self::CredentialsFailed => f.write_str("the AWS credentials could not be loaded"),
            Self::BadConfiguration => f.write_str("the AWS configuration cannot be used"),
            Self::Unresolved { host } => write!(f, "AWS could not be reached: {host} does not resolve"),
            Self::Refused { address } => write!(f, "AWS could not be reached: {address} refuses connections"),
            Self::Unreachable { address } => write!(f, "AWS could not be reached: there is no way to {address}"),
            Self::Broken { address } => write!(f, "{address} did not answer"),
        }
    }
}

impl Cause {
    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NoCredentials => {
                "name a profile (`--profile` or AWS_PROFILE), log in with `aws login` or `aws sso login`, or set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY; on an EC2 instance, see that it has an instance profile with a role, and that its metadata \
                 service is on and, in a container, takes two hops (`http_put_response_hop_limit = 2`)"
            }
            Self::CredentialsFailed => {
                "log in again (`aws login` or `aws sso login`), or name another profile (`--profile` or AWS_PROFILE); a profile with `mfa_serial` \
                 cannot be used: export credentials (`aws configure export-credentials --format env`), or have them from a \
                 `credential_process`"
            }
            Self::BadConfiguration => {
                "see the profile in ~/.aws/config that `--profile` or AWS_PROFILE names; one of `aws login` (`login_session`) cannot be \
                 used: export credentials (`aws configure export-credentials --format env`)"
            }
            Self::Unresolved { .. } => {
                "see that the network has a name server and that the region exists; AWS_ENDPOINT_URL or `--endpoint-url` sends calls to \
                 another address, and HTTPS_PROXY over a proxy"
            }
            Self::Refused { .. } | Self::Unreachable { .. } => {
                "see that the network works; where AWS_ENDPOINT_URL or `--endpoint-url` is set, that something listens there; where \
                 HTTPS_PROXY is set, that the proxy does"
            }
            Self::Broken { .. } => "run the same command again: where it was to change something, it finds out whether that was done",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cause;

    #[test]
    fn a_profile_with_mfa_is_said_to_need_exported_credentials() {
        let advice = Cause::CredentialsFailed.advice();
        assert!(advice.contains("`mfa_serial`") && advice.contains("export-credentials"), "{advice}");
    }
}
