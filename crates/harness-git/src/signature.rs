//! Who signs commits: the harness its checkpoints, the person everything else.

use git2::{Signature, Time};
use harness_core::Timestamp;

use crate::repo::{During, GitError, Repo};

/// Signs a checkpoint.
pub(crate) fn of_harness(now: Timestamp) -> Result<Signature<'static>, GitError> {
    sign("harness", "harness@localhost", now)
}

impl Repo {
    /// Signs a commit of a branch, in the person's name.
    pub(crate) fn person_signature(&self, now: Timestamp) -> Result<Signature<'static>, GitError> {
        let (name, email) = &self.author;
        let (name, email) = (legal(name), legal(email));
        let name = if name.is_empty() { "harness" } else { &name };
        sign(name, &email, now)
    }
}

fn sign(name: &str, email: &str, now: Timestamp) -> Result<Signature<'static>, GitError> {
    let seconds = i64::try_from(now.as_millis() / 1000).unwrap_or(i64::MAX);
    Signature::new(name, email, &Time::new(seconds, 0)).during("sign a commit as", name)
}

/// Drops what a signature cannot hold.
fn legal(text: &str) -> String {
    let kept = text
        .chars()
        .filter(|char| !matches!(char, '<' | '>') && !char.is_control());
    kept.collect::<String>().trim().to_owned()
}
