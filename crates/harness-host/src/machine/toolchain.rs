//! Where toolchains find what was downloaded before, and how each of them is told.
//!
//! Cargo is given links (see [`seed`](super::seed)). Go, Gradle and Maven can be
//! pointed at further caches that they only read. Programs that can do neither
//! download again.

use std::{
    env,
    path::{Path, PathBuf},
};

/// What toolchains keep of what they downloaded, of one home. What is missing is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Caches {
    /// Cargo's home; its credentials are never read.
    pub(super) cargo: Option<PathBuf>,
    /// Go's download cache, laid out like a proxy's files.
    pub(super) go: Option<PathBuf>,
    /// Gradle's caches.
    pub(super) gradle: Option<PathBuf>,
    /// Maven's local repository.
    pub(super) maven: Option<PathBuf>,
    /// npm's cache.
    pub(super) npm: Option<PathBuf>,
    /// pip's cache.
    pub(super) pip: Option<PathBuf>,
}

impl Caches {
    /// Looks in a private home.
    pub(super) fn below(home: &Path) -> Self {
        Self {
            cargo: folder(home.join(".cargo")),
            go: folder(home.join("go/pkg/mod/cache/download")),
            gradle: folder(home.join(".gradle/caches")),
            maven: folder(home.join(".m2/repository")),
            npm: folder(home.join(".npm/_cacache")),
            pip: folder(home.join(".cache/pip")),
        }
    }

    /// Looks where the person's variables say, and else below the person's home.
    pub(super) fn of_person(host: &[(String, String)]) -> Self {
        let home = env::home_dir().unwrap_or_default();
        let value = |name: &str| {
            let found = host.iter().find(|(known, _)| known == name);
            let path = found.map(|(_, value)| PathBuf::from(value));
            path.filter(|path| path.is_absolute())
        };
        let at = |name: &str, default: &str| value(name).unwrap_or_else(|| home.join(default));
        let go = value("GOMODCACHE").unwrap_or_else(|| at("GOPATH", "go").join("pkg/mod"));
        let cache = at("XDG_CACHE_HOME", ".cache");
        Self {
            cargo: folder(at("CARGO_HOME", ".cargo")),
            go: folder(go.join("cache/download")),
            gradle: folder(at("GRADLE_USER_HOME", ".gradle").join("caches")),
            maven: folder(home.join(".m2/repository")),
            npm: folder(at("npm_config_cache", ".npm").join("_cacache")),
            pip: folder(value("PIP_CACHE_DIR").unwrap_or_else(|| cache.join("pip"))),
        }
    }

    /// Returns what processes read of these.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        let cargo = self.cargo.iter();
        let cargo = cargo.flat_map(|home| ["registry", "git"].map(|part| home.join(part)));
        let gradle = self.gradle.iter().map(|caches| caches.join(GRADLE_MODULES));
        let whole = [&self.go, &self.maven, &self.npm, &self.pip];
        let whole = whole.into_iter().flatten().cloned();
        cargo
            .chain(gradle)
            .chain(whole)
            .filter(|path| path.is_dir())
            .collect()
    }
}

/// What of Gradle's caches may be shared read-only.
const GRADLE_MODULES: &str = "modules-2";

/// Tells toolchains of the caches that they only read; `environment` stays sorted by name.
pub(super) fn point(environment: &mut Vec<(String, String)>, home: &Path, caches: &[Caches]) {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let go: Vec<String> = caches
        .iter()
        .filter_map(|caches| caches.go.as_deref())
        .map(|path| format!("file://{}", text(path)))
        .chain(["https://proxy.golang.org".to_owned()])
        .collect();
    let gradle = caches
        .iter()
        .filter_map(|caches| caches.gradle.as_deref())
        .find(|path| path.join(GRADLE_MODULES).is_dir());
    let maven: Vec<String> = caches
        .iter()
        .filter_map(|caches| caches.maven.as_deref())
        .map(text)
        .collect();
    let own = text(&home.join(".m2/repository"));
    let mut options = format!("-Dmaven.repo.local={own}");
    if !maven.is_empty() {
        options.push_str(&format!(" -Dmaven.repo.local.tail={}", maven.join(",")));
    }
    let told = [
        ("GOPROXY", (go.len() > 1).then(|| go.join(","))),
        ("GRADLE_RO_DEP_CACHE", gradle.map(text)),
        ("MAVEN_OPTS", Some(options)),
    ];
    environment.retain(|(known, _)| told.iter().all(|(name, _)| name != known));
    environment.extend(
        told.into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?))),
    );
    environment.sort();
}

fn folder(path: PathBuf) -> Option<PathBuf> {
    path.is_dir().then_some(path)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn toolchains_ask_what_setup_left_before_what_the_person_has() {
        let folder = tempfile::tempdir().unwrap();
        let (setup, person) = (folder.path().join("setup"), folder.path().join("person"));
        for home in [&setup, &person] {
            for part in [
                ".cargo/registry",
                "go/pkg/mod/cache/download",
                ".m2/repository",
            ] {
                fs::create_dir_all(home.join(part)).unwrap();
            }
        }
        fs::create_dir_all(person.join(".gradle/caches/modules-2")).unwrap();
        let caches = [Caches::below(&setup), Caches::below(&person)];
        let mut environment = vec![
            ("MAVEN_OPTS".to_owned(), "old".to_owned()),
            ("PATH".to_owned(), "/usr/bin".to_owned()),
        ];
        point(&mut environment, Path::new("/own"), &caches);
        assert!(environment.is_sorted());
        let value = |name: &str| {
            let found = environment.iter().find(|(known, _)| known == name);
            found
                .unwrap()
                .1
                .replace(&*folder.path().to_string_lossy(), "")
        };
        assert_eq!(
            value("GOPROXY"),
            "file:///setup/go/pkg/mod/cache/download,file:///person/go/pkg/mod/cache/download,https://proxy.golang.org"
        );
        assert_eq!(value("GRADLE_RO_DEP_CACHE"), "/person/.gradle/caches");
        assert!(value("MAVEN_OPTS").ends_with("tail=/setup/.m2/repository,/person/.m2/repository"));
        assert!(value("MAVEN_OPTS").starts_with("-Dmaven.repo.local=/own/.m2/repository "));
        let read = caches[1].folders();
        assert!(read.contains(&person.join(".cargo/registry")));
        assert!(!read.contains(&person.join(".cargo")));
    }
}
