//! What each wire refuses, as far as conversations go.

use std::collections::HashSet;

use serde_json::Value;

type Checked = Result<(), String>;

fn ensure(holds: bool, rule: &str) -> Checked {
    if holds { Ok(()) } else { Err(rule.to_owned()) }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn str_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn is_said(value: &Value) -> bool {
    !str_of(value).trim().is_empty()
}

/// Letters, digits, `_` and `-`, at most 64, a letter or `_` first.
fn is_name(value: &Value) -> bool {
    let name = str_of(value);
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let first = name.bytes().next().unwrap_or(b'-');
    name.len() <= 64 && name.bytes().all(is_legal) && (first.is_ascii_alphabetic() || first == b'_')
}

fn is_object_text(value: &Value) -> bool {
    serde_json::from_str::<serde_json::Map<String, Value>>(str_of(value)).is_ok()
}

fn alternates(roles: &[&str], user: &str, answer: &str) -> Checked {
    let expected = [user, answer];
    let alternates = roles
        .iter()
        .enumerate()
        .all(|(at, role)| *role == expected[at % 2]);
    ensure(
        alternates && !roles.is_empty(),
        "roles alternate from a user on",
    )
}

pub(crate) fn anthropic(body: &Value) -> Checked {
    let messages = list(&body["messages"]);
    let roles: Vec<&str> = messages.iter().map(|it| str_of(&it["role"])).collect();
    alternates(&roles, "user", "assistant")?;
    let mut open: Vec<String> = Vec::new();
    let mut used = HashSet::new();
    for (at, message) in messages.iter().enumerate() {
        let blocks = list(&message["content"]);
        ensure(!blocks.is_empty(), "a message has content")?;
        let mut answered = Vec::new();
        let mut has_text = false;
        for block in blocks {
            let is_marked = block.get("cache_control").is_some();
            match str_of(&block["type"]) {
                // Neither thinking nor an empty text takes a mark; what an answer says needs none.
                kind if is_marked && !matches!(kind, "text" | "tool_result") => {
                    return Err("a mark on what takes none".to_owned());
                }
                "text" => {
                    has_text = true;
                    ensure(is_said(&block["text"]), "no blank texts")?;
                }
                "tool_result" => {
                    ensure(!has_text, "results stand before texts")?;
                    answered.push(str_of(&block["tool_use_id"]).to_owned());
                    anthropic_result(block)?;
                }
                "tool_use" => {
                    let id = str_of(&block["id"]);
                    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
                    ensure(!id.is_empty() && id.bytes().all(is_legal), "ids are legal")?;
                    ensure(used.insert(id.to_owned()), "ids are unique")?;
                    ensure(is_name(&block["name"]), "names are legal")?;
                    ensure(block["input"].is_object(), "input is an object")?;
                }
                "thinking" => ensure(is_said(&block["signature"]), "thinking is signed")?,
                "redacted_thinking" => ensure(is_said(&block["data"]), "thinking has its data")?,
                _ => return Err("an unknown block".to_owned()),
            }
        }
        ensure(
            answered == open,
            "every call has its result in the next message",
        )?;
        open = blocks
            .iter()
            .filter(|block| block["type"] == "tool_use")
            .map(|block| str_of(&block["id"]).to_owned())
            .collect();
        let last = &blocks[blocks.len() - 1];
        ensure(
            !str_of(&last["type"]).contains("thinking"),
            "no answer ends in thinking",
        )?;
        if at + 1 == messages.len() && message["role"] == "assistant" {
            let text = str_of(&last["text"]);
            ensure(
                text.trim_end() == text,
                "the last answer ends without blanks",
            )?;
        }
    }
    ensure(open.is_empty(), "every call has its result")?;
    let marks = body.to_string().matches("cache_control").count();
    ensure(marks <= 4, "at most four cache marks")
}

fn anthropic_result(block: &Value) -> Checked {
    match &block["content"] {
        Value::String(text) => ensure(!text.trim().is_empty(), "results say something"),
        parts => list(parts)
            .iter()
            .try_for_each(|part| match str_of(&part["type"]) {
                "text" => ensure(is_said(&part["text"]), "results say something"),
                "image" => ensure(
                    part["source"]["type"] == "base64" && is_said(&part["source"]["data"]),
                    "images have their data",
                ),
                _ => Err("an unknown part of a result".to_owned()),
            }),
    }
}

pub(crate) fn chat(body: &Value, is_mistral: bool) -> Checked {
    let messages = list(&body["messages"]);
    let mut open: Vec<String> = Vec::new();
    let mut used = HashSet::new();
    let mut before = "system";
    for message in messages.iter().skip(1) {
        let role = str_of(&message["role"]);
        match role {
            "user" => {
                ensure(!matches!(before, "user"), "no two users in a row")?;
                ensure(!(is_mistral && before == "tool"), "no user behind a result")?;
                chat_content(&message["content"])?;
            }
            "assistant" => {
                ensure(matches!(before, "user" | "tool"), "an answer answers")?;
                let calls = list(&message["tool_calls"]);
                ensure(
                    is_said(&message["content"]) || !calls.is_empty(),
                    "an answer says something",
                )?;
                for call in calls {
                    let id = str_of(&call["id"]);
                    let is_legal = if is_mistral {
                        id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
                    } else {
                        (1..=40).contains(&id.len())
                    };
                    ensure(is_legal, "ids are legal")?;
                    ensure(used.insert(id.to_owned()), "ids are unique")?;
                    ensure(is_name(&call["function"]["name"]), "names are legal")?;
                    ensure(
                        is_object_text(&call["function"]["arguments"]),
                        "arguments are an object",
                    )?;
                    open.push(id.to_owned());
                }
            }
            "tool" => {
                ensure(!open.is_empty(), "a result has its call")?;
                ensure(
                    open.remove(0) == str_of(&message["tool_call_id"]),
                    "results in order",
                )?;
                chat_content(&message["content"])?;
            }
            _ => return Err("an unknown role".to_owned()),
        }
        ensure(
            role == "tool" || role == "assistant" || open.is_empty(),
            "results follow at once",
        )?;
        before = role;
    }
    let marks = body.to_string().matches("cache_control").count();
    ensure(marks <= 4, "at most four cache marks")?;
    ensure(
        messages.len() > 1 && messages[1]["role"] == "user",
        "a user begins",
    )?;
    ensure(
        open.is_empty() && before != "assistant",
        "a user or a result ends",
    )
}

/// One server wants reasoning beside all calls, the others know no such key.
pub(crate) fn chat_reasoning(body: &Value, is_wanted: bool) -> Checked {
    let messages = list(&body["messages"]).iter();
    for message in messages.filter(|message| message["role"] == "assistant") {
        let has = message["reasoning_content"].is_string();
        let calls = !list(&message["tool_calls"]).is_empty();
        ensure(
            has == (is_wanted && calls),
            "reasoning beside calls where it is wanted",
        )?;
    }
    Ok(())
}

fn chat_content(content: &Value) -> Checked {
    match content {
        Value::String(text) => ensure(!text.trim().is_empty(), "a user says something"),
        parts => {
            ensure(!list(parts).is_empty(), "a user says something")?;
            list(parts)
                .iter()
                .try_for_each(|part| match str_of(&part["type"]) {
                    "text" => ensure(is_said(&part["text"]), "no blank texts"),
                    // A router takes marks on texts alone.
                    "image_url" => ensure(
                        str_of(&part["image_url"]["url"]).starts_with("data:image/")
                            && part.get("cache_control").is_none(),
                        "images are addresses without a mark",
                    ),
                    _ => Err("an unknown part".to_owned()),
                })
        }
    }
}

pub(crate) fn responses(body: &Value) -> Checked {
    let input = list(&body["input"]);
    ensure(
        input.first().is_some_and(|item| item["role"] == "user"),
        "a user begins",
    )?;
    let mut open = HashSet::new();
    let mut used = HashSet::new();
    for (at, item) in input.iter().enumerate() {
        match str_of(&item["type"]) {
            "message" => {
                ensure(
                    open.is_empty() || item["role"] == "assistant",
                    "results follow at once",
                )?;
                ensure(
                    list(&item["content"]).iter().all(|it| is_said(&it["text"])),
                    "no blank texts",
                )?;
            }
            "function_call" => {
                let id = str_of(&item["call_id"]);
                ensure((1..=64).contains(&id.len()), "ids are legal")?;
                ensure(used.insert(id) && open.insert(id), "ids are unique")?;
                ensure(is_name(&item["name"]), "names are legal")?;
                ensure(
                    is_object_text(&item["arguments"]),
                    "arguments are an object",
                )?;
            }
            "function_call_output" => {
                ensure(
                    open.remove(str_of(&item["call_id"])),
                    "a result has its call",
                )?;
                let said = match &item["output"] {
                    Value::String(text) => !text.trim().is_empty(),
                    parts => list(parts)
                        .iter()
                        .all(|it| it["type"] == "input_image" || is_said(&it["text"])),
                };
                ensure(said, "results say something")?;
            }
            "reasoning" => {
                let next = input.get(at + 1);
                let leads = next
                    .is_some_and(|it| it["type"] != "function_call_output" && it["role"] != "user");
                ensure(leads, "reasoning leads to something")?;
            }
            _ => return Err("an unknown item".to_owned()),
        }
    }
    ensure(open.is_empty(), "every call has its result")
}

pub(crate) fn gemini(body: &Value, is_third: bool) -> Checked {
    let contents = list(&body["contents"]);
    let roles: Vec<&str> = contents.iter().map(|it| str_of(&it["role"])).collect();
    alternates(&roles, "user", "model")?;
    ensure(roles.last() == Some(&"user"), "a user ends")?;
    let mut open: Vec<(String, String)> = Vec::new();
    for content in contents {
        let parts = list(&content["parts"]);
        ensure(!parts.is_empty(), "a content has parts")?;
        let pair = |it: &Value| (str_of(&it["id"]).to_owned(), str_of(&it["name"]).to_owned());
        let answered: Vec<_> = parts
            .iter()
            .filter(|part| part["functionResponse"].is_object())
            .map(|part| pair(&part["functionResponse"]))
            .collect();
        ensure(
            answered == open,
            "every call has its response in the next content",
        )?;
        let calls: Vec<&Value> = parts
            .iter()
            .filter(|part| part["functionCall"].is_object())
            .collect();
        open = calls
            .iter()
            .map(|part| pair(&part["functionCall"]))
            .collect();
        for call in &calls {
            ensure(is_name(&call["functionCall"]["name"]), "names are legal")?;
            ensure(
                call["functionCall"]["args"].is_object(),
                "arguments are an object",
            )?;
        }
        let is_signed = calls
            .first()
            .is_none_or(|call| is_said(&call["thoughtSignature"]));
        ensure(is_signed || !is_third, "the first call is signed")?;
        let in_response = parts
            .iter()
            .any(|part| part["functionResponse"]["parts"].is_array());
        let beside = parts.iter().any(|part| part["inlineData"].is_object());
        ensure(
            if is_third { !beside } else { !in_response },
            "images where the model takes them",
        )?;
        let is_gif = content.to_string().contains("image/gif");
        ensure(!is_gif, "no gif")?;
    }
    ensure(open.is_empty(), "every call has its response")
}

pub(crate) fn ollama(body: &Value) -> Checked {
    let messages = list(&body["messages"]);
    let mut open: Vec<String> = Vec::new();
    let mut before = "system";
    for message in messages.iter().skip(1) {
        let role = str_of(&message["role"]);
        match role {
            "user" => {
                ensure(
                    before != "user" && open.is_empty(),
                    "results follow at once",
                )?;
                ensure(is_said(&message["content"]), "a user says something")?;
            }
            "assistant" => {
                ensure(
                    open.is_empty() && before != "assistant",
                    "an answer answers",
                )?;
                for call in list(&message["tool_calls"]) {
                    ensure(
                        call["function"]["arguments"].is_object(),
                        "arguments are an object",
                    )?;
                    open.push(str_of(&call["function"]["name"]).to_owned());
                }
                let says = is_said(&message["content"]) || is_said(&message["thinking"]);
                ensure(says || !open.is_empty(), "an answer says something")?;
            }
            "tool" => {
                ensure(!open.is_empty(), "a result has its call")?;
                ensure(
                    open.remove(0) == str_of(&message["tool_name"]),
                    "results in order",
                )?;
            }
            _ => return Err("an unknown role".to_owned()),
        }
        before = role;
    }
    ensure(
        open.is_empty() && matches!(before, "user" | "tool"),
        "a user or a result ends",
    )
}
