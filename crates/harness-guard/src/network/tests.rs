use harness_core::Decision;
use proptest::prelude::*;

use super::*;

fn hosts(entries: &[&str]) -> Hosts {
    let allowed: Vec<AllowedHost> = entries
        .iter()
        .flat_map(|entry| listed_hosts(entry, "harness.toml:3", false).unwrap())
        .collect();
    Hosts::new(&allowed)
}

fn allows(hosts: &Hosts, host: &str, port: u16) -> bool {
    hosts.judge(host, port).is_allowed()
}

#[test]
fn a_host_is_reached_at_its_exact_name_and_port() {
    let hosts = hosts(&[
        "Allowed.Test",
        "mirror.test:8443",
        "8.8.8.8:53",
        "[2606:4700::1]:443",
    ]);
    for (host, port) in [
        ("allowed.test", 443),
        ("ALLOWED.test", 443),
        ("mirror.test", 8443),
        ("8.8.8.8", 53),
        ("[2606:4700::1]", 443),
        ("[2606:4700:0::1]", 443),
    ] {
        let verdict = hosts.judge(host, port);
        assert!(verdict.is_allowed(), "{host}: {verdict:?}");
        assert_eq!(verdict.rule.unwrap().origin, "harness.toml:3");
    }
}

#[test]
fn every_other_spelling_is_refused() {
    let hosts = hosts(&["allowed.test", "8.8.8.8:443", "mirror.test:8443"]);
    for host in [
        "allowed.test.evil.test",
        "evilallowed.test",
        "evil.allowed.test",
        "allowed.test.",
        ".allowed.test",
        "allowed..test",
        "allowed.tes",
        "allowed.test@evil.test",
        "evil.test@allowed.test",
        "user:pass@allowed.test",
        "allowed.test%00.evil.test",
        "allowed%2etest",
        "allowed.test\0.evil.test",
        "allowed.test\0",
        "allowed.test\r\nHost: evil.test",
        "allowed.test\n",
        " allowed.test",
        "allowed.test ",
        "allowed.test/",
        "allowed.test#",
        "allowed.test\\",
        "allowed.test:443",
        "*",
        "*.test",
        "test",
        "",
        "аllowed.test",
        "allowed。test",
        "ａllowed.test",
        "allowed.test\u{200b}",
        "mirror.test",
        "8.8.8.9",
        "134744072",
        "0x08080808",
        "010.010.010.010",
        "8.8.2056",
        "8.8.8.8.",
        "08.8.8.8",
        "0x8.8.8.8",
        "[::ffff:8.8.8.8]",
        "::ffff:8.8.8.8",
        "[::8.8.8.8]",
        "[fe80::1%eth0]",
        "2130706433",
        "017700000001",
        "127.1",
        "0",
    ] {
        let verdict = hosts.judge(host, 443);
        assert_eq!(verdict.decision, Decision::Deny, "{host:?}");
        assert!(
            verdict
                .reason
                .bytes()
                .all(|byte| (b' '..=b'~').contains(&byte)),
            "{host:?}: {:?}",
            verdict.reason
        );
    }
    for port in [0, 80, 442, 444, 8443] {
        assert!(!allows(&hosts, "allowed.test", port), "{port}");
    }
}

