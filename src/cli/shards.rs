//! `shards`: region, management cluster, shard, clusters, room, state.

use std::fmt::Write as _;

use crate::decide::{self, ShardState};
use crate::plan::printable;

use super::args::InputArgs;
use super::inputs::Inputs;
use super::observing;
use super::publishing;
use super::terminal::Terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    inputs: InputArgs,
}

pub(super) fn run(Args { inputs: input_args }: Args, terminal: &Terminal) -> super::Outcome {
    let inputs = Inputs::read(&input_args, terminal)?;
    let Inputs {
        workspace,
        policies,
        declared,
        tree: _,
    } = &inputs;
    let ledger = publishing::ledger_to_answer(&inputs, &input_args)?;
    let snapshot = observing::snapshot(&inputs, ledger, terminal)?;
    let states = decide::shards(&workspace.fleet, policies, &snapshot, declared, workspace.now);
    terminal.data(&table(&states));
    Ok(0)
}

fn table(states: &[ShardState]) -> String {
    let mut rows = vec![
        [
            "REGION",
            "MANAGEMENT CLUSTER",
            "SHARD",
            "NAMESPACE",
            "CLUSTERS",
            "ROOM",
            "STATE",
        ]
        .map(str::to_owned),
    ];
    for ShardState {
        region,
        management_cluster,
        shard,
        namespace,
        clusters,
        capacity,
        room,
    } in states
    {
        let (room, state) = match room {
            Ok(room) => (room.to_string(), "open".to_owned()),
            Err(why) => ("0".to_owned(), printable(why)),
        };
        rows.push([
            region.to_string(),
            management_cluster.to_string(),
            shard.to_string(),
            namespace.to_string(),
            format!("{clusters} of {capacity}"),
            room,
            state,
        ]);
    }
    let widths: Vec<usize> = (0..7)
        .map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        let _ = writeln!(out, "{}", cells.join("  ").trim_end());
    }
    out
}
