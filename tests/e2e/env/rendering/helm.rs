//! `helm template` under layers of values.

use std::path::Path;

use super::run;

/// One layer of values.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Values<'a> {
    /// A file, as `-f` takes it.
    File(&'a Path),
    /// The YAML of such a file: Argo CD's `values` and `valuesObject`, Flux's `spec.values`.
    Text(&'a str),
    /// `name=value` as `--set` takes it, where a number is a number: Argo CD's parameters, Flux's `targetPath`. A comma in the value has a
    /// backslash before it.
    Set(&'a str),
    /// The same, always a string: Argo CD's parameters with `forceString`.
    SetString(&'a str),
}

impl Values<'_> {
    /// Where Helm puts the layers of this kind, whatever their order on the command line.
    fn rank(self) -> u8 {
        match self {
            Self::File(_) | Self::Text(_) => 0,
            Self::Set(_) => 1,
            Self::SetString(_) => 2,
        }
    }
}

/// The stream that `helm template` makes of a chart, or what Helm says against it. A later layer wins over an earlier one.
///
/// Helm itself ranks files and texts under `--set`, and that under `--set-string`. Layers in another order would not do what they say, so that
/// they are refused.
pub(crate) fn helm_template(
    chart: &Path,
    release: &str,
    namespace: &str,
    values: &[Values<'_>],
) -> Result<String, String> {
    if !values.is_sorted_by_key(|layer| layer.rank()) {
        return Err(format!(
            "Helm does not keep this order: files and texts, then --set, then --set-string: {values:?}"
        ));
    }
    let texts = tempfile::tempdir().unwrap();
    run("helm", |command| {
        command
            .args(["template", release])
            .arg(chart)
            .args(["--namespace", namespace]);
        for (number, layer) in values.iter().enumerate() {
            match layer {
                Values::File(path) => command.arg("--values").arg(path),
                Values::Text(text) => {
                    let path = texts.path().join(format!("{number}.yaml"));
                    std::fs::write(&path, text).unwrap();
                    command.arg("--values").arg(path)
                }
                Values::Set(entry) => command.args(["--set", entry]),
                Values::SetString(entry) => command.args(["--set-string", entry]),
            };
        }
    })
}
