//! Tries the gates that `init` proposed, once in place and once isolated, after a person's trust.

use crate::{
    ask,
    cli::{Common, Init, RunOptions},
    compare,
    compose::Site,
    failure::Failure,
    output::{Output, say},
    trust::{self, Subject, Trusted},
};

/// Tries every gate where that was asked for or a person says yes; nothing runs before.
///
/// `wrote_config` says whether the configuration is the one that was just shown.
/// Returns the exit code: that of the gates where they were asked for by flag.
pub(super) fn run(common: &Common, flags: &Init, wrote_config: bool) -> Result<u8, Failure> {
    let is_asked = ask::is_attended(common) && !flags.yes;
    if !flags.attempt && !is_asked {
        return Ok(0);
    }
    // What was written has to be read as any command reads it.
    let site = Site::open(common)?;
    let resolved = site.resolve(&RunOptions::default())?;
    if resolved.policy.gates.is_empty() {
        say("note: there are no gates to try");
        return Ok(0);
    }
    let features = site.features(&resolved.policy.feature_file)?;
    let subject = Subject::of(&site, &resolved, &features)?;
    let trusted = trust::check(&site, &subject)?;
    if trusted != Trusted::Yes {
        Output::new(common).text(trust::describe(&subject, &trusted).trim_end())?;
        let accepted = flags.attempt && flags.yes && wrote_config
            || is_asked && ask::confirm("Trust exactly this, and try each gate once now?");
        if !accepted && flags.attempt {
            return Err(Failure::needs_human(
                "the gates were not tried: this repository is not trusted",
            )
            .hint(
                "look at it above, then `harness trust --yes` and `harness gate run --compare`",
            ));
        }
        if !accepted {
            return Ok(0);
        }
        trust::accept(&site, &subject)?;
    }
    let code = compare::run(&site, common, &[], None)?;
    Ok(if flags.attempt { code } else { 0 })
}
