//! Quantities whose spelling is a number to YAML, or a text: each changes its own bytes, and other readers find the value that was planned.

use fleetscale::model::{Decimal, Edit, Scalar};
use fleetscale::render::Problem;

use super::generated::values;
use super::{at, edited, nothing, number, refused, text};

fn decimal(text: &str) -> Scalar {
    Scalar::Decimal(Decimal::parse(text).unwrap())
}

fn set(from: Scalar, to: Scalar) -> Edit {
    Edit::Replace {
        at: at(0, nothing(), "/cpu"),
        from,
        to,
    }
}

#[test]
fn an_amount_without_quotes_becomes_another_in_its_own_bytes() {
    let whole = Scalar::Integer;
    for (from, to) in [
        (decimal("0.5"), decimal("0.8")),
        (decimal("0.5"), whole(1)),
        (decimal("1.0"), decimal("1.5")),
        (decimal("0.5"), text("750m")),
        (whole(2), decimal("2.5")),
        (whole(2), text("1500m")),
        (text("500m"), whole(1)),
        (text("500m"), text("0.5k")),
    ] {
        for line in [
            "cpu: @\n",
            "cpu:   @   # half\nx: 0.5\n",
            "{cpu: @, x: 0.5}\n",
            "? cpu\n: @\n",
            "cpu: &a @\n",
        ] {
            let (before, after) = (line.replace('@', &from.to_string()), line.replace('@', &to.to_string()));
            let edit = set(from.clone(), to.clone());
            assert_eq!(edited(&before, std::slice::from_ref(&edit)).unwrap(), after);
            let mut patched = values(&before).unwrap();
            json_patch::patch(&mut patched[0], &edit.operations()).unwrap();
            assert_eq!(values(&after), Some(patched), "{after}");
            assert_eq!(edited(&after, &[set(to.clone(), from.clone())]).unwrap(), before);
        }
    }
}

#[test]
fn an_amount_in_quotes_is_a_text_and_stays_one() {
    let edit = set(text("0.5"), text("0.8"));
    assert_eq!(edited("cpu: \"0.5\"\n", &[edit]).unwrap(), "cpu: \"0.8\"\n");
    for (before, from, to) in [
        ("cpu: \"500m\"\n", text("500m"), decimal("0.8")),
        ("cpu: '2'\n", Scalar::Integer(2), decimal("2.5")),
        ("cpu: 500m\n", text("500m"), text("0.8")),
        ("cpu: shard-a\n", text("shard-a"), Scalar::Integer(1)),
        ("cpu: 3\n", Scalar::Integer(3), text("shard-a")),
        ("cpu: 0.5\n", decimal("0.5"), text("${cpu}")),
    ] {
        let problem = refused(before, set(from, to));
        assert!(matches!(problem, Problem::Unwritable { .. }), "{before:?}: {problem:?}");
    }
}

#[test]
fn an_amount_that_is_not_the_planned_one_is_stale() {
    for (before, from) in [
        ("cpu: \"0.5\"\n", decimal("0.5")),
        ("cpu: 0.50\n", decimal("0.5")),
        ("cpu: .5\n", decimal("0.5")),
        ("cpu: 0.5\n", text("0.5")),
        ("cpu: 0.5\n", decimal("0.6")),
    ] {
        let problem = refused(before, set(from, decimal("0.8")));
        assert!(matches!(problem, Problem::Stale { .. }), "{before:?}: {problem:?}");
    }
    let problem = refused("cpu: 0.5\n", number("/cpu", 1, 2));
    assert!(matches!(problem, Problem::NotAnInteger { .. }), "{problem:?}");
}
