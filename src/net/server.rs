//! A server as the configuration names it.

use std::fmt;
use std::net::IpAddr;

use super::secret::Secret;

/// How a request says who we are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Not at all.
    #[default]
    None,
    /// `Authorization: Bearer`.
    Bearer(Secret),
    /// `Authorization: Basic`.
    Basic {
        /// The user's name.
        user: String,
        /// The password, or a token in its place.
        password: Secret,
    },
}

/// A server: where it is, who we are to it, and whom we trust to vouch for it.
///
/// Invariant: the address is an absolute `http` or `https` URL without a user, a password, a query or a fragment, and without a slash at its
/// end. The credentials belong to it and are never sent elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    url: String,
    /// Who we are to it.
    pub credentials: Credentials,
    /// The certificates (PEM) of the authorities that vouch for it, instead of the system's.
    pub authorities: Option<Vec<u8>>,
}

/// An address that can't be used. It is not repeated here: it may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the address {why}; write it like https://git.example.org/platform")]
pub struct InvalidAddress {
    /// What is wrong with it.
    pub why: &'static str,
}

impl Server {
    /// A server without credentials that the system's authorities vouch for.
    pub fn new(url: &str) -> Result<Self, InvalidAddress> {
        let refuse = |why| Err(InvalidAddress { why });
        let Ok(parsed) = reqwest::Url::parse(url) else {
            return refuse("is not a URL");
        };
        if !matches!(parsed.scheme(), "http" | "https") {
            return refuse("is neither http:// nor https://");
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return refuse("carries a user name or a password");
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return refuse("has a query or a fragment");
        }
        Ok(Self {
            url: parsed.as_str().trim_end_matches('/').to_owned(),
            credentials: Credentials::None,
            authorities: None,
        })
    }

    /// The address, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether its credentials can be read on the way.
    pub fn may_leak(&self) -> bool {
        self.credentials != Credentials::None && self.is_readable_on_the_way()
    }

    /// Whether what is sent to it can be read on the way: plain HTTP to another machine.
    pub fn is_readable_on_the_way(&self) -> bool {
        let url = reqwest::Url::parse(&self.url).ok();
        let loopback = url.as_ref().and_then(reqwest::Url::host_str).is_some_and(|host| {
            // A name may begin like an address: `127.0.0.1.example.org`.
            let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
            host == "localhost" || address.is_some_and(|address| address.is_loopback())
        });
        self.url.starts_with("http://") && !loopback
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_and_holds_no_secret() {
        let server = Server::new("https://git.example.org/platform/").unwrap();
        assert_eq!(server.url(), "https://git.example.org/platform");
        assert!(!server.is_readable_on_the_way());
        assert!(
            Server::new("http://prometheus.monitoring:9090")
                .unwrap()
                .is_readable_on_the_way()
        );
        for (address, readable) in [
            ("http://127.0.0.1:9090", false),
            ("http://[::1]:9090", false),
            ("http://localhost", false),
            ("http://127.0.0.1.example.org", true),
            ("http://localhost.example.org", true),
            ("http://[fd00::1]:9090", true),
        ] {
            assert_eq!(
                Server::new(address).unwrap().is_readable_on_the_way(),
                readable,
                "{address}"
            );
        }
        for bad in [
            "git.example.org",
            "ssh://git.example.org/x",
            "https://me:hunter2@git.example.org",
            "https://hunter2@git.example.org",
            "https://git.example.org/?token=hunter2",
            "https://git.example.org/#x",
            "https://",
            "",
        ] {
            let error = Server::new(bad).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{bad}");
        }
    }
}
