//! The variables by which programs find the proxy.

use std::collections::BTreeMap;

use super::Hosts;

/// Variables that hold the proxy's address; curl, cargo, npm, pip, uv and Go read one or another.
const PROXY_NAMES: [&str; 6] = [
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "all_proxy",
    "http_proxy",
    "https_proxy",
];

/// Variables that name what is reached without the proxy: servers that a test starts.
const DIRECT_NAMES: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// What is reached without the proxy.
const DIRECT: &str = "localhost,127.0.0.1,::1";

/// Options of the Java virtual machine for Maven and Gradle, which read no proxy variable.
const JAVA_NAMES: [&str; 2] = ["GRADLE_OPTS", "MAVEN_OPTS"];

/// Returns an environment in which programs find the proxy at a port of 127.0.0.1, sorted by name.
///
/// `environment` is what [`clean_environment`](crate::clean_environment) made.
/// Without hosts it comes back as it is, and cargo stays offline: then nobody
/// waits for a network that is not there.
pub fn proxied_environment(
    environment: &[(String, String)],
    hosts: &Hosts,
    port: u16,
) -> Vec<(String, String)> {
    if hosts.is_empty() {
        return environment.to_vec();
    }
    let mut proxied: BTreeMap<String, String> = environment.iter().cloned().collect();
    proxied.remove("CARGO_NET_OFFLINE");
    let mut set = |name: &str, value: &str| proxied.insert(name.to_owned(), value.to_owned());
    let proxy = format!("http://127.0.0.1:{port}");
    for name in PROXY_NAMES {
        set(name, &proxy);
    }
    for name in DIRECT_NAMES {
        set(name, DIRECT);
    }
    // Node itself looks at the variables above only when it is told to.
    set("NODE_USE_ENV_PROXY", "1");
    let java = ["http", "https"]
        .map(|scheme| format!("-D{scheme}.proxyHost=127.0.0.1 -D{scheme}.proxyPort={port}"));
    for name in JAVA_NAMES {
        let before = proxied.get(name).map(|value| format!("{value} "));
        let value = format!("{}{}", before.unwrap_or_default(), java.join(" "));
        proxied.insert(name.to_owned(), value);
    }
    proxied.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::listed_hosts;

    fn environment() -> Vec<(String, String)> {
        [
            ("CARGO_NET_OFFLINE", "true"),
            ("HTTP_PROXY", "http://elsewhere:1"),
            ("PATH", "/usr/bin"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    #[test]
    fn without_hosts_nothing_changes() {
        assert_eq!(
            proxied_environment(&environment(), &Hosts::default(), 3128),
            environment()
        );
    }

    #[test]
    fn with_hosts_every_program_finds_the_proxy() {
        let hosts = Hosts::new(&listed_hosts("npm", "harness.toml:3", false).unwrap());
        let proxied = proxied_environment(&environment(), &hosts, 3128);
        assert!(proxied.is_sorted());
        let all: BTreeMap<String, String> = proxied.into_iter().collect();
        assert_eq!(all.get("CARGO_NET_OFFLINE"), None);
        assert_eq!(all["PATH"], "/usr/bin");
        for name in PROXY_NAMES {
            assert_eq!(all[name], "http://127.0.0.1:3128", "{name}");
        }
        assert_eq!(all["no_proxy"], "localhost,127.0.0.1,::1");
        assert!(all["MAVEN_OPTS"].contains("-Dhttps.proxyPort=3128"));
    }
}
