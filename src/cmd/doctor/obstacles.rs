//! Why a level is not there, as far as settings of the system tell, and what would change it.

use std::{fs, path::Path};

use harness_core::Level;

/// Limits that must not be 0 where namespaces are wanted.
const NAMESPACE_LIMITS: [&str; 6] = [
    "user.max_user_namespaces",
    "user.max_mnt_namespaces",
    "user.max_pid_namespaces",
    "user.max_net_namespaces",
    "user.max_ipc_namespaces",
    "user.max_uts_namespaces",
];

/// Returns what stands in the way of a level that could not be proven, each with what mends it.
pub(super) fn of(level: Level) -> Vec<String> {
    match level {
        Level::Namespaces => of_namespaces(),
        Level::Landlock => of_landlock(),
        Level::External | Level::None => Vec::new(),
    }
}

fn of_namespaces() -> Vec<String> {
    let off = |name: &str| {
        format!("`{name}` is 0, which switches namespaces off: `sudo sysctl {name}=15000`")
    };
    let mut found: Vec<String> = NAMESPACE_LIMITS
        .iter()
        .filter(|name| sysctl(name).as_deref() == Some("0"))
        .map(|name| off(name))
        .collect();
    if sysctl("kernel.unprivileged_userns_clone").as_deref() == Some("0") {
        found.push("`kernel.unprivileged_userns_clone` is 0: `sudo sysctl kernel.unprivileged_userns_clone=1`".to_owned());
    }
    if sysctl("kernel.apparmor_restrict_unprivileged_userns").as_deref() == Some("1") {
        found.push(format!(
            "AppArmor lets only programs with a profile make user namespaces; save this as \
             /etc/apparmor.d/harness and load it with `sudo apparmor_parser -r /etc/apparmor.d/harness`:\n\n{}",
            profile(&own_program())
        ));
    }
    if is_filtered() {
        found.push("this program's own system calls are filtered, as containers do it: a container has to allow `unshare`, `mount` and `pivot_root`".to_owned());
    }
    found
}

fn of_landlock() -> Vec<String> {
    let modules = fs::read_to_string("/sys/kernel/security/lsm").unwrap_or_default();
    if modules.is_empty() || modules.trim().split(',').any(|name| name == "landlock") {
        return Vec::new();
    }
    vec![format!(
        "Landlock is not among the security modules that are on: boot with `lsm=landlock,{}`",
        modules.trim()
    )]
}

fn sysctl(name: &str) -> Option<String> {
    let path = Path::new("/proc/sys").join(name.replace('.', "/"));
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

fn is_filtered() -> bool {
    fs::read_to_string("/proc/self/status")
        .is_ok_and(|status| status.lines().any(|line| line == "Seccomp:\t2"))
}

/// Returns where this program is, without the name of the person's home.
fn own_program() -> String {
    let program = std::env::current_exe().unwrap_or_else(|_| "/usr/bin/harness".into());
    match std::env::home_dir().map(|home| program.strip_prefix(home).map(Path::to_owned)) {
        Some(Ok(below)) => format!("@{{HOME}}/{}", below.display()),
        _ => program.display().to_string(),
    }
}

/// Words an AppArmor profile that lets a program make user namespaces and restricts nothing else.
fn profile(program: &str) -> String {
    format!(
        "abi <abi/4.0>,\ninclude <tunables/global>\n\n\
         profile harness \"{program}\" flags=(unconfined) {{\n  userns,\n}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_names_the_program_and_grants_namespaces() {
        let text = profile("/opt/a b/harness");
        assert!(
            text.contains(
                "profile harness \"/opt/a b/harness\" flags=(unconfined) {\n  userns,\n}"
            )
        );
    }
}
