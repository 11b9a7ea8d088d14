//! What a process may see and change: the plan of its cage, for people.

use harness_config::Resolved;
use harness_core::{Action, AllowedHost, EndReason, Level, RepoPath};
use harness_guard::{CagePlan, Guard};

use crate::{compose::Site, failure::Failure, network, output::Output, session};

/// Makes the plan of a command that an agent would run now.
pub(super) fn plan(site: &Site, resolved: &Resolved, guard: &Guard) -> Result<CagePlan, Failure> {
    let workplace = site.explained_workplace(resolved, site.store()?)?;
    let action = Action::Run {
        command: "true".to_owned(),
        cwd: RepoPath::root(),
        background: false,
    };
    let permit = guard
        .permit(action)
        .map_err(|verdict| Failure::ended(EndReason::Refused, verdict.reason))?;
    let machine = session::runtime()?
        .block_on(harness_runner::with_closed(&workplace.agent, guard))
        .map_err(Failure::failed)?;
    CagePlan::for_permit(&permit, &machine).ok_or_else(|| Failure::failed("a command has no plan"))
}

pub(super) fn explain(
    plan: &CagePlan,
    resolved: &Resolved,
    output: &mut Output,
) -> Result<(), Failure> {
    let list = |paths: &[std::path::PathBuf]| {
        paths
            .iter()
            .map(|path| path.display().to_string())
            .collect::<Vec<_>>()
            .join("\n    ")
    };
    let names: Vec<&str> = plan
        .environment()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let missing = match plan.level() {
        Level::Landlock => {
            "\n  not prevented at this level: new names directly in a writable folder, changes of mode, owner and times; what they touch cannot be committed"
        }
        Level::None | Level::External => "\n  processes are not confined by the harness",
        Level::Namespaces => "",
    };
    let left_out = plan.mounts().left_out;
    let left_out = match left_out.len() {
        0 => String::new(),
        count => format!(
            "\n  too many to be closed one by one, so found and undone: {count} paths, first {}",
            left_out[0].display()
        ),
    };
    let text = format!(
        "sandbox: {}\n  writable:\n    {}\n  readable:\n    {}\n  home: {}\n  network: {}\n  environment: {}{missing}{left_out}",
        plan.level(),
        list(plan.writable()),
        list(plan.readable()),
        plan.home().display(),
        network_words(plan.level(), &resolved.policy.network),
        names.join(" "),
    );
    let mut body = serde_json::to_value(plan).unwrap_or_default();
    if let Some(body) = body.as_object_mut() {
        if plan.level() == Level::Namespaces {
            let mounts = serde_json::to_value(plan.mounts()).unwrap_or_default();
            body.insert("tree".to_owned(), mounts);
        }
        body.insert("hosts".to_owned(), network::json(&resolved.policy.network));
    }
    output.entry("sandbox", &text, body)
}

/// Says which hosts are open, who opened them, and what the level makes of it.
fn network_words(level: Level, hosts: &[AllowedHost]) -> String {
    let listed = || format!("\n    {}", network::lines(hosts).join("\n    "));
    match level {
        Level::None | Level::External => {
            format!("not confined by the harness; listed are:{}", listed())
        }
        _ if hosts.is_empty() => "none".to_owned(),
        Level::Landlock => format!(
            "{}\n  not to be held to these hosts at this level: a run is refused",
            listed()
        ),
        Level::Namespaces => listed(),
    }
}
