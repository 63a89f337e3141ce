//! The rules for the repository that the fleet file names.

use super::check::Check;
use super::fleet::file;
use super::sources;
use crate::policy::fleet_file::Repository;
use crate::policy::v1alpha1;

/// Reads it.
pub(super) fn read(check: &mut Check<'_>, raw: &v1alpha1::Repository) -> Option<Repository> {
    let at = "/spec/repository";
    let v1alpha1::Repository {
        import,
        path,
        url,
        aliases: _,
        credentials,
        ca_file,
    } = raw;
    let broken = check.is_broken_below(at);
    if url.is_none() {
        for (name, given) in [("credentials", credentials.is_some()), ("caFile", ca_file.is_some())] {
            if given {
                check.error(
                    &format!("{at}/{name}"),
                    "goes with `url` only",
                    "remove it, or give the repository's `url`",
                );
                return None;
            }
        }
    }
    match (import, path, url) {
        (Some(folder), None, None) => file(check, &format!("{at}/import"), &folder.0).map(Repository::Import),
        (None, Some(folder), None) => file(check, &format!("{at}/path"), &folder.0).map(Repository::Path),
        (None, None, Some(address)) => {
            let address = sources::url(check, &format!("{at}/url"), address);
            sources::server(check, at, address, credentials.as_ref(), ca_file.as_ref()).map(Repository::Server)
        }
        (None, None, None) if broken => None,
        (None, None, None) => {
            check.error(at, "names no repository", "give one of `import`, `path` and `url`");
            None
        }
        _ => {
            check.error(
                at,
                "names more than one repository",
                "keep one of `import`, `path` and `url`",
            );
            None
        }
    }
}

/// The aliases of the repository. They are compared and never asked, so any scheme will do.
pub(super) fn aliases(check: &mut Check<'_>, raw: &v1alpha1::Repository) -> Option<Vec<String>> {
    let aliases = raw.aliases.iter().flatten().enumerate();
    let read: Vec<Option<String>> = aliases
        .map(|(index, text)| alias(check, &format!("/spec/repository/aliases/{index}"), text))
        .collect();
    read.into_iter().collect()
}

/// An address that is only compared with others: of any scheme, or as `ssh` takes it (`git@host:path`).
fn alias(check: &mut Check<'_>, at: &str, address: &str) -> Option<String> {
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '?' | '#' | '\\' | '{' | '}' | '$');
    let scheme = address.split_once("://");
    let rest = scheme.map_or(address, |(_, rest)| rest);
    let (authority, path) = rest
        .split_once(if scheme.is_some() { '/' } else { ':' })
        .unwrap_or_default();
    let before_path = rest.split('/').next().unwrap_or_default();
    let user = before_path.rsplit_once('@').map_or("", |(user, _)| user);
    if user.contains(':') {
        // The address itself is not repeated: it holds a secret.
        check.error(
            at,
            "contains a password",
            "remove it from the file and change it; an alias is only compared with other addresses",
        );
        return None;
    }
    if authority.is_empty() || authority.contains('/') || path.trim_matches('/').is_empty() || address.contains(odd) {
        check.error(
            at,
            "is no address of a repository",
            "write it like `https://git.example.org/platform/fleet.git` or `git@git.example.org:platform/fleet.git`",
        );
        return None;
    }
    Some(address.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::policy::FleetFile;

    fn with_alias(alias: &str) -> Result<Vec<String>, String> {
        let text = format!(
            "apiVersion: fleetscale.io/v1alpha1\nkind: Fleet\nmetadata: {{name: x}}\nspec:\n  repository: {{path: fleet.git, \
             aliases: ['{alias}']}}\n  regions: [{{name: eu, managementClusters: [{{name: eu-1, paths: [eu-1]}}]}}]\n"
        );
        let read = FleetFile::load("fleet.yaml", text.as_bytes());
        read.map(|fleet| fleet.aliases)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_alias_is_an_address_of_any_scheme_without_a_secret() {
        for good in [
            "https://git.example.org/mirrors/fleet.git",
            "ssh://git@git.example.org:2222/mirrors/fleet",
            "git@git.example.org:mirrors/fleet.git",
        ] {
            assert_eq!(with_alias(good), Ok(vec![good.to_owned()]));
        }
        for bad in [
            "",
            "fleet.git",
            "/srv/fleet.git",
            "https://git.example.org",
            "https://git.example.org/fleet?ref=main",
            "https://${host}/fleet.git",
        ] {
            let error = with_alias(bad).unwrap_err();
            assert!(error.contains("is no address of a repository"), "{bad}: {error}");
        }
        for secret in [
            "https://bot:hunter2@git.example.org/fleet.git",
            "bot:hunter2@git.example.org:fleet.git",
        ] {
            let error = with_alias(secret).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
