//! A package registry on loopback: one package, one tarball.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The registry; it serves as long as the test runs.
pub(super) struct Registry {
    pub(super) port: u16,
    /// What `npm ci` checks the tarball against.
    pub(super) integrity: String,
    requests: Arc<AtomicUsize>,
}

/// Not one of the addresses that programs reach without a proxy.
pub(super) const ADDRESS: &str = "127.0.0.2";

impl Registry {
    /// Serves the package `tiny` 1.0.0, whose one function returns 42.
    pub(super) fn start(folder: &Path) -> Self {
        let package = folder.join("package");
        std::fs::create_dir(&package).unwrap();
        std::fs::write(
            package.join("package.json"),
            "{\"name\":\"tiny\",\"version\":\"1.0.0\",\"main\":\"index.js\"}\n",
        )
        .unwrap();
        std::fs::write(package.join("index.js"), "module.exports = () => 42;\n").unwrap();
        let tarball = folder.join("tiny-1.0.0.tgz");
        let packed = Command::new("tar")
            .arg("-czf")
            .arg(&tarball)
            .args(["-C", &folder.display().to_string(), "package"])
            .status();
        assert!(packed.unwrap().success());
        let digest = "process.stdout.write('sha512-' + require('crypto').createHash('sha512').update(require('fs').readFileSync(process.argv[1])).digest('base64'))";
        let digest = Command::new("node")
            .args(["-e", digest])
            .arg(&tarball)
            .output();
        let integrity = String::from_utf8(digest.unwrap().stdout).unwrap();
        let listener = TcpListener::bind((ADDRESS, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let bytes = std::fs::read(tarball).unwrap();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                let bytes = bytes.clone();
                thread::spawn(move || serve(stream, &bytes));
            }
        });
        Self {
            port,
            integrity,
            requests,
        }
    }

    /// Returns how many requests came.
    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

fn serve(mut stream: TcpStream, tarball: &[u8]) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16 << 10 {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let is_tarball = head.starts_with(b"GET ") && head.windows(4).any(|word| word == b".tgz");
    let (status, body) = if is_tarball {
        ("200 OK", tarball)
    } else {
        ("404 Not Found", &b"{}"[..])
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/octet-stream\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}
