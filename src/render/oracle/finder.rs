//! Finds a value among events as they come, so that no text is ever held as a list of them.

use saphyr_parser::Event;

use crate::render::document::Place;

/// What is looked for at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The value.
    Value,
    /// What comes after this many keys and values of the mapping.
    InMapping(usize),
    /// The end of the list.
    EndOfList,
}

/// Looks for one event.
#[derive(Debug)]
pub(super) struct Finder {
    document: usize,
    wanted: Wanted,
    tokens: Vec<String>,
    /// How many documents have begun.
    documents: usize,
    /// How many collections are open in this document.
    open: usize,
    /// How many of them lead to the place: the next token is looked for in the innermost of these.
    entered: usize,
    within: Within,
    /// How many keys, values and items have begun in it.
    children: usize,
    /// Whether its last key is the next token.
    key_matches: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Document,
    Mapping,
    List,
    /// The collection at the place itself.
    Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Searching,
    Found,
    Missing,
}

impl Finder {
    pub(super) fn new(at: Place<'_>, wanted: Wanted) -> Self {
        Self {
            document: at.document,
            wanted,
            tokens: at.pointer.tokens().map(|token| token.decoded().into_owned()).collect(),
            documents: 0,
            open: 0,
            entered: 0,
            within: Within::Document,
            children: 0,
            key_matches: false,
            state: State::Searching,
        }
    }

    /// Whether the event has come.
    pub(super) fn has_found(&self) -> bool {
        self.state == State::Found
    }

    /// What came is not what is wanted after all.
    pub(super) fn reject(&mut self) {
        self.state = State::Missing;
    }

    /// Takes in the next event; tells whether it is the one.
    pub(super) fn is_it(&mut self, event: &Event<'_>) -> bool {
        if let Event::DocumentStart(_) = event {
            self.documents += 1;
            return false;
        }
        if self.state != State::Searching || self.documents != self.document + 1 {
            return false;
        }
        match event {
            Event::Scalar(..) | Event::Alias(_) | Event::MappingStart(..) | Event::SequenceStart(..) => {
                if self.open == self.entered {
                    self.child(event);
                }
                let is_collection = matches!(event, Event::MappingStart(..) | Event::SequenceStart(..));
                self.open += usize::from(is_collection);
            }
            Event::MappingEnd | Event::SequenceEnd => {
                if self.open == self.entered {
                    self.end();
                }
                self.open = self.open.saturating_sub(1);
            }
            _ => {}
        }
        self.state == State::Found
    }

    /// A key, value or item of the innermost collection on the way.
    fn child(&mut self, event: &Event<'_>) {
        let child = self.children;
        self.children += 1;
        let is_next = match self.within {
            Within::Target => {
                if self.wanted == Wanted::InMapping(child) {
                    self.state = State::Found;
                }
                return;
            }
            Within::Document => true,
            Within::List => self.token().parse() == Ok(child),
            Within::Mapping if child.is_multiple_of(2) => {
                self.key_matches = matches!(event, Event::Scalar(text, ..) if *text == self.token());
                return;
            }
            Within::Mapping => self.key_matches,
        };
        if is_next {
            self.enter(event);
        }
    }

    /// The value that the next token names, or the root.
    fn enter(&mut self, event: &Event<'_>) {
        let is_last = self.entered == self.tokens.len();
        self.within = match (event, self.wanted) {
            (_, Wanted::Value) if is_last => {
                self.state = State::Found;
                return;
            }
            (Event::MappingStart(..), Wanted::InMapping(_)) | (Event::SequenceStart(..), Wanted::EndOfList)
                if is_last =>
            {
                Within::Target
            }
            (Event::MappingStart(..), _) if !is_last => Within::Mapping,
            (Event::SequenceStart(..), _) if !is_last => Within::List,
            _ => {
                self.state = State::Missing;
                return;
            }
        };
        self.entered += 1;
        self.children = 0;
        self.key_matches = false;
    }

    /// The innermost collection on the way ends.
    fn end(&mut self) {
        let is_place = self.within == Within::Target
            && match self.wanted {
                Wanted::InMapping(children) => children == self.children,
                Wanted::EndOfList => true,
                Wanted::Value => false,
            };
        self.state = if is_place { State::Found } else { State::Missing };
    }

    /// The token that is looked for in the innermost collection on the way.
    fn token(&self) -> &str {
        self.tokens
            .get(self.entered.saturating_sub(1))
            .map_or("", String::as_str)
    }
}
