//! A whole number at a pointer that a policy names: Helm values (`/kamaji/replicas`), or a Deployment's `/spec/replicas`.

use json_patch::jsonptr::Pointer;

use crate::fleet::document::Document;

use super::reading::{Reading, integer};

/// Reads the number that a pointer names, seen from the object's root.
pub(in crate::fleet) fn locate(document: &Document<'_>, pointer: &Pointer) -> Reading {
    let tokens: Vec<String> = pointer.tokens().map(|token| token.decoded().into_owned()).collect();
    let below: Vec<&str> = tokens.iter().map(String::as_str).collect();
    integer(document, &below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::shapes::testing::{shown, with_objects};

    #[test]
    fn a_pointer_names_one_number_of_a_values_file() {
        let text = "# umbrella\nkamaji:\n  enabled: true\n\n  replicas: 2 # two\n  a/b: {m~n: [5, 6]}\nreplicas: '3'\nx: yes\n";
        for (pointer, want) in [
            ("/kamaji/replicas", "Integer(2) a.yaml#0/kamaji/replicas:5 Scalar"),
            ("/kamaji/a~1b/m~0n/1", "Integer(6) a.yaml#0/kamaji/a~1b/m~0n/1:6 Scalar"),
            ("/replicas", "- line 7: not-an-integer"),
            ("/x", "- line 8: not-an-integer"),
            (
                "/kamaji",
                "- line 3: a mapping or list stands where a number is expected",
            ),
            ("/kamaji/a~1b/m~0n/-", "- line 6: /kamaji/a~1b/m~0n/- absent"),
            ("/x/y", "- line 8: /x is a scalar, so there is nothing in it"),
        ] {
            let pointer = Pointer::parse(pointer).unwrap();
            assert_eq!(
                with_objects(text, |objects| shown(&locate(&objects[0], pointer))),
                want,
                "{pointer}"
            );
        }
    }
}
