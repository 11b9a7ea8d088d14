//! The terminal in other hands: an editor, a pager or a shell has it whole, and the run goes on.

use std::{io, process::ExitStatus};

use rustix::process::{Pid, Signal, getpid, kill_process};
use tokio::process::{Child, Command};

use super::{Around, Caught, Screen};
use crate::input::{Answer, Input, Loan};

/// Gives the terminal to a program, and takes it again when that ends.
pub(super) async fn lend(
    screen: &mut Screen,
    errand: &Loan,
    around: &mut Around<'_>,
) -> io::Result<()> {
    let answer = match around.host.program(errand) {
        Err(failed) => Some(Answer::Returned(failed)),
        Ok(program) => {
            around.term.lend();
            let ended = match Command::from(program).spawn() {
                Ok(mut child) => attend(screen, &mut child, around).await,
                Err(error) => Err(error),
            };
            around.term.again()?;
            screen.refit(around.host)?;
            around.host.returned(errand, ended)
        }
    };
    if let Some(answer) = answer {
        screen.take(Input::Answered(answer), around.term, around.host)?;
    }
    screen.draw(around.term)
}

/// Waits for the program. What the run says is taken in and painted afterwards.
async fn attend(
    screen: &mut Screen,
    child: &mut Child,
    around: &mut Around<'_>,
) -> io::Result<ExitStatus> {
    loop {
        tokio::select! {
            biased;
            ended = child.wait() => return ended,
            caught = around.signals.next() => hear(screen, caught, child, around)?,
            Some(input) = around.inputs.recv() => screen.take(input, around.term, around.host)?,
        }
    }
}

/// Keys of the terminal that are signals are meant for the program; the others are for both.
fn hear(
    screen: &mut Screen,
    caught: Caught,
    child: &Child,
    around: &mut Around<'_>,
) -> io::Result<()> {
    match caught {
        Caught::End { number: None, .. } | Caught::Quit | Caught::Continue => Ok(()),
        // The program has stopped with the group: nobody but the shell goes on.
        Caught::Stop => Ok(kill_process(getpid(), Signal::STOP)?),
        Caught::End { name, number } => {
            screen.signal = number.or(screen.signal);
            let id = child.id().and_then(|id| i32::try_from(id).ok());
            if let Some(pid) = id.and_then(Pid::from_raw) {
                // One that has ended meanwhile needs no signal.
                let _ = kill_process(pid, Signal::TERM);
            }
            screen.take(Input::Signalled { name }, around.term, around.host)
        }
    }
}
