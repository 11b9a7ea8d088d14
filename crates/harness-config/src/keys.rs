//! The table of every key the files may hold: the one list that reading,
//! suggestions and the reference files are checked against.
//!
//! Says which keys exist and what kind of value each takes; what a value means
//! is decided by the module that reads its table. Called by `walk`.

/// What stands behind a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// A string.
    Text,
    /// A list of strings.
    Texts,
    /// A whole number.
    Whole,
    /// A number, whole or not.
    Number,
    /// `true` or `false`.
    Flag,
    /// One table.
    Table(&'static [Key]),
    /// A list of tables, such as `[[gate]]`.
    Tables(&'static [Key]),
    /// A table of tables under names of the person's choice, such as `[model.NAME]`.
    Named(&'static [Key]),
    /// A table with keys of its own beside tables under names, as `[agent]` and `[agent.NAME]`.
    TableAndNamed(&'static [Key], &'static [Key]),
    /// A table whose content another part of the program reads.
    Open,
}

impl Shape {
    /// Returns what a file must hold there, for messages.
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Texts => "a list of strings",
            Self::Whole => "a whole number",
            Self::Number => "a number",
            Self::Flag => "`true` or `false`",
            Self::Table(_) | Self::Named(_) | Self::TableAndNamed(..) | Self::Open => "a table",
            Self::Tables(_) => "a list of tables",
        }
    }
}

/// One key of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
}

const fn key(name: &'static str, shape: Shape) -> Key {
    Key {
        name,
        shape,
        required: false,
    }
}

const fn required(name: &'static str, shape: Shape) -> Key {
    Key {
        name,
        shape,
        required: true,
    }
}

/// Which file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// `harness.toml`, committed: narrows, and never names providers or keys.
    Repository,
    /// The person's own file.
    User,
    /// The rules that a person had saved.
    Saved,
}

impl Owner {
    pub(crate) const fn keys(self) -> &'static [Key] {
        match self {
            Self::Repository => REPOSITORY,
            Self::User => USER,
            Self::Saved => SAVED,
        }
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Repository | Self::Saved => Self::User,
            Self::User => Self::Repository,
        }
    }

    /// Returns how a message names this kind of file.
    pub(crate) const fn phrase(self) -> &'static str {
        match self {
            Self::Repository => "the repository's `harness.toml`",
            Self::User => "the user file",
            Self::Saved => "the file of saved rules",
        }
    }
}

const REPOSITORY: &[Key] = &[
    key(
        "scope",
        Shape::Table(&[
            key("write", Shape::Texts),
            key("build", Shape::Texts),
            key("deny", Shape::Texts),
            key("hide", Shape::Texts),
        ]),
    ),
    key("protect", Shape::Table(&[key("paths", Shape::Texts)])),
    key("features", Shape::Table(&[key("file", Shape::Text)])),
    key("setup", Shape::Tables(SETUP)),
    key("format", Shape::Tables(FORMAT)),
    key("gate", Shape::Tables(GATE)),
    key(
        "gates",
        Shape::Table(&[
            key("isolate", Shape::Flag),
            key("link", Shape::Texts),
            key("review", Shape::Text),
        ]),
    ),
    key("rule", Shape::Tables(RULE)),
    key("limits", Shape::Table(LIMITS)),
    key(
        "context",
        Shape::Table(&[key("map", Shape::Text), key("budget", Shape::Text)]),
    ),
    key(
        "sandbox",
        Shape::Table(&[
            key("network", Shape::Texts),
            key("memory", Shape::Text),
            key("processes", Shape::Whole),
        ]),
    ),
    key("agent", Shape::Table(AGENT_CHOICE)),
    key("role", Shape::Table(ROLES)),
];

const USER: &[Key] = &[
    key("model", Shape::Named(MODEL)),
    key("agent", Shape::TableAndNamed(AGENT_CHOICE, AGENT)),
    key("role", Shape::Table(ROLES)),
    key("limits", Shape::Table(LIMITS)),
    key("sandbox", Shape::Table(USER_SANDBOX)),
    key("gates", Shape::Table(USER_GATES)),
    key("rule", Shape::Tables(PERSON_RULE)),
    key(
        "repo",
        Shape::Named(&[
            key("agent", Shape::Table(AGENT_CHOICE)),
            key("role", Shape::Table(ROLES)),
            key("limits", Shape::Table(LIMITS)),
            key("sandbox", Shape::Table(USER_SANDBOX)),
            key("gates", Shape::Table(USER_GATES)),
        ]),
    ),
    key(
        "ui",
        Shape::Table(&[
            key("ascii", Shape::Flag),
            key("screen_reader", Shape::Flag),
            key("theme", Shape::Text),
            key("motion", Shape::Text),
            key("mouse", Shape::Flag),
        ]),
    ),
    key("keys", Shape::Open),
    key("composer", Shape::Table(&[key("keys", Shape::Text)])),
    key(
        "notify",
        Shape::Table(&[key("method", Shape::Text), key("command", Shape::Texts)]),
    ),
];