#[test]
fn a_refusal_says_what_is_open_and_how_to_open_more() {
    assert_eq!(
        hosts(&["allowed.test"]).judge("evil.test", 80).reason,
        "cannot reach `evil.test:80`: it is none of the hosts that are open (allowed.test:443); \
         ask for it with the tool `request`, or a person opens it with `[sandbox] network = [\"evil.test:80\"]` in harness.toml"
    );
    assert_eq!(
        Hosts::default().judge("evil.test", 443).reason,
        "cannot reach `evil.test:443`: the network is off; \
         ask for it with the tool `request`, or a person opens it with `[sandbox] network = [\"evil.test:443\"]` in harness.toml"
    );
    assert_eq!(
        hosts(&["allowed.test"]).judge("allowed.test.", 443).reason,
        "cannot reach `allowed.test.`: it ends in a dot"
    );
    let many: Vec<String> = (0..20).map(|number| format!("h{number}.test")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let reason = hosts(&many).judge("evil.test", 443).reason;
    assert!(reason.contains("h7.test:443 and 12 more)"), "{reason}");
}

#[test]
fn a_private_address_is_open_only_where_the_person_lists_it() {
    for private in [
        "127.0.0.1:80",
        "10.0.0.7:8080",
        "[::1]:80",
        "169.254.169.254:80",
    ] {
        assert_eq!(
            listed_hosts(private, "harness.toml:3", false),
            Err(ListedError::Private)
        );
        let mut listed = listed_hosts(private, "config.toml:3", true).unwrap();
        assert_eq!(listed[0].to_string(), private);
        assert!(!Hosts::new(&listed).is_empty());
        // What an entry does not say about itself is not so.
        listed[0].private = false;
        assert!(Hosts::new(&listed).is_empty(), "{private}");
    }
    let public = listed_hosts("8.8.8.8:53", "config.toml:3", true).unwrap();
    assert!(!public[0].private);
}

#[test]
fn what_is_no_host_says_why() {
    let wrong = [
        ("", "is empty"),
        (
            "*",
            "has a wildcard; every host is listed by its whole name",
        ),
        (
            "*.test:443",
            "has a wildcard; every host is listed by its whole name",
        ),
        ("https://a.test", "is a URL or a path, not a host"),
        ("a.test/x", "is a URL or a path, not a host"),
        ("me@a.test:443", "names a user before `@`"),
        (
            "a%2etest",
            "has a percent sign; a name is written without escapes",
        ),
        (
            "größe.test",
            "is not ASCII; a name in another script is written in its `xn--` form",
        ),
        ("a b.test", "has a character that no host name has"),
        ("a_b.test", "has a character that no host name has"),
        ("a.test.", "ends in a dot"),
        (
            "a..test",
            "has a part that is empty, too long, or begins or ends with a hyphen",
        ),
        (
            "-a.test",
            "has a part that is empty, too long, or begins or ends with a hyphen",
        ),
        (
            "2130706433:80",
            "is a number and no address in its plain form, such as 192.0.2.1",
        ),
        (
            "0x7f.1:80",
            "is a number and no address in its plain form, such as 192.0.2.1",
        ),
        (
            "0177.0.0.1:80",
            "is a number and no address in its plain form, such as 192.0.2.1",
        ),
        (
            "::1",
            "has more than one colon; an IPv6 address stands in brackets",
        ),
        ("[::1", "has brackets without an IPv6 address in them"),
        (
            "[1.2.3.4]:80",
            "has brackets without an IPv6 address in them",
        ),
        ("[::ffff:8.8.8.8]:80", "is an IPv4 address written as IPv6"),
        ("a.test:0", "has no port from 1 to 65535"),
        ("a.test:65536", "has no port from 1 to 65535"),
        ("a.test:+1", "has a character that no host name has"),
        ("a.test:080", "has no port from 1 to 65535"),
        ("a.test:", "has no port from 1 to 65535"),
        ("a.test:https", "has no port from 1 to 65535"),
        (
            "cargo",
            "names no port; only a name with a dot goes without, for port 443",
        ),
        (
            "8.8.8.8",
            "names no port; only a name with a dot goes without, for port 443",
        ),
    ];
    for (text, why) in wrong {
        let error = listed_hosts(text, "", true).unwrap_err();
        assert_eq!(error.to_string(), why, "{text}");
    }
    let long = format!("{}.test", "a.".repeat(200));
    assert!(listed_hosts(&long, "", true).is_err());
    assert!(listed_hosts(&format!("{}.test", "a".repeat(64)), "", true).is_err());
    assert!(listed_hosts("mirror:8081", "", false).is_ok());
    assert!(listed_hosts("xn--gre-6ka8i.test", "", false).is_ok());
}

#[test]
fn a_registry_opens_its_hosts_and_no_more() {
    let hosts = hosts(&["crates.io", "crates.io"]);
    let shown: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "index.crates.io:443",
            "static.crates.io:443",
            "crates.io:443"
        ]
    );
    assert!(!allows(&hosts, "npm", 443));
    assert_eq!(
        hosts.judge("crates.io", 443).rule.unwrap().origin,
        "harness.toml:3, crates.io"
    );
    assert_eq!(
        serde_json::to_value(&hosts).unwrap(),
        serde_json::json!(shown)
    );
}

fn request(head: &str) -> Result<ProxyRequest, RequestError> {
    read_request(head.as_bytes())
}

