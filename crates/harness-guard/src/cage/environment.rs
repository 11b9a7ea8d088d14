//! The environment of every process, built from an allow-list and nothing else.
//!
//! What is not named here or by a trusted gate is not there: no token, no socket,
//! no display. What would load foreign code into a process before its own is not
//! there even when named.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

/// Where programs are looked for when the host has no usable `PATH`.
const PATH_FALLBACK: &str = "/usr/local/bin:/usr/bin:/bin";

/// Variables that are passed on as they are.
const PASSED: &[&str] = &["LANG", "LC_ALL", "TZ"];

/// Homes of toolchains that are only read; passed on when they are absolute paths.
const TOOLCHAIN_HOMES: &[&str] = &[
    "ANDROID_HOME",
    "DOTNET_ROOT",
    "FNM_DIR",
    "GOROOT",
    "GRADLE_HOME",
    "JAVA_HOME",
    "MAVEN_HOME",
    "NVM_DIR",
    "PNPM_HOME",
    "PYENV_ROOT",
    "RBENV_ROOT",
    "RUSTUP_HOME",
    "SDKMAN_DIR",
    "VIRTUAL_ENV",
    "VOLTA_HOME",
];

/// Where toolchains keep what they download and build: below the private home, wherever the
/// host's variables lead.
const PRIVATE_FOLDERS: &[(&str, &str)] = &[
    ("CARGO_HOME", ".cargo"),
    ("COREPACK_HOME", ".cache/node/corepack"),
    ("GOCACHE", ".cache/go-build"),
    ("GOMODCACHE", "go/pkg/mod"),
    ("GOPATH", "go"),
    ("GRADLE_USER_HOME", ".gradle"),
    ("NUGET_PACKAGES", ".nuget/packages"),
    ("PIP_CACHE_DIR", ".cache/pip"),
    ("PYTHONUSERBASE", ".local"),
    ("UV_CACHE_DIR", ".cache/uv"),
    ("XDG_CACHE_HOME", ".cache"),
    ("XDG_CONFIG_HOME", ".config"),
    ("XDG_DATA_HOME", ".local/share"),
    ("XDG_STATE_HOME", ".local/state"),
    ("YARN_CACHE_FOLDER", ".cache/yarn"),
    ("npm_config_cache", ".npm"),
];