/// How gates run is the repository's; that somebody reviews, a person can want everywhere.
const USER_GATES: &[Key] = &[key("review", Shape::Text)];

const SAVED: &[Key] = &[key("rule", Shape::Tables(PERSON_RULE))];

const RULE: &[Key] = &RULE_KEYS;

const RULE_KEYS: [Key; 6] = [
    required("command", Shape::Texts),
    key("exact", Shape::Flag),
    required("decision", Shape::Text),
    key("reason", Shape::Text),
    key("match", Shape::Texts),
    key("not_match", Shape::Texts),
];

/// A person's rule says which repository it is for, where it is not for all.
const PERSON_RULE: &[Key] = &{
    let [command, exact, decision, reason, is_match, no_match] = RULE_KEYS;
    let repository = key("repository", Shape::Text);
    [
        command, exact, decision, reason, is_match, no_match, repository,
    ]
};

const SETUP: &[Key] = &[
    required("run", Shape::Texts),
    key("network", Shape::Texts),
    key("when", Shape::Texts),
];

const FORMAT: &[Key] = &[
    required("run", Shape::Texts),
    required("paths", Shape::Texts),
    key("timeout", Shape::Text),
];

const GATE: &[Key] = &[
    required("name", Shape::Text),
    required("run", Shape::Texts),
    key("cwd", Shape::Text),
    key("environment", Shape::Texts),
    key("timeout", Shape::Text),
    key("report", Shape::Text),
    key("report_file", Shape::Text),
    key("min_tests", Shape::Whole),
    key("when", Shape::Text),
    key("baseline", Shape::Text),
    key("paths", Shape::Texts),
    key("flaky_retries", Shape::Whole),
];

const LIMITS: &[Key] = &[
    key("usd", Shape::Number),
    key("day_usd", Shape::Number),
    key("session_usd", Shape::Number),
    key("feature_usd", Shape::Number),
    key("turns", Shape::Whole),
    key("minutes", Shape::Whole),
    key("attempts", Shape::Whole),
    key("output", Shape::Text),
    key("command", Shape::Text),
    key("silence", Shape::Text),
    key("patience", Shape::Text),
    key("idle", Shape::Text),
];

const USER_SANDBOX: &[Key] = &[
    key("network", Shape::Texts),
    key("offline", Shape::Flag),
    key("read", Shape::Texts),
    key("memory", Shape::Text),
    key("processes", Shape::Whole),
];

const AGENT_CHOICE: &[Key] = &[
    key("use", Shape::Text),
    key("model", Shape::Text),
    key("effort", Shape::Text),
    key("fallback", Shape::Texts),
];

const ROLES: &[Key] = &[
    key("cheap", Shape::Table(ROLE)),
    key("reviewer", Shape::Table(ROLE)),
];

const ROLE: &[Key] = &[key("model", Shape::Text), key("effort", Shape::Text)];

const AGENT: &[Key] = &[required("kind", Shape::Text), key("command", Shape::Texts)];

const MODEL: &[Key] = &[
    required("api", Shape::Text),
    required("id", Shape::Text),
    key("server", Shape::Text),
    key("base_url", Shape::Text),
    key("key_env", Shape::Text),
    key("key_command", Shape::Texts),
    key("context", Shape::Text),
    key("output", Shape::Text),
    key("images", Shape::Flag),
    key("effort", Shape::Text),
    key(
        "price",
        Shape::Table(&[
            required("input", Shape::Number),
            required("output", Shape::Number),
            key("cache_read", Shape::Number),
            key("cache_write", Shape::Number),
        ]),
    ),
];

/// Finds a table, named as its header is written, that has a key of this name.
///
/// For a key that stands in the wrong table.
pub(crate) fn table_with(keys: &'static [Key], name: &str) -> Option<String> {
    keys.iter().find_map(|outer| {
        let has = |inner: &[Key]| inner.iter().any(|key| key.name == name);
        match outer.shape {
            Shape::Table(inner) if has(inner) => Some(format!("[{}]", outer.name)),
            Shape::TableAndNamed(inner, _) if has(inner) => Some(format!("[{}]", outer.name)),
            Shape::Tables(inner) if has(inner) => Some(format!("[[{}]]", outer.name)),
            Shape::Named(inner) | Shape::TableAndNamed(_, inner) if has(inner) => {
                Some(format!("[{}.NAME]", outer.name))
            }
            _ => None,
        }
    })
}
