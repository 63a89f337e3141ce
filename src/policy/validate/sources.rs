//! The rules for the servers that the fleet file names.

use std::net::IpAddr;

use super::check::Check;
use super::fleet::file;
use crate::model::Duration;
use crate::policy::sources::{
    AuthoritiesRef, CredentialsRef, Deadlines, KubernetesRef, PrometheusRef, SecretRef, ServerRef,
};
use crate::policy::v1alpha1;
use crate::policy::{ForgeRepository, Template, Variable};

const GITHUB: &str = "https://api.github.com";

/// Of a server's variables only these are read, so that a typing error does not send another secret.
const SUFFIXES: [&str; 4] = ["TOKEN", "PASSWORD", "KEY", "SECRET"];

/// An address without secrets: the fleet file is read by many.
pub(super) fn url(check: &mut Check<'_>, at: &str, address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let authority = rest.split('/').next().unwrap_or_default();
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '?' | '#' | '\\');
    if !matches!(scheme, "https" | "http") {
        // The address itself is not repeated: it may hold a secret.
        check.error(
            at,
            "is not an http or https address",
            "write it like `https://git.example.org/platform/fleet.git`; ssh is not supported",
        );
        return None;
    }
    if authority.contains('@') {
        check.error(
            at,
            "contains a user or a password",
            "remove it from the file, change the password if it was one, and name a file with it under `credentials`",
        );
        return None;
    }
    if authority.is_empty() || address.contains(odd) {
        check.error(
            at,
            "is not an address that can be used",
            "write it like `https://git.example.org/platform/fleet.git`, without a query",
        );
        return None;
    }
    Some(address.trim_end_matches('/').to_owned())
}

/// A server whose credentials would cross a network in plain text is worth a warning.
fn warn_if_plain(check: &mut Check<'_>, at: &str, server: &ServerRef) {
    let authority = server
        .url
        .strip_prefix("http://")
        .and_then(|rest| rest.split('/').next());
    // A name may begin like an address: `127.0.0.1.example.org`.
    let loopback = |authority: &str| {
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => authority,
        };
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        host == "localhost" || address.is_some_and(|address| address.is_loopback())
    };
    if authority.is_some_and(|authority| !loopback(authority)) && server.credentials != CredentialsRef::None {
        check.warning(at, "sends credentials in plain text", "use https");
    }
}

pub(super) fn server(
    check: &mut Check<'_>,
    at: &str,
    url: Option<String>,
    credentials: Option<&v1alpha1::Credentials>,
    ca_file: Option<&v1alpha1::FileText>,
) -> Option<ServerRef> {
    let credentials = self::credentials(check, &format!("{at}/credentials"), credentials);
    let at_ca = format!("{at}/caFile");
    let ca_file = match check.or(&at_ca, ca_file.map(Some), None)? {
        Some(text) => Some(file(check, &at_ca, &text.0)?),
        None => None,
    };
    let server = ServerRef {
        url: url?,
        credentials: credentials?,
        ca_file,
    };
    warn_if_plain(check, &format!("{at}/url"), &server);
    Some(server)
}

fn credentials(check: &mut Check<'_>, at: &str, raw: Option<&v1alpha1::Credentials>) -> Option<CredentialsRef> {
    let Some(v1alpha1::Credentials {
        token_file,
        token_env,
        user,
        password_file,
        password_env,
    }) = check.or(at, raw.map(Some), None)?
    else {
        return Some(CredentialsRef::None);
    };
    let broken = check.is_broken_below(at);
    let token = secret(check, at, "token", token_file.as_ref(), token_env.as_deref())?;
    let password = secret(check, at, "password", password_file.as_ref(), password_env.as_deref())?;
    if user
        .as_deref()
        .is_some_and(|user| user.is_empty() || user.contains(|c: char| c == ':' || c.is_control()))
    {
        let at = format!("{at}/user");
        check.error(
            &at,
            "is no user's name",
            "a name has no colon and no control characters",
        );
        return None;
    }
    match (token, password, user) {
        (Some(token), None, user) => Some(CredentialsRef::Token {
            user: user.clone(),
            token,
        }),
        (None, Some(password), Some(user)) => Some(CredentialsRef::Password {
            user: user.clone(),
            password,
        }),
        (None, Some(_), None) if !broken => {
            check.error(at, "has a password without a user", "add `user`");
            None
        }
        (Some(_), Some(_), _) => {
            check.error(at, "has both a token and a password", "keep one of them");
            None
        }
        (None, None, _) if !broken => {
            check.error(
                at,
                "names no credentials",
                "give `tokenFile`, or `user` and `passwordFile`; or remove `credentials` if none are needed",
            );
            None
        }
        _ => None,
    }
}

