use std::fs;

use super::*;
use crate::git::Store;

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache/store.git");
    crate::git::settings::isolate().unwrap();
    (folder, path)
}

/// A file that a new store would not have.
fn leave_trace(path: &Path) -> PathBuf {
    let trace = path.join("trace");
    fs::write(&trace, "").unwrap();
    trace
}

#[test]
fn a_store_is_kept() {
    let (_folder, path) = folder();
    drop(enter(&path).unwrap());
    let trace = leave_trace(&path);
    drop(enter(&path).unwrap());
    assert!(trace.exists());
}

#[test]
fn a_store_that_is_spoiled_broken_or_full_is_made_anew() {
    let spoiled: fn(&Path) = spoil;
    let emptied: fn(&Path) = |path| fs::write(path.join("HEAD"), "").unwrap();
    let gone: fn(&Path) = |path| fs::remove_dir_all(path.join("objects")).unwrap();
    let full: fn(&Path) = |path| {
        for number in 0..=MOST_PACKS {
            fs::write(path.join(format!("objects/pack/pack-{number}.pack")), "").unwrap();
        }
    };
    for damage in [spoiled, emptied, gone, full] {
        let (_folder, path) = folder();
        drop(enter(&path).unwrap());
        let trace = leave_trace(&path);
        damage(&path);
        Store::open_or_create(&path).unwrap();
        assert!(!trace.exists());
        assert!(!is_spoiled(&path));
    }
}

/// A process that is being started holds its parent's locks for an instant.
#[test]
fn a_spoiled_store_is_waited_for() {
    let (_folder, path) = folder();
    let hold = enter(&path).unwrap();
    let trace = leave_trace(&path);
    spoil(&path);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(PAUSE * 5);
            drop(hold);
        });
        drop(enter(&path).unwrap());
    });
    assert!(!trace.exists());
}

#[test]
fn what_a_killed_process_left_is_removed() {
    let (_folder, path) = folder();
    drop(enter(&path).unwrap());
    let left = [
        "shallow.lock",
        "refs/heads/fleetscale/eu-1/up.lock",
        "objects/pack/pack_git2_a1b2c3",
        "objects/pack/pack-1.pack",
        "objects/pack/pack-2.idx",
    ];
    let kept = [
        "refs/heads/fleetscale/eu-1/down",
        "objects/pack/pack-3.pack",
        "objects/pack/pack-3.idx",
    ];
    for name in left.iter().chain(&kept) {
        let file = path.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }
    fs::create_dir_all(path.with_file_name("store.git.making/objects")).unwrap();
    fs::create_dir_all(path.with_file_name("store.git.discarded/objects")).unwrap();
    drop(enter(&path).unwrap());
    for name in left {
        assert!(!path.join(name).exists(), "{name}");
    }
    for name in kept {
        assert!(path.join(name).exists(), "{name}");
    }
    let beside: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().flatten().collect();
    assert_eq!(beside.len(), 2, "{beside:?}");
}

#[test]
fn a_store_in_use_is_neither_tidied_nor_thrown_away() {
    let (_folder, path) = folder();
    let held = enter(&path).unwrap();
    let trace = leave_trace(&path);
    fs::write(path.join("shallow.lock"), "").unwrap();
    spoil(&path);
    let second = enter(&path).unwrap();
    assert!(trace.exists() && path.join("shallow.lock").exists());
    drop((held, second));
    drop(enter(&path).unwrap());
    assert!(!trace.exists());
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let (_folder, path) = folder();
    fs::create_dir_all(&path).unwrap();
    drop(enter(&path).unwrap());
    assert!(is_ours(&path));
    for theirs in ["theirs", "file"] {
        let other = path.with_file_name(theirs);
        if theirs == "file" {
            fs::write(&other, "x").unwrap();
        } else {
            fs::create_dir(&other).unwrap();
            fs::write(other.join("x"), "x").unwrap();
        }
        assert!(matches!(enter(&other), Err(GitError::NotOurStore { .. })));
        assert!(!beside(&other, "lock").exists());
    }
}

#[test]
fn one_process_fetches_at_a_time() {
    let (_folder, path) = folder();
    let _hold = enter(&path).unwrap();
    let first = take_turn(&path, Deadline::after(Duration::ZERO)).unwrap();
    let refused = take_turn(&path, Deadline::after(Duration::ZERO));
    assert!(matches!(refused, Err(GitError::Busy { .. })));
    drop(first);
    take_turn(&path, Deadline::after(Duration::ZERO)).unwrap();
}
