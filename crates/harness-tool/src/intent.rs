//! From a tool call to what it wants: syntax only, no judgement.

use std::path::Path;

use harness_core::{Action, PlanItem, Replacement, RepoPath, ToolCall};

use crate::{Draft, ToolFault, arguments::Arguments, plan, propose, reply};

/// How many levels a list goes down, whatever is asked for.
const DEPTH_MAX: u32 = 5;

/// How many lines are shown around one that was found, whatever is asked for.
const CONTEXT_LINES_MAX: u32 = 10;

/// What a tool call asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Something in the world; the guard judges it.
    Act(Action),
    /// A deeper document; it is read like a file and counted on its own.
    Doc {
        /// The document.
        path: RepoPath,
    },
    /// A line for the progress log.
    Note {
        /// The line.
        text: String,
    },
    /// The plan of the work, all of its steps.
    Plan {
        /// The steps, in order.
        items: Vec<PlanItem>,
    },
    /// A question for a person.
    Ask {
        /// The question.
        text: String,
    },
    /// More than the scope and the network give, which a person would have to give.
    Request {
        /// Paths or patterns to write.
        paths: Vec<String>,
        /// Hosts to reach.
        hosts: Vec<String>,
        /// Why.
        reason: String,
    },
    /// Something about commands that go on in the background.
    Job {
        /// Which; all of them when absent. The name is not checked here.
        id: Option<String>,
        /// Whether it is to end.
        stop: bool,
    },
    /// A run of gates, as information.
    Check {
        /// Which; all of them when absent. The name is not checked here.
        gate: Option<String>,
    },
    /// A question that another model answers, which can only look.
    Explore {
        /// The question.
        text: String,
    },
    /// The claim that the work is done.
    Finish {
        /// What was done; may be empty.
        summary: String,
    },
    /// An answer to a comment of a person's review.
    Reply {
        /// The comment.
        comment: u32,
        /// The answer.
        text: String,
    },
    /// Features for the list, in a session that plans.
    Propose {
        /// As the model wrote them.
        features: Vec<Draft>,
    },
}

/// Turns a tool call into what it asks for.
///
/// `root` is the absolute path of the work tree: absolute paths below it are
/// taken as relative ones. Arguments are at most 1 MiB of JSON. A path in
/// double quotes is read as [`quote`](crate::quote) writes it.
///
/// # Errors
/// When the tool does not exist; when the arguments are no JSON object or have
/// an unknown, doubled, missing, empty or wrongly typed field (so nothing a
/// model adds, such as an approval, can mean anything); when a path leads out of
/// the repository, for which [`ToolFault::is_escape`] answers true.
pub fn parse(call: &ToolCall, root: &Path) -> Result<Intent, ToolFault> {
    // Its arguments are nested, which those of no other tool are.
    if call.name == propose::NAME {
        return propose::parse(call);
    }
    if call.name == reply::NAME {
        return reply::parse(call);
    }
    let mut arguments = Arguments::read(call)?;
    match arguments.tool() {
        "ask" => arguments.words("text").map(|text| Intent::Ask { text }),
        "check" => Ok(check(&mut arguments)),
        "delete" => delete(&mut arguments, root).map(Intent::Act),
        "doc" => arguments
            .file("path", root)
            .map(|path| Intent::Doc { path }),
        "edit" => edit(&mut arguments, root).map(Intent::Act),
        "explore" => arguments.words("text").map(|text| Intent::Explore { text }),
        "finish" => arguments
            .text("text")
            .map(|summary| Intent::Finish { summary }),
        "job" => Ok(job(&mut arguments)),
        "list" => list(&mut arguments, root).map(Intent::Act),
        "move" => move_to(&mut arguments, root).map(Intent::Act),
        "note" => arguments.words("text").map(|text| Intent::Note { text }),
        "plan" => plan::items(&mut arguments).map(|items| Intent::Plan { items }),
        "read" => read(&mut arguments, root).map(Intent::Act),
        "request" => request(&mut arguments, root),
        "search" => search(&mut arguments, root).map(Intent::Act),
        "shell" => shell(&mut arguments, root).map(Intent::Act),
        "write" => write(&mut arguments, root).map(Intent::Act),
        name => unreachable!("`{name}` has a shape but no meaning"),
    }
}

