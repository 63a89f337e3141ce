//! What a patch is for, as kustomize decides it.

use std::fmt;

use smol_str::SmolStr;

use crate::yaml::Node;

/// What an object has to be so that a patch reaches it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PatchTarget {
    /// Its kind.
    pub(super) kind: Pattern,
    /// Its name.
    pub(super) name: Pattern,
    /// Its namespace.
    pub(super) namespace: Pattern,
    /// Its API group.
    pub(super) group: Pattern,
    /// The version of its API group.
    pub(super) version: Pattern,
    /// Whether it is chosen by something that is not looked at here: labels, annotations.
    pub(super) uncertain: bool,
    /// The objects that it does not mean after all.
    pub(super) rejected: Vec<PatchTarget>,
}

/// A regular expression for a whole text, as kustomize anchors them; nothing stands for every text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pattern(Option<String>);

/// Whether something is so, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fits {
    No,
    Perhaps,
    Yes,
}

/// One step of an expression.
#[derive(Debug, Clone, Copy)]
enum Step {
    Is(char),
    Any,
    Anything { least: usize },
}

impl PatchTarget {
    /// Reads the mapping `target`.
    pub(super) fn read(target: Node<'_>) -> Self {
        let mut read = Self::default();
        for entry in target.entries() {
            let text = entry.value.text();
            let pattern = text.map_or_else(Pattern::default, Pattern::expression);
            match entry.key_text() {
                Some("kind") => read.kind = pattern,
                Some("name") => read.name = pattern,
                Some("namespace") => read.namespace = pattern,
                Some("group") => read.group = pattern,
                Some("version") => read.version = pattern,
                _ => read.uncertain = true,
            }
            read.uncertain |= text.is_none();
        }
        read
    }

    /// Whether it means an object. The namespace may be unknown.
    pub(super) fn fits(&self, [group, kind, name]: [&str; 3], namespace: Option<&str>) -> Fits {
        let Self {
            kind: k,
            name: n,
            namespace: s,
            group: g,
            version: _,
            uncertain,
            rejected: _,
        } = self;
        let in_namespace = match namespace {
            _ if s.0.is_none() => Fits::Yes,
            Some(namespace) => s.fits(namespace),
            None => Fits::Perhaps,
        };
        let certain = if *uncertain { Fits::Perhaps } else { Fits::Yes };
        let all = [g.fits(group), k.fits(kind), n.fits(name), in_namespace, certain];
        all.into_iter().min().unwrap_or(Fits::Yes)
    }
}

impl PatchTarget {
    /// Whether it means an object of a group and kind that has had these names, the first one in its manifest and the last one now, and
    /// is in one of these namespaces.
    ///
    /// kustomize looks at the first name and at the last one (`resWrangler.Select`); `replicas:` look at every one. What it rejects by any of
    /// its names it does not mean (`RejectsAny`).
    pub(super) fn fits_any(&self, [group, kind]: [&str; 2], names: &[SmolStr], namespaces: [Option<&str>; 2]) -> Fits {
        let last = names.len().saturating_sub(1);
        let fits = names.iter().enumerate().flat_map(|(index, name)| {
            let most = if index == 0 || index == last {
                Fits::Yes
            } else {
                Fits::Perhaps
            };
            namespaces.map(|namespace| self.fits([group, kind, name], namespace).min(most))
        });
        let fits = fits.max().unwrap_or(Fits::No);
        let rejected = self.rejected.iter();
        let rejected = rejected.map(|other| {
            other
                .fits_any([group, kind], names, namespaces)
                .min(other.fits_version(|| None))
        });
        match rejected.max() {
            None | Some(Fits::No) => fits,
            Some(Fits::Perhaps) => fits.min(Fits::Perhaps),
            Some(Fits::Yes) => Fits::No,
        }
    }
}

impl PatchTarget {
    /// Whether it means an object of this version, which is asked for if that matters; nothing stands for one that is not known.
    pub(super) fn fits_version(&self, version: impl FnOnce() -> Option<String>) -> Fits {
        match &self.version {
            Pattern(None) => Fits::Yes,
            pattern => version().map_or(Fits::Perhaps, |version| pattern.fits(&version)),
        }
    }
}

impl Pattern {
    /// The expression that a text is.
    pub(super) fn expression(text: &str) -> Self {
        Self(Some(text.to_owned()).filter(|text| !text.is_empty()))
    }

    /// The expression for one text alone.
    pub(super) fn literal(text: &str) -> Self {
        let escaped = text.chars().flat_map(|c| {
            let special = !(c.is_alphanumeric() || c == '-');
            special.then_some('\\').into_iter().chain([c])
        });
        Self(Some(escaped.collect()))
    }

    /// The one text that it is for, if it is for one.
    pub(super) fn text(&self) -> Option<String> {
        let steps = self.0.as_ref().and_then(|text| steps(text))?;
        steps
            .into_iter()
            .map(|step| match step {
                Step::Is(c) => Some(c),
                Step::Any | Step::Anything { .. } => None,
            })
            .collect()
    }

