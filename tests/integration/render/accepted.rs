//! Edits on the shapes that fleet files come in, each with the bytes that must come out, written by hand.

use fleetscale::model::Scalar;

use super::{check, item, key, number, replicas, string, text};

#[test]
fn a_number_is_replaced_and_its_line_stays() {
    let set = || number("/spec/replicas", 3, 5);
    check(&[
        (
            "spec:\n  replicas: 3 # autoscaled\n  x: 1\n",
            set(),
            "spec:\n  replicas: 5 # autoscaled\n  x: 1\n",
        ),
        (
            "spec:\n  replicas:   3    # pinned\n",
            set(),
            "spec:\n  replicas:   5    # pinned\n",
        ),
        (
            "spec:\n  replicas: 3   \n  x: 1\n",
            set(),
            "spec:\n  replicas: 5   \n  x: 1\n",
        ),
        (
            "spec:\n  replicas: 3\t# tab\there\n",
            set(),
            "spec:\n  replicas: 5\t# tab\there\n",
        ),
        (
            "spec: {replicas: 3, paused: false}\n",
            set(),
            "spec: {replicas: 5, paused: false}\n",
        ),
        ("spec: { replicas: 3 } # c\n", set(), "spec: { replicas: 5 } # c\n"),
        (
            "spec: {\n  replicas: 3, # n\n  paused: false,\n}\n",
            set(),
            "spec: {\n  replicas: 5, # n\n  paused: false,\n}\n",
        ),
        (
            "spec:\n  replicas: \"3\" # q\n",
            set(),
            "spec:\n  replicas: \"5\" # q\n",
        ),
        ("spec:\n  replicas: '3' # q\n", set(), "spec:\n  replicas: '5' # q\n"),
        ("spec:\n  \"replicas\": 3\n", set(), "spec:\n  \"replicas\": 5\n"),
        (
            "spec:\n  ? replicas\n  : 3 # c\n",
            set(),
            "spec:\n  ? replicas\n  : 5 # c\n",
        ),
        ("spec:\n  replicas: &n 3 # c\n", set(), "spec:\n  replicas: &n 5 # c\n"),
        (
            "x: &s\n  replicas: 4\nspec:\n  <<: *s\n  replicas: 3 # own\n",
            set(),
            "x: &s\n  replicas: 4\nspec:\n  <<: *s\n  replicas: 5 # own\n",
        ),
        (
            "data: |\n  spec:\n    replicas: 3\nspec:\n  replicas: 3\n",
            set(),
            "data: |\n  spec:\n    replicas: 3\nspec:\n  replicas: 5\n",
        ),
        (
            "{\"spec\": {\"replicas\": 3, \"x\": [1]}}\n",
            set(),
            "{\"spec\": {\"replicas\": 5, \"x\": [1]}}\n",
        ),
        ("{\"spec\":{\"replicas\":3}}\n", set(), "{\"spec\":{\"replicas\":5}}\n"),
        (
            "spec:\n  replicas: 3\n",
            number("/spec/replicas", 3, 100),
            "spec:\n  replicas: 100\n",
        ),
        (
            "spec:\n  replicas: 300\n",
            number("/spec/replicas", 300, 0),
            "spec:\n  replicas: 0\n",
        ),
        (
            "w:\n- r: 1\n  n: a\n- n: b\n  r: 3\n",
            number("/w/1/r", 3, 4),
            "w:\n- r: 1\n  n: a\n- n: b\n  r: 4\n",
        ),
    ]);
}

#[test]
fn a_text_is_replaced_in_its_own_quotes() {
    let qps = |from| string("/args/1", &format!("--qps={from}"), "--qps=50");
    check(&[
        (
            "args:\n  - --v=2\n  # why\n  - --qps=20 # q\n  - --z\n",
            qps(20),
            "args:\n  - --v=2\n  # why\n  - --qps=50 # q\n  - --z\n",
        ),
        (
            "args:\n- --v=2\n- \"--qps=20\" # q\n",
            qps(20),
            "args:\n- --v=2\n- \"--qps=50\" # q\n",
        ),
        (
            "args:\n- --v=2\n- '--qps=20'\n",
            qps(20),
            "args:\n- --v=2\n- '--qps=50'\n",
        ),
        (
            "args: [--v=2, --qps=20] # f\n",
            qps(20),
            "args: [--v=2, --qps=50] # f\n",
        ),
        (
            "args: [\"--v=2\", \"--qps=20\"]\n",
            qps(20),
            "args: [\"--v=2\", \"--qps=50\"]\n",
        ),
        (
            "args:\n- --qps\n- \"20\"\n",
            string("/args/1", "20", "50"),
            "args:\n- --qps\n- \"50\"\n",
        ),
        (
            "n:\n  namespace: requests # c\n",
            string("/n/namespace", "requests", "shard-a"),
            "n:\n  namespace: shard-a # c\n",
        ),
        ("cpu: 500m\n", string("/cpu", "500m", "750m"), "cpu: 750m\n"),
        ("a: 'it''s'\n", string("/a", "it's", "that's"), "a: 'that''s'\n"),
        ("a: \"b\\\"é\"\n", string("/a", "b\"é", "c\\\""), "a: \"c\\\\\\\"\"\n"),
        ("a: \"\"\n", string("/a", "", "x"), "a: \"x\"\n"),
    ]);
}

