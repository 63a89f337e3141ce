//! Texts that nobody wrote by hand, drawn from a tape of numbers.
//!
//! They mix indentation, comments, quotes, flow collections, block scalars, anchors, tags, line breaks and markers. A failing one shrinks to
//! a short tape: zeros make the simplest choices.

/// Writes a stream of documents.
pub(super) fn write(tape: &[u16]) -> String {
    Writer {
        tape: Tape::of(tape),
        out: String::new(),
        names: 0,
        anchors: 0,
    }
    .stream()
}

/// Numbers that decide what is written; a tape that has ended says 0.
pub(super) struct Tape<'t> {
    rest: std::slice::Iter<'t, u16>,
}

impl<'t> Tape<'t> {
    pub(super) fn of(numbers: &'t [u16]) -> Self {
        Self { rest: numbers.iter() }
    }

    pub(super) fn below(&mut self, count: usize) -> usize {
        usize::from(self.rest.next().copied().unwrap_or(0)) % count
    }

    pub(super) fn pick<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        choices[self.below(choices.len())]
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }
}

/// Draws a stream of documents.
struct Writer<'t> {
    tape: Tape<'t>,
    out: String,
    names: usize,
    anchors: usize,
}

impl Writer<'_> {
    fn stream(mut self) -> String {
        for document in 0..1 + self.tape.below(3) {
            if document > 0 || self.tape.one_in(3) {
                let marker = [
                    "---\n",
                    "--- # c\n",
                    "---\n# c\n\n",
                    "...\n---\n",
                    "...\n# c\n%YAML 1.2\n---\n",
                ];
                let marker = self.tape.pick(&marker[..if document == 0 { 3 } else { 5 }]);
                self.out.push_str(marker);
            }
            match self.tape.below(8) {
                7 => self.sequence(0, 3),
                6 => {
                    let flow = self.flow(3);
                    self.out.push_str(&flow);
                    self.line_end();
                }
                _ => self.mapping(0, 3),
            }
        }
        if self.tape.one_in(4) {
            let end = self.out.trim_end_matches('\n').len();
            // Trailing blank lines belong to a block scalar at the end; one line break does not.
            self.out.truncate(end.max(self.out.len() - 1));
        }
        if self.tape.one_in(4) {
            self.out = self.out.replace('\n', "\r\n");
        }
        if self.tape.one_in(6) {
            self.out.insert(0, '\u{feff}');
        }
        self.out
    }

    fn name(&mut self) -> String {
        self.names += 1;
        let number = self.names;
        match self.tape.below(9) {
            8 => format!("\"k{number}\""),
            7 => format!("'k {number}'"),
            6 => format!("k/{number}~ü"),
            5 if number > 2 && self.tape.one_in(8) => format!("k{}", number - 1),
            _ => format!("k{number}"),
        }
    }

    fn line_end(&mut self) {
        let end = [
            "\n",
            "\n",
            " # c\n",
            "   \n",
            "\t# größe 🚀\n",
            "\n\n",
            "\n  # below\n",
            "\n# far\n",
        ];
        let end = self.tape.pick(&end);
        self.out.push_str(end);
    }

    fn indent(&mut self, columns: usize) {
        self.out.push_str(&" ".repeat(columns));
    }

    fn mapping(&mut self, column: usize, depth: usize) {
        let count = 1 + self.tape.below(4);
        for entry in 0..count {
            if entry > 0 {
                self.indent(column);
            }
            self.entry(column, depth);
        }
    }

    fn entry(&mut self, column: usize, depth: usize) {
        if self.anchors > 0 && self.tape.one_in(12) {
            let anchor = 1 + self.tape.below(self.anchors);
            self.out.push_str(&format!("<<: *a{anchor}\n"));
            return;
        }
        let name = self.name();
        self.out.push_str(&name);
        let colon = self.tape.pick(&[":", ":", ":", " :"]);
        self.out.push_str(colon);
        self.value(column, depth);
    }

    /// What follows a colon or dash, up to and with the line break.
    fn value(&mut self, column: usize, depth: usize) {
        let kind = self.tape.below(if depth == 0 { 12 } else { 17 });
        if kind == 11 {
            return self.line_end();
        }
        let gap = self.tape.pick(&[" ", " ", " ", "   "]);
        self.out.push_str(gap);
        if self.tape.one_in(16) {
            self.anchors += 1;
            self.out.push_str(&format!("&a{} ", self.anchors));
        } else if self.tape.one_in(24) {
            let tag = self.tape.pick(&["!!str ", "!x "]);
            self.out.push_str(tag);
        }
        match kind {
            0..=2 => {
                let number = self.tape.below(1000);
                self.out.push_str(&number.to_string());
                self.line_end();
            }
            3..=6 => {
                let scalar = self.scalar();
                self.out.push_str(&scalar);
                self.line_end();
            }
            7 | 8 => {
                let flow = self.flow(2);
                self.out.push_str(&flow);
                self.line_end();
            }
            9 => self.block_scalar(column),
            10 => {
                let more = "  ".repeat(column + 1);
                let lines = self
                    .tape
                    .pick(&["one\n@two\n", "\"q\n\n@r\" # c\n", "'s\n@t'\n"])
                    .replace('@', &more);
                self.out.push_str(&lines);
            }
            12 | 13 => {
                self.nest();
                let column = column + 1 + self.tape.below(4);
                self.indent(column);
                self.mapping(column, depth - 1);
            }
            _ => {
                self.nest();
                let column = column + self.tape.pick(&["", "  ", "    "]).len();
                self.indent(column);
                self.sequence(column, depth - 1);
            }
        }
    }

    fn nest(&mut self) {
        let end = self.tape.pick(&["\n", "\n", " # c\n", "\n# c\n"]);
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push_str(end);
    }

    fn sequence(&mut self, column: usize, depth: usize) {
        let count = 1 + self.tape.below(4);
        for item in 0..count {
            if item > 0 {
                self.indent(column);
            }
            self.out.push('-');
            match self.tape.below(if depth == 0 { 3 } else { 5 }) {
                3 => {
                    self.out.push(' ');
                    self.mapping(column + 2, depth - 1);
                }
                4 => {
                    self.out.push_str("   ");
                    self.sequence(column + 4, depth - 1);
                }
                _ => self.value(column, 0),
            }
        }
    }

    fn block_scalar(&mut self, column: usize) {
        let header = self.tape.pick(&["|", ">", "|-", "|+", ">-", "| # c"]);
        self.out.push_str(header);
        self.out.push('\n');
        for _ in 0..1 + self.tape.below(3) {
            self.indent(column + 2);
            let line = self.tape.pick(&["text\n", "a: 3\n", "- x\n", "# no comment\n"]);
            self.out.push_str(line);
        }
        let blank = self.tape.pick(&["", "\n", "\n\n"]);
        self.out.push_str(blank);
    }

    fn scalar(&mut self) -> String {
        let number = self.tape.below(100);
        let scalars = [
            "--qps=#",
            "md-#",
            "\"#\"",
            "'#'",
            "\"--qps=#\"",
            "'it''s #'",
            "~",
            "null",
            "true",
            "#m",
            "x y # z".split_at(5).0,
        ];
        let more = [
            "\"a \\\"#\\\" \\u00e9\"",
            "#.5",
            "0x#",
            "*a1",
            "ü🚀",
            "{{ .v }}",
            "\"${v}\"",
            "2024-01-0#",
            "\"\"",
        ];
        let choice = self.tape.below(scalars.len() + more.len());
        let scalar = scalars.iter().chain(&more).nth(choice).unwrap_or(&"x");
        scalar.replace('#', &number.to_string())
    }

    /// A flow collection, whose inner lines need no particular column but must not be those of a marker.
    fn flow(&mut self, depth: usize) -> String {
        let is_mapping = self.tape.below(2) == 0;
        let (open, close) = if is_mapping { ('{', '}') } else { ('[', ']') };
        let (first, between, last) = match self.tape.below(6) {
            4 => ("\n          ", ",\n          ", "\n        "),
            5 => ("\n          ", ", # c\n          ", ",\n        "),
            3 => (" ", ", ", " "),
            2 => ("", ",", ","),
            _ => ("", ", ", ""),
        };
        let count = self.tape.below(4);
        let mut parts = Vec::new();
        for _ in 0..count {
            let value = match self.tape.below(if depth == 0 { 3 } else { 5 }) {
                0 => self.tape.below(1000).to_string(),
                1 | 2 => self.scalar().replace([',', '{', '}'], "_"),
                _ => self.flow(depth - 1),
            };
            parts.push(match (is_mapping, self.tape.one_in(10)) {
                (true, true) => self.name(),
                (true, false) => format!("{}: {value}", self.name()),
                (false, true) => format!("{}: {value}", self.name()),
                (false, false) => value,
            });
        }
        match parts.is_empty() {
            true => format!("{open}{}{close}", first.trim_start_matches('\n').trim_start()),
            false => format!("{open}{first}{}{last}{close}", parts.join(between)),
        }
    }
}