/// A secret in a file or a variable. The outer nothing means that it is wrong.
#[expect(clippy::option_option, reason = "wrong and absent lead to different ends")]
fn secret(
    check: &mut Check<'_>,
    at: &str,
    what: &str,
    in_file: Option<&v1alpha1::FileText>,
    in_env: Option<&str>,
) -> Option<Option<SecretRef>> {
    match (in_file, in_env) {
        (None, None) => Some(None),
        (Some(path), None) => file(check, &format!("{at}/{what}File"), &path.0).map(|path| Some(SecretRef::File(path))),
        (None, Some(name)) => {
            let plain = name
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            if !plain || !SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
                check.error(
                    &format!("{at}/{what}Env"),
                    "is no name of a variable with a secret",
                    "name it in capitals, with TOKEN, PASSWORD, KEY or SECRET at its end: `FLEETSCALE_GIT_TOKEN`",
                );
                return None;
            }
            Some(Some(SecretRef::Env(name.to_owned())))
        }
        (Some(_), Some(_)) => {
            check.error(at, format!("has both `{what}File` and `{what}Env`"), "keep one of them");
            None
        }
    }
}

pub(super) fn gitea(
    check: &mut Check<'_>,
    at: &str,
    raw: &v1alpha1::GiteaForge,
) -> Option<(ServerRef, ForgeRepository)> {
    let v1alpha1::GiteaForge {
        url: address,
        repository,
        credentials,
        ca_file,
    } = raw;
    let address = address
        .as_deref()
        .and_then(|address| url(check, &format!("{at}/url"), address));
    let server = server(check, at, address, credentials.as_ref(), ca_file.as_ref());
    let repository = forge_repository(check, &format!("{at}/repository"), repository.as_deref());
    server.zip(repository)
}

pub(super) fn github(
    check: &mut Check<'_>,
    at: &str,
    raw: &v1alpha1::GitHubForge,
) -> Option<(ServerRef, ForgeRepository)> {
    let v1alpha1::GitHubForge {
        url: address,
        repository,
        credentials,
        ca_file,
    } = raw;
    let at_url = format!("{at}/url");
    let address = check
        .or(&at_url, address.as_deref(), GITHUB)
        .and_then(|address| url(check, &at_url, address));
    let server = server(check, at, address, credentials.as_ref(), ca_file.as_ref());
    let repository = forge_repository(check, &format!("{at}/repository"), repository.as_deref());
    server.zip(repository)
}

