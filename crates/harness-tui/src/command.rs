//! The key table: every command with its name, its place, its keys and its help.
//!
//! Footers, help and palette are made from it, and nothing else binds a key.

/// Where a key has its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Wherever no other place gives the key a meaning.
    Everywhere,
    /// The composer has the focus.
    Composer,
    /// The transcript has the focus.
    Transcript,
    /// A question waits for a decision.
    Question,
    /// A line is typed into a question.
    Line,
    /// Help or a list lies over the screen.
    Overlay,
    /// A page is open, or a text lies over it: what all pages have in common.
    Page,
    /// A line is typed on a page.
    Prompt,
    /// The review page.
    Review,
    /// The features page.
    Features,
    /// The gates page.
    Gates,
    /// The checkpoints page.
    Checkpoints,
    /// The sessions page.
    Sessions,
    /// The page of the first run.
    First,
    /// Names or earlier texts are offered above the composer.
    Offer,
    /// Words to look for in the transcript are typed.
    Find,
}

impl Place {
    /// Every place, in the order of the help.
    pub const ALL: [Self; 16] = [
        Self::Everywhere,
        Self::Composer,
        Self::Offer,
        Self::Transcript,
        Self::Page,
        Self::Review,
        Self::Features,
        Self::Gates,
        Self::Checkpoints,
        Self::Sessions,
        Self::First,
        Self::Find,
        Self::Question,
        Self::Line,
        Self::Prompt,
        Self::Overlay,
    ];

    /// Returns where a key has its meaning when it has none here.
    pub const fn beyond(self) -> Option<Self> {
        match self {
            Self::Everywhere => None,
            Self::Review
            | Self::Features
            | Self::Gates
            | Self::Checkpoints
            | Self::Sessions
            | Self::First => Some(Self::Page),
            // A line is edited as the composer's text is.
            Self::Prompt => Some(Self::Composer),
            _ => Some(Self::Everywhere),
        }
    }

    /// Whether its keys move about or type, so that nobody would look for them in the palette.
    pub const fn is_by_hand(self) -> bool {
        matches!(
            self,
            Self::Overlay
                | Self::Question
                | Self::Line
                | Self::Page
                | Self::Prompt
                | Self::Offer
                | Self::Find
        )
    }

    /// Returns the heading of the help.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Composer => "Composer",
            Self::Transcript => "Transcript",
            Self::Question => "Question",
            Self::Line => "Line in a question",
            Self::Overlay => "Lists and help",
            Self::Page => "Pages",
            Self::Prompt => "Line on a page",
            Self::Review => "Review",
            Self::Features => "Features",
            Self::Gates => "Gates",
            Self::Checkpoints => "Checkpoints",
            Self::Sessions => "Sessions",
            Self::First => "First run",
            Self::Offer => "What is offered above the composer",
            Self::Find => "Words to find in the transcript",
        }
    }
}

