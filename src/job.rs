//! What a surface can be asked to show: a run, a resume, the demo, a landing.

use harness_core::{CheckpointNumber, EndReason, RewindWhat, SessionId, TurnNumber};
use harness_runner::Finished;

use crate::cli;

/// Something to work on.
#[derive(Clone, Debug)]
pub(crate) enum Job {
    /// `harness run`.
    Run(cli::Run),
    /// `harness plan`, with a goal.
    Plan(Box<cli::Plan>),
    /// `harness resume`, with what the person says first.
    Resume {
        flags: cli::Resume,
        said: Vec<String>,
    },
    /// `harness demo`.
    Demo(cli::Demo),
    /// `harness replay`, on the screen.
    Replay(cli::Replay),
    /// `harness rewind`.
    Rewind {
        session: SessionId,
        turn: TurnNumber,
        what: RewindWhat,
    },
    /// `harness land`.
    Land,
    /// `harness feature finish`.
    Finish(cli::FeatureFinish),
    /// `harness resume --fork`: going on from a checkpoint of a session in a new one.
    Fork {
        session: SessionId,
        number: CheckpointNumber,
        options: Box<cli::RunOptions>,
    },
}

/// How it came out.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// What the process exits with.
    pub(crate) code: u8,
    /// The run; absent where there was nothing to run.
    pub(crate) finished: Option<Finished>,
    /// What is worth reading when everything else is over.
    pub(crate) farewell: String,
}

impl Done {
    pub(crate) const fn ended(code: u8, finished: Finished) -> Self {
        Self {
            code,
            finished: Some(finished),
            farewell: String::new(),
        }
    }

    /// Nothing ran, and a session that was stopped can be gone on with.
    pub(crate) const fn still_open(session: SessionId) -> Self {
        Self::ended(
            0,
            Finished {
                reason: EndReason::Interrupted,
                detail: String::new(),
                session: Some(session),
                not_found: Vec::new(),
            },
        )
    }

    pub(crate) const fn without_run(code: u8) -> Self {
        Self {
            code,
            finished: None,
            farewell: String::new(),
        }
    }
}
