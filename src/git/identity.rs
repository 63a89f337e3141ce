//! Who wrote a commit.

use jiff::Timestamp;

/// A name and e-mail address as they stand in a commit's author and committer lines.
///
/// Invariant: Git stores them unchanged. Git trims spaces and some marks from the ends of both; an identity that it would alter
/// could never be recognised as ours again, so it is refused here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    name: String,
    email: String,
}

/// An identity that Git would refuse or alter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("identity {name:?} <{email:?}>: Git would store it differently; use plain words and an address")]
pub struct InvalidIdentity {
    name: String,
    email: String,
}

impl Identity {
    /// Takes a name and an address that Git stores as they are.
    pub fn new(name: &str, email: &str) -> Result<Self, InvalidIdentity> {
        let identity = Self {
            name: name.to_owned(),
            email: email.to_owned(),
        };
        let kept =
            git2::Signature::new(name, email, &git2::Time::new(0, 0)).is_ok_and(|signature| identity.is_of(&signature));
        let one_line = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
        if kept && one_line(name) && one_line(email) {
            Ok(identity)
        } else {
            let Self { name, email } = identity;
            Err(InvalidIdentity { name, email })
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address.
    pub fn email(&self) -> &str {
        &self.email
    }

    /// Whether a commit's author or committer line names this identity, byte for byte.
    pub(super) fn is_of(&self, signature: &git2::Signature<'_>) -> bool {
        signature.name_bytes() == self.name.as_bytes() && signature.email_bytes() == self.email.as_bytes()
    }

    /// The identity at a moment, in UTC. Git keeps whole seconds.
    pub(super) fn at(&self, when: Timestamp) -> Result<git2::Signature<'static>, git2::Error> {
        git2::Signature::new(&self.name, &self.email, &git2::Time::new(when.as_second(), 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_that_git_would_alter_is_refused() {
        assert!(Identity::new("fleetscale", "fleetscale@example.com").is_ok());
        for (name, email) in [
            ("", "a@b"),
            ("a", ""),
            (" a", "a@b"),
            ("a<b", "a@b"),
            ("a\nb", "a@b"),
            ("a", "a@b>"),
            ("a\0b", "a@b"),
        ] {
            assert!(Identity::new(name, email).is_err(), "{name:?} {email:?}");
        }
    }
}