/// What a person can do with one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the table says what each one does")]
pub enum Command {
    Help,
    Palette,
    FocusNext,
    FocusPrevious,
    Back,
    Interrupt,
    Suspend,
    Redraw,
    Quit,
    RunAll,
    Plan,
    Resume,
    Land,
    LetGatesDecide,
    TakeBack,
    PutOff,
    Rewind,
    Send,
    SendNow,
    Newline,
    LineStart,
    LineEnd,
    CharBack,
    CharForward,
    WordBack,
    WordForward,
    LineUp,
    LineDown,
    DeleteBack,
    DeleteForward,
    DeleteWordBack,
    DeleteWordForward,
    DeleteToStart,
    DeleteToEnd,
    Yank,
    HistoryPrevious,
    HistoryNext,
    HistorySearch,
    ScrollPageUp,
    ScrollPageDown,
    EntryUp,
    EntryDown,
    HalfUp,
    HalfDown,
    Top,
    Follow,
    Unfold,
    TurnPrevious,
    TurnNext,
    Leave,
    Yes,
    No,
    ForSession,
    Always,
    EditRule,
    Never,
    LeaveOut,
    Accept,
    Erase,
    QuestionUp,
    QuestionDown,
    QuestionPageUp,
    QuestionPageDown,
    ListUp,
    ListDown,
    ListPageUp,
    ListPageDown,
    Choose,
    Close,
    ShowSession,
    ShowReview,
    ShowFeatures,
    ShowGates,
    ShowCheckpoints,
    ShowSessions,
    ShowFirst,
    FirstNumber1,
    FirstNumber2,
    FirstNumber3,
    FirstNumber4,
    FirstWrite,
    FirstScopes,
    FirstGates,
    RowUp,
    RowDown,
    RowHalfUp,
    RowHalfDown,
    RowPageUp,
    RowPageDown,
    RowFirst,
    RowLast,
    Open,
    Find,
    FindNext,
    FindPrevious,
    LeavePage,
    TakeLine,
    FeatureRun,
    FeatureNew,
    FeatureEdit,
    FeatureBlock,
    FeatureFinish,
    FeatureEarlier,
    FeatureLater,
    GateRun,
    GateRunAll,
    FailureNext,
    FailurePrevious,
    GateOpen,
    GateTell,
    CheckpointCompare,
    CheckpointUndo,
    SessionFork,
    SessionRename,
    SessionArchive,
    SessionsEverywhere,
    ReviewHunkNext,
    ReviewHunkPrevious,
    ReviewFileNext,
    ReviewFilePrevious,
    ReviewCommentNext,
    ReviewCommentPrevious,
    ReviewAccept,
    ReviewReject,
    ReviewToggle,
    ReviewLines,
    ReviewUndo,
    ReviewComment,
    ReviewCommentFile,
    ReviewCommentChange,
    ReviewWithdraw,
    ReviewResolve,
    ReviewSend,
    ReviewBase,
    ReviewCheckpointPrevious,
    ReviewCheckpointNext,
    ReviewLayout,
    ReviewContext,
    ReviewWrap,
    ReviewWhitespace,
    ReviewHideDone,
    ReviewEditor,
    ReviewCopy,
    OfferUp,
    OfferDown,
    OfferTake,
    OfferClose,
    Editor,
    Seek,
    SeekNext,
    SeekPrevious,
    SeekAccept,
    SeekErase,
    SeekClose,
    Copy,
    CopyAnswer,
    ReadAll,
    EditAll,
    Shell,
    Mouse,
}

/// One row of the key table.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The command.
    pub command: Command,
    /// Its name in `[keys]`.
    pub name: &'static str,
    /// Where its keys count.
    pub place: Place,
    /// Its keys as shipped, the one for the footer first; none for commands of the palette alone.
    pub keys: &'static [&'static str],
    /// One or two words for footers.
    pub label: &'static str,
    /// What it does, for help and palette.
    pub help: &'static str,
    /// Whether `[keys]` may change its keys.
    pub binding: Binding,
}

/// Whether a person may bind other keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// `[keys]` may name others.
    Free,
    /// The keys are fixed: a way out and a decision must always be where they are.
    Fixed,
}

const fn row(
    command: Command,
    name: &'static str,
    place: Place,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
) -> Entry {
    Entry {
        command,
        name,
        place,
        keys,
        label,
        help,
        binding: Binding::Free,
    }
}

const fn fixed(entry: Entry) -> Entry {
    Entry {
        binding: Binding::Fixed,
        ..entry
    }
}

use Command as C;
use Place::{
    Checkpoints, Composer, Everywhere, Features, Find, First, Gates, Line, Offer, Overlay, Page,
    Prompt, Question, Review, Sessions, Transcript,
};

