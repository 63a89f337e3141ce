//! The way to a value by plain keys.

use crate::yaml::Node;

/// Follows keys as they are written, and items by index; anchors and tags are looked past, aliases are not followed.
pub(super) fn find<'s>(from: Node<'s>, below: &[&str]) -> Option<Node<'s>> {
    below.iter().try_fold(from, |node, token| {
        if node.is_sequence() {
            return node.items().nth(token.parse().ok()?);
        }
        node.get(token).ok()?
    })
}
