//! Commits a proven feature: evidence, feature list, progress log and code in one step.
//!
//! The commit is the step; the files of the work tree are brought to it
//! afterwards, so that a crash in between is mended by doing it again.

use std::sync::Arc;

use harness_core::{
    Brought, ByteCount, CheckReport, CommitId, Event, Feature, FeatureId, FeaturePassed,
    FeatureStatus, Goal, NegativeControl, RepoPath, RunState, TreeId,
};
use harness_engine::CommitFeature;
use harness_gate::{
    check,
    evidence::{self, CheckRecord, Evidence, FindingRecord, Isolation},
    list::{self, FeatureList, intent},
    progress::{self, Entry, Word},
    review::ReviewRecord,
};
use harness_guard::HostAct;
use harness_host::disk::{DiskError, Expected, Root};

use super::{Executor, Setting, chain, perform::Performer, shop::Workshop, subject};

/// The largest host-owned file that is read.
const HOST_FILE_MAX: ByteCount = ByteCount::mib(16);

/// The most commits that one landing is taken to bring.
const LANDED_MAX: usize = 1_000;

/// Why a feature was not committed.
struct NotCommitted {
    message: String,
    needs_human: bool,
}

impl NotCommitted {
    fn failed(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            needs_human: false,
        }
    }

    fn by_person(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            needs_human: true,
        }
    }
}

/// Commits a feature; doing it twice is doing it once.
pub(super) async fn commit(
    executor: &Executor,
    commit: CommitFeature,
    setting: Setting,
    log_head: String,
) -> Event {
    let performer = Arc::clone(&executor.performer);
    let gates = commit.gates.clone();
    let candidate = commit.subject.candidate.clone();
    let reports = commit.reports.clone();
    let linked = executor.bench.linked().to_vec();
    let done = executor.in_shop(move |shop| {
        Ok(Commit {
            shop,
            performer: &performer,
            setting: &setting,
            commit: &commit,
            linked: &linked,
        }
        .make(&log_head))
    });
    match done.await {
        Ok(Ok((mut passed, tree))) => {
            passed.brought = bring(executor).await;
            let bench = &executor.bench;
            bench.keep_baseline(&tree, &candidate, &gates, &reports);
            Event::FeaturePassed(passed)
        }
        Ok(Err(NotCommitted {
            message,
            needs_human,
        })) => Event::CommitFailed {
            message,
            needs_human,
        },
        Err(message) => Event::CommitFailed {
            message,
            needs_human: false,
        },
    }
}

/// Brings what is proven to the person's branch, in a run that does so after each feature.
async fn bring(executor: &Executor) -> Option<Brought> {
    let run = {
        let setting = executor.setting.borrow();
        let run = setting.as_ref().map(|setting| &setting.run)?;
        run.lands.as_ref()?;
        run.run
    };
    let lander = Arc::clone(&executor.workplace.lander);
    let brought = tokio::task::spawn_blocking(move || lander.land(run)).await;
    Some(brought.unwrap_or_else(|error| Brought::Refused {
        message: chain(&error),
    }))
}

struct Commit<'a> {
    shop: &'a mut Workshop,
    performer: &'a Performer,
    setting: &'a Setting,
    commit: &'a CommitFeature,
    /// Folders of the work tree that gates could read.
    linked: &'a [RepoPath],
}

