//! A conversation made fit to be sent: repaired when a request is built, never in the log.
//!
//! What comes out alternates between user and assistant; every call has exactly
//! one result, in the turn right after it; every id is unique and legal. The
//! same messages give the same turns, and a longer conversation begins with the
//! turns of the shorter one, so that a provider's cache stays warm.

use std::{borrow::Cow, collections::HashSet, mem};

use harness_core::{AssistantPart, Image, Maker, Message, Prompt, ToolCall, ToolResult, UserPart};
use serde_json::{Map, Value};

/// Sent as the result of a call that has none.
const NO_RESULT: &str = "no result was recorded";

/// Sent for a result without text: an error without content is refused by some servers.
const NO_OUTPUT: &str = "(no output)";

/// Sent where a conversation begins or ends with an answer: servers want a user at either end.
const GO_ON: &str = "Go on.";

/// What one wire accepts.
pub(crate) struct Dialect {
    /// Whether a call id can be sent as it is.
    pub(crate) is_legal_id: fn(&str) -> bool,
    /// Makes the id of a number, for a call whose own id cannot be sent.
    pub(crate) make_id: fn(usize) -> String,
    /// Whether a part of an answer can be sent back to its own maker.
    pub(crate) takes: fn(&AssistantPart) -> bool,
    /// Whether an answer may end with what only the provider reads.
    pub(crate) may_end_opaque: bool,
    /// Whether a conversation may end with an answer, to be gone on with.
    pub(crate) may_end_answered: bool,
}

/// One message as a wire sends it.
#[derive(Debug, PartialEq)]
pub(crate) enum Turn<'a> {
    /// Results, then text; at least one of them.
    User {
        /// One per call of the turn before, in the order of the calls.
        results: Vec<SentResult<'a>>,
        /// Texts that are not blank.
        texts: Vec<&'a str>,
    },
    /// At least one part.
    Assistant(Vec<SentPart<'a>>),
}

/// A result under the id its call was sent with.
#[derive(Debug, PartialEq)]
pub(crate) struct SentResult<'a> {
    pub(crate) id: String,
    /// The tool's name as its call was sent.
    pub(crate) name: Cow<'a, str>,
    pub(crate) content: Cow<'a, str>,
    pub(crate) is_error: bool,
    /// Images that the wire takes.
    pub(crate) images: Vec<&'a Image>,
}

/// A part of an answer.
#[derive(Debug, PartialEq)]
pub(crate) enum SentPart<'a> {
    /// Text, thinking or what only the provider reads.
    Said(&'a AssistantPart),
    /// A call under its new id.
    Call {
        id: String,
        name: Cow<'a, str>,
        arguments: &'a str,
    },
}

/// A message with what cannot be sent left out, before calls and results are matched.
enum Kept<'a> {
    User(Vec<&'a ToolResult>, Vec<&'a str>),
    Assistant(Vec<&'a AssistantPart>),
}

/// Repairs a prompt's conversation; an image that is not sent is told about in its result.
///
/// `unshown` says why an image is not sent, where it is not.
pub(crate) fn turns_of<'a>(
    prompt: &'a Prompt,
    dialect: &Dialect,
    maker: &Maker,
    unshown: impl Fn(&Image) -> Option<&'static str>,
) -> Vec<Turn<'a>> {
    let mut turns = repaired(prompt.messages.iter().map(AsRef::as_ref), dialect, maker);
    let users = turns.iter_mut().filter_map(|turn| match turn {
        Turn::User { results, .. } => Some(results),
        Turn::Assistant(_) => None,
    });
    for result in users.flatten() {
        let content = &mut result.content;
        result.images.retain(|image| {
            let Some(why) = unshown(image) else {
                return true;
            };
            let (path, summary) = (&image.path, image.summary());
            let told = format!("\n[image {path}, {summary}, not shown: {why}]");
            content.to_mut().push_str(&told);
            false
        });
    }
    turns
}

/// Says that a model takes no image at all, where it takes none.
pub(crate) const fn blind(takes_images: bool) -> Option<&'static str> {
    if takes_images {
        None
    } else {
        Some("this model takes no images")
    }
}

