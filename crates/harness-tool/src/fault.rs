//! Tool calls that make no sense, worded so that the next call can be right.

use harness_core::{ByteCount, PathError};

use crate::shape;

/// Why a tool call is not one: nothing was done, and the text goes to the model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToolFault {
    /// No tool has that name.
    #[error("there is no tool `{name}`{}; the tools are {}", suggestion(*nearest), shape::names())]
    UnknownTool {
        /// The name as called, shortened.
        name: String,
        /// The tool whose name is most alike.
        nearest: Option<&'static str>,
    },
    /// The arguments are longer than any call may be.
    #[error(
        "the arguments of `{tool}` are too long: {bytes}, at most {limit}; do it in smaller parts"
    )]
    TooLong {
        /// The tool.
        tool: &'static str,
        /// What was sent.
        bytes: ByteCount,
        /// What is taken.
        limit: ByteCount,
    },
    /// The arguments are not JSON.
    #[error(
        "the arguments of `{tool}` are not JSON ({problem}); {}",
        shape::usage(tool)
    )]
    NotJson {
        /// The tool.
        tool: &'static str,
        /// What the reader of JSON says, with line and column.
        problem: String,
    },
    /// The arguments are JSON, but not an object.
    #[error("the arguments of `{tool}` are not an object; {}", shape::usage(tool))]
    NotObject {
        /// The tool.
        tool: &'static str,
    },
    /// An argument the tool does not have.
    #[error("`{tool}` has no argument `{field}`{}; {}", suggestion(*meant), shape::usage(tool))]
    UnknownField {
        /// The tool.
        tool: &'static str,
        /// The argument, shortened.
        field: String,
        /// The argument that other tools of the kind call so.
        meant: Option<&'static str>,
    },
    /// An item of a list that is not what the list takes.
    #[error(
        "item {number} of `{field}` of `{tool}` {problem}; {}",
        shape::usage(tool)
    )]
    Item {
        /// The tool.
        tool: &'static str,
        /// The argument.
        field: &'static str,
        /// Which item, counted from 1.
        number: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A list longer than a call may have.
    #[error("`{field}` of `{tool}` has {count} items, at most {limit}; do it in smaller parts")]
    TooMany {
        /// The tool.
        tool: &'static str,
        /// The argument.
        field: &'static str,
        /// How many there are.
        count: usize,
        /// How many are taken.
        limit: usize,
    },
    /// An argument that is there twice: which one is meant cannot be known.
    #[error(
        "the arguments of `{tool}` name `{field}` twice; {}",
        shape::usage(tool)
    )]
    DuplicateField {
        /// The tool.
        tool: &'static str,
        /// The argument.
        field: &'static str,
    },
    /// An argument that is needed and not there.
    #[error("the arguments of `{tool}` lack `{field}`; {}", shape::usage(tool))]
    MissingField {
        /// The tool.
        tool: &'static str,
        /// The argument.
        field: &'static str,
    },
    /// An argument of another type.
    #[error("`{field}` of `{tool}` is {found}; {}", shape::usage(tool))]
    WrongType {
        /// The tool.
        tool: &'static str,
        /// The argument.
        field: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// An argument that says nothing.
    #[error("`{field}` of `{tool}` is empty; {}", shape::usage(tool))]
    EmptyField {
        /// The tool.
        tool: &'static str,
        /// The argument.
        field: &'static str,
    },
    /// Lines that no file has.
    #[error(
        "lines {first} to {last} are no range: lines are counted from 1, `first` is not above `last`"
    )]
    NoRange {
        /// As sent.
        first: u64,
        /// As sent.
        last: u64,
    },
    /// A plan that is none.
    #[error(
        "the plan was not set: {problem}; each item is one line that begins with `[ ]`, `[>]` (in work) or `[x]` (done)"
    )]
    Plan {
        /// What is wrong with it.
        problem: String,
    },
    /// A path that begins with `~`, which only a shell knows.
    #[error(
        "`{path}` begins with `~`: paths are relative to the repository's root and the home folder is out of reach; write `./~...` if a name really begins so"
    )]
    Home {
        /// The path, shortened.
        path: String,
    },
    /// A text that is not a path inside the repository.
    #[error(transparent)]
    Path(PathError),
    /// A proposal that cannot be read.
    #[error("the arguments of `propose` are no list of features: {problem}")]
    NotProposal {
        /// What is wrong, with the number of the feature.
        problem: String,
    },
    /// An answer to a comment that cannot be read.
    #[error("the arguments of `reply` are no number of a comment and a text: {problem}")]
    NotReply {
        /// What is wrong.
        problem: String,
    },
}

impl ToolFault {
    /// Whether the call reached for something outside the repository: a matter for
    /// the guard's record, not only a slip of the pen.
    pub const fn is_escape(&self) -> bool {
        matches!(
            self,
            Self::Home { .. } | Self::Path(PathError::Outside { .. } | PathError::Absolute { .. })
        )
    }
}

pub(crate) fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(", did you mean `{name}`?"))
}
