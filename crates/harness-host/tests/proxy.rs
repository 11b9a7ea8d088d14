//! The network proxy: real sockets on loopback, a resolver that lies, and a host that records.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener as StdListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use harness_core::{AllowedHost, ByteCount, NetworkUse};
use harness_guard::network::{Hosts, is_public, listed_hosts, proxied_environment};
use harness_host::proxy::{AddressCheck, Proxy, ProxyBounds, ProxyRules, Resolver};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use crate::world::block_on;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Everything a host was sent, connection by connection.
type Recorded = Arc<Mutex<Vec<Vec<u8>>>>;

/// A proxy in front of one host that answers every chunk with the same bytes in upper case.
struct Stage {
    proxy: Proxy,
    /// The port of the host.
    port: u16,
    recorded: Recorded,
    used: Arc<Mutex<Vec<NetworkUse>>>,
    lookups: Arc<AtomicUsize>,
}

impl Stage {
    /// Opens `allowed.test` at the host's port; it leads to loopback, which may be dialled.
    async fn open() -> Self {
        Self::with(ProxyBounds::default(), &[LOOPBACK], Arc::new(|_| true)).await
    }

    async fn with(bounds: ProxyBounds, addresses: &[IpAddr], check: AddressCheck) -> Self {
        let (port, recorded) = host().await;
        let listed = listed_hosts(&format!("allowed.test:{port}"), "harness.toml:3", false);
        let lookups = Arc::new(AtomicUsize::new(0));
        let resolver = lying(addresses, &lookups);
        let rules = ProxyRules::new(Hosts::new(&listed.unwrap()), bounds);
        let (proxy, used) = start(rules.with_network(resolver, check));
        Self {
            proxy,
            port,
            recorded,
            used,
            lookups,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect((LOOPBACK, self.proxy.port()))
            .await
            .unwrap()
    }

    /// Sends bytes and returns everything that comes back until the end.
    async fn ask(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request).await.unwrap();
        until_end(&mut stream).await
    }

    /// Returns a tunnel to the host.
    async fn tunnel(&self) -> TcpStream {
        let mut stream = self.connect().await;
        let head = format!("CONNECT allowed.test:{} HTTP/1.1\r\n\r\n", self.port);
        stream.write_all(head.as_bytes()).await.unwrap();
        let greeting = "HTTP/1.1 200 Connection established\r\n\r\n";
        let mut answer = vec![0; greeting.len()];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(String::from_utf8(answer).unwrap(), greeting);
        stream
    }

    /// Waits for the next report.
    async fn used(&self) -> NetworkUse {
        for _ in 0..200 {
            let first = self.used.lock().unwrap().pop();
            if let Some(used) = first {
                return used;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing was reported");
    }

    fn recorded(&self) -> Vec<String> {
        let all = self.recorded.lock().unwrap();
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        all.iter().map(text).collect()
    }
}

fn start(rules: ProxyRules) -> (Proxy, Arc<Mutex<Vec<NetworkUse>>>) {
    let used = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&used);
    let listener = StdListener::bind((LOOPBACK, 0)).unwrap();
    let report = move |one: NetworkUse| kept.lock().unwrap().push(one);
    (Proxy::start(listener, rules, report).unwrap(), used)
}

/// Gives the same addresses for every name.
fn lying(addresses: &[IpAddr], lookups: &Arc<AtomicUsize>) -> Resolver {
    let (addresses, lookups) = (addresses.to_vec(), Arc::clone(lookups));
    Arc::new(move |_| {
        lookups.fetch_add(1, Ordering::Relaxed);
        let found = addresses.clone();
        Box::pin(async move { Ok(found) })
    })
}

async fn host() -> (u16, Recorded) {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let recorded = Recorded::default();
    let all = Arc::clone(&recorded);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let at = {
                let mut all = all.lock().unwrap();
                all.push(Vec::new());
                all.len() - 1
            };
            tokio::spawn(answer(stream, Arc::clone(&all), at));
        }
    });
    (port, recorded)
}