/// Every command, in the order of the help.
#[rustfmt::skip]
pub const COMMANDS: &[Entry] = &[
    row(C::Help, "help.open", Everywhere, &["f1"], "help", "Show the keys as they are bound now"),
    row(C::Palette, "palette.open", Everywhere, &["ctrl+p"], "commands", "Find a command by a few letters"),
    row(C::ShowSession, "session.show", Everywhere, &["f2"], "session", "Show the session: what is said and done"),
    row(C::ShowReview, "review.show", Everywhere, &["f3"], "review", "Show the changes to review"),
    row(C::ShowFeatures, "features.show", Everywhere, &["f4"], "features", "Show the features and how far they are"),
    row(C::ShowGates, "gates.show", Everywhere, &["f5"], "gates", "Show the gates and how they came out"),
    row(C::ShowCheckpoints, "checkpoints.show", Everywhere, &["f6"], "checkpoints", "Show what was saved, to compare it and to go back"),
    row(C::ShowSessions, "sessions.show", Everywhere, &[], "sessions", "Show earlier sessions, to go on with one (also: /sessions)"),
    row(C::ShowFirst, "first.show", Everywhere, &[], "first run", "Show what a first run offers: who does the work, what is written down"),
    row(C::FocusNext, "focus.next", Everywhere, &["tab"], "focus", "Give the focus to the next pane"),
    row(C::FocusPrevious, "focus.previous", Everywhere, &["shift+tab"], "focus", "Give the focus to the pane before"),
    fixed(row(C::Back, "session.stop", Everywhere, &["esc"], "stop", "Go back, or stop the agent after the step in hand; once more: now")),
    row(C::Interrupt, "session.interrupt", Everywhere, &["ctrl+c"], "stop now", "Clear the text, then stop the agent now, then quit")   ,
    row(C::LetGatesDecide, "session.gates", Everywhere, &["alt+g"], "gates", "Let the gates decide whether the feature is done"),
    row(C::TakeBack, "session.take_back", Everywhere, &["ctrl+t"], "take back", "Take back the last text that waits for the next turn"),
    row(C::PutOff, "session.later", Everywhere, &["alt+l"], "later", "Leave the agent's question for later: the feature waits, others go on"),
    row(C::RunAll, "run.all", Everywhere, &[], "run", "Work on all features of the list"),
    row(C::Plan, "run.plan", Everywhere, &[], "plan", "Have features proposed for a goal (also: /plan GOAL)"),
    row(C::Resume, "run.resume", Everywhere, &[], "resume", "Go on with the last session"),
    row(C::Land, "run.land", Everywhere, &[], "land", "Bring the proven features to your branch"),
    row(C::Quit, "app.quit", Everywhere, &[], "quit", "Quit; a run at work is stopped in order first"),
    row(C::Suspend, "app.suspend", Everywhere, &["ctrl+z"], "suspend", "Suspend the program; `fg` brings it back"),
    row(C::Shell, "app.shell", Everywhere, &[], "shell", "Open your own shell in this folder; nothing guards it"),
    row(C::Mouse, "app.mouse", Everywhere, &[], "mouse", "Let the wheel of the mouse scroll here, or leave the mouse to the terminal"),
    row(C::Redraw, "app.redraw", Everywhere, &["ctrl+l"], "redraw", "Draw everything anew"),

    row(C::Send, "composer.send", Composer, &["enter"], "send", "Send the text: a task, an answer, or words for the next turn"),
    row(C::SendNow, "composer.send_now", Composer, &["ctrl+enter"], "send now", "Send the text and interrupt the turn (also: /now TEXT)"),
    row(C::Newline, "composer.newline", Composer, &["ctrl+j", "alt+enter"], "new line", "Begin a new line"),
    row(C::LineStart, "composer.line_start", Composer, &["ctrl+a", "home"], "start", "Go to the start of the line"),
    row(C::LineEnd, "composer.line_end", Composer, &["ctrl+e", "end"], "end", "Go to the end of the line; without a text: follow the transcript"),
    row(C::CharBack, "composer.back", Composer, &["ctrl+b", "left"], "left", "Go back one character"),
    row(C::CharForward, "composer.forward", Composer, &["ctrl+f", "right"], "right", "Go forward one character"),
    row(C::WordBack, "composer.word_back", Composer, &["alt+b", "ctrl+left"], "word left", "Go back one word"),
    row(C::WordForward, "composer.word_forward", Composer, &["alt+f", "ctrl+right"], "word right", "Go forward one word"),
    row(C::LineUp, "composer.up", Composer, &["up"], "up", "Go up inside a text of several lines, else scroll the transcript"),
    row(C::LineDown, "composer.down", Composer, &["down"], "down", "Go down inside a text of several lines, else scroll the transcript"),
    row(C::DeleteBack, "composer.delete_back", Composer, &["backspace", "ctrl+h"], "delete", "Delete the character before"),
    row(C::DeleteForward, "composer.delete_forward", Composer, &["ctrl+d", "delete"], "delete", "Delete the character behind; Ctrl+D without a text quits"),
    row(C::DeleteWordBack, "composer.delete_word_back", Composer, &["ctrl+w", "alt+backspace"], "delete word", "Delete the word before"),
    row(C::DeleteWordForward, "composer.delete_word_forward", Composer, &["alt+d"], "delete word", "Delete the word behind"),
    row(C::DeleteToStart, "composer.delete_to_start", Composer, &["ctrl+u"], "delete", "Delete to the start of the line"),
    row(C::DeleteToEnd, "composer.delete_to_end", Composer, &["ctrl+k"], "delete", "Delete to the end of the line"),
    row(C::Yank, "composer.yank", Composer, &["ctrl+y"], "put back", "Put back what was deleted last"),
    row(C::HistoryPrevious, "composer.history_previous", Composer, &["alt+up"], "earlier", "Bring back an earlier text"),
    row(C::HistoryNext, "composer.history_next", Composer, &["alt+down"], "later", "Go to a later text"),
    row(C::HistorySearch, "composer.history_search", Composer, &["ctrl+r"], "history", "Find an earlier text by a few letters"),
    row(C::Editor, "composer.editor", Composer, &["ctrl+g"], "editor", "Write the text in $VISUAL or $EDITOR"),
    row(C::ScrollPageUp, "composer.page_up", Composer, &["pgup"], "page up", "Scroll the transcript a page up"),
    row(C::ScrollPageDown, "composer.page_down", Composer, &["pgdn"], "page down", "Scroll the transcript a page down"),

    row(C::OfferUp, "offer.up", Offer, &["up", "ctrl+p"], "up", "Go to the one above"),
    row(C::OfferDown, "offer.down", Offer, &["down", "ctrl+n", "ctrl+r"], "down", "Go to the next one"),
    fixed(row(C::OfferTake, "offer.take", Offer, &["enter", "tab"], "take", "Take what is chosen into the text")),
    fixed(row(C::OfferClose, "offer.close", Offer, &["esc"], "close", "Go on without it")),

    row(C::EntryUp, "transcript.up", Transcript, &["k", "up"], "up", "Go to the entry above"),
    row(C::EntryDown, "transcript.down", Transcript, &["j", "down"], "down", "Go to the entry below"),
    row(C::HalfUp, "transcript.half_up", Transcript, &["ctrl+u"], "half page", "Scroll half a page up"),
    row(C::HalfDown, "transcript.half_down", Transcript, &["ctrl+d"], "half page", "Scroll half a page down"),
    row(C::ScrollPageUp, "transcript.page_up", Transcript, &["pgup"], "page", "Scroll a page up"),
    row(C::ScrollPageDown, "transcript.page_down", Transcript, &["pgdn"], "page", "Scroll a page down"),
    row(C::Top, "transcript.top", Transcript, &["g", "home"], "top", "Go to the first entry"),
    row(C::Follow, "transcript.follow", Transcript, &["G", "end"], "follow", "Go to the end and follow what comes"),
    row(C::Unfold, "transcript.unfold", Transcript, &["enter"], "unfold", "Unfold the entry, or fold it again"),
    row(C::Seek, "transcript.find", Transcript, &["/"], "find", "Find words in the transcript"),
    row(C::SeekNext, "transcript.find_next", Transcript, &["n"], "next", "Go to the next place where they stand"),
    row(C::SeekPrevious, "transcript.find_previous", Transcript, &["N"], "previous", "Go to the place before where they stand"),
    row(C::Copy, "transcript.copy", Transcript, &["y"], "copy", "Copy this entry to the clipboard"),
    row(C::CopyAnswer, "transcript.copy_answer", Transcript, &["Y"], "copy answer", "Copy the agent's last answer to the clipboard"),
    row(C::ReadAll, "transcript.read", Transcript, &["v"], "pager", "Read everything in $PAGER"),
    row(C::EditAll, "transcript.edit", Transcript, &["e"], "editor", "Open a copy of everything in $VISUAL or $EDITOR"),
    row(C::TurnPrevious, "transcript.turn_previous", Transcript, &["["], "turn", "Go to the turn before"),
    row(C::TurnNext, "transcript.turn_next", Transcript, &["]"], "turn", "Go to the next turn"),
    row(C::Rewind, "transcript.rewind", Transcript, &["r"], "rewind", "Go back to before this turn's answer (also: /rewind TURN talk|files|both)"),
    row(C::Help, "transcript.help", Transcript, &["?"], "help", "Show the keys as they are bound now"),
    row(C::Leave, "transcript.leave", Transcript, &["q"], "back", "Go back to the composer"),

    row(C::RowDown, "page.down", Page, &["j", "down"], "down", "Go a row down"),
    row(C::RowUp, "page.up", Page, &["k", "up"], "up", "Go a row up"),
    row(C::RowHalfDown, "page.half_down", Page, &["ctrl+d"], "half page", "Go half a page down"),
    row(C::RowHalfUp, "page.half_up", Page, &["ctrl+u"], "half page", "Go half a page up"),
    row(C::RowPageDown, "page.page_down", Page, &["pgdn", "space"], "page", "Go a page down"),
    row(C::RowPageUp, "page.page_up", Page, &["pgup"], "page", "Go a page up"),
    row(C::RowFirst, "page.first", Page, &["g", "home"], "top", "Go to the first row"),
    row(C::RowLast, "page.last", Page, &["G", "end"], "end", "Go to the last row"),
    row(C::Open, "page.open", Page, &["enter"], "open", "Open what is chosen"),
    row(C::Find, "page.find", Page, &["/"], "filter", "Keep the rows with these letters; in a text, find them"),
    row(C::FindNext, "page.find_next", Page, &["n", ";"], "next", "Go to the next match"),
    row(C::FindPrevious, "page.find_previous", Page, &["N", ","], "previous", "Go to the match before"),
    row(C::LeavePage, "page.back", Page, &["q"], "back", "Close the text, or go back to the session"),
    row(C::Help, "page.help", Page, &["?"], "help", "Show the keys as they are bound now"),

    row(C::ReviewHunkNext, "review.hunk_next", Review, &["]"], "hunk", "Go to the next hunk, over the ends of files"),
    row(C::ReviewHunkPrevious, "review.hunk_previous", Review, &["["], "hunk", "Go to the hunk before"),
    row(C::ReviewFileNext, "review.file_next", Review, &["n"], "file", "Go to the next file"),
    row(C::ReviewFilePrevious, "review.file_previous", Review, &["p"], "file", "Go to the file before"),
    row(C::ReviewCommentNext, "review.comment_next", Review, &["m"], "comment", "Go to the next comment"),
    row(C::ReviewCommentPrevious, "review.comment_previous", Review, &["M"], "comment", "Go to the comment before"),
    row(C::ReviewAccept, "review.accept", Review, &["a"], "accept", "Accept the hunk, or the selected lines: a mark alone, no file moves"),
    row(C::ReviewReject, "review.reject", Review, &["x"], "reject", "Reject the hunk or the selected lines, with a reason: taken back at the end of the turn"),
    row(C::ReviewToggle, "review.toggle", Review, &["space"], "toggle", "Accept the hunk, or take the decision about it back"),
    row(C::ReviewLines, "review.lines", Review, &["v"], "lines", "Select lines of the hunk, to decide or comment a part of it"),
    row(C::ReviewUndo, "review.undo", Review, &["u"], "undo", "Take the last decision back"),
    row(C::ReviewComment, "review.comment", Review, &["c"], "comment", "Comment on the line, or on the selected lines; tab changes the kind"),
    row(C::ReviewCommentFile, "review.comment_file", Review, &["C"], "comment file", "Comment on the file"),
    row(C::ReviewCommentChange, "review.comment_change", Review, &[], "comment all", "Comment on the whole change"),
    row(C::ReviewWithdraw, "review.withdraw", Review, &["D"], "withdraw", "Take away the draft that you stand on; enter changes it"),
    row(C::ReviewResolve, "review.resolve", Review, &["R"], "resolve", "Say that you are content with a comment, or open it again; enter answers it"),
    row(C::ReviewSend, "review.send", Review, &["S"], "send", "Send all drafts to the agent, and have rejections carried out where no run does it"),
    row(C::ReviewBase, "review.base", Review, &["b"], "base", "Choose what the change is seen against"),
    row(C::ReviewCheckpointPrevious, "review.checkpoint_previous", Review, &["("], "checkpoint", "See what the checkpoint before changed"),
    row(C::ReviewCheckpointNext, "review.checkpoint_next", Review, &[")"], "checkpoint", "See what the next checkpoint changed"),
    row(C::ReviewLayout, "review.layout", Review, &["t"], "layout", "Put both texts beside each other, or one below the other"),
    row(C::ReviewContext, "review.context", Review, &["z"], "context", "Show more lines around the hunks"),
    row(C::ReviewWrap, "review.wrap", Review, &["w"], "wrap", "Wrap long lines, or cut them"),
    row(C::ReviewWhitespace, "review.whitespace", Review, &["W"], "white space", "Name hunks of white space only, or show them"),
    row(C::ReviewHideDone, "review.hide_done", Review, &["o"], "hide done", "Hide the files that are done"),
    row(C::ReviewEditor, "review.editor", Review, &["e"], "editor", "Open the file in the editor at this line"),
    row(C::ReviewCopy, "review.copy", Review, &["y"], "copy", "Copy the whole review as Markdown"),

    row(C::FeatureRun, "feature.run", Features, &["r"], "run", "Work on the chosen feature"),
    row(C::FeatureNew, "feature.new", Features, &["n"], "new", "Add a feature: a title, and flags as of `harness feature add`"),
    row(C::FeatureEdit, "feature.edit", Features, &["e"], "edit", "Change the chosen feature: flags as of `harness feature amend`"),
    row(C::FeatureBlock, "feature.block", Features, &["b"], "block", "Say what the chosen feature waits for; reopen one that waits"),
    row(C::FeatureFinish, "feature.finish", Features, &["D"], "finish", "Run the gates on what you did by hand, and commit it only if they pass"),
    row(C::FeatureLater, "feature.later", Features, &["J"], "later", "Have the chosen feature worked on later"),
    row(C::FeatureEarlier, "feature.earlier", Features, &["K"], "earlier", "Have the chosen feature worked on earlier"),

    row(C::GateRun, "gate.run", Gates, &["r"], "run", "Run the chosen gate on the work tree as it is"),
    row(C::GateRunAll, "gate.run_all", Gates, &["R"], "all", "Run all gates on the work tree as it is"),
    row(C::FailureNext, "gate.failure_next", Gates, &["n"], "failure", "Go to the next gate that is not green"),
    row(C::FailurePrevious, "gate.failure_previous", Gates, &["N"], "failure", "Go to the gate before that is not green"),
    row(C::GateOpen, "gate.open", Gates, &["o"], "open", "Open the file where the chosen gate failed"),
    row(C::GateTell, "gate.tell", Gates, &["f"], "tell", "Tell the agent how the chosen gate failed"),

    row(C::CheckpointCompare, "checkpoint.compare", Checkpoints, &["d"], "compare", "Compare two: choose one, then the other"),
    row(C::CheckpointUndo, "checkpoint.undo", Checkpoints, &["u"], "undo", "Go back to the chosen checkpoint: files, talk or both"),

    row(C::SessionFork, "sessions.fork", Sessions, &["f"], "fork", "Go on from the chosen session in a new one"),
    row(C::SessionRename, "sessions.rename", Sessions, &["R"], "rename", "Give the chosen session a name"),
    row(C::SessionArchive, "sessions.archive", Sessions, &["x"], "archive", "Put the chosen session away"),
    row(C::SessionsEverywhere, "sessions.everywhere", Sessions, &["tab"], "all repos", "Show the sessions of all repositories, or of this one again"),

    row(C::FirstNumber1, "first.demo", First, &["1"], "demo", "Play the recorded demo in a repository of its own"),
    row(C::FirstNumber2, "first.local", First, &["2"], "local", "Have a model on this machine do the work"),
    row(C::FirstNumber3, "first.key", First, &["3"], "key", "Have a model do the work whose key is in the environment"),
    row(C::FirstNumber4, "first.nobody", First, &["4"], "nobody", "Work by hand: gates, review and checkpoints are there"),
    row(C::FirstScopes, "first.scopes", First, &["e"], "edit scopes", "Open harness.toml where its scopes stand"),
    row(C::FirstGates, "first.gates", First, &["g"], "edit gates", "Open harness.toml where its gates stand"),
    row(C::FirstWrite, "first.write", First, &["w"], "write harness.toml", "Write harness.toml and what goes with it, once it was shown"),

    fixed(row(C::TakeLine, "line.take", Prompt, &["enter"], "take", "Take the line")),
    fixed(row(C::SeekAccept, "find.accept", Find, &["enter"], "find", "Go on from the place that was found")),
    fixed(row(C::SeekErase, "find.erase", Find, &["backspace", "ctrl+h"], "delete", "Delete the last character")),
    fixed(row(C::SeekClose, "find.close", Find, &["esc"], "close", "Go back to where the search began")),

    fixed(row(C::Yes, "question.yes", Question, &["y"], "yes", "Say yes, once everything was shown")),
    fixed(row(C::No, "question.no", Question, &["n"], "no", "Say no; to an approval with a reason for the agent")),
    fixed(row(C::ForSession, "question.session", Question, &["s"], "session", "Approve exactly this for the rest of the session")),
    fixed(row(C::Always, "question.always", Question, &["a"], "always", "Approve it always, by the rule that is shown")),
    fixed(row(C::EditRule, "question.rule", Question, &["e"], "edit rule", "Edit the rule that `always` keeps")),
    fixed(row(C::Never, "question.never", Question, &["d"], "never", "Say no, and do not be asked again in this session")),
    fixed(row(C::LeaveOut, "question.leave_out", Question, &["o"], "leave out", "Take proposed features but for some")),
    row(C::QuestionUp, "question.up", Question, &["up", "k"], "up", "Scroll the question up"),
    row(C::QuestionDown, "question.down", Question, &["down", "j"], "down", "Scroll the question down"),
    row(C::QuestionPageUp, "question.page_up", Question, &["pgup"], "page up", "Scroll the question a page up"),
    row(C::QuestionPageDown, "question.page_down", Question, &["pgdn", "space"], "page down", "Scroll the question a page down"),

    fixed(row(C::Accept, "line.accept", Line, &["enter"], "take", "Take the line")),
    fixed(row(C::Erase, "line.erase", Line, &["backspace", "ctrl+h"], "delete", "Delete the last character")),

    row(C::ListUp, "list.up", Overlay, &["up", "ctrl+p"], "up", "Go up"),
    row(C::ListDown, "list.down", Overlay, &["down", "ctrl+n"], "down", "Go down"),
    row(C::ListPageUp, "list.page_up", Overlay, &["pgup"], "page up", "Go a page up"),
    row(C::ListPageDown, "list.page_down", Overlay, &["pgdn"], "page down", "Go a page down"),
    row(C::Choose, "list.choose", Overlay, &["enter"], "choose", "Take what is chosen"),
    fixed(row(C::Close, "list.close", Overlay, &["esc"], "close", "Close it")),
];