impl Commit<'_> {
    fn make(self, log_head: &str) -> Result<(FeaturePassed, TreeId), NotCommitted> {
        self.check_head()?;
        if let Some(made) = self.made_before()? {
            return self.finish(made);
        }
        let files = self.host_files(log_head)?;
        let subject = &self.commit.subject;
        let changes: Vec<_> = files
            .iter()
            .map(|(path, bytes)| (path.clone(), Some(bytes.clone())))
            .collect();
        let repo = &self.shop.repo;
        let tree = repo
            .with_files(&subject.candidate, &changes)
            .map_err(|error| NotCommitted::failed(chain(&error)))?;
        let run = &self.setting.run;
        let branch = &self.setting.opened.branch;
        let expected = repo
            .branch_tip(branch)
            .map_err(|error| NotCommitted::failed(chain(&error)))?;
        if expected.as_ref().is_some_and(|tip| *tip != run.tip) {
            return Err(NotCommitted::by_person(format!(
                "branch `{branch}` was moved by somebody else"
            )));
        }
        let message = self.message(log_head, &files);
        let made = repo.commit_to_branch(
            branch,
            expected.as_ref(),
            &tree,
            std::slice::from_ref(&run.tip),
            &message,
            harness_host::clock::now(),
        );
        self.finish(made.map_err(|error| NotCommitted::failed(chain(&error)))?)
    }

    /// The person's branch must be where the run began.
    fn check_head(&self) -> Result<(), NotCommitted> {
        let head = self
            .shop
            .repo
            .head()
            .map_err(|error| NotCommitted::failed(chain(&error)))?;
        let base = self.setting.run.head();
        if head.commit == *base || self.is_landed(&head.commit)? {
            return Ok(());
        }
        Err(NotCommitted::by_person(format!(
            "HEAD moved during the run, from {} to {}: the proof is about the old base; start a new run, or go back with `git reset`",
            base.short(),
            head.commit.short()
        )))
    }

    /// Whether HEAD moved because a process brought this feature there and died before it could say so.
    fn is_landed(&self, head: &CommitId) -> Result<bool, NotCommitted> {
        let run = &self.setting.run;
        if run.lands.is_none() {
            return Ok(false);
        }
        let failed = |error: harness_git::GitError| NotCommitted::failed(chain(&error));
        let info = self.shop.repo.commit_info(head).map_err(failed)?;
        let known = self.shop.repo.commits_beyond(head, run.head(), LANDED_MAX);
        let all_ours = known.map_err(failed)?.iter().all(|commit| {
            let info = self.shop.repo.commit_info(commit);
            info.is_ok_and(|info| {
                info.trailers
                    .iter()
                    .any(|(key, _)| key == "Harness-Session")
            })
        });
        Ok(all_ours && self.is_of_this_feature(&info))
    }

    /// Whether the trailers of a commit name this session, feature and tree.
    fn is_of_this_feature(&self, info: &harness_git::CommitInfo) -> bool {
        let says =
            |key: &str, value: &str| info.trailers.iter().any(|(k, v)| k == key && v == value);
        says("Harness-Session", &self.setting.opened.session.to_string())
            && says("Harness-Feature", self.commit.feature.id.as_str())
            && says("Harness-Tree", self.commit.subject.tree.as_str())
    }

    /// Returns the commit a process made before it died, if there is one.
    fn made_before(&self) -> Result<Option<CommitId>, NotCommitted> {
        let repo = &self.shop.repo;
        let failed = |error: harness_git::GitError| NotCommitted::failed(chain(&error));
        let Some(tip) = repo
            .branch_tip(&self.setting.opened.branch)
            .map_err(failed)?
        else {
            return Ok(None);
        };
        let info = repo.commit_info(&tip).map_err(failed)?;
        let ours = self.is_of_this_feature(&info) && info.parents == [self.setting.run.tip.clone()];
        Ok(ours.then_some(tip))
    }

    /// Brings the host-owned files of the work tree to what is committed.
    fn finish(self, commit: CommitId) -> Result<(FeaturePassed, TreeId), NotCommitted> {
        let failed = |error: harness_git::GitError| NotCommitted::failed(chain(&error));
        let tree = self.shop.repo.tree_of(&commit).map_err(failed)?;
        for path in self.host_paths() {
            self.bring_home(&path, &tree)?;
        }
        let passed = FeaturePassed {
            feature: self.commit.feature.id.clone(),
            commit,
            tree: self.commit.subject.tree.clone(),
            work_tree: self.commit.subject.work_tree.clone(),
            evidence: (!self.is_task()).then(|| evidence_path(&self.commit.feature.id)),
            brought: None,
        };
        Ok((passed, tree))
    }

    /// Brings one host-owned file to what is committed, keeping what a person wrote meanwhile.
    fn bring_home(&self, path: &RepoPath, tree: &TreeId) -> Result<(), NotCommitted> {
        let failed = |error: harness_git::GitError| NotCommitted::failed(chain(&error));
        let repo = &self.shop.repo;
        let Some(committed) = repo
            .read_blob(tree, path, HOST_FILE_MAX.0)
            .map_err(failed)?
        else {
            return Ok(());
        };
        let committed = String::from_utf8_lossy(&committed).into_owned();
        let parent = repo.tree_of(&self.setting.run.tip).map_err(failed)?;
        let before = repo
            .read_blob(&parent, path, HOST_FILE_MAX.0)
            .map_err(failed)?;
        let before = String::from_utf8_lossy(&before.unwrap_or_default()).into_owned();
        let here = self.read(path)?.unwrap_or_default();
        let policy = &self.setting.run.policy;
        let wanted = if here == committed || here == before || here.is_empty() {
            committed
        } else if *path == policy.feature_file {
            self.feature_list()?
        } else if *path == policy.progress_file {
            progress::merge(&here, &before, &committed)
        } else {
            committed
        };
        if wanted == here {
            return Ok(());
        }
        write(self.performer, path, wanted.as_bytes())
            .map_err(|error| NotCommitted::failed(chain(&error)))
    }

    fn is_task(&self) -> bool {
        matches!(self.setting.run.goal, Goal::Task { .. })
    }

    fn host_paths(&self) -> Vec<RepoPath> {
        let policy = &self.setting.run.policy;
        let mut paths = vec![policy.progress_file.clone()];
        if !self.is_task() {
            paths.extend([
                policy.feature_file.clone(),
                evidence_path(&self.commit.feature.id),
            ]);
        }
        paths
    }

    /// Makes the host-owned files of the commit. A task writes the progress log alone, and only where one is kept.
    fn host_files(&self, log_head: &str) -> Result<Vec<(RepoPath, Vec<u8>)>, NotCommitted> {
        let policy = &self.setting.run.policy;
        let mut files = Vec::new();
        let progress = self.read(&policy.progress_file)?;
        if !self.is_task() || progress.is_some() {
            let text = progress::append(&progress.unwrap_or_default(), &self.progress_entry());
            let notes = self.commit.notes.iter();
            let patterns: Vec<String> = notes
                .filter_map(|note| progress::pattern(&plain(note)))
                .collect();
            let text = progress::with_patterns(&text, &patterns);
            files.push((policy.progress_file.clone(), text.into_bytes()));
        }
        if !self.is_task() {
            files.push((
                policy.feature_file.clone(),
                self.feature_list()?.into_bytes(),
            ));
            files.push((
                evidence_path(&self.commit.feature.id),
                self.evidence(log_head)?.into_bytes(),
            ));
        }
        Ok(files)
    }

    /// Returns the feature list with the feature passing; a changed intent stops the run.
    fn feature_list(&self) -> Result<String, NotCommitted> {
        let path = &self.setting.run.policy.feature_file;
        let text = self
            .read(path)?
            .ok_or_else(|| NotCommitted::by_person(format!("`{path}` is gone")))?;
        let mut list = FeatureList::parse(&text).map_err(|error| {
            NotCommitted::by_person(format!("cannot read `{path}`: {}", chain(&error)))
        })?;
        let feature = &self.commit.feature;
        let now = list.find(&feature.id).ok_or_else(|| {
            NotCommitted::by_person(format!(
                "feature `{}` was removed from `{path}` by hand",
                feature.id
            ))
        })?;
        if list::intent_hash(now) != list::intent_hash(feature) {
            return Err(NotCommitted::by_person(changed_intent(path, feature, now)));
        }
        list.set_status(&feature.id, FeatureStatus::Passing)
            .map_err(|error| NotCommitted::failed(chain(&error)))?;
        Ok(list.render())
    }

    fn evidence(&self, log_head: &str) -> Result<String, NotCommitted> {
        let subject = &self.commit.subject;
        let policy = &self.setting.run.policy;
        let CommitFeature {
            feature, reports, ..
        } = self.commit;
        let changed = subject::changed_paths(&subject.changes, policy, feature);
        let content = subject::Subject::of_tree(&self.shop.repo, policy, &subject.tree)
            .and_then(|subject| subject.content(feature, &changed))
            .map_err(NotCommitted::failed)?;
        let evidence = Evidence {
            schema: evidence::SCHEMA,
            feature: feature.id.clone(),
            spec_sha256: list::intent_hash(feature),
            gates_sha256: check::gates_hash(evidence::gates_of(feature, &policy.gates)),
            subject_tree: subject.tree.clone(),
            base: self.setting.run.base.clone(),
            content_sha256: content.sha256,
            changed,
            scope_sha256: Some(content.scope_sha256),
            checks: reports.iter().map(check_record).collect(),
            isolated: policy.isolate,
            level: self.setting.opened.level,
            isolation: Some(Isolation::of(policy.isolate, self.setting.opened.level)),
            linked: self.linked.to_vec(),
            findings: subject
                .findings
                .iter()
                .map(|finding| FindingRecord::new(finding, &self.commit.approved))
                .collect(),
            negative_control: Some((&self.commit.negative_control).into()),
            session: self.setting.opened.session,
            log_head: log_head.to_owned(),
            review: ReviewRecord::new(
                self.commit.review.as_ref(),
                self.commit.reviewed_by_person.as_ref(),
            ),
            known_failures: reports
                .iter()
                .flat_map(|report| report.failed_tests.iter().cloned())
                .collect(),
        };
        Ok(evidence.render())
    }

    fn progress_entry(&self) -> String {
        let gates = self.commit.reports.iter().map(gate_line);
        let control = control_lines(&self.commit.negative_control);
        let notes = self.commit.notes.iter();
        let notes = notes.filter(|note| progress::pattern(note).is_none());
        let done = std::iter::once(&self.commit.summary).chain(notes);
        let entry = Entry {
            done: done.map(|text| plain(text)).collect(),
            tried: self
                .commit
                .refusals
                .iter()
                .map(|text| plain(text))
                .collect(),
            gates: gates
                .chain(self.approved_lines())
                .chain(control)
                .chain(self.review_line())
                .collect(),
            parent: Some(self.setting.run.tip.clone()),
            next: Vec::new(),
            questions: Vec::new(),
        };
        progress::entry(
            harness_host::clock::now(),
            self.setting.opened.session,
            &self.commit.feature.id,
            Word::Passing,
            &entry,
        )
    }

    /// Says who reviewed the change.
    fn review_line(&self) -> Option<String> {
        let word = self.commit.reviewed_by_person.as_ref();
        let record = ReviewRecord::new(self.commit.review.as_ref(), word)?;
        Some(plain(&format!("review: {}", record.to_text())))
    }

    /// Says what a person let pass, one line per finding.
    fn approved_lines(&self) -> impl Iterator<Item = String> {
        let approved = &self.commit.approved;
        let findings = self.commit.subject.findings.iter();
        findings.filter_map(move |finding| {
            let approval = approved
                .iter()
                .find(|approved| approved.is_about(finding))?;
            Some(format!(
                "approved by a person ({}): {}: {} [{}]",
                approval.how.as_str(),
                finding.place(),
                plain(&finding.message),
                finding.id
            ))
        })
    }

    fn message(&self, log_head: &str, files: &[(RepoPath, Vec<u8>)]) -> String {
        let feature = &self.commit.feature;
        let gates: Vec<&str> = self
            .commit
            .reports
            .iter()
            .map(|report| report.gate.as_str())
            .collect();
        let evidence = files
            .iter()
            .find(|(path, _)| *path == evidence_path(&feature.id));
        let proof = match evidence {
            Some((path, _)) => path.to_string(),
            None => format!("gates {}", check::gates_hash(&self.commit.gates)),
        };
        format!(
            "{}\n\n{}\n\nHarness-Session: {}\nHarness-Feature: {}\nHarness-Tree: {}\nHarness-Gates: {}\nHarness-Evidence: {proof}\nHarness-Log: {log_head}\n",
            subject_line(feature),
            plain(self.commit.summary.trim()),
            self.setting.opened.session,
            feature.id,
            self.commit.subject.tree,
            gates.join(", "),
        )
    }

    fn read(&self, path: &RepoPath) -> Result<Option<String>, NotCommitted> {
        read(self.performer.root(), path).map_err(NotCommitted::failed)
    }
}

