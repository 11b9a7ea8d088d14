//! What two lists share at their ends, and the operations that replace all between.
//!
//! The way out where a comparison in full would cost too much: [`crate::hunk`] takes it for long
//! texts, [`crate::words`] for long lines. It never looks for what is equal inside the middle.

use similar::DiffOp;

/// The lengths of what two lists begin and end with alike, and of what stands between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Middle {
    /// Items alike at the beginning.
    head: usize,
    /// Items of the old list between.
    old_len: usize,
    /// Items of the new list between.
    new_len: usize,
    /// Items alike at the end; none of them is in `head`.
    tail: usize,
}

impl Middle {
    /// Compares both lists from both ends.
    pub(crate) fn of<T: PartialEq>(old: &[T], new: &[T]) -> Self {
        let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let tail = old[head..].iter().rev().zip(new[head..].iter().rev());
        let tail = tail.take_while(|(a, b)| a == b).count();
        Self {
            head,
            old_len: old.len() - head - tail,
            new_len: new.len() - head - tail,
            tail,
        }
    }

    /// How many items of both lists stand between.
    pub(crate) const fn len(self) -> usize {
        self.old_len + self.new_len
    }

    /// The operations that keep both ends and replace the middle as one.
    pub(crate) fn replaced(self) -> Vec<DiffOp> {
        vec![
            DiffOp::Equal {
                old_index: 0,
                new_index: 0,
                len: self.head,
            },
            DiffOp::Replace {
                old_index: self.head,
                old_len: self.old_len,
                new_index: self.head,
                new_len: self.new_len,
            },
            DiffOp::Equal {
                old_index: self.head + self.old_len,
                new_index: self.head + self.new_len,
                len: self.tail,
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_never_counted_twice() {
        let middle = Middle::of(&["a", "a"], &["a", "a", "a"]);
        let expected = Middle {
            head: 2,
            old_len: 0,
            new_len: 1,
            tail: 0,
        };
        assert_eq!(middle, expected);
        assert_eq!(middle.len(), 1);
    }
}
