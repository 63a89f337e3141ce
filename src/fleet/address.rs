//! Which repository an address means, as far as its text tells.
//!
//! One repository has many addresses: over HTTPS and over SSH, with a user, a port and `.git` or without, at the forge and at its mirrors. What
//! they have in common is how the path ends: owner and repository. Another end is another repository, whatever the host; the same end on
//! another host may be a mirror or an alias of SSH. Absent on purpose: redirects of renamed repositories, which only a forge knows.

/// Whether an address means a repository, the most likely first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Means {
    /// It does.
    Same,
    /// It may, or not.
    Uncertain,
    /// It means another one.
    Another,
}

/// An address as far as it tells one repository from others. Letters of either case are the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    host: String,
    /// The path on the host, without `.git`. Never empty.
    path: Vec<String>,
}

/// What a template, a variable or a build environment fills in.
const FILLED_IN: [&str; 3] = ["{{", "${", "$("];

/// The schemes whose addresses are a host and a path.
const SCHEMES: [&str; 6] = ["http", "https", "ssh", "git", "git+ssh", "git+https"];

impl Address {
    /// Reads an address; nothing for what is none of a host and a path, or not known as a whole.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if FILLED_IN.iter().any(|mark| text.contains(mark)) {
            return None;
        }
        let (authority, path) = match text.split_once("://") {
            Some((scheme, rest)) => {
                let is_known = SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme));
                rest.split_once('/').filter(|_| is_known)?
            }
            // What `ssh` takes: the colon comes before every slash.
            None => text
                .split_once(':')
                .filter(|(authority, _)| !authority.contains(['/', '[']))?,
        };
        let end = path.find(['?', '#']).unwrap_or(path.len());
        Some(Self {
            host: host(authority)?,
            path: segments(&path[..end])?,
        })
    }

    /// Whether another address means the same repository.
    pub(super) fn compare(&self, other: &Self) -> Means {
        if self == other {
            return Means::Same;
        }
        // A forge may put its own folders before the path in one scheme and not in the other: `scm/platform/fleet`, `srv/git/fleet`.
        let least = self.path.len().min(other.path.len()).min(2);
        let ends_alike = self
            .path
            .iter()
            .rev()
            .take(least)
            .eq(other.path.iter().rev().take(least));
        let same_name = self.path.last() == other.path.last();
        if ends_alike || same_name && (self.is_of_azure() || other.is_of_azure()) {
            Means::Uncertain
        } else {
            Means::Another
        }
    }

    /// Whether the path is one of Azure DevOps, which has the repository's project in it, or leaves it out.
    fn is_of_azure(&self) -> bool {
        self.path.iter().any(|part| part == "_git") || self.path.first().is_some_and(|first| first == "v3")
    }
}

fn host(authority: &str) -> Option<String> {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_end_matches('.').to_lowercase();
    (!name.is_empty()).then_some(name)
}

fn segments(path: &str) -> Option<Vec<String>> {
    let decoded = decoded(path)?.to_lowercase();
    let mut parts: Vec<&str> = decoded
        .split('/')
        .filter(|part| !matches!(*part, "" | "." | "~"))
        .collect();
    if parts.contains(&"..") {
        return None;
    }
    let last = parts.pop()?;
    let last = Some(last.strip_suffix(".git").unwrap_or(last)).filter(|last| !last.is_empty());
    parts.extend(last);
    let parts: Vec<String> = parts.into_iter().map(str::to_owned).collect();
    (!parts.is_empty()).then_some(parts)
}

/// A path without percent signs.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut parts = path.split('%');
    bytes.extend(parts.next()?.bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(rest.bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "https://git.example.org/platform/fleet.git";

    fn means(own: &str, other: &str) -> Means {
        let own = Address::parse(own).unwrap();
        Address::parse(other).map_or(Means::Uncertain, |other| {
            assert_eq!(own.compare(&other), other.compare(&own), "{other:?}");
            own.compare(&other)
        })
    }

    #[test]
    fn the_spellings_of_an_address_mean_one_repository() {
        for spelling in [
            "https://git.example.org/platform/fleet",
            "https://Git.Example.Org/Platform/Fleet.git/",
            "http://bot@git.example.org:8443//platform/fleet.git?ref=main",
            "https://bot:x@git.example.org./platform/./fleet#x",
            "ssh://git@git.example.org/platform/fleet.git",
            "ssh://git@git.example.org:2222/~/platform/fleet.git",
            "git@git.example.org:platform/fleet.git",
            "git.example.org:/platform/fleet",
            " git://git.example.org/pl%61tform/fleet ",
        ] {
            assert_eq!(means(OWN, spelling), Means::Same, "{spelling}");
        }
    }

    #[test]
    fn the_same_end_elsewhere_may_be_the_same_repository() {
        for spelling in [
            // A mirror, an alias of SSH, a forge below a path, a folder of a server.
            "https://mirror.example.com/platform/fleet.git",
            "git@work:platform/fleet.git",
            "https://git.example.org/scm/platform/fleet.git",
            "ssh://git@git.example.org/srv/git/platform/fleet.git",
            "ssh://git@git.example.org:29418/fleet",
            "git@git.example.org:2222/platform/fleet.git",
            "git@[git.example.org:2222]:other/thing.git",
            // What is filled in, and what is no address of a host and a path.
            "https://{{host}}/other/thing",
            "https://git.example.org/${owner}/thing",
            "file:///srv/git/thing.git",
            "oci://git.example.org/other/thing",
            "../thing.git",
            "https://git.example.org/",
            "https://git.example.org/a/../thing",
            "https://git.example.org/%ff/thing",
            "https://git.example.org/%é/thing",
            "",
        ] {
            assert_eq!(means(OWN, spelling), Means::Uncertain, "{spelling}");
        }
        let azure = "https://dev.azure.com/example/fleet/_git/fleet";
        for spelling in [
            "git@ssh.dev.azure.com:v3/example/fleet/fleet",
            "https://dev.azure.com/example/_git/fleet",
            "https://example.visualstudio.com/fleet/_git/fleet",
        ] {
            assert_eq!(means(azure, spelling), Means::Uncertain, "{spelling}");
        }
    }

    #[test]
    fn another_owner_or_name_is_another_repository() {
        for spelling in [
            "https://git.example.org/platform/addons.git",
            "https://git.example.org/team/fleet.git",
            "git@git.example.org:platform/fleet-addons.git",
            "https://mirror.example.com/mirrors/fleet.git",
            "ssh://git.example.org/addons",
        ] {
            assert_eq!(means(OWN, spelling), Means::Another, "{spelling}");
        }
        let azure = "https://dev.azure.com/example/fleet/_git/fleet";
        assert_eq!(
            means(azure, "https://dev.azure.com/example/fleet/_git/addons"),
            Means::Another
        );
    }
}