    /// Whether it fits a text. An expression that is more than letters, dots and `.*` fits perhaps.
    pub(super) fn fits(&self, text: &str) -> Fits {
        let Some(expression) = &self.0 else {
            return Fits::Yes;
        };
        let characters: Vec<char> = text.chars().collect();
        match steps(expression) {
            None => Fits::Perhaps,
            Some(steps) if fits(&steps, &characters) => Fits::Yes,
            Some(_) => Fits::No,
        }
    }
}

/// The steps of an expression; nothing for one that has others than these.
fn steps(expression: &str) -> Option<Vec<Step>> {
    let expression = expression.strip_prefix('^').unwrap_or(expression);
    let expression = expression.strip_suffix('$').unwrap_or(expression);
    let mut steps = Vec::new();
    let mut characters = expression.chars();
    while let Some(c) = characters.next() {
        match (c, steps.last()) {
            ('.', _) => steps.push(Step::Any),
            ('*', Some(Step::Any)) => *steps.last_mut()? = Step::Anything { least: 0 },
            ('+', Some(Step::Any)) => *steps.last_mut()? = Step::Anything { least: 1 },
            ('\\', _) => {
                let escaped = characters.next()?;
                if escaped.is_alphanumeric() {
                    return None;
                }
                steps.push(Step::Is(escaped));
            }
            ('*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '^' | '$', _) => return None,
            (c, _) => steps.push(Step::Is(c)),
        }
    }
    Some(steps)
}

/// Whether steps fit a text. Of several stars only the last one can have been too short, so there is one place to go back to.
fn fits(steps: &[Step], text: &[char]) -> bool {
    let (mut step, mut at) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    loop {
        match steps.get(step) {
            Some(Step::Anything { least }) if text.len() >= at + least => {
                at += least;
                step += 1;
                back = Some((step, at));
                continue;
            }
            Some(Step::Is(c)) if text.get(at) == Some(c) => {
                (step, at) = (step + 1, at + 1);
                continue;
            }
            Some(Step::Any) if at < text.len() => {
                (step, at) = (step + 1, at + 1);
                continue;
            }
            None if at == text.len() => return true,
            _ => {}
        }
        match back {
            Some((after, from)) if from < text.len() => {
                back = Some((after, from + 1));
                (step, at) = (after, from + 1);
            }
            _ => return false,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_for_the_whole_text() {
        for (expression, text, fits) in [
            ("", "blue", Fits::Yes),
            ("blue", "blue", Fits::Yes),
            ("blue", "blue-2", Fits::No),
            ("^blue$", "blue", Fits::Yes),
            ("blue-.*", "blue-md-0", Fits::Yes),
            ("blue-.*", "blue", Fits::No),
            (".*", "", Fits::Yes),
            (".+", "", Fits::No),
            (".*-md-.*-x", "a-md-md-0-x", Fits::Yes),
            (".*-md-.*-x", "a-md-x", Fits::No),
            ("md.0", "md-0", Fits::Yes),
            ("md\\.0", "md-0", Fits::No),
            ("md\\.0", "md.0", Fits::Yes),
            ("blue|green", "red", Fits::Perhaps),
            ("(blue)", "red", Fits::Perhaps),
            ("a*", "red", Fits::Perhaps),
            ("\\d", "1", Fits::Perhaps),
        ] {
            assert_eq!(Pattern::expression(expression).fits(text), fits, "{expression} {text}");
        }
        assert_eq!(Pattern::literal("a.b").fits("a.b"), Fits::Yes);
        assert_eq!(Pattern::literal("a.b").fits("a-b"), Fits::No);
        assert_eq!(Pattern::literal("a.b").text().as_deref(), Some("a.b"));
        assert_eq!(Pattern::expression("a.*").text(), None);
        assert_eq!(Pattern::default().text(), None);
    }

    #[test]
    fn a_target_means_what_all_its_parts_mean() {
        let fits = |target: &str, namespace| {
            let stream = crate::yaml::Stream::parse(target).unwrap();
            let root = stream.documents().remove(0).root;
            PatchTarget::read(root).fits(["apps", "Deployment", "capi"], namespace)
        };
        for (target, want) in [
            ("{kind: Deployment}", Fits::Yes),
            ("{kind: Deployment, name: capi, version: v1, group: apps}", Fits::Yes),
            ("{kind: Deployment, name: capz}", Fits::No),
            ("{group: x}", Fits::No),
            ("{labelSelector: a=b}", Fits::Perhaps),
            ("{kind: StatefulSet, labelSelector: a=b}", Fits::No),
            ("{name: [capi]}", Fits::Perhaps),
            ("{namespace: capi-system}", Fits::Yes),
            ("{namespace: other}", Fits::No),
        ] {
            assert_eq!(fits(target, Some("capi-system")), want, "{target}");
        }
        assert_eq!(fits("{namespace: other}", None), Fits::Perhaps);
    }

    #[test]
    fn a_target_means_an_object_by_its_first_name_and_by_its_last() {
        let names = ["blue", "blue-x", "eu-blue-x"].map(SmolStr::from);
        for (name, want) in [
            ("blue", Fits::Yes),
            ("blue-x", Fits::Perhaps),
            ("eu-blue-x", Fits::Yes),
            ("green", Fits::No),
        ] {
            let target = PatchTarget {
                name: Pattern::literal(name),
                ..PatchTarget::default()
            };
            assert_eq!(target.fits_any(["", "X"], &names, [None, None]), want, "{name}");
        }
    }
}