/// The same for every process.
const FIXED: &[(&str, &str)] = &[
    ("CARGO_NET_OFFLINE", "true"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    // Else Go makes folders that nobody can empty.
    ("GOFLAGS", "-modcacherw"),
    ("NO_COLOR", "1"),
    ("PYTHONDONTWRITEBYTECODE", "1"),
    ("TERM", "dumb"),
    ("USER", "agent"),
];

/// Variables with which a process runs code that is not its own.
const LOADERS: &[&str] = &[
    "BASHOPTS",
    "BASH_ENV",
    "CLASSPATH",
    "ENV",
    "GCONV_PATH",
    "IFS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PERL5DB",
    "PERL5LIB",
    "PERL5OPT",
    "PROMPT_COMMAND",
    "PS4",
    "RUBYLIB",
    "RUBYOPT",
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "SHELLOPTS",
    "_JAVA_OPTIONS",
];

/// The same as families.
const LOADER_PREFIXES: &[&str] = &["BASH_FUNC_", "DYLD_", "GIT_", "LD_", "PYTHON"];

/// Builds the environment of a process from the host's, sorted by name.
///
/// `home` and `temp` are the private folders; toolchains keep their caches below
/// `home`. `extra_names` are variables that the trusted configuration asks for. They are passed on when the host has them,
/// unless they load code (`LD_*`, `BASH_ENV`, `PYTHON*`, `NODE_OPTIONS` and their
/// like); they never replace what is fixed here. Of `PATH` the absolute entries stay.
pub fn clean_environment(
    host: impl Iterator<Item = (String, String)>,
    home: &Path,
    temp: &Path,
    extra_names: &[String],
) -> Vec<(String, String)> {
    let host: HashMap<String, String> = host.collect();
    let extra = extra_names
        .iter()
        .map(String::as_str)
        .filter(|name| !loads_code(name));
    let homes = TOOLCHAIN_HOMES
        .iter()
        .copied()
        .filter(|name| host.get(*name).is_some_and(|value| value.starts_with('/')));
    let passed = PASSED.iter().copied().chain(homes).chain(extra);
    let mut clean: BTreeMap<String, String> = passed
        .filter_map(|name| host.get_key_value(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    clean
        .entry("LANG".to_owned())
        .or_insert_with(|| "C.UTF-8".to_owned());
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let private = [
        ("PATH", absolute_entries(host.get("PATH"))),
        ("HOME", text(home)),
        ("TMPDIR", text(temp)),
        ("GIT_CONFIG_GLOBAL", text(&home.join(".gitconfig"))),
    ];
    clean.extend(private.map(|(name, value)| (name.to_owned(), value)));
    clean.extend(
        PRIVATE_FOLDERS
            .iter()
            .map(|(name, folder)| ((*name).to_owned(), text(&home.join(folder)))),
    );
    // Java takes the person's home from the system's list of users, whatever `HOME` says.
    clean.insert(
        "MAVEN_OPTS".to_owned(),
        format!("-Dmaven.repo.local={}", text(&home.join(".m2/repository"))),
    );
    clean.extend(
        FIXED
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    clean.into_iter().collect()
}

fn loads_code(name: &str) -> bool {
    LOADERS.contains(&name)
        || LOADER_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// An entry that is empty or relative would look for programs in the repository.
fn absolute_entries(path: Option<&String>) -> String {
    let entries: Vec<&str> = path
        .iter()
        .flat_map(|path| path.split(':'))
        .filter(|entry| entry.starts_with('/'))
        .collect();
    if entries.is_empty() {
        return PATH_FALLBACK.to_owned();
    }
    entries.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(host: &[(&str, &str)], extra: &[&str]) -> BTreeMap<String, String> {
        let host = host
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let extra: Vec<String> = extra.iter().map(|name| (*name).to_owned()).collect();
        clean_environment(
            host,
            Path::new("/cage/home"),
            Path::new("/cage/tmp"),
            &extra,
        )
        .into_iter()
        .collect()
    }

    #[test]
    fn the_same_fixed_values_stand_in_every_environment() {
        let all = clean(&[], &[]);
        for (name, value) in [
            ("HOME", "/cage/home"),
            ("TMPDIR", "/cage/tmp"),
            ("TERM", "dumb"),
            ("USER", "agent"),
            ("NO_COLOR", "1"),
            ("CARGO_NET_OFFLINE", "true"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_CONFIG_GLOBAL", "/cage/home/.gitconfig"),
            ("LANG", "C.UTF-8"),
            ("PATH", PATH_FALLBACK),
        ] {
            assert_eq!(all.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert_eq!(all.len(), 13 + PRIVATE_FOLDERS.len() + 1);
    }

    #[test]
    fn path_keeps_its_absolute_entries_only() {
        let path = |value| clean(&[("PATH", value)], &[]).remove("PATH").unwrap();
        assert_eq!(
            path("/usr/bin:.:bin::/opt/x/bin:node_modules/.bin"),
            "/usr/bin:/opt/x/bin"
        );
        assert_eq!(path(".:bin"), PATH_FALLBACK);
    }

    #[test]
    fn nothing_that_was_not_asked_for_is_passed() {
        let bare = clean(&[], &[]).len();
        for name in [
            "GITHUB_TOKEN",
            "API_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "PGPASSWORD",
            "SSH_AUTH_SOCK",
            "DISPLAY",
            "DBUS_SESSION_BUS_ADDRESS",
            "LD_PRELOAD",
            "BASH_ENV",
            "PYTHONPATH",
            "NODE_OPTIONS",
            "RUSTFLAGS",
            "SHELL",
            "GIT_DIR",
            "GIT_SSH_COMMAND",
            "FOO",
        ] {
            assert_eq!(clean(&[(name, "x")], &[]).len(), bare, "{name}");
        }
    }

    #[test]
    fn toolchain_homes_that_are_only_read_are_passed_when_absolute() {
        let all = clean(&[("RUSTUP_HOME", "/r"), ("JAVA_HOME", "j")], &[]);
        assert_eq!(all.get("RUSTUP_HOME").map(String::as_str), Some("/r"));
        assert_eq!(all.get("JAVA_HOME"), None);
    }

    #[test]
    fn caches_are_in_the_private_home_wherever_the_host_has_them() {
        let host = PRIVATE_FOLDERS
            .iter()
            .map(|(name, _)| (*name, "/elsewhere"));
        let host: Vec<(&str, &str)> = host.chain([("MAVEN_OPTS", "-javaagent:x")]).collect();
        let names: Vec<&str> = host.iter().map(|(name, _)| *name).collect();
        let all = clean(&host, &names);
        for (name, folder) in PRIVATE_FOLDERS {
            assert_eq!(all[*name], format!("/cage/home/{folder}"), "{name}");
        }
        assert_eq!(
            all["MAVEN_OPTS"],
            "-Dmaven.repo.local=/cage/home/.m2/repository"
        );
    }

    #[test]
    fn a_named_variable_is_passed_unless_it_loads_code() {
        let host = [
            ("FOO", "1"),
            ("SERVICE_TOKEN", "2"),
            ("LD_PRELOAD", "3"),
            ("LD_LIBRARY_PATH", "3"),
            ("BASH_ENV", "3"),
            ("BASH_FUNC_ls%%", "3"),
            ("DYLD_INSERT_LIBRARIES", "3"),
            ("NODE_OPTIONS", "3"),
            ("PYTHONPATH", "3"),
            ("GIT_EXEC_PATH", "3"),
        ];
        let names: Vec<&str> = host.iter().map(|(name, _)| *name).collect();
        let all = clean(&host, &names);
        assert_eq!(all.get("FOO").map(String::as_str), Some("1"));
        assert_eq!(all.get("SERVICE_TOKEN").map(String::as_str), Some("2"));
        assert!(!all.values().any(|value| value == "3"), "{all:?}");
        assert!(!clean(&[], &["FOO"]).contains_key("FOO"));
    }

    #[test]
    fn a_named_variable_never_replaces_what_is_fixed() {
        let host = [
            ("HOME", "/root"),
            ("TERM", "xterm"),
            ("USER", "me"),
            ("TMPDIR", "/tmp"),
            ("PATH", "x:/bin"),
        ];
        let names: Vec<&str> = host.iter().map(|(name, _)| *name).collect();
        let all = clean(&host, &names);
        assert_eq!(all["HOME"], "/cage/home");
        assert_eq!(all["TMPDIR"], "/cage/tmp");
        assert_eq!(all["TERM"], "dumb");
        assert_eq!(all["USER"], "agent");
        assert_eq!(all["PATH"], "/bin");
    }
}