#[test]
fn a_key_joins_a_block_mapping_on_a_line_of_its_own() {
    check(&[
        (
            "spec:\n  clusterName: c # n\n  x: 1\n",
            replicas(),
            "spec:\n  clusterName: c # n\n  replicas: 5\n  x: 1\n",
        ),
        (
            "spec:\n  x: 1\n  clusterName: c\n",
            replicas(),
            "spec:\n  x: 1\n  clusterName: c\n  replicas: 5\n",
        ),
        (
            "spec:\n  x: 1 # one\n  y: 2 # two\nstatus: {}\n",
            replicas(),
            "spec:\n  x: 1 # one\n  y: 2 # two\n  replicas: 5\nstatus: {}\n",
        ),
        (
            "spec:\n  x:\n    y: 1\n    # end of x\n  # end of spec\nstatus: {}\n",
            replicas(),
            "spec:\n  x:\n    y: 1\n  replicas: 5\n    # end of x\n  # end of spec\nstatus: {}\n",
        ),
        (
            "spec:\n    x: 1\n    y:\n        z: 1\n\n\nstatus: {}\n",
            replicas(),
            "spec:\n    x: 1\n    y:\n        z: 1\n    replicas: 5\n\n\nstatus: {}\n",
        ),
        (
            "spec:\n  x: 1\n  note: |+\n    text\n\nstatus: {}\n",
            replicas(),
            "spec:\n  x: 1\n  replicas: 5\n  note: |+\n    text\n\nstatus: {}\n",
        ),
        (
            "spec:\n  x:\n  y:\nstatus: {}\n",
            replicas(),
            "spec:\n  x:\n  y:\n  replicas: 5\nstatus: {}\n",
        ),
        (
            "spec:\n  x: [\n    1,\n  ] # c\nstatus: {}\n",
            replicas(),
            "spec:\n  x: [\n    1,\n  ] # c\n  replicas: 5\nstatus: {}\n",
        ),
        (
            "spec:\n  x: one\n    two\nstatus: {}\n",
            replicas(),
            "spec:\n  x: one\n    two\n  replicas: 5\nstatus: {}\n",
        ),
        (
            "spec:\n  x:\n  - a\n  - b:\n      c: 1\nstatus: {}\n",
            replicas(),
            "spec:\n  x:\n  - a\n  - b:\n      c: 1\n  replicas: 5\nstatus: {}\n",
        ),
        ("status: {} # s\n", key("", "a", text("b")), "status: {} # s\na: b\n"),
        (
            "w:\n- n: a\n  x: 1\n- n: b\n",
            key("/w/0", "r", Scalar::Integer(2)),
            "w:\n- n: a\n  x: 1\n  r: 2\n- n: b\n",
        ),
        (
            "w:\n-   n: a\n",
            key("/w/0", "r", Scalar::Integer(2)),
            "w:\n-   n: a\n    r: 2\n",
        ),
        (
            "w:\n- - n: a\n",
            key("/w/0/0", "r", Scalar::Integer(2)),
            "w:\n- - n: a\n    r: 2\n",
        ),
        (
            "\"x\": \"y\"\n",
            key("", "a", text("b")),
            "\"x\": \"y\"\n\"a\": \"b\"\n",
        ),
        (
            "metadata:\n  name: a\n  labels: {}\n",
            key("/metadata", "namespace", text("s")),
            "metadata:\n  name: a\n  namespace: s\n  labels: {}\n",
        ),
        (
            "metadata:\n  labels:\n    name: x\n  name: a\n",
            key("/metadata", "namespace", text("123")),
            "metadata:\n  labels:\n    name: x\n  name: a\n  namespace: \"123\"\n",
        ),
        ("a: x\n", key("", "on", text("true")), "a: x\n\"on\": \"true\"\n"),
    ]);
}

