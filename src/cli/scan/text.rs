//! What a scan found, as people read it.

use std::fmt::Write as _;

use crate::model::{Form, SharedField, Target, Unbound};
use crate::plan::printable;

use super::found::{Found, Scan};
use super::owner;

/// A line for each number, and below them a line for everything that could not be bound.
pub(super) fn table(scan: &Scan, wide: bool) -> String {
    let mut rows = vec![row(
        [
            "TARGET", "VALUE", "PLACE", "DOCUMENT", "POINTER", "SHAPE", "OWNER", "WRITABLE",
        ]
        .map(str::to_owned),
        wide,
    )];
    for number in &scan.numbers {
        let document = number.document.map_or("-".to_owned(), |document| document.to_string());
        let pointer = pointer(number).unwrap_or("-".to_owned());
        let cells = [
            number.target.to_string(),
            value(number),
            printable(&number.place_words()),
            document,
            printable(&pointer),
            number.shape.to_owned(),
            number.owner.to_owned(),
            writable(number),
        ];
        rows.push(row(cells, wide));
    }
    let mut out = if rows.len() > 1 { aligned(&rows) } else { String::new() };
    if !scan.unbound.is_empty() {
        if !out.is_empty() {
            out.push('\n');
        }
        let head = ["NOT BOUND", "WHAT", "OWNER", "WHY"].map(str::to_owned).to_vec();
        let lines = scan.unbound.iter().map(|unbound| {
            let Unbound {
                path,
                line,
                what,
                refusal,
            } = unbound;
            let line = if *line == 0 { String::new() } else { format!(":{line}") };
            vec![
                printable(&format!("{path}{line}")),
                printable(what),
                owner::of_refused(refusal).to_owned(),
                format!("{}: {}", refusal.id(), printable(&refusal.to_string())),
            ]
        });
        let rows: Vec<Vec<String>> = std::iter::once(head).chain(lines).collect();
        out.push_str(&aligned(&rows));
    }
    out
}

/// Document and pointer are for those who ask.
fn row(cells: [String; 8], wide: bool) -> Vec<String> {
    let [target, value, place, document, pointer, shape, owner, writable] = cells;
    if wide {
        vec![target, value, place, document, pointer, shape, owner, writable]
    } else {
        vec![target, value, place, shape, owner, writable]
    }
}

/// Columns as wide as their widest cell, two spaces apart; the last one ends where its text does.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let _ = writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    out
}

fn value(number: &Found) -> String {
    number
        .value
        .as_ref()
        .map_or("-".to_owned(), |value| printable(&value.to_string()))
}

fn pointer(number: &Found) -> Option<String> {
    let pointer = number.pointer.as_ref()?;
    Some(match &number.embedded {
        None => pointer.to_string(),
        Some(inner) => format!("{pointer} | {}", inner.pointer),
    })
}

/// `yes`, or why not. What is held or paused can be written, and nobody will.
fn writable(number: &Found) -> String {
    let is_new = number.form.as_ref().is_some_and(Form::is_new);
    let mut words = match no(number) {
        Some((id, message)) => format!("{id}: {}", printable(message)),
        None if is_new => "yes, as a new item".to_owned(),
        None => "yes".to_owned(),
    };
    if number.paused {
        words.push_str(", paused");
    }
    if let Some(hold) = &number.hold {
        let _ = write!(words, ", held: {}", printable(&hold.reason));
    }
    words
}

/// Why a number can't be changed: the reason's word, and the reason.
fn no(number: &Found) -> Option<(&'static str, &str)> {
    let message = number.message.as_deref().unwrap_or_default();
    let of_autoscaler = number.autoscaler.as_ref().map(|_| "owned-by-autoscaler");
    let id = of_autoscaler.or(number.refusal.as_ref().map(|refusal| refusal.id()));
    id.filter(|_| !number.writable).map(|id| (id, message))
}

/// `36 numbers, 30 writable, 2 not bound`.
pub(super) fn summary(scan: &Scan) -> String {
    let writable = scan.numbers.iter().filter(|number| number.writable).count();
    let count = scan.numbers.len();
    let words = if count == 1 { "number" } else { "numbers" };
    format!("{count} {words}, {writable} writable, {} not bound", scan.unbound.len())
}

/// A paragraph for each number, and one for everything that could not be bound.
pub(super) fn explained(scan: &Scan) -> String {
    let mut out = String::new();
    for number in &scan.numbers {
        let _ = writeln!(out, "{}", number.target);
        for (name, words) in lines(number) {
            let _ = writeln!(out, "  {name:<9} {}", printable(&words));
        }
        out.push('\n');
    }
    for Unbound {
        path,
        line,
        what,
        refusal,
    } in &scan.unbound
    {
        let line = if *line == 0 { String::new() } else { format!(":{line}") };
        let _ = writeln!(out, "{}", printable(&format!("{path}{line}")));
        for (name, words) in [
            ("what", what.clone()),
            ("owner", owner_words(owner::of_refused(refusal))),
            ("not bound", format!("{}: {refusal}", refusal.id())),
            ("way out", refusal.way_out().to_owned()),
        ] {
            let _ = writeln!(out, "  {name:<9} {}", printable(&words));
        }
        out.push('\n');
    }
    out
}

