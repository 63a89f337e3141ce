//! Speed, as ratios within one run: the machine's own pace cancels out.
//!
//! One file measures one thing: `planning` a small and a middling fleet, `editing` one file, `scanning` a repository, the whole way from
//! a `large_fleet` to its pull requests' branches, `observing` a large management cluster. Where several runs are made, the figures are
//! medians. Nothing here passes or fails by the clock; a benchmark that can not go on, or whose result is not what was asked for, panics.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and one that can not go on has failed"
)]

mod editing;
mod large_fleet;
mod line;
mod observing;
mod planning;
mod scanning;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if has(observing::REPLAY) {
        return observing::replay();
    }
    if let Some(at) = arguments.iter().position(|argument| argument == large_fleet::RUN) {
        return large_fleet::run(&arguments[at + 1..]);
    }
    // `cargo test --benches` asks for a smoke test.
    let smoke = has("--test");
    // `make bench ONLY=editing` asks for one of them.
    let wanted = |name: &str| {
        let named = ["planning", "editing", "scan", "large-fleet", "observing"]
            .map(has)
            .contains(&true);
        !named || has(name)
    };
    if wanted("planning") {
        planning::measure(smoke);
    }
    if wanted("editing") {
        editing::measure(smoke);
    }
    if wanted("scan") {
        scanning::measure(smoke);
    }
    if wanted("large-fleet") {
        large_fleet::measure(smoke);
    }
    if wanted("observing") {
        observing::measure();
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn ratio(time: Duration, of: Duration) -> f64 {
    time.as_secs_f64() / of.as_secs_f64()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is about time")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// A part of something that is measured.
#[derive(Debug, Clone)]
struct Stage {
    name: String,
    time: Duration,
    /// The processor time of the main thread in it.
    processor: Duration,
    /// The most memory that the process had had when it was over, in MiB.
    peak: u64,
}

fn stage<T>(name: &str, stages: &mut Vec<Stage>, work: impl FnOnce() -> T) -> T {
    let before = processor_time();
    let (result, time) = timed(work);
    stages.push(Stage {
        name: name.to_owned(),
        time,
        processor: processor_time() - before,
        peak: peak_memory().unwrap_or(0),
    });
    result
}

fn in_words(stages: &[Stage]) -> String {
    let words = stages
        .iter()
        .map(|Stage { name, time, .. }| format!("{name} {}", milliseconds(*time)));
    words.collect::<Vec<_>>().join(", ")
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The processor time that the main thread has used so far, which other work on the machine makes no longer; zero where the system does not
/// tell.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split(' ').next().and_then(|field| field.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

/// The most memory that this process has had, in MiB; nothing where the system does not tell.
fn peak_memory() -> Option<u64> {
    peak_memory_in(Path::new("/proc/self/status"))
}

fn peak_memory_in(status: &Path) -> Option<u64> {
    let status = fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib / 1024)
}

/// Runs a program that ends with this exit code, and returns the most memory that it had, in MiB, as far as a look every few milliseconds
/// tells. What it says is shown only if it ends otherwise.
fn peak_memory_of(program: &mut Command, exit_code: i32) -> u64 {
    let said = tempfile::NamedTempFile::new().unwrap();
    let mut child = program
        .stdout(Stdio::null())
        .stderr(said.reopen().unwrap())
        .spawn()
        .unwrap();
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0;
    loop {
        peak = peak_memory_in(&status).unwrap_or(0).max(peak);
        if let Some(ended) = child.try_wait().unwrap() {
            let said = || fs::read_to_string(said.path()).unwrap();
            assert_eq!(ended.code(), Some(exit_code), "{program:?}: {}", said());
            return peak;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