/// Makes an id that most wires take: `call_7`.
pub(crate) fn plain_id(number: usize) -> String {
    format!("call_{number}")
}

/// Repairs a conversation for one wire and one model.
///
/// What another model made for itself alone is left out: the provider refuses it.
pub(crate) fn repaired<'a>(
    messages: impl IntoIterator<Item = &'a Message>,
    dialect: &Dialect,
    maker: &Maker,
) -> Vec<Turn<'a>> {
    let mut kept = Vec::new();
    for message in messages {
        match message {
            Message::User(parts) => keep_user(&mut kept, parts),
            Message::Assistant(parts) => keep_assistant(&mut kept, parts, dialect, maker),
        }
    }
    let begins = matches!(kept.first(), None | Some(Kept::Assistant(_)));
    if begins {
        kept.insert(0, Kept::User(Vec::new(), vec![GO_ON]));
    }
    let mut turns = matched(kept, dialect);
    if matches!(turns.last(), Some(Turn::Assistant(_))) && !dialect.may_end_answered {
        turns.push(Turn::User {
            results: Vec::new(),
            texts: vec![GO_ON],
        });
    }
    turns
}

/// Returns the arguments of a call as an object, none when they are anything else.
///
/// Servers take nothing but objects, and refuse the whole conversation otherwise.
pub(crate) fn object(arguments: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(arguments).ok()
}

fn keep_user<'a>(kept: &mut Vec<Kept<'a>>, parts: &'a [UserPart]) {
    let answerable = calls_before(kept);
    let mut results = Vec::new();
    let mut texts = Vec::new();
    for part in parts {
        match part {
            UserPart::ToolResult(result) if answerable.contains(result.id.as_str()) => {
                results.push(result);
            }
            UserPart::Text { text } if !text.trim().is_empty() => texts.push(text.as_str()),
            _ => {}
        }
    }
    match kept.last_mut() {
        Some(Kept::User(earlier_results, earlier_texts)) => {
            earlier_results.append(&mut results);
            earlier_texts.append(&mut texts);
        }
        _ if results.is_empty() && texts.is_empty() => {}
        _ => kept.push(Kept::User(results, texts)),
    }
}

fn keep_assistant<'a>(
    kept: &mut Vec<Kept<'a>>,
    parts: &'a [AssistantPart],
    dialect: &Dialect,
    maker: &Maker,
) {
    let mut parts: Vec<&AssistantPart> = parts
        .iter()
        .filter(|part| !is_blank(part) && is_own(part, maker) && (dialect.takes)(part))
        .collect();
    // An answer that was cut while it thought: servers refuse one that ends so.
    let is_open = |part: &AssistantPart| {
        part.is_thinking()
            || (!dialect.may_end_opaque && matches!(part, AssistantPart::Opaque { .. }))
    };
    while parts.pop_if(|part| is_open(part)).is_some() {}
    match kept.last_mut() {
        Some(Kept::Assistant(earlier)) => earlier.append(&mut parts),
        _ if parts.is_empty() => {}
        _ => kept.push(Kept::Assistant(parts)),
    }
}

/// Returns the ids that a result may answer at the end of `kept`.
fn calls_before<'a>(kept: &[Kept<'a>]) -> HashSet<&'a str> {
    let assistant = kept.iter().rev().take(2).find_map(|turn| match turn {
        Kept::Assistant(parts) => Some(parts),
        Kept::User(..) => None,
    });
    calls(assistant.into_iter().flatten().copied())
        .map(|call| call.id.as_str())
        .collect()
}

fn calls<'a>(parts: impl Iterator<Item = &'a AssistantPart>) -> impl Iterator<Item = &'a ToolCall> {
    parts.filter_map(|part| match part {
        AssistantPart::ToolCall(call) => Some(call),
        _ => None,
    })
}

