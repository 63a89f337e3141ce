//! Server processes that end with the test, however the test ends.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server.
///
/// A shell stands between us and it, and reads from a pipe that only we hold open. When this value is dropped, or this process ends in any
/// way, the pipe closes and the shell stops the server.
pub(crate) struct Process {
    shell: Child,
    name: String,
    log: std::path::PathBuf,
}

const SUPERVISE: &str = r#""$@" </dev/null & server=$!
cat >/dev/null
kill -TERM $server 2>/dev/null
(sleep 5; kill -KILL $server 2>/dev/null) & killer=$!
wait $server
kill $killer 2>/dev/null"#;

impl Process {
    /// Starts a server; what it says goes to `<folder>/<name>.log`.
    pub(crate) fn start(name: &str, folder: &Path, command: &Command) -> Self {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", SUPERVISE, "supervise"]);
        shell.arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(key, value),
                None => shell.env_remove(key),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            shell.current_dir(folder);
        }
        let shell = shell
            .stdin(Stdio::piped())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Self {
            shell,
            name: name.to_owned(),
            log,
        }
    }

    /// Waits until a server answers; fails with the end of its log.
    pub(crate) fn wait_ready(&self, mut ready: impl FnMut() -> bool) {
        if !wait_until(Duration::from_secs(90), &mut ready) {
            panic!(
                "{} did not get ready; the end of its log:\n{}",
                self.name,
                self.log_end()
            );
        }
    }

    /// The last lines of what it said.
    pub(crate) fn log_end(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// A port that nobody listens on at this moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Asks again and again until the answer is yes or the time is up.
pub(crate) fn wait_until(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if ready() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
