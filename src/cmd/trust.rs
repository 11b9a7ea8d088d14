//! `harness trust`: accepts, shows or takes back what a repository may execute and reach.

use serde_json::json;

use crate::{
    ask,
    cli::RunOptions,
    cli::{Common, Trust},
    compose::{CONFIG_FILE, Site},
    failure::Failure,
    network,
    output::{Output, say},
    trust::{self, Subject, Trusted},
};

pub(super) fn run(common: &Common, flags: &Trust) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let mut output = Output::new(common);
    if flags.revoke {
        let text = if trust::revoke(&site)? {
            "note: trust taken back"
        } else {
            "note: nothing was trusted"
        };
        output.entry("trust_revoked", text, json!({}))?;
        return Ok(0);
    }
    if site.repository.is_none() {
        let message = format!(
            "there is nothing to trust: `{}` has no `{CONFIG_FILE}`",
            site.repo.root().display()
        );
        return Err(Failure::usage(message).hint("harness init --yes"));
    }
    let resolved = site.resolve(&RunOptions::default())?;
    let features = site.features(&resolved.policy.feature_file)?;
    let subject = Subject::of(&site, &resolved, &features)?;
    let trusted = trust::check(&site, &subject)?;
    let (added, removed) = match &trusted {
        Trusted::Changed { added, removed } => (added.as_slice(), removed.as_slice()),
        Trusted::Yes | Trusted::Never => Default::default(),
    };
    let hosts = &resolved.policy.network;
    let body = json!({ "trusted": trusted == Trusted::Yes, "lines": subject.lines,
        "added": added, "removed": removed, "hosts": network::json(hosts) });
    let text = format!(
        "{}Commands and gates may reach, with what your own file opens:\n  {}",
        trust::describe_in_full(&subject, &trusted),
        network::lines(hosts).join("\n  ")
    );
    output.entry("trust_subject", &text, body)?;
    if flags.show {
        return Ok(0);
    }
    if trusted == Trusted::Yes {
        output.text("note: this is trusted already")?;
        return Ok(0);
    }
    let accepted = flags.yes || ask::is_attended(common) && ask::confirm("Trust exactly this?");
    if !accepted {
        return Err(Failure::needs_human("nothing was accepted").hint("harness trust --yes"));
    }
    if is_root() {
        say("warning: you are root; what you trust runs as root inside the cage");
    }
    trust::accept(&site, &subject)?;
    output.entry(
        "trusted",
        "note: trusted; any change of it asks again",
        json!({}),
    )?;
    Ok(0)
}

/// Whether this process belongs to root.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|stat| stat.uid() == 0)
}