fn lines(number: &Found) -> Vec<(&'static str, String)> {
    let Found {
        target,
        region,
        value: _,
        path: _,
        line: _,
        document: _,
        object: _,
        pointer: _,
        embedded: _,
        form: _,
        shape,
        owner,
        writable: _,
        refusal: _,
        message: _,
        way_out,
        autoscaler: _,
        unscaled,
        paused,
        hold,
    } = number;
    let region = region
        .as_ref()
        .map_or(String::new(), |region| format!(", in region {region}"));
    let mut lines = vec![("is", format!("{}{region}", meaning(target))), ("value", value(number))];
    let mut at = format!("{}, written as {shape}", number.place_words());
    if let Some(words) = place_words(number) {
        let _ = write!(at, ": {words}");
    }
    lines.push(("place", at));
    lines.push(("owner", owner_words(owner)));
    lines.push(match no(number) {
        None => (
            "writable",
            "yes: only this is written, every other byte stays as it is".to_owned(),
        ),
        Some((id, message)) => ("writable", format!("no, {id}: {message}")),
    });
    if let Some(way_out) = way_out {
        lines.push(("way out", (*way_out).to_owned()));
    }
    if let Some(unscaled) = unscaled {
        lines.push(("autoscaler", unscaled.clone()));
    }
    if *paused {
        lines.push((
            "paused",
            "by spec.paused or an annotation in Git; unpause it there".to_owned(),
        ));
    }
    if let Some(hold) = hold {
        let until = hold.until.map_or(String::new(), |until| format!(" (until {until})"));
        lines.push(("held", format!("by fleetscale.io/hold: {}{until}", hold.reason)));
    }
    lines
}

fn owner_words(owner: &str) -> String {
    format!("{owner}: {}", owner::meaning(owner))
}

fn place_words(number: &Found) -> Option<String> {
    let (document, object) = (number.document?, number.object.as_ref()?);
    let object = match object.kind.as_str() {
        "" => "a file without a kind".to_owned(),
        _ => object.to_string(),
    };
    let mut words = match pointer(number) {
        Some(pointer) => format!("{pointer} of {object}"),
        None => object,
    };
    if let Some(inner) = &number.embedded {
        let _ = match inner.object.kind.as_str() {
            "" => write!(words, ", in a text"),
            _ => write!(words, ", in a text that is {}", inner.object),
        };
    }
    let _ = write!(words, ", document {document} of the file");
    match &number.form {
        None | Some(Form::Scalar) => {}
        Some(Form::Prefixed { prefix }) if prefix.is_empty() => {}
        Some(Form::Prefixed { prefix }) => {
            let _ = write!(words, ", after `{prefix}`");
        }
        Some(Form::Appended { prefix }) => {
            let _ = write!(words, ", where it is absent and would be appended after `{prefix}`");
        }
        Some(Form::Inserted { key }) => {
            let _ = write!(words, ", where it is absent and would be inserted as `{key}`");
        }
        Some(Form::Patched(shared)) => {
            let SharedField { object, field, .. } = &**shared;
            let _ = write!(words, ", where a patch of {field} of {object} would be appended");
        }
    }
    Some(words)
}

/// What a target is, in a sentence's words.
fn meaning(target: &Target) -> String {
    match target {
        Target::NodeGroup(key) => format!(
            "the number of nodes of {} in cluster {}/{} on {}",
            key.group, key.namespace, key.cluster, key.management_cluster
        ),
        Target::NodeGroupBound { group, bound } => format!(
            "the {} of a cluster autoscaler for {} in cluster {}/{} on {}",
            bound.as_str(),
            group.group,
            group.namespace,
            group.cluster,
            group.management_cluster
        ),
        Target::ControlPlane {
            management_cluster,
            namespace,
            cluster,
        } => format!("the replicas of the control plane of cluster {namespace}/{cluster} on {management_cluster}"),
        Target::Platform {
            management_cluster,
            component,
        } => format!("the replicas of {component} on {management_cluster}"),
        Target::Controller {
            management_cluster,
            component,
            flag,
        } => format!("the flag --{flag} of {component} on {management_cluster}"),
        Target::Resources {
            management_cluster,
            component,
            claim,
            resource,
        } => format!(
            "what {component} on {management_cluster} says about {} ({})",
            resource.as_str(),
            claim.as_str()
        ),
        Target::Placement { region, cluster } => format!("the place of the new cluster {cluster} in {region}"),
    }
}
