//! Images as a model meets them: shown where it takes them, told about where it does not.

use harness_testkit::{Reply, Server};
use serde_json::Value;

use crate::support::{CONFIG, Desk, FINISH, WIRES, news, session, write};

/// A PNG of one pixel.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\x0dIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

/// How its Base64 begins.
const BEGINNING: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAY";

fn desk(config: &str) -> Desk {
    let desk = Desk::new();
    let root = desk.project.root();
    std::fs::write(root.join("docs/dot.png"), PIXEL).unwrap();
    let mut wide = PIXEL.to_vec();
    wide[16..20].copy_from_slice(&8001_u32.to_be_bytes());
    std::fs::write(root.join("docs/wide.png"), wide).unwrap();
    std::fs::create_dir(root.join("secrets")).unwrap();
    std::fs::write(root.join("secrets/key.png"), PIXEL).unwrap();
    desk.project.write("harness.toml", config);
    desk.project.commit_all("images");
    assert_eq!(desk.harness(&["trust", "--yes"]).code, 0);
    desk
}

fn configure(desk: &Desk, server: &Server, api: &str, images: &str) {
    let base = server.base_url(api);
    desk.home.configure(&format!(
        "[agent]\nmodel = \"test\"\n[model.test]\napi = \"{api}\"\nbase_url = \"{base}\"\nid = \"gemini-3-test\"\n{images}"
    ));
}

fn read(path: &str) -> String {
    format!("{{ tool = \"read\", path = \"{path}\" }}")
}

/// Where each wire has the image: in the last message or item, or in the one before it.
fn image_of(api: &str, body: &Value) -> String {
    let last = |key: &str| body[key].as_array().unwrap().last().unwrap().clone();
    let place = match api {
        "anthropic" => last("messages")["content"][0]["content"][1]["source"]["data"].clone(),
        "chat" => last("messages")["content"][1]["image_url"]["url"].clone(),
        "responses" => last("input")["output"][1]["image_url"].clone(),
        "gemini" => {
            last("contents")["parts"][0]["functionResponse"]["parts"][0]["inlineData"]["data"]
                .clone()
        }
        _ => last("messages")["images"][0].clone(),
    };
    place
        .as_str()
        .unwrap_or_else(|| panic!("{api}: {body:#}"))
        .to_owned()
}

#[test]
fn a_model_that_takes_images_is_shown_what_it_reads_over_every_wire() {
    for api in WIRES {
        let desk = desk(CONFIG);
        let right = write("src/answer", "42\n");
        let server = Server::scripted(&session("F-1", &[&read("docs/dot.png"), &right, FINISH]));
        configure(&desk, &server, api, "images = true\n");
        let story = desk.story(&["run"]);
        story.assert_ended("all_passing", 0);
        let requests = server.received();
        let image = image_of(api, &requests[1].body);
        let data = image.trim_start_matches("data:image/png;base64,");
        assert!(data.starts_with(BEGINNING), "{api}: {data}");
        let later = requests[2].body.to_string();
        assert!(
            later.contains(BEGINNING),
            "{api}: it stays in the conversation"
        );
    }
}

#[test]
fn a_model_that_takes_none_is_told_so_in_words_and_asked_on() {
    for api in WIRES {
        let desk = desk(CONFIG);
        let right = write("src/answer", "42\n");
        let server = Server::scripted(&session("F-1", &[&read("docs/dot.png"), &right, FINISH]));
        configure(&desk, &server, api, "");
        desk.story(&["run"]).assert_ended("all_passing", 0);
        let requests = server.received();
        let told = news(&requests[1]);
        assert!(
            told.contains("[image docs/dot.png, 1x1 png, not shown: this model takes no images]"),
            "{api}: {told}"
        );
        assert!(!requests[2].body.to_string().contains(BEGINNING), "{api}");
    }
}

#[test]
fn what_is_hidden_or_too_large_is_refused_with_the_reason() {
    let config = CONFIG.replace("[scope]\n", "[scope]\nhide = [\"secrets/**\"]\n");
    let desk = desk(&config);
    let right = write("src/answer", "42\n");
    let (hidden, wide) = (read("secrets/key.png"), read("docs/wide.png"));
    let server = Server::scripted(&session("F-1", &[&hidden, &wide, &right, FINISH]));
    configure(&desk, &server, "anthropic", "images = true\n");
    desk.story(&["run"]).assert_ended("all_passing", 0);
    let requests = server.received();
    assert!(
        news(&requests[1]).contains("denied"),
        "{}",
        news(&requests[1])
    );
    assert!(
        news(&requests[2]).contains("8001x1 pixels"),
        "{}",
        news(&requests[2])
    );
    assert!(!requests[3].body.to_string().contains(BEGINNING));
}

#[test]
fn a_resumed_session_shows_the_image_again_and_the_log_keeps_it() {
    let desk = desk(CONFIG);
    let right = write("src/answer", "42\n");
    let server = Server::scripted(&session("F-1", &[&read("docs/dot.png"), &right, FINISH]));
    let refused = Reply::Status {
        status: 400,
        headers: Vec::new(),
        body: String::new(),
    };
    server.reply_with([Reply::Script, refused]);
    configure(&desk, &server, "chat", "images = true\n");
    let story = desk.story(&["run"]);
    story.assert_ended("provider_failed", 6);
    assert_eq!(story.all("tool_returned")[0]["bytes"], 70);
    // The file is gone; the log is what the conversation is made of.
    std::fs::remove_file(desk.project.root().join("docs/dot.png")).unwrap();
    let before = server.received().len();
    desk.harness(&["resume", "--last"]);
    let body = server.received()[before].body.to_string();
    assert!(body.contains(BEGINNING), "{body}");
    let plain = desk.harness(&["log", "show"]);
    assert!(plain.stdout.contains("image, 1x1 png"), "{}", plain.stdout);
    assert!(!plain.stdout.contains(BEGINNING), "{}", plain.stdout);
}