fn plain_head(head: &str) -> String {
    match request(head).unwrap() {
        ProxyRequest::Plain(request) => request.head,
        ProxyRequest::Connect(_) => panic!("{head}"),
    }
}

#[test]
fn a_tunnel_names_host_and_port() {
    let tunnel = |head: &str| match request(head).unwrap() {
        ProxyRequest::Connect(endpoint) => endpoint.to_string(),
        ProxyRequest::Plain(_) => panic!("{head}"),
    };
    for head in [
        "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nUser-Agent: x\r\n\r\n",
        "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n",
        "CONNECT A.TEST:443 HTTP/1.0\r\n\r\n",
        "CONNECT a.test:443 HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    ] {
        assert_eq!(tunnel(head), "a.test:443");
    }
    for head in [
        "CONNECT a.test HTTP/1.1\r\n\r\n",
        "CONNECT http://a.test:443 HTTP/1.1\r\n\r\n",
        "CONNECT a.test:443/ HTTP/1.1\r\n\r\n",
        "CONNECT u@a.test:443 HTTP/1.1\r\n\r\n",
        "CONNECT a.test:443 HTTP/1.1\r\nHost: b.test:443\r\n\r\n",
        "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:80\r\n\r\n",
        "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\nHost: a.test\r\n\r\n",
        "CONNECT a.test:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
        "CONNECT a.test:443 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "CONNECT a.test:443 HTTP/2\r\n\r\n",
        "CONNECT  a.test:443 HTTP/1.1\r\n\r\n",
        "connect a.test:443 HTTP/1.1\r\n\r\n",
    ] {
        assert!(request(head).is_err(), "{head:?}");
    }
}

#[test]
fn a_plain_request_is_made_anew() {
    assert_eq!(
        plain_head(
            "GET http://A.test/x?y=1 HTTP/1.1\r\nhost: a.TEST\r\nAccept: */*\r\n\
             Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\n\
             Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nUpgrade: h2c\r\nTE: trailers\r\n\r\n"
        ),
        "GET /x?y=1 HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(
        plain_head("GET http://a.test:8080?y HTTP/1.0\r\nHost: a.test:8080\r\n\r\n"),
        "GET /?y HTTP/1.0\r\nHost: a.test:8080\r\nConnection: close\r\n\r\n"
    );
    let post = "POST http://a.test HTTP/1.1\r\nHost: a.test:80\r\nContent-Length: 12\r\n\r\n";
    assert!(matches!(
        request(post),
        Ok(ProxyRequest::Plain(PlainRequest { body: 12, .. }))
    ));
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let with = |header: &str| format!("GET http://a.test/ HTTP/1.1\r\n{header}\r\n\r\n");
    for head in [
        with("Host: b.test"),
        with("Host: a.test:8080"),
        with("Host: a.test\r\nHost: b.test"),
        with("Host: a.test\r\nhost: a.test"),
        with("Host: a.test, b.test"),
        with("Host: a.test@b.test"),
        with("Host: "),
        with("Accept: x"),
        with("Host: a.test\r\nContent-Length: 3\r\nContent-Length: 4"),
        with("Host: a.test\r\nContent-Length: 3\r\nContent-Length: 3"),
        with("Host: a.test\r\nContent-Length: 3, 3"),
        with("Host: a.test\r\nContent-Length: +3"),
        with("Host: a.test\r\nContent-Length: 0x3"),
        with("Host: a.test\r\nContent-Length: -1"),
        with("Host: a.test\r\nContent-Length:"),
        with("Host: a.test\r\nContent-Length: 99999999999999999999999"),
        with("Host: a.test\r\nContent-Length: 3\r\nTransfer-Encoding: chunked"),
        with("Host: a.test\r\nTransfer-Encoding: chunked"),
        with("Host: a.test\r\nTransfer-Encoding: xchunked"),
        with("Host: a.test\r\nTransfer-Encoding : chunked"),
        with("Host: a.test\r\nConnection: content-length\r\nContent-Length: 3"),
        with("Host: a.test\r\nConnection: Host"),
        with("Host : a.test"),
        with(" Host: a.test"),
        with("Host: a.test\r\n b.test"),
        with("Host: a.test\r\nX: a\nHost: b.test"),
        with("Host: a.test\r\nX: a\rHost: b.test"),
        with("Host: a.test\r\nX: a\0b"),
        with("Host: a.test\r\nX: \u{7f}"),
        with("Host: a.test\r\nX: größe"),
        with("Host: a.test\r\n: x"),
        with("Host: a.test\r\nno colon"),
        "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n".to_owned(),
        "GET * HTTP/1.1\r\nHost: a.test\r\n\r\n".to_owned(),
        "GET https://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n".to_owned(),
        "GET ftp://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n".to_owned(),
        "GET //a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n".to_owned(),
        "GET http:///x HTTP/1.1\r\nHost: a.test\r\n\r\n".to_owned(),
        "GET http://u:p@a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n".to_owned(),
        "GET http://b.test\\@a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n".to_owned(),
        "GET http://a.test#@b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n".to_owned(),
        "GET http://a.test/ x HTTP/1.1\r\nHost: a.test\r\n\r\n".to_owned(),
        "GET http://a.test/\tx HTTP/1.1\r\nHost: a.test\r\n\r\n".to_owned(),
        "get http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n".to_owned(),
        "GET http://a.test/ HTTP/0.9\r\nHost: a.test\r\n\r\n".to_owned(),
        "GET http://a.test/\r\nHost: a.test\r\n\r\n".to_owned(),
        "\r\n\r\n".to_owned(),
        "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n".to_owned(),
        String::new(),
    ] {
        assert!(request(&head).is_err(), "{head:?}");
    }
}