fn forge_repository(check: &mut Check<'_>, at: &str, text: Option<&str>) -> Option<ForgeRepository> {
    let text = text?;
    let plain = |name: &str| {
        !matches!(name, "" | "." | "..")
            && name.len() <= 100
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    match text.split_once('/') {
        Some((owner, name)) if plain(owner) && plain(name) => Some(ForgeRepository {
            owner: owner.to_owned(),
            name: name.strip_suffix(".git").unwrap_or(name).to_owned(),
        }),
        _ => {
            check.error(
                at,
                "is not a repository's name",
                "write its owner and its name: `platform/fleet`",
            );
            None
        }
    }
}

pub(super) fn kubernetes(check: &mut Check<'_>, at: &str, raw: &v1alpha1::Kubernetes) -> Option<KubernetesRef> {
    let v1alpha1::Kubernetes {
        context,
        kubeconfig,
        server,
        ca_data,
        ca_file,
        token_file,
        in_cluster,
    } = raw;
    if check.is_broken_below(at) {
        return None;
    }
    let chosen = [context.is_some(), server.is_some(), *in_cluster];
    if chosen.iter().filter(|chosen| **chosen).count() != 1 {
        check.error(
            at,
            "has to say one way to the API server",
            "give one of `context`, `server` with `tokenFile`, and `inCluster: true`",
        );
        return None;
    }
    let (is_context, is_server) = (context.is_some(), server.is_some());
    for (name, given, fits) in [
        ("kubeconfig", kubeconfig.is_some(), is_context),
        ("caData", ca_data.is_some(), is_server),
        ("caFile", ca_file.is_some(), is_server),
        ("tokenFile", token_file.is_some(), is_server),
    ] {
        if given && !fits {
            let goes_with = if name == "kubeconfig" { "context" } else { "server" };
            check.error(
                &format!("{at}/{name}"),
                format!("goes with `{goes_with}` only"),
                "remove one of the two",
            );
            return None;
        }
    }
    let path =
        |check: &mut Check<'_>, name: &str, text: &v1alpha1::FileText| file(check, &format!("{at}/{name}"), &text.0);
    if let Some(context) = context {
        let kubeconfig = match kubeconfig {
            Some(text) => Some(path(check, "kubeconfig", text)?),
            None => None,
        };
        return Some(KubernetesRef::Context {
            kubeconfig,
            context: context.clone(),
        });
    }
    let Some(address) = server else {
        return Some(KubernetesRef::InCluster);
    };
    let url = url(check, &format!("{at}/server"), address);
    let authorities = match (ca_data, ca_file) {
        (None, None) => Some(AuthoritiesRef::System),
        (Some(data), None) => Some(AuthoritiesRef::Data(data.clone())),
        (None, Some(text)) => path(check, "caFile", text).map(AuthoritiesRef::File),
        (Some(_), Some(_)) => {
            check.error(at, "has both `caData` and `caFile`", "keep one of them");
            None
        }
    };
    let Some(token_file) = token_file else {
        check.error(
            at,
            "names no token for `server`",
            "add `tokenFile`: a token of a service account that may get and list, and nothing else",
        );
        return None;
    };
    Some(KubernetesRef::Server {
        url: url?,
        authorities: authorities?,
        token_file: path(check, "tokenFile", token_file)?,
    })
}

pub(super) fn prometheus(check: &mut Check<'_>, at: &str, raw: &v1alpha1::Prometheus) -> Option<PrometheusRef> {
    let v1alpha1::Prometheus {
        url: address,
        credentials,
        ca_file,
        cluster_label,
        cluster_value,
        management_cluster_value,
        node_label,
        node_group_label,
        node_group_value,
        matchers,
        scrape_interval,
    } = raw;
    let address = address
        .as_deref()
        .and_then(|address| url(check, &format!("{at}/url"), address));
    let server = server(check, at, address, credentials.as_ref(), ca_file.as_ref());
    let cluster_label = label(
        check,
        &format!("{at}/clusterLabel"),
        cluster_label.as_deref(),
        "cluster",
    );
    let node_label = label(check, &format!("{at}/nodeLabel"), node_label.as_deref(), "node");
    let cluster_value = template(
        check,
        &format!("{at}/clusterValue"),
        cluster_value.as_ref(),
        "{cluster}",
        Variable::OF_CLUSTERS,
    );
    let management_cluster_value = template(
        check,
        &format!("{at}/managementClusterValue"),
        management_cluster_value.as_ref(),
        "{managementCluster}",
        Variable::OF_MANAGEMENT_CLUSTERS,
    );
    let node_group = match (node_group_label.as_deref(), node_group_value) {
        (None, None) => Some(None),
        (None, Some(_)) => {
            let at = format!("{at}/nodeGroupValue");
            check.error(&at, "goes with `nodeGroupLabel` only", "add `nodeGroupLabel`");
            None
        }
        (Some(name), value) => {
            let name = label(check, &format!("{at}/nodeGroupLabel"), Some(name), "");
            let at = format!("{at}/nodeGroupValue");
            let value = template(check, &at, value.as_ref(), "{nodeGroup}", Variable::OF_NODE_GROUPS);
            name.zip(value).map(Some)
        }
    };
    let at_matchers = format!("{at}/matchers");
    let matchers = match matchers.as_deref() {
        Some(text) if text.contains(['{', '}']) || text.trim().is_empty() => {
            check.error(
                &at_matchers,
                "is no list of label matchers",
                "write it without braces: `job=\"node-exporter\"`",
            );
            None
        }
        text => Some(text.map(|text| text.trim().trim_end_matches(',').to_owned())),
    };
    let scrape_interval = length(
        check,
        &format!("{at}/scrapeInterval"),
        scrape_interval.as_ref(),
        Duration::from_minutes(1),
    );
    Some(PrometheusRef {
        server: server?,
        cluster_label: cluster_label?,
        cluster_value: cluster_value?,
        management_cluster_value: management_cluster_value?,
        node_label: node_label?,
        node_group: node_group?,
        matchers: matchers?,
        scrape_interval: scrape_interval?,
    })
}

/// A Prometheus label's name.
fn label(check: &mut Check<'_>, at: &str, text: Option<&str>, default: &str) -> Option<String> {
    let text = check.or(at, text, default)?;
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if first && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Some(text.to_owned());
    }
    check.error(at, "is no label's name", "a label consists of letters, digits and `_`");
    None
}

fn template(
    check: &mut Check<'_>,
    at: &str,
    text: Option<&v1alpha1::TemplateText>,
    default: &str,
    known: &[Variable],
) -> Option<Template> {
    let text = check.or(at, text.map(|text| text.0.as_str()), default)?;
    let read = Template::parse(text, known);
    check.accept(at, read)
}

pub(super) fn deadlines(check: &mut Check<'_>, raw: Option<&v1alpha1::Deadlines>) -> Option<Deadlines> {
    let at = "/spec/deadlines";
    let (default, known) = (v1alpha1::Deadlines::default(), Deadlines::default());
    let v1alpha1::Deadlines { run, region, call, git } = check.or(at, raw, &default)?;
    let run = length(check, &format!("{at}/run"), run.as_ref(), known.run);
    let region = length(check, &format!("{at}/region"), region.as_ref(), known.region);
    let call = length(check, &format!("{at}/call"), call.as_ref(), known.call);
    let git = length(check, &format!("{at}/git"), git.as_ref(), known.git);
    Some(Deadlines {
        run: run?,
        region: region?,
        call: call?,
        git: git?,
    })
}

/// A length of time that is not nothing.
fn length(
    check: &mut Check<'_>,
    at: &str,
    text: Option<&v1alpha1::DurationText>,
    default: Duration,
) -> Option<Duration> {
    let length = check.defaulted(at, text, default)?;
    if length.seconds() == 0 {
        check.error(at, "is no time at all", "write at least `1s`");
        return None;
    }
    Some(length)
}
