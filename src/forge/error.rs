//! What can go wrong with a forge, told apart by what may be done next.
//!
//! Three questions matter: did it take effect, is there any use in going on, and what does a person have to do. No text here holds a
//! credential: what a server says is cut to one printable line, and what we sent is never repeated.

use jiff::Timestamp;

use crate::net::NetError;

use super::local::LocalError;

/// Why a forge did not do what it was asked, or may not have done it.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The folder of the local forge.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The token is wrong, expired or revoked (401).
    #[error("{doing}: {server} does not know the token: {words}")]
    Unauthorized {
        /// What was being done to what: `opening a pull request in example/fleet`.
        doing: String,
        /// The server's address.
        server: String,
        /// What the server said. Hostile until escaped.
        words: String,
    },
    /// The token may not do this, or what it is about can't be seen with it (403, 404).
    #[error("{doing}: {server} denies it or does not have it ({status}): {words}; {needs}")]
    Denied {
        /// What was being done to what.
        doing: String,
        /// The server's address.
        server: String,
        /// The status.
        status: u16,
        /// What the server said. Hostile until escaped.
        words: String,
        /// What the token has to be allowed, for people.
        needs: String,
    },
    /// The forge wants to be left alone for a while (429, and GitHub's 403). Nothing took effect.
    #[error("{doing}: {server} limits our requests{}: {words}", in_words(*until))]
    RateLimited {
        /// What was being done to what.
        doing: String,
        /// The server's address.
        server: String,
        /// Until when, by the server's clock, where it tells.
        until: Option<Timestamp>,
        /// What the server said. Hostile until escaped.
        words: String,
    },
    /// The forge understood and said no (the other 4xx). Nothing took effect.
    #[error("{doing}: {server} refuses ({status}): {words}")]
    Refused {
        /// What was being done to what.
        doing: String,
        /// The server's address.
        server: String,
        /// The status: 409 and 422 also say that a pull request exists already.
        status: u16,
        /// What the server said. Hostile until escaped.
        words: String,
    },
    /// The time that was given to the forge is over. Nothing was sent.
    #[error("{doing}: the time for {server} is over")]
    OutOfTime {
        /// What was being done to what.
        doing: String,
        /// The server's address.
        server: String,
    },
    /// There is no connection. Nothing was sent.
    #[error("{doing}")]
    Unreachable {
        /// What was being done to what.
        doing: String,
        /// Why.
        #[source]
        source: NetError,
    },
    /// No clear answer to something that was sent: a timeout, a reset, a 5xx. It may have taken effect.
    #[error("{doing}: {server} gave no clear answer{}", after_colon(words))]
    Unknown {
        /// What was being done to what.
        doing: String,
        /// The server's address.
        server: String,
        /// What the server said, if it said anything. Hostile until escaped.
        words: String,
        /// What happened to the connection, if that was it.
        #[source]
        source: Option<NetError>,
    },
    /// The answer is not one of this API, though it took effect.
    #[error("{doing}: the answer of {server} makes no sense: {why}")]
    Malformed {
        /// What was being done to what.
        doing: String,
        /// The server's address.
        server: String,
        /// What is wrong with it. Hostile until escaped.
        why: String,
    },
}

impl ForgeError {
    /// Whether it may have taken effect all the same. Then it is read again, and never repeated.
    pub fn is_ambiguous(&self) -> bool {
        match self {
            Self::Unknown { .. } | Self::Malformed { .. } => true,
            Self::Local(_)
            | Self::Unauthorized { .. }
            | Self::Denied { .. }
            | Self::RateLimited { .. }
            | Self::Refused { .. }
            | Self::OutOfTime { .. }
            | Self::Unreachable { .. } => false,
        }
    }

    /// Whether nothing more is to be sent in this run: a limit that is ignored leads to a ban, an unknown token stays unknown, and time
    /// that is over stays over.
    pub fn stops_the_run(&self) -> bool {
        match self {
            Self::Unauthorized { .. } | Self::RateLimited { .. } | Self::OutOfTime { .. } => true,
            Self::Local(_)
            | Self::Denied { .. }
            | Self::Refused { .. }
            | Self::Unreachable { .. }
            | Self::Unknown { .. }
            | Self::Malformed { .. } => false,
        }
    }
}

fn in_words(until: Option<Timestamp>) -> String {
    until.map_or(String::new(), |until| format!(" until {until}"))
}

fn after_colon(words: &str) -> String {
    if words.is_empty() {
        String::new()
    } else {
        format!(": {words}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_was_done_to_what_and_until_when() {
        let limited = |until| ForgeError::RateLimited {
            doing: "closing #7".to_owned(),
            server: "https://git.example.org".to_owned(),
            until,
            words: "slow down".to_owned(),
        };
        assert_eq!(
            limited(Some("2026-03-01T12:01:00Z".parse().unwrap())).to_string(),
            "closing #7: https://git.example.org limits our requests until 2026-03-01T12:01:00Z: slow down"
        );
        assert_eq!(
            limited(None).to_string(),
            "closing #7: https://git.example.org limits our requests: slow down"
        );
        assert!(limited(None).stops_the_run() && !limited(None).is_ambiguous());
    }
}
