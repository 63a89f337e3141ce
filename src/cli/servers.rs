//! The servers of the fleet file with their credentials, which are read anew at every run.

use std::fs;
use std::path::{Path, PathBuf};

use crate::net::{Credentials, Secret, Server};
use crate::policy::{CredentialsRef, SecretRef, ServerRef};

use super::clock;

/// The most bytes of a file with a secret or with certificates. The bundle of all public authorities has a quarter of it.
const LARGEST: u64 = 1024 * 1024;

/// Git asks for a name beside a token; GitHub names this one for App tokens, and every forge takes any name.
const ANY_USER: &str = "x-access-token";

/// A server as the fleet file names it, with what its files and variables hold; or what is missing, without any secret in it.
pub(super) fn resolve(folder: &Path, reference: &ServerRef) -> Result<Server, String> {
    let ServerRef {
        url,
        credentials,
        ca_file,
    } = reference;
    let mut server = Server::new(url).map_err(|error| error.to_string())?;
    server.credentials = match credentials {
        CredentialsRef::None => Credentials::None,
        CredentialsRef::Token { user: _, token } => Credentials::Bearer(secret(folder, token)?),
        CredentialsRef::Password { user, password } => Credentials::Basic {
            user: user.clone(),
            password: secret(folder, password)?,
        },
    };
    if let Some(path) = ca_file {
        server.authorities = Some(small_file(&folder.join(path), "certificates")?);
    }
    Ok(server)
}

/// The same for Git, whose servers take a token as a password.
pub(super) fn resolve_for_git(folder: &Path, reference: &ServerRef) -> Result<Server, String> {
    let mut server = resolve(folder, reference)?;
    if let (CredentialsRef::Token { user, .. }, Credentials::Bearer(token)) =
        (&reference.credentials, &server.credentials)
    {
        server.credentials = Credentials::Basic {
            user: user.clone().unwrap_or_else(|| ANY_USER.to_owned()),
            password: token.clone(),
        };
    }
    Ok(server)
}

fn secret(folder: &Path, reference: &SecretRef) -> Result<Secret, String> {
    let secret = match reference {
        SecretRef::File(path) => {
            let path = folder.join(path);
            let bytes = small_file(&path, "a secret")?;
            let text = String::from_utf8(bytes).map_err(|_| format!("{} holds no text", path.display()))?;
            Secret::new(&text)
        }
        SecretRef::Env(name) => {
            let text = clock::secret(name).ok_or_else(|| format!("the environment variable {name} is not set"))?;
            Secret::new(&text)
        }
    };
    if secret.reveal().is_empty() {
        let what = match reference {
            SecretRef::File(path) => path,
            SecretRef::Env(name) => name,
        };
        return Err(format!("{what} is empty"));
    }
    Ok(secret)
}

fn small_file(path: &PathBuf, what: &str) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("reading {what} from {}: {error}", path.display());
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > LARGEST {
        return Err(format!("{} is too large to hold {what}", path.display()));
    }
    fs::read(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(token: SecretRef) -> ServerRef {
        ServerRef {
            url: "https://git.example.org".to_owned(),
            credentials: CredentialsRef::Token { user: None, token },
            ca_file: None,
        }
    }

    #[test]
    fn a_token_is_read_from_its_file_at_every_run() {
        let folder = tempfile::tempdir().unwrap();
        let of_file = reference(SecretRef::File("token".to_owned()));
        let missing = resolve(folder.path(), &of_file).unwrap_err();
        assert!(missing.contains("token: No such file"), "{missing}");
        fs::write(folder.path().join("token"), "\n").unwrap();
        assert_eq!(resolve(folder.path(), &of_file).unwrap_err(), "token is empty");
        for token in ["first", "second"] {
            fs::write(folder.path().join("token"), format!("{token}\n")).unwrap();
            let server = resolve(folder.path(), &of_file).unwrap();
            assert_eq!(server.credentials, Credentials::Bearer(Secret::new(token)));
        }
        let for_git = resolve_for_git(folder.path(), &of_file).unwrap();
        let basic = Credentials::Basic {
            user: ANY_USER.to_owned(),
            password: Secret::new("second"),
        };
        assert_eq!(for_git.credentials, basic);
    }

    #[test]
    fn an_absent_variable_is_named() {
        let of_variable = reference(SecretRef::Env("FLEETSCALE_NOT_SET_TOKEN".to_owned()));
        let error = resolve(Path::new("."), &of_variable).unwrap_err();
        assert_eq!(error, "the environment variable FLEETSCALE_NOT_SET_TOKEN is not set");
    }
}
