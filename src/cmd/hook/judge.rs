//! The work tree as it is, against HEAD: what was weakened, then the gates it concerns.

use harness_config::Resolved;
use harness_core::{
    Change, CheckReport, CheckStatus, Feature, Finding, FindingKind, Gate, RunId, ScopeRules,
    Sourced, TreeId,
};
use harness_gate::{evidence::gates_of, proof::own_gates};
use harness_guard::{Guard, Scope};
use harness_runner::{GateBench, GateCandidate, GatePlace, judge_work_tree};

use crate::{
    cli::{Common, RunOptions},
    cmd::work::Work,
    compose::{CONFIG_FILE, Site, any_feature},
    failure::{Failure, chain},
    session,
    trust::{self, Subject, Trusted},
};

/// The longest reason given to an agent. Unit: bytes; about 2,000 tokens.
const REASON_MAX: usize = 8 * 1024;
/// Findings that are named.
const FINDINGS_MAX: usize = 20;

/// What became of the work tree's judgement.
pub(super) enum Judgement {
    /// Nothing was executed; the text says why.
    Unjudged(String),
    /// Nothing stands against stopping; what a person should see is named.
    Green { named: Option<String> },
    /// Something has to be mended first; the text is for the agent.
    Red { reason: String },
}

/// A judgement, and what it was made with.
pub(super) struct Judged {
    pub(super) site: Site,
    pub(super) judgement: Judgement,
    /// How often an agent is held back.
    pub(super) attempts: u32,
}

/// Judges the work tree; `wanted` is the feature that is worked on.
pub(super) fn work_tree(common: &Common, wanted: Option<&str>) -> Result<Judged, Failure> {
    let site = Site::open(common)?;
    let resolved = site.resolve(&RunOptions::default())?;
    let judgement = match in_the_way(&site, &resolved)? {
        Some(why) => Judgement::Unjudged(why),
        None => judge(&site, &resolved, wanted)?,
    };
    Ok(Judged {
        attempts: resolved.policy.limits.attempts,
        judgement,
        site,
    })
}

/// Says why nothing may be executed here.
fn in_the_way(site: &Site, resolved: &Resolved) -> Result<Option<String>, Failure> {
    if site.repository.is_none() {
        let why = format!(
            "there is no `{CONFIG_FILE}` here, so nothing was judged; `harness init` writes one"
        );
        return Ok(Some(why));
    }
    let features = site.features(&resolved.policy.feature_file)?;
    let subject = Subject::of(site, resolved, &features)?;
    Ok(match trust::check(site, &subject)? {
        Trusted::Yes => None,
        Trusted::Never => Some(
            "this repository is not trusted, so nothing was judged; look at it with `harness trust`"
                .to_owned(),
        ),
        Trusted::Changed { .. } => Some(
            "what this repository would execute has changed since you trusted it, so nothing was judged; look at it with `harness trust`"
                .to_owned(),
        ),
    })
}

fn judge(site: &Site, resolved: &Resolved, wanted: Option<&str>) -> Result<Judgement, Failure> {
    let feature = match wanted {
        Some(id) => named_feature(site, resolved, id)?,
        None => any_feature(),
    };
    let work = match wanted {
        Some(_) => Work::find(site, resolved, &feature)?,
        None => Work::find_all(site, resolved, &feature)?,
    };
    let left_out = work.left_out_text(&feature.id).filter(|_| wanted.is_some());
    if work.changes.is_empty() {
        return Ok(Judgement::Green { named: left_out });
    }
    let store = site.store()?;
    let _lock = session::lock(site, &store)?;
    let policy = resolved.policy.clone();
    let run = RunId::new(0);
    let state = work.to_run(run, policy, vec![feature.clone()], feature.id.clone(), "");
    let subject = judge_work_tree(
        site.repo.root(),
        state,
        feature.id.clone(),
        work.here.clone(),
    );
    let subject = subject.map_err(Failure::failed)?;
    let (red, seen): (Vec<Finding>, Vec<Finding>) = subject
        .findings
        .into_iter()
        .partition(|finding| wanted.is_some() || is_weakening(finding.kind));
    let gates = gates(resolved, &feature, &work.changes, wanted.is_some())?;
    let guard = Guard::new(&resolved.policy, &feature);
    let guard = guard.map_err(|error| Failure::usage(chain(&error)))?;
    let reports = check(site, resolved, store, &guard, &gates, &subject.candidate)?;
    let is_red = |report: &CheckReport| report.status != CheckStatus::Green;
    if red.is_empty() && !reports.iter().any(is_red) {
        let named = left_out.or_else(|| to_see(&seen));
        return Ok(Judgement::Green { named });
    }
    Ok(Judgement::Red {
        reason: reason(&red, &reports, left_out.as_deref()),
    })
}

fn named_feature(site: &Site, resolved: &Resolved, id: &str) -> Result<Feature, Failure> {
    let path = &resolved.policy.feature_file;
    let features = site.features(path)?.into_iter();
    let found = features
        .into_iter()
        .find(|feature| feature.id.as_str() == id);
    found.ok_or_else(|| Failure::usage(format!("there is no feature `{id}` in `{path}`")))
}

