//! Names that stand for the hosts of a package registry.

/// The names, in the order in which they are offered.
pub const REGISTRY_NAMES: [&str; 5] = ["crates.io", "npm", "pypi", "go", "maven"];

/// Returns the hosts behind the name of a registry: what its client asks to install packages.
///
/// All of them are reached at port 443. A registry that also takes packages can
/// carry data out, as every host can.
pub fn registry_hosts(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        // The sparse index, the archives, and the site for what still asks it.
        "crates.io" => &["index.crates.io", "static.crates.io", "crates.io"],
        // The second is the name that lockfiles of yarn have.
        "npm" => &["registry.npmjs.org", "registry.yarnpkg.com"],
        "pypi" => &["pypi.org", "files.pythonhosted.org"],
        "go" => &["proxy.golang.org", "sum.golang.org"],
        // Maven Central under both names, and the plugins of Gradle with the host they redirect to.
        "maven" => &[
            "repo.maven.apache.org",
            "repo1.maven.org",
            "plugins.gradle.org",
            "plugins-artifacts.gradle.org",
        ],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Endpoint, Host};

    #[test]
    fn every_name_stands_for_hosts_in_canonical_form() {
        for name in REGISTRY_NAMES {
            let hosts = registry_hosts(name).unwrap();
            assert!(!hosts.is_empty(), "{name}");
            for host in hosts {
                let parsed = Endpoint::parse_listed(host).unwrap();
                assert_eq!(parsed.host, Host::Name((*host).to_owned()));
                assert_eq!(parsed.port, 443);
            }
        }
        assert_eq!(registry_hosts("cargo"), None);
    }
}
