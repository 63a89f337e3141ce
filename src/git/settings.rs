//! Cuts libgit2 off from the machine that it runs on, once per process.
//!
//! Invariant: no operation of this room starts before [`isolate`] has returned. `insteadOf`, `http.proxy`, credential helpers,
//! `safe.directory` and every other setting of the system or the user are not read, so that the same inputs give the same result on a
//! laptop and in a pod, and nobody's global configuration can send a push elsewhere. The check that a repository belongs to the current
//! user stays on; without `safe.directory` there is no way around it but `chown`. libgit2's own HTTP client is replaced by ours.

use std::sync::OnceLock;

use git2::{ConfigLevel, opts};

use super::error::GitError;
use super::transport;

/// How many threads look for differences when a pack is made.
///
/// They take most of the time of a push: 5,000 changed files take 880 ms with one thread and 580 ms with two. More gain nothing where
/// this program runs, in a pod with a processor or two, and libgit2 would start one for each processor of the machine.
pub(super) const PACKING_THREADS: u32 = 2;

static ISOLATED: OnceLock<Result<(), String>> = OnceLock::new();

/// Isolates libgit2; only the first call does anything.
pub(super) fn isolate() -> Result<(), GitError> {
    let outcome = ISOLATED.get_or_init(|| set_all().map_err(|error| error.message().to_owned()));
    outcome.clone().map_err(|why| GitError::Isolation { why })
}

#[expect(
    unsafe_code,
    reason = "libgit2's global options have no safe interface. They must not change while another thread is inside libgit2: every entry \
              into this room passes `isolate` first, and its OnceLock lets nobody pass before they are set"
)]
fn set_all() -> Result<(), git2::Error> {
    let levels = [
        ConfigLevel::ProgramData,
        ConfigLevel::System,
        ConfigLevel::XDG,
        ConfigLevel::Global,
    ];
    for level in levels {
        // SAFETY: see the reason above.
        unsafe { opts::set_search_path(level, "") }?;
    }
    // SAFETY: see the reason above.
    unsafe {
        opts::set_verify_owner_validation(true)?;
    }
    transport::register()?;
    // Git itself does not hash a packed object again when it reads it either: what comes over the wire is hashed on arrival, and zlib's
    // checksum finds a rotten disk. Hashing each blob on each read doubles the time of reading a large fleet (500 ms against 235 ms for
    // 75,000 files) and protects from nobody, since whoever can alter the objects can alter the branch that names them.
    opts::strict_hash_verification(false);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "reads back what `set_all` wrote")]
    fn no_configuration_of_the_machine_is_searched() {
        isolate().unwrap();
        isolate().unwrap();
        // SAFETY: nothing writes these options after `isolate`.
        unsafe {
            for level in [ConfigLevel::System, ConfigLevel::XDG, ConfigLevel::Global] {
                assert_eq!(opts::get_search_path(level).unwrap().to_bytes(), b"");
            }
        }
    }
}