#[test]
fn a_head_has_bounds() {
    let many = "X: y\r\n".repeat(HEADERS_MAX + 1);
    let head = format!("CONNECT a.test:443 HTTP/1.1\r\n{many}\r\n");
    assert_eq!(request(&head), Err(RequestError::TooLarge));
    let long = "y".repeat(HEAD_BYTES_MAX);
    let head = format!("CONNECT a.test:443 HTTP/1.1\r\nX: {long}\r\n\r\n");
    assert_eq!(request(&head), Err(RequestError::TooLarge));
    assert_eq!(head_length(b"GET x\r\n\r\nrest"), Some(9));
    assert_eq!(head_length(b"GET x\r\n\n"), None);
}

/// Names that look like the one that is listed.
fn near() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "allowed",
        "test",
        "evil",
        ".",
        "-",
        "@",
        ":",
        "443",
        "[",
        "]",
        "::1",
        "127.0.0.1",
        "0x7f",
        "%00",
        "\0",
        "\r\n",
        " ",
        "/",
        "\\",
        "A",
        "8.8.8.8",
        "allowed.test",
        "http://",
        "#",
        "?",
        "\u{430}",
    ]);
    prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_name_but_the_listed_one_is_ever_reached(name in prop_oneof![near(), any::<String>()], port: u16) {
        let hosts = hosts(&["allowed.test", "8.8.8.8:53"]);
        let verdict = hosts.judge(&name, port);
        let listed = (name.eq_ignore_ascii_case("allowed.test") && port == 443)
            || (name == "8.8.8.8" && port == 53);
        prop_assert_eq!(verdict.is_allowed(), listed);
        let is_ascii = verdict.reason.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        prop_assert!(is_ascii);
    }

    #[test]
    fn what_is_read_is_read_again_as_the_same(name in near()) {
        if let Ok(endpoint) = Endpoint::parse_listed(&name) {
            prop_assert_eq!(Endpoint::parse(&endpoint.to_string()), Ok(endpoint));
        }
    }

    #[test]
    fn no_head_makes_the_reader_panic(head in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_request(&head);
    }

    #[test]
    fn a_head_that_is_read_names_one_host(
        authority in near(), host in near(), header in near(), method in "GET|POST|CONNECT",
    ) {
        let target = if method == "CONNECT" { authority } else { format!("http://{authority}/") };
        let head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nX: {header}\r\n\r\n");
        if let Ok(request) = request(&head) {
            let endpoint = request.endpoint();
            let default = if method == "CONNECT" { endpoint.port } else { 80 };
            prop_assert_eq!(Endpoint::parse_or(&host, default), Ok(endpoint.clone()));
            if let ProxyRequest::Plain(plain) = &request {
                let hosts = plain.head.to_ascii_lowercase().matches("\r\nhost:").count();
                prop_assert_eq!(hosts, 1);
                prop_assert_eq!(head_length(plain.head.as_bytes()), Some(plain.head.len()));
            }
        }
    }
}
