//! Two threads for what is done again and again, each time alike and on its own.
//!
//! Two, because the agent runs in a pod with a processor or two. The results and their order do not depend on who made them.

/// Does some work on the two halves of many items, at once if there are at least `many` of them; on all of them in turn if not.
///
/// `many` is from where on a thread saves more than it costs (about 30 microseconds).
pub fn in_halves<T: Sync, R: Send>(items: &[T], many: usize, work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    if items.len() < many {
        return vec![work(items)];
    }
    let (ours, theirs) = items.split_at(items.len() / 2);
    std::thread::scope(|scope| {
        let theirs = scope.spawn(|| work(theirs));
        let ours = work(ours);
        let theirs = theirs.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        vec![ours, theirs]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_halves_come_in_the_order_of_their_items() {
        let items = [1, 2, 3, 4, 5];
        let halves = |many| in_halves(&items, many, <[i32]>::to_vec);
        assert_eq!(halves(6), [vec![1, 2, 3, 4, 5]]);
        assert_eq!(halves(5), [vec![1, 2], vec![3, 4, 5]]);
        assert_eq!(in_halves(&[], 1, <[i32]>::to_vec), [Vec::<i32>::new()]);
    }

    #[test]
    #[should_panic(expected = "three is too many")]
    fn a_panic_of_either_half_is_one_of_the_whole() {
        in_halves(&[1, 2, 3], 2, |items| assert!(!items.contains(&3), "three is too many"));
    }
}