/// Without a feature nobody has said which files may change; what weakens a proof is red all the same.
const fn is_weakening(kind: FindingKind) -> bool {
    !matches!(
        kind,
        FindingKind::OutsideScope | FindingKind::Protected | FindingKind::GateAffecting
    )
}

/// Returns the gates that decide: a feature's own, or those that the changed files concern.
fn gates(
    resolved: &Resolved,
    feature: &Feature,
    changes: &[Change],
    is_named: bool,
) -> Result<Vec<Gate>, Failure> {
    let all = &resolved.policy.gates;
    if is_named {
        let named = gates_of(feature, all).into_iter().cloned();
        return Ok(named
            .chain(own_gates(feature, resolved.policy.limits.command))
            .collect());
    }
    let mut chosen = Vec::new();
    for gate in all {
        if concerns(gate, changes)? {
            chosen.push(gate.clone());
        }
    }
    Ok(chosen)
}

/// Whether a gate's `paths` cover one of the changed files; a gate without any is about all of them.
fn concerns(gate: &Gate, changes: &[Change]) -> Result<bool, Failure> {
    if gate.paths.is_empty() {
        return Ok(true);
    }
    let write = gate.paths.iter().map(|pattern| Sourced {
        value: pattern.clone(),
        origin: format!("gate `{}`", gate.name),
    });
    let rules = ScopeRules {
        write: write.collect(),
        ..ScopeRules::default()
    };
    let scope = Scope::compile(&rules, &any_feature());
    let scope = scope.map_err(|error| Failure::usage(chain(&error)))?;
    Ok(changes.iter().any(|change| scope.is_writable(&change.path)))
}

fn check(
    site: &Site,
    resolved: &Resolved,
    store: harness_store::Store,
    guard: &Guard,
    gates: &[Gate],
    tree: &TreeId,
) -> Result<Vec<CheckReport>, Failure> {
    if gates.is_empty() {
        return Ok(Vec::new());
    }
    let bench = GateBench::open(site.workplace(resolved, store)?)
        .map_err(|error| Failure::failed(chain(&error)))?;
    let candidate = GateCandidate {
        tree: tree.clone(),
        place: GatePlace::of(&resolved.policy, guard),
    };
    let runtime = session::runtime()?;
    let mut reports = Vec::with_capacity(gates.len());
    for gate in gates {
        let check = bench.check(gate, &candidate, &resolved.policy.limits);
        reports.push(runtime.block_on(check));
    }
    runtime.shutdown_timeout(session::SHUTDOWN);
    Ok(reports)
}

/// Says to the agent what stands against stopping: findings, then the failing parts, within a bound.
fn reason(findings: &[Finding], reports: &[CheckReport], left_out: Option<&str>) -> String {
    let red: Vec<&CheckReport> = reports
        .iter()
        .filter(|report| report.status != CheckStatus::Green)
        .collect();
    let mut first: Vec<String> = red
        .iter()
        .map(|report| {
            format!(
                "gate `{}` is {} ({})",
                report.gate, report.status, report.reason
            )
        })
        .collect();
    match findings.len() {
        0 => {}
        1 => first.push("the change has a finding".to_owned()),
        many => first.push(format!("the change has {many} findings")),
    }
    let mut text = format!("Not done yet: {}.\n", first.join("; "));
    for finding in findings.iter().take(FINDINGS_MAX) {
        text.push_str(&format!("\n- {}: {}", finding.path, finding.message));
    }
    for report in red {
        text.push_str(&format!(
            "\n\ngate `{}`:\n{}",
            report.gate,
            report.excerpt.trim_end()
        ));
    }
    if let Some(left_out) = left_out {
        text.push_str(&format!("\n\n{left_out}"));
    }
    let text = harness_guard::redact(&text);
    bounded(&harness_report::clean(&text))
}

/// Names for a person what an agent is not held back for.
fn to_see(seen: &[Finding]) -> Option<String> {
    let first = seen.first()?;
    let more = match seen.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    Some(format!(
        "green; look at what only a person allows: {}{more}",
        first.message
    ))
}

/// Cuts a text to [`REASON_MAX`] at the end of a line.
fn bounded(text: &str) -> String {
    if text.len() <= REASON_MAX {
        return text.to_owned();
    }
    const CUT: &str = "\n[cut; `harness gate run` prints all of it]";
    let end = text.floor_char_boundary(REASON_MAX - CUT.len());
    let end = text[..end].rfind('\n').unwrap_or(end);
    format!("{}{CUT}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_cut_at_a_line_within_its_bound() {
        let long = "é line\n".repeat(5_000);
        let cut = bounded(&long);
        assert!(cut.len() <= REASON_MAX, "{}", cut.len());
        assert!(cut.ends_with("prints all of it]"), "{cut}");
        assert!(cut.contains("é line\n[cut"), "cut within a line");
        assert_eq!(bounded("short"), "short");
        assert!(bounded(&"x".repeat(20_000)).len() <= REASON_MAX);
    }
}
