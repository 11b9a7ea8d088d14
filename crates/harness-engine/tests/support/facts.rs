//! The facts that runs in tests are made of. Shared by the simulation and the rules.

use std::time::Duration;

use harness_core::{
    AssistantPart, ByteCount, Captured, CheckReport, CheckStatus, CommitId, DirtyMode, Feature,
    Gate, Goal, Level, Limits, ModelProfile, Policy, RepoPath, Roles, RunId, RunState, ScopeRules,
    SessionId, SessionOpened, Sourced, Stop, Timestamp, TokenCount, ToolCall, TreeId,
};

/// Where the repository of every test lies.
pub(crate) const ROOT: &str = "/home/me/demo";

pub(crate) fn tree(number: u64) -> TreeId {
    format!("{number:040x}").parse().unwrap()
}

pub(crate) fn commit(number: u64) -> CommitId {
    format!("{number:040x}").parse().unwrap()
}

pub(crate) fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

pub(crate) fn gate(name: &str) -> Gate {
    Gate {
        timeout: Duration::from_secs(60),
        ..Gate::named(name, vec!["make".to_owned(), name.to_owned()])
    }
}

pub(crate) fn policy(gates: Vec<Gate>) -> Policy {
    let sourced = |patterns: &[&str]| patterns.iter().copied().map(Sourced::built_in).collect();
    Policy {
        scope: ScopeRules {
            write: sourced(&["src/**", "link/**"]),
            deny: sourced(&["src/generated/**"]),
            hide: sourced(&[".env"]),
            protect: sourced(&["src/schema.rs"]),
            build: Vec::new(),
            host_owned: Vec::new(),
        },
        gates,
        commands: Vec::new(),
        limits: Limits {
            output: ByteCount::kib(64),
            ..Limits::default()
        },
        isolate: true,
        feature_file: path("feature_list.json"),
        progress_file: path("progress.md"),
        map_file: "AGENTS.md".to_owned(),
        context_budget: TokenCount(16_000),
        network: Vec::new(),
        network_closed: String::new(),
        formats: Vec::new(),
        amendments: Vec::new(),
        review: harness_core::ReviewBy::None,
    }
}

pub(crate) fn run_state(goal: Goal, features: Vec<Feature>, policy: Policy) -> RunState {
    RunState {
        run: RunId::new(1),
        started_at: Timestamp::from_millis(0),
        goal,
        policy,
        features,
        model: ModelProfile {
            name: "scripted".to_owned(),
            id: "scripted-1".to_owned(),
            provider: String::new(),
            context: TokenCount(100_000),
            output: TokenCount(4_000),
            price: None,
            effort: None,
            beyond: None,
            recorded: false,
        },
        fallback: Vec::new(),
        roles: Roles::default(),
        attended: false,
        steered: false,
        dirty: DirtyMode::Refuse,
        base: commit(1),
        tip: commit(1),
        work_start: None,
        given_up: Vec::new(),
        attempts: 0,
        usage: harness_core::Usage::default(),
        spent: harness_core::Money(0),
        by_hand: None,
        approved: Vec::new(),
        account: harness_core::Account::default(),
        prompts: std::collections::BTreeMap::new(),
        kept: harness_core::Kept::default(),
        work: Vec::new(),
        lands: None,
    }
}

/// Opens session `number` on what the engine asked for.
pub(crate) fn opened(
    number: u32,
    run: &RunState,
    feature: &Feature,
    start: TreeId,
) -> SessionOpened {
    SessionOpened {
        session: SessionId::new(number),
        run: run.clone(),
        feature: feature.id.clone(),
        repository: "demo".to_owned(),
        root: ROOT.to_owned(),
        branch: "harness/R-0001".to_owned(),
        level: Level::Namespaces,
        start_tree: start,
        start_checkpoint: commit(u64::from(number) + 1_000),
        sources: Vec::new(),
        documents: None,
    }
}

pub(crate) fn report(gate: &Gate, status: CheckStatus) -> CheckReport {
    let is_green = status == CheckStatus::Green;
    let text = |words: &str| {
        if is_green {
            String::new()
        } else {
            words.to_owned()
        }
    };
    CheckReport {
        gate: gate.name.clone(),
        argv: gate.run.clone(),
        stop: Some(Stop::Exited(i32::from(!is_green))),
        ms: 10,
        status,
        reason: text("exit code 1"),
        tests: None,
        failed_tests: Vec::new(),
        excerpt: text("assertion failed: left == right"),
        output: Captured::default(),
        output_sha256: String::new(),
        retried: false,
    }
}

pub(crate) fn call(id: &str, tool: &str, arguments: &str) -> AssistantPart {
    AssistantPart::ToolCall(ToolCall {
        id: id.to_owned(),
        name: tool.to_owned(),
        arguments: arguments.to_owned(),
    })
}