fn check(arguments: &mut Arguments) -> Intent {
    let gate = arguments.maybe_text("gate");
    Intent::Check {
        gate: gate.filter(|gate| !gate.trim().is_empty()),
    }
}

fn delete(arguments: &mut Arguments, root: &Path) -> Result<Action, ToolFault> {
    Ok(Action::Delete {
        path: arguments.file("path", root)?,
    })
}

/// `old` and `new`, where they are given, are the first edit, before those of `edits`.
fn edit(arguments: &mut Arguments, root: &Path) -> Result<Action, ToolFault> {
    let path = arguments.file("path", root)?;
    let mut edits = arguments.edits("edits")?.into_iter();
    let (old, new) = (arguments.maybe_text("old"), arguments.maybe_text("new"));
    let first = match (old, new) {
        (Some(old), Some(new)) => Some(Replacement { old, new }),
        (None, None) => edits.next(),
        (Some(_), None) => return Err(arguments.missing("new")),
        (None, Some(_)) => return Err(arguments.missing("old")),
    };
    let Replacement { old, new } = first.ok_or_else(|| arguments.missing("old"))?;
    Ok(Action::Edit {
        path,
        old,
        new,
        more: edits.collect(),
    })
}

fn job(arguments: &mut Arguments) -> Intent {
    let id = arguments.maybe_text("id");
    Intent::Job {
        id: id.filter(|id| !id.trim().is_empty()),
        stop: arguments.flag("stop"),
    }
}

fn list(arguments: &mut Arguments, root: &Path) -> Result<Action, ToolFault> {
    Ok(Action::List {
        path: arguments.folder("path", root)?,
        depth: arguments
            .count("depth")
            .map_or(1, |depth| depth.clamp(1, DEPTH_MAX)),
    })
}

fn move_to(arguments: &mut Arguments, root: &Path) -> Result<Action, ToolFault> {
    Ok(Action::Move {
        path: arguments.file("path", root)?,
        to: arguments.file("to", root)?,
    })
}

fn read(arguments: &mut Arguments, root: &Path) -> Result<Action, ToolFault> {
    Ok(Action::Read {
        path: arguments.file("path", root)?,
        lines: arguments.lines()?,
    })
}

fn request(arguments: &mut Arguments, root: &Path) -> Result<Intent, ToolFault> {
    let paths = arguments.texts("paths");
    let hosts = arguments.texts("hosts");
    if paths.is_empty() && hosts.is_empty() {
        return Err(ToolFault::EmptyField {
            tool: "request",
            field: "paths",
        });
    }
    Ok(Intent::Request {
        paths: paths.iter().map(|path| below(path, root)).collect(),
        hosts,
        reason: arguments.words("reason")?,
    })
}

/// An absolute path or pattern below the root is one from the root; the guard judges every other.
fn below(path: &str, root: &Path) -> String {
    let root = root.to_string_lossy();
    let rest = path.trim().strip_prefix(&*root);
    let rest = rest.and_then(|rest| rest.strip_prefix('/'));
    rest.unwrap_or(path.trim()).to_owned()
}

fn search(arguments: &mut Arguments, root: &Path) -> Result<Action, ToolFault> {
    Ok(Action::Search {
        query: arguments.words("query")?,
        path: arguments.folder("path", root)?,
        glob: arguments
            .maybe_text("glob")
            .filter(|glob| !glob.trim().is_empty()),
        context: arguments
            .count("context")
            .map_or(0, |lines| lines.min(CONTEXT_LINES_MAX)),
    })
}

fn shell(arguments: &mut Arguments, root: &Path) -> Result<Action, ToolFault> {
    Ok(Action::Run {
        command: arguments.words("command")?,
        cwd: arguments.folder("cwd", root)?,
        background: arguments.flag("background"),
    })
}

fn write(arguments: &mut Arguments, root: &Path) -> Result<Action, ToolFault> {
    Ok(Action::Write {
        path: arguments.file("path", root)?,
        content: arguments.text("content")?,
    })
}

#[cfg(test)]
mod tests;