/// Returns the files that a run writes beside the agent's work; the proof stands for all proofs.
pub(super) fn host_files(run: &RunState) -> [RepoPath; 3] {
    let policy = &run.policy;
    [
        policy.feature_file.clone(),
        policy.progress_file.clone(),
        evidence_path(&FeatureId::task(1)),
    ]
}

/// Returns where the proof of a feature is kept.
pub(crate) fn evidence_path(feature: &FeatureId) -> RepoPath {
    RepoPath::parse(format!(".harness/evidence/{feature}.json"))
        .expect("feature ids are file names")
}

/// Makes the message of a landed commit that stands for several.
pub fn land_message(features: &[(FeatureId, String)]) -> String {
    let titles: Vec<String> = features
        .iter()
        .map(|(id, title)| format!("{id} {title}"))
        .collect();
    let trailers: Vec<String> = features
        .iter()
        .map(|(id, _)| format!("Harness-Feature: {id}"))
        .collect();
    format!("{}\n\n{}\n", titles.join("; "), trailers.join("\n"))
}

/// Writes how a gate came out for the progress log.
fn gate_line(report: &CheckReport) -> String {
    let again = if report.retried {
        " on the second run"
    } else {
        ""
    };
    match report.tests {
        Some(tests) if tests.run == 1 => format!("{} green{again}, 1 test", report.gate),
        Some(tests) => format!("{} green{again}, {} tests", report.gate, tests.run),
        None => format!("{} green{again}", report.gate),
    }
}

