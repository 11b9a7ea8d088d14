//! A server that is unwell once, three times, or fifty times, in each way it can say so.

use harness_testkit::Reply;

use super::{run, status};

/// What a stream says in the middle of an answer that began well.
const ERROR_EVENT: &[u8] = b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";

/// Requests of one turn: the first, and eight more.
const ASKED_MAX: usize = 9;

/// Lets the second turn fail so often, behind a command that was carried out.
fn check(name: &str, failing: &Reply, times: usize) {
    let mut replies = vec![Reply::Script];
    replies.extend(std::iter::repeat_n(failing.clone(), times));
    let (desk, server, story) = run("anthropic", replies);
    let asked = times.min(ASKED_MAX);
    if times < ASKED_MAX {
        story.assert_ended("all_passing", 0);
        assert_eq!(server.received().len(), 2 + times, "{name}: {story}");
    } else {
        story.assert_ended("provider_failed", 6);
        assert_eq!(server.received().len(), 1 + asked, "{name}: {story}");
    }
    assert_eq!(story.all("model_failed").len(), asked, "{name}: {story}");
    let retried = story.all("provider_retried");
    assert_eq!(retried.len(), asked.min(ASKED_MAX - 1), "{name}: {story}");
    let attempts: Vec<u64> = retried
        .iter()
        .filter_map(|line| line["attempt"].as_u64())
        .collect();
    let counted: Vec<u64> = (1..).take(retried.len()).collect();
    assert_eq!(attempts, counted, "{name}: {story}");
    assert_eq!(desk.project.read("src/marker"), "once\n", "{name}: {story}");
}

#[test]
fn a_status_that_repeats_is_bounded_and_repeats_no_action() {
    for code in [500, 502, 503, 529] {
        let Reply::Status { status, body, .. } = status(code) else {
            unreachable!("it is a status");
        };
        let failing = Reply::Status {
            status,
            headers: vec![("retry-after-ms", "1".to_owned())],
            body,
        };
        for times in [1, 3, 50] {
            check(&format!("{code}, {times} times"), &failing, times);
        }
    }
}

#[test]
fn an_error_inside_a_stream_that_repeats_repeats_no_action() {
    let failing = Reply::Recorded {
        body: ERROR_EVENT.to_vec(),
        chunk: ERROR_EVENT.len(),
    };
    for times in [1, 3] {
        check(&format!("an error event, {times} times"), &failing, times);
    }
}
