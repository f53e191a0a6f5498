//! Calls that got no answer: what kept them from it, told by the types of the errors and never by their texts.

use std::error::Error;
use std::io;

use aws_config::imds::client::error::ImdsError;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::result::ConnectorError;

use leoctl_core::engine::no_answer::{Cause, NoAnswer};

/// Why there was no answer, with the address that gave none.
#[derive(Debug, thiserror::Error)]
#[error("{address} did not answer")]
struct Unanswered {
    address: String,
    source: ConnectorError,
}

/// The system's names of servers. The HTTP client's own lookup has errors without a type.
#[derive(Clone, Copy, Debug)]
pub struct Names;

impl ResolveDns for Names {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let found = tokio::net::lookup_host((name, 0)).await.map_err(ResolveDnsError::new)?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// The address of a server, without the path and the query of a request to it.
pub fn address(uri: &str) -> String {
    let (scheme, rest) = uri.split_once("://").unwrap_or(("", uri));
    format!("{scheme}://{}", rest.split(['/', '?']).next().unwrap_or_default())
}

/// The error of the same kind that names the address.
pub fn named(error: ConnectorError, address: &str) -> ConnectorError {
    let (timeout, io, other) = (error.is_timeout(), error.is_io(), error.as_other());
    if error.is_user() {
        return error;
    }
    let unanswered = Unanswered { address: address.to_owned(), source: error };
    match (timeout, io) {
        (true, _) => ConnectorError::timeout(unanswered.into()),
        (_, true) => ConnectorError::io(unanswered.into()),
        _ => ConnectorError::other(unanswered.into(), other),
    }
}

/// What kept a call from being answered, if that can be told.
pub fn no_answer(error: &(dyn Error + 'static)) -> Option<NoAnswer> {
    Some(NoAnswer { cause: cause(error)?, detail: chain(error) })
}

fn cause(error: &(dyn Error + 'static)) -> Option<Cause> {
    if let Some(credentials) = find::<CredentialsError>(error) {
        return Some(match credentials {
            CredentialsError::CredentialsNotLoaded(_) => Cause::NoCredentials,
            // The last place that is asked, and there is none such outside of AWS.
            CredentialsError::ProviderError(_) if find::<ImdsError>(credentials).is_some() => Cause::NoCredentials,
            CredentialsError::InvalidConfiguration(_) => Cause::BadConfiguration,
            _ => Cause::CredentialsFailed,
        });
    }
    let unanswered = find::<Unanswered>(error)?;
    let address = unanswered.address.clone();
    if find::<ResolveDnsError>(unanswered).is_some() {
        let host = address.rsplit('/').next().unwrap_or_default();
        return Some(Cause::Unresolved { host: host.rsplit_once(':').map_or(host, |(host, _)| host).to_owned() });
    }
    Some(match find::<io::Error>(unanswered).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => Cause::Refused { address },
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => Cause::Unreachable { address },
        _ => Cause::Broken { address },
    })
}

/// The first error of type `E` among an error and its causes.
pub fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// The causes of an error in one line.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unanswered(source: impl Into<Box<dyn Error + Send + Sync>>, address: &str) -> ConnectorError {
        named(ConnectorError::io(source.into()), address)
    }

    #[tokio::test]
    async fn a_name_that_nobody_knows_and_a_port_where_nobody_listens_are_told_apart() {
        let unknown = Names.resolve_dns("no.such.host.invalid").await.unwrap_err();
        let cause = |error: &ConnectorError| no_answer(error).unwrap().cause;
        let host = "no.such.host.invalid".to_owned();
        assert_eq!(cause(&unanswered(unknown, "https://no.such.host.invalid:444")), Cause::Unresolved { host });
        let address = "http://127.0.0.1:9".to_owned();
        let of = |kind: io::ErrorKind| cause(&unanswered(io::Error::from(kind), &address));
        assert_eq!(of(io::ErrorKind::ConnectionRefused), Cause::Refused { address: address.clone() });
        assert_eq!(of(io::ErrorKind::NetworkUnreachable), Cause::Unreachable { address: address.clone() });
        assert_eq!(of(io::ErrorKind::ConnectionReset), Cause::Broken { address: address.clone() });
    }

    #[test]
    fn credentials_that_are_not_there_are_not_those_that_fail() {
        let cause = |error: CredentialsError| no_answer(&error).unwrap().cause;
        assert_eq!(cause(CredentialsError::not_loaded("none")), Cause::NoCredentials);
        assert_eq!(cause(CredentialsError::provider_error("the token has expired")), Cause::CredentialsFailed);
        assert_eq!(cause(CredentialsError::invalid_configuration("a loop")), Cause::BadConfiguration);
    }

    #[test]
    fn an_error_of_another_kind_is_none_of_these() {
        assert_eq!(no_answer(&io::Error::other("no")), None);
    }
}
