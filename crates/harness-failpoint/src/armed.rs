//! What a test wants to happen, and how often each point was passed.

use std::{
    collections::HashMap,
    env, fs, io,
    io::Write as _,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::Duration,
};

const WISHES: &str = "HARNESS_FAILPOINT";
const TRACE: &str = "HARNESS_FAILPOINT_TRACE";

/// What happens at a point.
pub(crate) enum Action {
    /// The system says no.
    Fail(io::Error),
    /// Only so many bytes are written; then the process dies, or the disk is full.
    Cut {
        /// How many.
        after: usize,
        /// Whether the process dies.
        dies: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Wish {
    point: String,
    /// At which pass; `None` for each.
    pass: Option<u64>,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Abort,
    Error(i32),
    Torn(usize),
    Short(usize),
    Sleep(Duration),
}

struct Armed {
    wishes: Vec<Wish>,
    trace: Option<fs::File>,
    passed: HashMap<&'static str, u64>,
    passed_any: u64,
}

/// Counts the pass and returns what is wanted; dies where that is wanted.
pub(crate) fn next(point: &'static str) -> Option<Action> {
    let what = armed().pass(point)?;
    match what {
        What::Abort => die(),
        What::Error(code) => Some(Action::Fail(io::Error::from_raw_os_error(code))),
        What::Torn(after) => Some(Action::Cut { after, dies: true }),
        What::Short(after) => Some(Action::Cut { after, dies: false }),
        What::Sleep(pause) => {
            thread::sleep(pause);
            None
        }
    }
}

/// Ends the process as `SIGKILL` from outside would: nothing of its own code runs any more.
pub(crate) fn die() -> ! {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    loop {
        thread::park();
    }
}

/// What a full disk answers.
pub(crate) fn full() -> io::Error {
    rustix::io::Errno::NOSPC.into()
}

fn armed() -> MutexGuard<'static, Armed> {
    static ARMED: OnceLock<Mutex<Armed>> = OnceLock::new();
    let armed = ARMED.get_or_init(|| Mutex::new(Armed::from_environment()));
    armed.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Armed {
    fn from_environment() -> Self {
        let text = env::var(WISHES).unwrap_or_default();
        let trace = env::var_os(TRACE).and_then(|path| {
            let mut options = fs::OpenOptions::new();
            options.append(true).create(true).open(path).ok()
        });
        Self {
            wishes: text.split(',').filter_map(wish).collect(),
            trace,
            passed: HashMap::new(),
            passed_any: 0,
        }
    }

    fn pass(&mut self, point: &'static str) -> Option<What> {
        if let Some(trace) = &mut self.trace {
            let _ = trace.write_all(format!("{point}\n").as_bytes());
        }
        let passed = self.passed.entry(point).or_default();
        *passed += 1;
        self.passed_any += 1;
        let (own, any) = (*passed, self.passed_any);
        let fits = |wish: &&Wish| match wish.point.as_str() {
            "*" => wish.pass.is_none_or(|pass| pass == any),
            name => name == point && wish.pass.is_none_or(|pass| pass == own),
        };
        self.wishes.iter().find(fits).map(|wish| wish.what)
    }
}

/// Reads one wish; a text that is none wishes nothing, and the test sees that nothing happened.
fn wish(text: &str) -> Option<Wish> {
    let mut parts = text.trim().split(':');
    let (point, pass, action) = (parts.next()?, parts.next()?, parts.next()?);
    let argument = parts.next();
    let what = match (action, argument) {
        ("abort", None) => What::Abort,
        ("error", Some(name)) => What::Error(code(name)?),
        ("torn", Some(bytes)) => What::Torn(bytes.parse().ok()?),
        ("short", Some(bytes)) => What::Short(bytes.parse().ok()?),
        ("sleep", Some(millis)) => What::Sleep(Duration::from_millis(millis.parse().ok()?)),
        _ => return None,
    };
    let pass = match pass {
        "*" => None,
        number => Some(number.parse().ok()?),
    };
    Some(Wish {
        point: point.to_owned(),
        pass,
        what,
    })
}

fn code(name: &str) -> Option<i32> {
    use rustix::io::Errno;
    let errno = match name {
        "EIO" => Errno::IO,
        "ENOSPC" => Errno::NOSPC,
        "EROFS" => Errno::ROFS,
        "EDQUOT" => Errno::DQUOT,
        _ => return None,
    };
    Some(errno.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armed(text: &str) -> Armed {
        Armed {
            wishes: text.split(',').filter_map(wish).collect(),
            trace: None,
            passed: HashMap::new(),
            passed_any: 0,
        }
    }

    #[test]
    fn a_point_is_counted_by_its_own_name_and_with_all_others() {
        let mut points = armed("a:2:abort,*:5:torn:9,b:*:error:EIO");
        let wished = ["a", "a", "b", "c", "a", "c"].map(|point| points.pass(point));
        let failed = What::Error(rustix::io::Errno::IO.raw_os_error());
        assert_eq!(
            wished,
            [
                None,
                Some(What::Abort),
                Some(failed),
                None,
                Some(What::Torn(9)),
                None
            ]
        );
    }

    #[test]
    fn what_is_no_wish_wishes_nothing() {
        for text in [
            "",
            "a",
            "a:1",
            "a:x:abort",
            "a:1:abort:2",
            "a:1:error",
            "a:1:error:EFOO",
            "a:1:torn:x",
        ] {
            assert_eq!(wish(text), None, "{text}");
        }
    }
}