fn matched<'a>(kept: Vec<Kept<'a>>, dialect: &Dialect) -> Vec<Turn<'a>> {
    let mut turns = Vec::with_capacity(kept.len() + 1);
    let mut ids = Ids::default();
    let mut open: Vec<Open<'a>> = Vec::new();
    for turn in kept {
        match turn {
            Kept::User(results, texts) => turns.push(Turn::User {
                results: answers(mem::take(&mut open), results),
                texts,
            }),
            Kept::Assistant(parts) => {
                let parts = parts.into_iter().map(|part| match part {
                    AssistantPart::ToolCall(call) => {
                        let id = ids.assign(&call.id, dialect);
                        let name = legal_name(&call.name);
                        open.push(Open {
                            id: id.clone(),
                            name: name.clone(),
                            model_id: &call.id,
                        });
                        SentPart::Call {
                            id,
                            name,
                            arguments: &call.arguments,
                        }
                    }
                    said => SentPart::Said(said),
                });
                turns.push(Turn::Assistant(parts.collect()));
            }
        }
    }
    if !open.is_empty() {
        turns.push(Turn::User {
            results: answers(open, Vec::new()),
            texts: Vec::new(),
        });
    }
    turns
}

/// A call that waits for its result.
struct Open<'a> {
    /// The id it was sent with.
    id: String,
    name: Cow<'a, str>,
    model_id: &'a str,
}

/// Gives every open call the first result that names it, or says that there is none.
fn answers<'a>(open: Vec<Open<'a>>, mut results: Vec<&'a ToolResult>) -> Vec<SentResult<'a>> {
    let answer = |call: Open<'a>| {
        let found = results.iter().position(|it| it.id == call.model_id);
        match found.map(|position| results.remove(position)) {
            Some(result) => SentResult {
                id: call.id,
                name: call.name,
                content: Cow::Borrowed(match result.content.as_str() {
                    content if content.trim().is_empty() => NO_OUTPUT,
                    content => content,
                }),
                is_error: result.is_error,
                images: result.images.iter().collect(),
            },
            None => SentResult {
                id: call.id,
                name: call.name,
                content: Cow::Borrowed(NO_RESULT),
                is_error: true,
                images: Vec::new(),
            },
        }
    };
    open.into_iter().map(answer).collect()
}

/// The ids given out so far.
#[derive(Default)]
struct Ids {
    used: HashSet<String>,
    count: usize,
}

impl Ids {
    /// Keeps the model's id where it is legal and new, else counts on.
    fn assign(&mut self, model_id: &str, dialect: &Dialect) -> String {
        let mut id = model_id.to_owned();
        if !(dialect.is_legal_id)(&id) || self.used.contains(&id) {
            loop {
                id = (dialect.make_id)(self.count);
                self.count += 1;
                if !self.used.contains(&id) {
                    break;
                }
            }
        }
        self.used.insert(id.clone());
        id
    }
}

/// Models make up names; a server refuses the whole conversation for one it finds illegal.
///
/// Letters, digits, `_` and `-` of at most 64 are legal with OpenAI, a letter or `_` at the beginning with
/// Gemini: <https://github.com/openai/openai-openapi>, `FunctionObject`, and
/// <https://ai.google.dev/api/caching#FunctionDeclaration>.
fn legal_name(name: &str) -> Cow<'_, str> {
    const LENGTH_MAX: usize = 64;
    let is_legal = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    let begins = name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_');
    match name {
        "" => Cow::Borrowed("unknown"),
        name if begins && name.len() <= LENGTH_MAX && name.chars().all(is_legal) => {
            Cow::Borrowed(name)
        }
        name => {
            let begin = if begins { None } else { Some('_') };
            let legal = |char| if is_legal(char) { char } else { '_' };
            let rest = name.chars().map(legal);
            begin.into_iter().chain(rest).take(LENGTH_MAX).collect()
        }
    }
}

/// Whether a part that only the provider reads holds something that can go back.
pub(crate) fn is_object(data: &str) -> bool {
    object(data).is_some_and(|fields| !fields.is_empty())
}

/// Whether a part may go to the model that is asked; logs of older versions do not say who made one.
fn is_own(part: &AssistantPart, maker: &Maker) -> bool {
    match part.maker() {
        Some(made_by) => made_by == maker,
        None => !matches!(part, AssistantPart::Opaque { .. }),
    }
}

