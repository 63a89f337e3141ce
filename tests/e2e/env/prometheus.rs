//! A Prometheus with a past: samples are written as blocks before it starts, so that a week of them needs no waiting.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use fleetscale::net::Server;
use jiff::Timestamp;

use super::{Process, built, free_port};

/// Samples by metric, as OpenMetrics text.
#[derive(Default)]
pub(crate) struct Samples {
    metrics: BTreeMap<&'static str, String>,
}

impl Samples {
    /// Adds a sample; those of one series in the order of their times.
    pub(crate) fn add(&mut self, metric: &'static str, labels: &str, value: f64, at: Timestamp) {
        let text = self.metrics.entry(metric).or_default();
        let value = if value.is_nan() {
            "NaN".to_owned()
        } else {
            value.to_string()
        };
        writeln!(text, "{metric}{{{labels}}} {value} {}", at.as_second()).unwrap();
    }

    fn text(&self) -> String {
        let mut text: String = self.metrics.values().map(String::as_str).collect();
        text.push_str("# EOF\n");
        text
    }
}

/// A running Prometheus.
pub(crate) struct Prometheus {
    pub(crate) server: Server,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts one that holds these samples and scrapes nothing.
    pub(crate) fn with(samples: &Samples) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let text = folder.path().join("samples.txt");
        std::fs::write(&text, samples.text()).unwrap();
        // Without the hidden flag the file is read anew for every two hours of it.
        let backfill = Command::new(built("prometheus").join("promtool"))
            .args([
                "tsdb",
                "create-blocks-from",
                "--max-block-duration=4320h",
                "openmetrics",
            ])
            .args([&text, &data])
            .output()
            .unwrap();
        assert!(
            backfill.status.success(),
            "{}",
            String::from_utf8_lossy(&backfill.stderr)
        );
        let (process, server) = start(folder.path(), &data);
        Self {
            server,
            _process: process,
            _folder: folder,
        }
    }
}

fn start(folder: &Path, data: &Path) -> (Process, Server) {
    let config = folder.join("prometheus.yaml");
    std::fs::write(&config, "global: {}\n").unwrap();
    let port = free_port();
    let mut command = Command::new(built("prometheus").join("prometheus"));
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", data.display()))
        .arg("--storage.tsdb.retention.time=3650d")
        .arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let process = Process::start("prometheus", folder, &command);
    process.wait_ready(|| is_ready(port));
    (process, Server::new(&format!("http://127.0.0.1:{port}")).unwrap())
}

fn is_ready(port: u16) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream
            .write_all(b"GET /-/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}
