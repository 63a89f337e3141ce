//! From a JSON pointer to the value that it names, or to what stands in the way of changing it.

use json_patch::jsonptr::{Pointer, PointerBuf, index::Index};

use super::node::{DuplicateKey, Kind, Node};
use super::position::Position;

/// A value that may be edited: nothing on the way to it shares it with another place or hides it.
#[derive(Debug, Clone, Copy)]
pub struct Found<'s> {
    /// The value.
    pub node: Node<'s>,
    /// Its key, if it is the value of a mapping; items and roots have none.
    pub key: Option<Node<'s>>,
    /// What it is in; a root is in nothing.
    pub parent: Option<Node<'s>>,
}

/// What keeps a pointer from naming one value that can be edited, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {at} {kind}")]
pub struct Obstacle {
    /// The pointer up to and including the part that is in the way.
    pub at: PointerBuf,
    /// Where it is; for something missing, where the thing is that lacks it.
    pub position: Position,
    /// What it is.
    pub kind: ObstacleKind,
}

/// What is in the way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObstacleKind {
    /// There is no such key or item.
    #[error("does not exist")]
    Missing,
    /// The key stands twice.
    #[error("stands twice, on lines {} and {}", .0.first.line, .0.second.line)]
    DuplicateKey(DuplicateKey),
    /// The value or its key is an alias: what it stands for is written elsewhere.
    #[error("is an alias for something that is written elsewhere")]
    Alias,
    /// An alias elsewhere stands for this value or for what it is in.
    #[error("is a value that an alias elsewhere stands for")]
    SharedAnchor,
    /// The value, what it is in or a key beside it has a tag, which may give it a meaning of its own.
    #[error("has a tag")]
    Tag,
    /// The key may come from a merge key: it is not written, or the merge stands below it.
    #[error("may come from the merge key (`<<`) beside it")]
    MergeKey,
    /// The pointer goes on below a scalar.
    #[error("is a scalar, so there is nothing in it")]
    NotACollection,
    /// The pointer goes on below a sequence with something that is no index.
    #[error("is a sequence, whose items have indices")]
    NotAnIndex,
}

impl<'s> Node<'s> {
    /// Finds the value that a pointer names, seen from this one.
    ///
    /// The walk refuses everything that would make an edit of the value an edit of something else, this node and the value included. A
    /// mapping's own key is found below a merge key, because there it wins in every reader; above one it loses to what is merged in the
    /// reader of Kubernetes' tools (go-yaml v2), and wins in others. A key that is absent beside one is [`ObstacleKind::MergeKey`] and not
    /// [`ObstacleKind::Missing`]. Tokens below a sequence are indices; `-` is never there.
    pub fn lookup(self, pointer: &Pointer) -> Result<Found<'s>, Obstacle> {
        let mut at = PointerBuf::root();
        let mut found = Found {
            node: self,
            key: None,
            parent: None,
        };
        found.node.check_editable(&at)?;
        for token in pointer.tokens() {
            let parent = found.node;
            let step = parent.step(&token.decoded());
            let step = step.and_then(|(key, node)| parent.check_key(key).map(|()| (key, node)));
            let above = at.clone();
            at.push_back(token);
            let (key, node) = step.map_err(|(kind, culprit)| {
                let position = match &kind {
                    ObstacleKind::DuplicateKey(duplicate) => duplicate.second,
                    _ => culprit.position(),
                };
                let at = match kind {
                    ObstacleKind::NotACollection | ObstacleKind::NotAnIndex => above,
                    _ => at.clone(),
                };
                Obstacle { at, position, kind }
            })?;
            found = Found {
                node,
                key,
                parent: Some(parent),
            };
            node.check_editable(&at)?;
        }
        Ok(found)
    }

    /// The value nearest to where a pointer points, with its key: the pointer is followed as far as it goes.
    ///
    /// For messages: a validator says what is wrong at a pointer, and this says on which line that is. Nothing is refused.
    pub fn nearest(self, pointer: &Pointer) -> Found<'s> {
        let mut found = Found {
            node: self,
            key: None,
            parent: None,
        };
        for token in pointer.tokens() {
            let parent = found.node;
            let Ok((key, node)) = parent.step(&token.decoded()) else {
                break;
            };
            found = Found {
                node,
                key,
                parent: Some(parent),
            };
        }
        found
    }

    /// One token further, or what is in the way and the node that makes it so.
    fn step(self, token: &str) -> Result<(Option<Node<'s>>, Node<'s>), (ObstacleKind, Node<'s>)> {
        let here = |kind| Err((kind, self));
        match self.kind() {
            Kind::Mapping { .. } => match self.entry(token) {
                Err(duplicate) => here(ObstacleKind::DuplicateKey(duplicate)),
                Ok(Some(entry)) => Ok((Some(entry.key), entry.value)),
                Ok(None) if self.has_merge_key() => here(ObstacleKind::MergeKey),
                Ok(None) => here(ObstacleKind::Missing),
            },
            Kind::Sequence { .. } => match token.parse::<Index>() {
                Ok(Index::Num(index)) => match self.items().nth(index) {
                    Some(item) => Ok((None, item)),
                    None => here(ObstacleKind::Missing),
                },
                Ok(Index::Next) => here(ObstacleKind::Missing),
                Err(_) => here(ObstacleKind::NotAnIndex),
            },
            Kind::Scalar { .. } if self.is_null() => here(ObstacleKind::Missing),
            Kind::Scalar { .. } => here(ObstacleKind::NotACollection),
            Kind::Alias => here(ObstacleKind::Alias),
        }
    }

    /// What keeps some reader from taking the entry of a key for the one that counts.
    fn check_key(self, found: Option<Node<'s>>) -> Result<(), (ObstacleKind, Node<'s>)> {
        let Some(found) = found else { return Ok(()) };
        // A person, and other parsers, look for the key's own letters.
        if found.kind() == Kind::Alias {
            return Err((ObstacleKind::Alias, found));
        }
        // Behind `!!binary` any key may hide, this one too.
        if let Some(tagged) = self.entries().find(|entry| entry.key.has_tag()) {
            return Err((ObstacleKind::Tag, tagged.key));
        }
        let mut below = self.entries().skip_while(|entry| entry.key != found).skip(1);
        match below.find(|entry| entry.key_text() == Some("<<")) {
            Some(merge) => Err((ObstacleKind::MergeKey, merge.key)),
            None => Ok(()),
        }
    }

    fn check_editable(self, at: &PointerBuf) -> Result<(), Obstacle> {
        let kind = if self.kind() == Kind::Alias {
            ObstacleKind::Alias
        } else if self.is_shared() {
            ObstacleKind::SharedAnchor
        } else if self.has_tag() {
            ObstacleKind::Tag
        } else {
            return Ok(());
        };
        Err(Obstacle {
            at: at.clone(),
            position: self.position(),
            kind,
        })
    }
}
