//! `schema KIND`: the JSON Schema of a kind, as editors and CI want it.

use std::path::PathBuf;

use crate::error::{ErrorKind, Failure};
use crate::policy::{Kind, schema, schema_file};

use super::saved;
use super::terminal::Terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// `Fleet`, `NodeGroupPolicy`, `PlatformPolicy`, `ControllerPolicy` or `ShardingPolicy`; without it, all names are listed.
    kind: Option<String>,
    /// Write the schemas of all kinds into this folder.
    #[arg(long, value_name = "DIR", conflicts_with = "kind")]
    write: Option<PathBuf>,
}

pub(super) fn run(Args { kind, write }: Args, terminal: &Terminal) -> super::Outcome {
    if let Some(folder) = write {
        for kind in Kind::ALL {
            let path = folder.join(schema_file(kind));
            saved::write(&path, &schema(kind))?;
            terminal.talk(&format!("{}\n", path.display()));
        }
        return Ok(0);
    }
    let names = Kind::ALL.map(Kind::as_str).join(", ");
    let Some(name) = kind else {
        terminal.data(&format!("{}\n", names.replace(", ", "\n")));
        return Ok(0);
    };
    let known = Kind::ALL
        .into_iter()
        .find(|kind| kind.as_str().eq_ignore_ascii_case(&name));
    let kind = known.ok_or_else(|| {
        Failure::plain(
            ErrorKind::Usage,
            format!("there is no kind {name}; the kinds are {names}"),
        )
    })?;
    terminal.data(&schema(kind));
    Ok(0)
}