fn is_blank(part: &AssistantPart) -> bool {
    matches!(part, AssistantPart::Text { text } if text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIALECT: Dialect = Dialect {
        is_legal_id: |id| !id.is_empty() && id.len() <= 8,
        make_id: plain_id,
        takes: |part| {
            !matches!(
                part,
                AssistantPart::Thinking {
                    signature: None,
                    ..
                }
            )
        },
        may_end_opaque: false,
        may_end_answered: true,
    };

    fn maker(model: &str) -> Maker {
        Maker {
            wire: "w".to_owned(),
            model: model.to_owned(),
        }
    }

    fn call(id: &str) -> AssistantPart {
        AssistantPart::ToolCall(ToolCall {
            id: id.to_owned(),
            name: "read".to_owned(),
            arguments: "{}".to_owned(),
        })
    }

    fn said(text: &str) -> AssistantPart {
        AssistantPart::Text {
            text: text.to_owned(),
        }
    }

    fn thought(signature: Option<&str>) -> AssistantPart {
        AssistantPart::Thinking {
            text: "t".to_owned(),
            signature: signature.map(str::to_owned),
            maker: None,
        }
    }

    fn result(id: &str, content: &str) -> UserPart {
        UserPart::ToolResult(ToolResult {
            id: id.to_owned(),
            content: content.to_owned(),
            is_error: false,
            images: Vec::new(),
        })
    }

    fn text(text: &str) -> UserPart {
        UserPart::Text {
            text: text.to_owned(),
        }
    }

    /// Writes turns on one line each: `u: id=content text`, `a: text id()`.
    fn check(messages: &[Message], expected: &[&str]) {
        let turns = repaired(messages, &DIALECT, &maker("m"));
        let lines: Vec<String> = turns.iter().map(line).collect();
        assert_eq!(lines, expected);
    }

    fn line(turn: &Turn<'_>) -> String {
        let words: Vec<String> = match turn {
            Turn::User { results, texts } => results
                .iter()
                .map(|it| {
                    format!(
                        "{}{}={}",
                        it.id,
                        if it.is_error { "!" } else { "" },
                        it.content
                    )
                })
                .chain(texts.iter().map(ToString::to_string))
                .collect(),
            Turn::Assistant(parts) => parts
                .iter()
                .map(|part| match part {
                    SentPart::Call { id, .. } => format!("{id}()"),
                    SentPart::Said(AssistantPart::Text { text }) => text.clone(),
                    SentPart::Said(_) => "thought".to_owned(),
                })
                .collect(),
        };
        let role = if matches!(turn, Turn::User { .. }) {
            "u"
        } else {
            "a"
        };
        format!("{role}: {}", words.join(" "))
    }

    use Message::{Assistant, User};

    #[test]
    fn a_sound_conversation_stays_as_it_is() {
        check(
            &[
                User(vec![text("hi")]),
                Assistant(vec![thought(Some("s")), said("ok"), call("a"), call("b")]),
                User(vec![result("a", "1"), result("b", "2"), text("go")]),
                Assistant(vec![said("done")]),
            ],
            &["u: hi", "a: thought ok a() b()", "u: a=1 b=2 go", "a: done"],
        );
    }

    #[test]
    fn a_call_without_result_gets_one_right_after_it() {
        let none = "no result was recorded";
        check(
            &[
                User(vec![text("hi")]),
                Assistant(vec![call("a"), call("b")]),
                User(vec![result("b", "2")]),
            ],
            &["u: hi", "a: a() b()", &format!("u: a!={none} b=2")],
        );
        check(
            &[User(vec![text("hi")]), Assistant(vec![call("a")])],
            &["u: hi", "a: a()", &format!("u: a!={none}")],
        );
        check(
            &[
                User(vec![text("hi")]),
                Assistant(vec![call("a")]),
                User(vec![text("stop")]),
                Assistant(vec![said("ok")]),
                User(vec![result("a", "late")]),
            ],
            &["u: hi", "a: a()", &format!("u: a!={none} stop"), "a: ok"],
        );
    }

    #[test]
    fn results_without_a_call_and_empty_parts_are_left_out() {
        check(
            &[
                User(vec![result("x", "1"), text("hi"), text(" \n")]),
                Assistant(vec![said("")]),
                User(vec![text("again")]),
                Assistant(vec![thought(None)]),
                Assistant(vec![said("a"), call("a")]),
                User(vec![
                    result("a", ""),
                    result("a", "twice"),
                    result("y", "2"),
                ]),
            ],
            &["u: hi again", "a: a a()", "u: a=(no output)"],
        );
        check(&[User(vec![]), Assistant(vec![])], &["u: Go on."]);
    }

    #[test]
    fn neighbours_of_one_role_become_one_message() {
        check(
            &[
                User(vec![text("a")]),
                User(vec![text("b")]),
                Assistant(vec![call("c")]),
                Assistant(vec![call("d")]),
                User(vec![result("c", "1")]),
                User(vec![text("e"), result("d", "2")]),
            ],
            &["u: a b", "a: c() d()", "u: c=1 d=2 e"],
        );
    }

    #[test]
    fn ids_that_repeat_or_are_illegal_are_numbered_with_their_results() {
        check(
            &[
                User(vec![text("hi")]),
                Assistant(vec![call("a"), call("a"), call("far too long")]),
                User(vec![
                    result("a", "1"),
                    result("a", "2"),
                    result("far too long", "3"),
                ]),
                Assistant(vec![call("a"), call("call_0")]),
                User(vec![result("call_0", "5"), result("a", "4")]),
            ],
            &[
                "u: hi",
                "a: a() call_0() call_1()",
                "u: a=1 call_0=2 call_1=3",
                "a: call_2() call_3()",
                "u: call_2=4 call_3=5",
            ],
        );
    }

    #[test]
    fn thinking_at_the_end_of_an_answer_is_not_sent() {
        check(
            &[
                User(vec![text("hi")]),
                Assistant(vec![said("a"), thought(Some("s"))]),
                User(vec![text("go on")]),
                Assistant(vec![thought(Some("s"))]),
                User(vec![text("now")]),
            ],
            &["u: hi", "a: a", "u: go on now"],
        );
    }

    #[test]
    fn what_another_model_made_for_itself_is_not_sent() {
        let opaque = |by: Option<Maker>| AssistantPart::Opaque {
            data: "{}".to_owned(),
            maker: by,
        };
        let other_wire = Maker {
            wire: "v".to_owned(),
            ..maker("m")
        };
        check(
            &[
                User(vec![text("hi")]),
                Assistant(vec![
                    opaque(Some(maker("m"))),
                    opaque(Some(maker("other"))),
                    opaque(Some(other_wire.clone())),
                    opaque(None),
                    thought(Some("s")).made_by(&other_wire),
                    said("a"),
                    opaque(Some(maker("m"))),
                ]),
                User(vec![text("go on")]),
            ],
            &["u: hi", "a: thought a", "u: go on"],
        );
    }

    #[test]
    fn a_longer_conversation_begins_with_the_shorter_one() {
        let mut messages = Vec::new();
        let mut before: Vec<String> = Vec::new();
        for _ in 0..4 {
            messages.push(User(vec![text("go")]));
            messages.push(Assistant(vec![call("0"), call("0")]));
            messages.push(User(vec![result("0", "1"), result("0", "2")]));
            messages.push(Assistant(vec![said("ok")]));
            let lines: Vec<String> = repaired(&messages, &DIALECT, &maker("m"))
                .iter()
                .map(line)
                .collect();
            assert_eq!(&lines[..before.len()], before);
            before = lines;
        }
    }

    #[test]
    fn a_conversation_has_a_user_at_either_end() {
        let answer = [Assistant(vec![said("a")])];
        check(&answer, &["u: Go on.", "a: a"]);
        let dialect = Dialect {
            may_end_answered: false,
            ..DIALECT
        };
        let turns = repaired(&answer, &dialect, &maker("m"));
        let lines: Vec<String> = turns.iter().map(line).collect();
        assert_eq!(lines, ["u: Go on.", "a: a", "u: Go on."]);
    }

    #[test]
    fn names_are_made_legal() {
        for (name, legal) in [
            ("read", "read"),
            ("", "unknown"),
            ("a.b c", "a_b_c"),
            ("é", "__"),
            ("1a", "_1a"),
            ("-", "_-"),
        ] {
            assert_eq!(legal_name(name), legal);
        }
        assert_eq!(legal_name(&"x".repeat(100)).len(), 64);
    }
}