#[test]
fn a_key_joins_a_flow_mapping_between_its_braces() {
    check(&[
        (
            "spec: {paused: false} # c\n",
            replicas(),
            "spec: {paused: false, replicas: 5} # c\n",
        ),
        (
            "spec: { paused: false } # c\n",
            replicas(),
            "spec: { paused: false, replicas: 5 } # c\n",
        ),
        ("spec: {} # c\n", replicas(), "spec: {replicas: 5} # c\n"),
        ("spec: { } # c\n", replicas(), "spec: { replicas: 5 } # c\n"),
        (
            "spec: {paused: false,}\n",
            replicas(),
            "spec: {paused: false, replicas: 5,}\n",
        ),
        (
            "spec: {\n  x: 1, # n\n  y: [],\n}\n",
            replicas(),
            "spec: {\n  x: 1, # n\n  y: [],\n  replicas: 5,\n}\n",
        ),
        (
            "spec: {\n  x: 1 # n\n}\n",
            replicas(),
            "spec: {\n  x: 1, replicas: 5 # n\n}\n",
        ),
        (
            "{\"spec\": {\n  \"x\": [1]\n}}\n",
            replicas(),
            "{\"spec\": {\n  \"x\": [1],\n  \"replicas\": 5\n}}\n",
        ),
        ("{\"spec\": {}}\n", replicas(), "{\"spec\": {\"replicas\": 5}}\n"),
        (
            "{\"a\": {\"name\": \"x\"}}\n",
            key("/a", "namespace", text("s")),
            "{\"a\": {\"name\": \"x\", \"namespace\": \"s\"}}\n",
        ),
        (
            "a: {b: 1, c: {d: 2}}\n",
            key("/a", "e", text("x,y")),
            "a: {b: 1, c: {d: 2}, e: \"x,y\"}\n",
        ),
    ]);
}

#[test]
fn an_item_joins_the_end_of_a_list_in_its_style() {
    let qps = || item("/args", "--qps=50");
    check(&[
        (
            "args:\n  - --a\n  - --v=2 # last\n",
            qps(),
            "args:\n  - --a\n  - --v=2 # last\n  - --qps=50\n",
        ),
        (
            "args:\n- --a\n- --v=2 # last\nb: 1\n",
            qps(),
            "args:\n- --a\n- --v=2 # last\n- --qps=50\nb: 1\n",
        ),
        (
            "args:\n  - --a\n  # below\n\nb: 1\n",
            qps(),
            "args:\n  - --a\n  - --qps=50\n  # below\n\nb: 1\n",
        ),
        (
            "args:\n      - \"--a\"\n",
            qps(),
            "args:\n      - \"--a\"\n      - \"--qps=50\"\n",
        ),
        ("args:\n  -   '--a'\n", qps(), "args:\n  -   '--a'\n  -   '--qps=50'\n"),
        (
            "args: [\"--a\", \"--v=2\"] # f\n",
            qps(),
            "args: [\"--a\", \"--v=2\", \"--qps=50\"] # f\n",
        ),
        ("args: [--a]\n", qps(), "args: [--a, --qps=50]\n"),
        ("args: []\n", qps(), "args: [--qps=50]\n"),
        ("{\"args\": []}\n", qps(), "{\"args\": [\"--qps=50\"]}\n"),
        (
            "args: [\n  --a,\n  --b\n]\n",
            qps(),
            "args: [\n  --a,\n  --b,\n  --qps=50\n]\n",
        ),
        (
            "resources:\n  - a.yaml\n  - b.yaml\n",
            item("/resources", "../ü/c d.yaml"),
            "resources:\n  - a.yaml\n  - b.yaml\n  - \"../ü/c d.yaml\"\n",
        ),
        (
            "w:\n  - args:\n      - --a\n    n: 1\n",
            item("/w/0/args", "--b"),
            "w:\n  - args:\n      - --a\n      - --b\n    n: 1\n",
        ),
        (
            "w:\n- args:\n  - --a\n",
            item("/w/0/args", "--b"),
            "w:\n- args:\n  - --a\n  - --b\n",
        ),
        ("- - a\n  - b\n- - c\n", item("/0", "x"), "- - a\n  - b\n  - x\n- - c\n"),
        ("- - a\n  - b\n- - c\n", item("/1", "x"), "- - a\n  - b\n- - c\n  - x\n"),
        ("- - a\n  - b\n- - c\n", item("", "x"), "- - a\n  - b\n- - c\n- x\n"),
        (
            "l:\n- a: 1\n  b:\n    c: 2\n",
            item("/l", "x"),
            "l:\n- a: 1\n  b:\n    c: 2\n- x\n",
        ),
        ("l:\n-\n  a: 1\n- b\n", item("/l", "x"), "l:\n-\n  a: 1\n- b\n- x\n"),
        (
            "l:\n- a\n- one\n  two\nm: 1\n",
            item("/l", "x"),
            "l:\n- a\n- one\n  two\n- x\nm: 1\n",
        ),
        ("l:\n- a\n-\nm: 1\n", item("/l", "x"), "l:\n- a\n-\n- x\nm: 1\n"),
        ("l:\n- a\n", item("/l", "yes"), "l:\n- a\n- \"yes\"\n"),
    ]);
}