/// A plain request is answered and the connection closed; anything else is echoed in upper case.
async fn answer(mut stream: TcpStream, all: Recorded, at: usize) -> io::Result<()> {
    let mut chunk = vec![0; 65_536];
    loop {
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            return Ok(());
        }
        let so_far = {
            let mut all = all.lock().unwrap();
            all[at].extend_from_slice(&chunk[..read]);
            String::from_utf8_lossy(&all[at]).into_owned()
        };
        if so_far.contains(" HTTP/1.1\r\n") {
            if so_far.ends_with("\r\n\r\n") || so_far.ends_with("BODY") {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nanswer")
                    .await?;
                return Ok(());
            }
            continue;
        }
        chunk[..read].make_ascii_uppercase();
        stream.write_all(&chunk[..read]).await?;
    }
}

async fn until_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    // A reset is an end as well.
    let _ = read.expect("the connection is closed");
    String::from_utf8(answer).unwrap()
}

fn bounds() -> ProxyBounds {
    ProxyBounds {
        head: Duration::from_millis(300),
        ..ProxyBounds::default()
    }
}

#[test]
fn a_tunnel_carries_bytes_both_ways_and_is_counted() {
    block_on(async {
        let stage = Stage::open().await;
        let mut tunnel = stage.tunnel().await;
        tunnel.write_all(b"hello").await.unwrap();
        let mut answer = [0; 5];
        tunnel.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HELLO");
        tunnel.shutdown().await.unwrap();
        assert_eq!(until_end(&mut tunnel).await, "");
        let used = stage.used().await;
        assert_eq!(
            (used.host.as_str(), used.port),
            ("allowed.test", stage.port)
        );
        assert_eq!((used.sent, used.received), (ByteCount(5), ByteCount(5)));
        assert!(used.allowed && used.reason.is_empty(), "{used:?}");
        assert_eq!(stage.recorded(), ["hello"]);
        assert_eq!(stage.lookups.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn what_a_client_sends_before_the_greeting_goes_into_the_tunnel() {
    block_on(async {
        let stage = Stage::open().await;
        let head = format!("CONNECT allowed.test:{} HTTP/1.1\r\n\r\nearly", stage.port);
        let mut stream = stage.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = until_end(&mut stream).await;
        assert!(answer.ends_with("\r\n\r\nEARLY"), "{answer}");
        assert_eq!(stage.recorded(), ["early"]);
    });
}

#[test]
fn much_goes_through_a_tunnel_without_loss() {
    block_on(async {
        let stage = Stage::open().await;
        let (mut reads, mut writes) = stage.tunnel().await.into_split();
        let sent = vec![b'x'; 5 << 20];
        let writing = async {
            writes.write_all(&sent).await.unwrap();
            writes.shutdown().await.unwrap();
        };
        let mut answer = Vec::new();
        let (read, ()) = tokio::join!(reads.read_to_end(&mut answer), writing);
        read.unwrap();
        assert!(answer.len() == 5 << 20 && answer.iter().all(|byte| *byte == b'X'));
        assert_eq!(stage.used().await.received, ByteCount::mib(5));
    });
}

#[test]
fn no_other_spelling_reaches_the_host() {
    block_on(async {
        let stage = Stage::open().await;
        let port = stage.port;
        let other = port.wrapping_add(1).max(1);
        for target in [
            format!("allowed.test.evil.test:{port}"),
            format!("evilallowed.test:{port}"),
            format!("allowed.test.:{port}"),
            format!("allowed.test@evil.test:{port}"),
            format!("evil.test@allowed.test:{port}"),
            format!("allowed.test:{other}"),
            format!("allowed.test:0{port}"),
            format!("allowed.test:+{port}"),
            format!("allowed.test%00:{port}"),
            format!("allowed.test\0:{port}"),
            format!("allowed%2etest:{port}"),
            format!("*.test:{port}"),
            format!("127.0.0.1:{port}"),
            format!("[::1]:{port}"),
            format!("[::ffff:127.0.0.1]:{port}"),
            format!("2130706433:{port}"),
            format!("0x7f000001:{port}"),
            format!("017700000001:{port}"),
            format!("127.1:{port}"),
            format!("localhost:{port}"),
            "allowed.test".to_owned(),
            ":443".to_owned(),
        ] {
            let answer = stage
                .ask(format!("CONNECT {target} HTTP/1.1\r\n\r\n").as_bytes())
                .await;
            let status = &answer[..12];
            assert!(
                ["HTTP/1.1 403", "HTTP/1.1 400"].contains(&status),
                "{target:?}: {answer}"
            );
            let used = stage.used().await;
            assert!(
                !used.allowed && !used.reason.is_empty(),
                "{target:?}: {used:?}"
            );
            assert_eq!((used.sent, used.received), (ByteCount(0), ByteCount(0)));
        }
        // The name alone, at the port of plain HTTP.
        let plain = "GET http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\n\r\n";
        let answer = stage.ask(plain.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        assert_eq!(stage.recorded(), Vec::<String>::new());
        assert_eq!(
            stage.lookups.load(Ordering::Relaxed),
            0,
            "a name that is not open is not resolved"
        );
        let upper = format!("CONNECT ALLOWED.Test:{port} HTTP/1.1\r\n\r\n");
        let mut stream = stage.connect().await;
        stream.write_all(upper.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        assert!(until_end(&mut stream).await.starts_with("HTTP/1.1 200 "));
    });
}

#[test]
fn a_refusal_says_what_is_open_and_how_to_open_more() {
    block_on(async {
        let stage = Stage::open().await;
        let answer = stage.ask(b"CONNECT evil.test:443 HTTP/1.1\r\n\r\n").await;
        let sentence = format!(
            "cannot reach `evil.test:443`: it is none of the hosts that are open (allowed.test:{}); \
             ask for it with the tool `request`, or a person opens it with `[sandbox] network = [\"evil.test:443\"]` in harness.toml",
            stage.port
        );
        assert!(
            answer.starts_with(&format!("HTTP/1.1 403 {sentence}\r\n")),
            "{answer}"
        );
        assert!(
            answer.ends_with(&format!("\r\n\r\n{sentence}\n")),
            "{answer}"
        );
        let used = stage.used().await;
        assert_eq!(
            (used.host.as_str(), used.port, used.reason),
            ("evil.test", 443, sentence)
        );
    });
}

#[test]
fn smuggled_requests_reach_nobody() {
    block_on(async {
        let stage = Stage::open().await;
        let authority = format!("allowed.test:{}", stage.port);
        let evil = "GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n";
        for (headers, rest) in [
            ("Host: evil.test".to_owned(), ""),
            (format!("Host: {authority}\r\nHost: evil.test"), ""),
            (
                format!("Host: {authority}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked"),
                "0\r\n\r\n",
            ),
            (
                format!("Host: {authority}\r\nTransfer-Encoding: chunked"),
                "0\r\n\r\n",
            ),
            (
                format!("Host: {authority}\r\nContent-Length: 4\r\nContent-Length: 5"),
                "BODY",
            ),
            (format!("Host: {authority}\nX: y"), ""),
            (format!("Host: {authority}\r\n evil.test"), ""),
            (format!("Host: {authority}\r\nX: \0"), ""),
            (format!("Host: {authority}"), evil),
            (format!("Host: {authority}\r\nContent-Length: 0"), evil),
        ] {
            let request = format!("GET http://{authority}/ HTTP/1.1\r\n{headers}\r\n\r\n{rest}");
            let answer = stage.ask(request.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 4"), "{request:?}: {answer}");
            assert!(!stage.used().await.reason.is_empty());
        }
        assert_eq!(stage.recorded(), Vec::<String>::new());
    });
}

#[test]
fn one_plain_request_is_made_anew_and_answered() {
    block_on(async {
        let stage = Stage::open().await;
        let authority = format!("allowed.test:{}", stage.port);
        let request = format!(
            "POST http://{authority}/a?b HTTP/1.1\r\nhost: {authority}\r\nX: y\r\n\
             Proxy-Connection: keep-alive\r\nContent-Length: 8\r\n\r\nthe "
        );
        let mut stream = stage.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(50)).await;
        stream.write_all(b"BODY").await.unwrap();
        let answer = until_end(&mut stream).await;
        assert!(answer.ends_with("\r\n\r\nanswer"), "{answer}");
        let expected = format!(
            "POST /a?b HTTP/1.1\r\nHost: {authority}\r\nX: y\r\nContent-Length: 8\r\n\
             Connection: close\r\n\r\nthe BODY"
        );
        assert_eq!(stage.recorded(), [expected.as_str()]);
        let used = stage.used().await;
        assert_eq!(used.sent, ByteCount(expected.len() as u64));
        assert!(used.allowed && used.reason.is_empty(), "{used:?}");
    });
}

#[test]
fn a_second_request_on_a_connection_is_not_carried() {
    block_on(async {
        let stage = Stage::open().await;
        let authority = format!("allowed.test:{}", stage.port);
        // The body keeps the host waiting, so that the connection is still there.
        let first = format!(
            "POST http://{authority}/1 HTTP/1.1\r\nHost: {authority}\r\nContent-Length: 4\r\n\r\nbody"
        );
        let mut stream = stage.connect().await;
        stream.write_all(first.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(100)).await;
        let second = "GET http://evil.test/2 HTTP/1.1\r\nHost: evil.test\r\n\r\n";
        stream.write_all(second.as_bytes()).await.unwrap();
        assert_eq!(until_end(&mut stream).await, "");
        let used = stage.used().await;
        assert_eq!(used.reason, "closed: one request is made on one connection");
        assert!(
            !stage.recorded().concat().contains("evil"),
            "{:?}",
            stage.recorded()
        );
    });
}

#[test]
fn a_name_that_leads_to_a_private_address_is_refused() {
    block_on(async {
        for addresses in [
            &["127.0.0.1"][..],
            &["10.0.0.1"],
            &["169.254.169.254"],
            &["::1"],
            &["::ffff:127.0.0.1"],
            &["fd00:ec2::254"],
            &["64:ff9b::7f00:1"],
            &["0.0.0.0"],
            &["8.8.8.8", "127.0.0.1"],
            &["127.0.0.1", "8.8.8.8"],
        ] {
            let found: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
            let stage = Stage::with(bounds(), &found, Arc::new(is_public)).await;
            let head = format!("CONNECT allowed.test:{} HTTP/1.1\r\n\r\n", stage.port);
            let answer = stage.ask(head.as_bytes()).await;
            assert!(
                answer.starts_with("HTTP/1.1 403 "),
                "{addresses:?}: {answer}"
            );
            assert!(answer.contains("its name leads to "), "{answer}");
            let used = stage.used().await;
            assert!(!used.allowed, "{used:?}");
            assert_eq!(stage.recorded(), Vec::<String>::new(), "{addresses:?}");
        }
    });
}

#[test]
fn a_name_is_resolved_once_and_the_checked_address_is_dialled() {
    block_on(async {
        let (port, recorded) = host().await;
        let listed =
            listed_hosts(&format!("allowed.test:{port}"), "harness.toml:3", false).unwrap();
        let lookups = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&lookups);
        // The first answer is fine, every later one is not.
        let resolver: Resolver = Arc::new(move |_| {
            let number = counted.fetch_add(1, Ordering::Relaxed);
            let address: IpAddr = if number == 0 {
                LOOPBACK
            } else {
                "127.0.0.9".parse().unwrap()
            };
            Box::pin(async move { Ok(vec![address]) })
        });
        let rules = ProxyRules::new(Hosts::new(&listed), bounds());
        let rules = rules.with_network(resolver, Arc::new(|address| address == LOOPBACK));
        let (proxy, _used) = start(rules);
        let connect = format!("CONNECT allowed.test:{port} HTTP/1.1\r\n\r\nhi");
        for status in ["HTTP/1.1 200", "HTTP/1.1 403"] {
            let mut stream = TcpStream::connect((LOOPBACK, proxy.port())).await.unwrap();
            stream.write_all(connect.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let answer = until_end(&mut stream).await;
            assert!(answer.starts_with(status), "{answer}");
        }
        assert_eq!(lookups.load(Ordering::Relaxed), 2);
        assert_eq!(recorded.lock().unwrap().len(), 1);
    });
}

#[test]
fn an_address_that_the_person_lists_is_dialled_and_no_other() {
    block_on(async {
        let (port, recorded) = host().await;
        let listed = listed_hosts(&format!("127.0.0.1:{port}"), "config.toml:3", true).unwrap();
        let asked = |allowed: Vec<AllowedHost>| async move {
            let (proxy, _used) = start(ProxyRules::new(Hosts::new(&allowed), bounds()));
            let mut stream = TcpStream::connect((LOOPBACK, proxy.port())).await.unwrap();
            let head = format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            until_end(&mut stream).await
        };
        assert!(asked(listed.clone()).await.starts_with("HTTP/1.1 200 "));
        // As a repository would have it.
        let mut sneaked = listed;
        sneaked[0].private = false;
        assert!(asked(sneaked).await.starts_with("HTTP/1.1 403 "));
        assert_eq!(recorded.lock().unwrap().len(), 1);
    });
}

#[test]
fn a_host_that_does_not_answer_is_told() {
    block_on(async {
        let closed = StdListener::bind((LOOPBACK, 0)).unwrap();
        let port = closed.local_addr().unwrap().port();
        drop(closed);
        let listed = listed_hosts(&format!("gone.test:{port}"), "harness.toml:3", false).unwrap();
        for (addresses, words) in [
            (&[LOOPBACK][..], "connection refused"),
            (&[], "its name has no address"),
        ] {
            let rules = ProxyRules::new(Hosts::new(&listed), bounds());
            let resolver = lying(addresses, &Arc::default());
            let (proxy, used) = start(rules.with_network(resolver, Arc::new(|_| true)));
            let mut stream = TcpStream::connect((LOOPBACK, proxy.port())).await.unwrap();
            let head = format!("CONNECT gone.test:{port} HTTP/1.1\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let answer = until_end(&mut stream).await;
            assert!(
                answer.starts_with("HTTP/1.1 502 ") && answer.contains(words),
                "{answer}"
            );
            proxy.stop().await;
            let used = used.lock().unwrap().pop().unwrap();
            assert!(used.allowed && used.reason.contains(words), "{used:?}");
        }
    });
}

#[test]
fn a_head_is_bounded_in_size_and_time() {
    block_on(async {
        let stage = Stage::with(bounds(), &[LOOPBACK], Arc::new(|_| true)).await;
        let huge = format!(
            "CONNECT allowed.test:1 HTTP/1.1\r\nX: {}",
            "y".repeat(100_000)
        );
        let answer = stage.ask(huge.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert!(stage.used().await.reason.contains("longer than"));

        // A byte now and then does not keep a connection open.
        let begun = Instant::now();
        let (mut reads, mut writes) = stage.connect().await.into_split();
        let dripping = async {
            loop {
                if writes.write_all(b"C").await.is_err() {
                    break;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let mut answer = Vec::new();
        let reading = async {
            let _ = reads.read_to_end(&mut answer).await;
        };
        tokio::select! {
            () = dripping => {}
            () = reading => {}
        }
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert!(answer.starts_with(b"HTTP/1.1 408 "));
        assert_eq!(stage.used().await.reason, "the request took too long");
        assert_eq!(stage.recorded(), Vec::<String>::new());
    });
}

#[test]
fn a_connection_is_bounded_in_bytes_and_silence() {
    block_on(async {
        let narrow = ProxyBounds {
            bytes: ByteCount::kib(64),
            idle: Duration::from_millis(200),
            ..bounds()
        };
        let stage = Stage::with(narrow, &[LOOPBACK], Arc::new(|_| true)).await;
        let mut tunnel = stage.tunnel().await;
        assert_eq!(until_end(&mut tunnel).await, "");
        assert!(stage.used().await.reason.contains("nothing went through"));

        let (mut reads, mut writes) = stage.tunnel().await.into_split();
        let flood = vec![b'x'; 1 << 20];
        let mut answer = Vec::new();
        let (_, _) = tokio::join!(reads.read_to_end(&mut answer), writes.write_all(&flood));
        let used = stage.used().await;
        assert!(used.reason.contains("more went through"), "{used:?}");
        assert!(used.sent.0 + used.received.0 <= 128 * 1024, "{used:?}");
    });
}

#[test]
fn connections_are_bounded_in_number() {
    block_on(async {
        let few = ProxyBounds {
            open: 2,
            total: 3,
            ..bounds()
        };
        let stage = Stage::with(few, &[LOOPBACK], Arc::new(|_| true)).await;
        let (one, two) = (stage.tunnel().await, stage.tunnel().await);
        // The third waits until there is room.
        let mut third = stage.connect().await;
        let head = format!("CONNECT allowed.test:{} HTTP/1.1\r\n\r\n", stage.port);
        third.write_all(head.as_bytes()).await.unwrap();
        let waited = timeout(Duration::from_millis(200), third.read(&mut [0; 1])).await;
        assert!(waited.is_err(), "it was served");
        drop(one);
        third.read_exact(&mut [0; 12]).await.unwrap();
        assert!(stage.used().await.allowed);
        drop((two, third));
        // The fourth is one too many.
        let mut fourth = stage.connect().await;
        assert_eq!(until_end(&mut fourth).await, "");
        let address = (LOOPBACK, stage.proxy.port());
        stage.proxy.stop().await;
        let told = |used: &NetworkUse| used.reason.contains("more than 3 connections");
        assert!(stage.used.lock().unwrap().iter().any(told));
        assert!(TcpStream::connect(address).await.is_err());
    });
}

#[test]
fn taking_the_network_back_closes_and_reports_every_connection() {
    block_on(async {
        let stage = Stage::open().await;
        let mut tunnel = stage.tunnel().await;
        tunnel.write_all(b"secret").await.unwrap();
        tunnel.read_exact(&mut [0; 6]).await.unwrap();
        let address = SocketAddr::new(LOOPBACK, stage.proxy.port());
        let begun = Instant::now();
        stage.proxy.stop().await;
        assert!(begun.elapsed() < Duration::from_secs(2));
        assert_eq!(until_end(&mut tunnel).await, "");
        let used = stage.used.lock().unwrap().pop().unwrap();
        assert_eq!((used.sent, used.received), (ByteCount(6), ByteCount(6)));
        assert_eq!(used.reason, "closed: the network was taken back");
        assert!(TcpStream::connect(address).await.is_err());
    });
}

#[test]
fn a_dropped_proxy_closes_its_connections() {
    block_on(async {
        let stage = Stage::open().await;
        let mut tunnel = stage.tunnel().await;
        drop(stage.proxy);
        assert_eq!(until_end(&mut tunnel).await, "");
    });
}

#[test]
fn who_asks_for_nothing_is_not_reported() {
    block_on(async {
        let stage = Stage::open().await;
        drop(stage.connect().await);
        let _silent = stage.connect().await;
        sleep(Duration::from_millis(50)).await;
        stage.proxy.stop().await;
        assert!(stage.used.lock().unwrap().is_empty());
    });
}

/// Runs a program with nothing but the variables that lead to the proxy; `None` where there is none.
async fn program(stage: &Stage, hosts: &Hosts, argv: &[&str]) -> Option<String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let bare = [("PATH".to_owned(), path)];
    let variables = proxied_environment(&bare, hosts, stage.proxy.port());
    let mut command = tokio::process::Command::new(argv[0]);
    command.args(&argv[1..]).env_clear().envs(variables);
    let Ok(ended) = timeout(Duration::from_secs(30), command.output())
        .await
        .unwrap()
    else {
        eprintln!("skipped: {} is not here", argv[0]);
        return None;
    };
    let text = [ended.stdout, ended.stderr].concat();
    Some(String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn programs_find_the_proxy_and_show_why_it_refuses() {
    const PYTHON: &str = "import sys, urllib.request as r\ntry: print(r.urlopen(sys.argv[1]).read())\nexcept Exception as e: print(e)";
    block_on(async {
        let stage = Stage::open().await;
        let listed = listed_hosts(&format!("allowed.test:{}", stage.port), "", false).unwrap();
        let hosts = Hosts::new(&listed);
        let open = format!("http://allowed.test:{}/x", stage.port);
        for argv in [
            &["curl", "-sS", &open][..],
            &["python3", "-c", PYTHON, &open],
        ] {
            if let Some(told) = program(&stage, &hosts, argv).await {
                assert!(told.contains("answer"), "{argv:?}: {told}");
                assert!(stage.used().await.allowed);
            }
        }
        let shut = "http://evil.test/";
        let why = "it is none of the hosts that are open";
        for argv in [
            &["curl", "-sS", shut][..],
            &["python3", "-c", PYTHON, shut],
            // A tunnel is refused before there is a page: the reason stands in the status line.
            &["python3", "-c", PYTHON, "https://evil.test/"],
            &["curl", "-sSv", "https://evil.test/"],
        ] {
            if let Some(told) = program(&stage, &hosts, argv).await {
                assert!(told.contains(why), "{argv:?}: {told}");
                assert!(!stage.used().await.allowed);
            }
        }
    });
}