/// Writes what the negative control found; that all added tests are needed says nothing new.
fn control_lines(control: &NegativeControl) -> impl Iterator<Item = String> {
    control.proving_nothing().map(|check| {
        let names = check.tests.join(", ");
        let line = format!(
            "{}: {} of the added tests pass without the change and prove nothing: {names}",
            check.gate, check.count
        );
        plain(&line)
    })
}

/// Makes the record of a check; what a test printed may hold a secret.
fn check_record(report: &CheckReport) -> CheckRecord {
    let record = CheckRecord::from(report);
    let tail = plain(&record.tail);
    record.with_tail(tail)
}

/// Returns a text for a commit or a file: no secret of a known shape, no control code but newline and tab.
pub(super) fn plain(text: &str) -> String {
    let redacted = harness_guard::redact(text);
    redacted
        .chars()
        .filter(|char| !char.is_control() || matches!(char, '\n' | '\t'))
        .collect()
}

fn subject_line(feature: &Feature) -> String {
    let title = feature.title.lines().next().unwrap_or_default();
    let line = format!("{}: {}", feature.id, plain(title));
    let end = line.floor_char_boundary(100);
    line[..end].to_owned()
}

fn changed_intent(path: &RepoPath, old: &Feature, new: &Feature) -> String {
    let differences = intent::differences(&intent::fields(old), &intent::fields(new));
    format!(
        "`{}` was changed by hand in `{path}` while the run worked on it:\n{}",
        old.id,
        intent::describe(&differences).trim_end()
    )
}

pub(super) fn read(root: &Root, path: &RepoPath) -> Result<Option<String>, String> {
    match root.host_read_file(path, HOST_FILE_MAX) {
        Ok(file) => {
            let text = String::from_utf8(file.bytes);
            text.map(Some).map_err(|_| format!("`{path}` is no UTF-8"))
        }
        Err(DiskError::NotFound { .. }) => Ok(None),
        Err(error) => Err(chain(&error)),
    }
}

pub(super) fn write(performer: &Performer, path: &RepoPath, bytes: &[u8]) -> Result<(), DiskError> {
    let act = HostAct::WriteHostFile;
    performer
        .root()
        .host_write_file(act, path, bytes, Expected::Any)?;
    performer.wrote(path);
    Ok(())
}
