//! Walks through a forge's list, page by page.
//!
//! Invariant: a list is whole or an error. What would be missing from a list that was cut would look like pull requests that nobody opened.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::error::ForgeError;
use super::wire::Pull;

/// The most pages of one list. At fifty a page these are ten thousand pull requests, a hundred times what is useful.
const MOST_PAGES: u32 = 200;

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) pulls: Vec<Pull>,
    pub(super) more: More,
}

/// What a page says about those behind it.
#[derive(Debug, Clone, Copy)]
pub(super) enum More {
    Yes,
    No,
    /// The list has this many in all.
    Of(usize),
}

/// The list as it was read, by number.
pub(super) type Pulls = BTreeMap<u64, Pull>;

/// All pages of a list in an order that does not change.
pub(super) async fn all(fetch: impl AsyncFn(u32) -> Result<Page, ForgeError>) -> Result<Option<Pulls>, ForgeError> {
    walk(fetch, |_| false).await
}

/// The pages of a list whose most recently changed come first, down to those that did not change since.
///
/// What changes during the walk moves to the first page, and what stood there moves on, so the first page is read again.
pub(super) async fn changed_since(
    fetch: impl AsyncFn(u32) -> Result<Page, ForgeError>,
    since: Timestamp,
) -> Result<Option<Pulls>, ForgeError> {
    let old = |pull: &Pull| pull.updated_at.is_some_and(|at| at < since);
    let Some(mut pulls) = walk(&fetch, old).await? else {
        return Ok(None);
    };
    let again = fetch(1).await?;
    pulls.extend(again.pulls.into_iter().map(|pull| (pull.number, pull)));
    Ok(Some(pulls))
}

/// Reads page after page until the list or what is wanted of it ends; nothing if it has too many.
async fn walk(
    fetch: impl AsyncFn(u32) -> Result<Page, ForgeError>,
    old: impl Fn(&Pull) -> bool,
) -> Result<Option<Pulls>, ForgeError> {
    let (mut pulls, mut seen) = (Pulls::new(), 0);
    for number in 1..=MOST_PAGES {
        let page = fetch(number).await?;
        seen += page.pulls.len();
        let ended = match page.more {
            More::Yes => page.pulls.is_empty(),
            More::No => true,
            More::Of(total) => page.pulls.is_empty() || seen >= total,
        };
        let ended = ended || page.pulls.last().is_some_and(&old);
        pulls.extend(page.pulls.into_iter().map(|pull| (pull.number, pull)));
        if ended {
            return Ok(Some(pulls));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pull(number: u64, hour: u32) -> Pull {
        let at = format!("2026-03-01T{hour:02}:00:00Z");
        let side = json!({"ref": "x", "repo_id": 1});
        let pull = json!({"number": number, "state": "closed", "head": side, "base": side, "updated_at": at});
        serde_json::from_value(pull).unwrap()
    }

    fn noon() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn a_list_is_read_to_its_end_however_the_end_is_told() {
        for (more, asked) in [(More::Yes, 4), (More::Of(6), 3), (More::Of(5), 3)] {
            let pages = std::cell::Cell::new(0);
            let list = all(async |page| {
                pages.set(page);
                let first = u64::from(page) * 2;
                let pulls = if page <= 3 {
                    vec![pull(first, 1), pull(first + 1, 1)]
                } else {
                    Vec::new()
                };
                Ok(Page { pulls, more })
            });
            let list = list.await.unwrap().unwrap();
            assert_eq!((list.len(), pages.get()), (6, asked), "{more:?}");
        }
    }

    #[tokio::test]
    async fn a_list_without_end_is_no_list() {
        let endless = all(async |page| {
            let (pulls, more) = (vec![pull(u64::from(page), 1)], More::Yes);
            Ok(Page { pulls, more })
        });
        assert!(endless.await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_changes_during_the_walk_is_not_lost() {
        let calls = std::cell::Cell::new(0);
        let list = changed_since(
            async |page| {
                calls.set(calls.get() + 1);
                // Between the second and the third call, 9 was closed: it stands in front now, and was on no page that was read.
                let pulls = match (calls.get(), page) {
                    (1, 1) => vec![pull(1, 15), pull(2, 14)],
                    (2, 2) => vec![pull(3, 13), pull(4, 11)],
                    (3, 1) => vec![pull(9, 16), pull(1, 15)],
                    other => panic!("{other:?}"),
                };
                let more = More::Yes;
                Ok(Page { pulls, more })
            },
            noon(),
        );
        let numbers: Vec<u64> = list.await.unwrap().unwrap().into_keys().collect();
        assert_eq!(numbers, [1, 2, 3, 4, 9]);
    }
}
