//! Reading the steps of a plan: one text each, with its state as a checkbox in front.

use harness_core::{PLAN_ITEM_CHARS_MAX, PLAN_ITEMS_MAX, PlanItem, StepState};

use crate::{ToolFault, arguments::Arguments, excerpt::shorten, name::breaks_a_line};

/// Reads the call's `items`; a step without a checkbox is one that is to be done.
pub(crate) fn items(arguments: &mut Arguments) -> Result<Vec<PlanItem>, ToolFault> {
    let texts = arguments.some_texts("items")?;
    if texts.len() > PLAN_ITEMS_MAX {
        return Err(ToolFault::Plan {
            problem: format!(
                "{} items, at most {PLAN_ITEMS_MAX}: put small steps together",
                texts.len()
            ),
        });
    }
    let numbered = (1..).zip(&texts);
    numbered.map(|(number, text)| item(number, text)).collect()
}

fn item(number: usize, written: &str) -> Result<PlanItem, ToolFault> {
    let fault = |problem: String| ToolFault::Plan {
        problem: format!("item {number} {problem}"),
    };
    let written = written.trim();
    // Models that write Markdown put a bullet in front.
    let bare = written.strip_prefix(['-', '*']).unwrap_or(written).trim();
    let (state, rest) = match bare.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((mark, rest)) => (state(mark), rest),
        None => (Some(StepState::Open), bare),
    };
    let Some(state) = state else {
        let shown = shorten(written);
        return Err(fault(format!(
            "begins with none of `[ ]`, `[>]` and `[x]`: `{shown}`"
        )));
    };
    let words: Vec<&str> = rest.split_whitespace().collect();
    let text: String = words.join(" ");
    let text: String = text.chars().filter(|char| !breaks_a_line(*char)).collect();
    match text.chars().count() {
        0 => Err(fault("says nothing".to_owned())),
        long if long > PLAN_ITEM_CHARS_MAX => Err(fault(format!(
            "has {long} characters, at most {PLAN_ITEM_CHARS_MAX}"
        ))),
        _ => Ok(PlanItem { text, state }),
    }
}

fn state(mark: &str) -> Option<StepState> {
    match mark.trim() {
        "" => Some(StepState::Open),
        ">" | "~" | "-" => Some(StepState::Doing),
        "x" | "X" => Some(StepState::Done),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use harness_core::ToolCall;
    use serde_json::json;

    use crate::{Intent, parse};

    fn set(arguments: &str) -> Result<Vec<String>, String> {
        let call = ToolCall {
            id: "1".to_owned(),
            name: "plan".to_owned(),
            arguments: arguments.to_owned(),
        };
        match parse(&call, Path::new("/home/me/demo")) {
            Ok(Intent::Plan { items }) => Ok(items.iter().map(ToString::to_string).collect()),
            Ok(other) => panic!("{other:?}"),
            Err(fault) => Err(fault.to_string()),
        }
    }

    fn steps(items: &[&str]) -> Result<Vec<String>, String> {
        set(&json!({ "items": items }).to_string())
    }

    #[test]
    fn each_item_is_a_line_with_its_state() {
        let written = [
            "[x] read the code",
            "[>]write it",
            "- [ ] test\n  it",
            "[X] a",
            "no mark",
            "[] b",
            "\u{1b}[2J c",
        ];
        assert_eq!(
            steps(&written[..6]).unwrap(),
            [
                "[x] read the code",
                "[>] write it",
                "[ ] test it",
                "[x] a",
                "[ ] no mark",
                "[ ] b"
            ]
        );
        assert_eq!(steps(&written[6..]).unwrap(), ["[ ] [2J c"]);
    }

    #[test]
    fn a_wrong_plan_says_which_item_and_what_is_right() {
        let long = "y".repeat(201);
        let many = vec!["a"; 41];
        for (items, problem) in [
            (
                vec!["[x] a", "[done] b"],
                "item 2 begins with none of `[ ]`",
            ),
            (vec!["[ ]  "], "item 1 says nothing"),
            (
                vec![long.as_str()],
                "item 1 has 201 characters, at most 200",
            ),
            (many, "41 items, at most 40"),
            (Vec::new(), "`items` of `plan` is empty"),
        ] {
            let told = steps(&items).unwrap_err();
            assert!(told.contains(problem), "{told}");
        }
        let told = set("{}").unwrap_err();
        assert!(told.contains("lack `items`"), "{told}");
        let told = set(r#"{"items":["a",1]}"#).unwrap_err();
        assert!(told.contains("`plan` takes"), "{told}");
        let told = set(r#"{"items":"a"}"#).unwrap_err();
        assert!(told.contains("`items` of `plan` is text"), "{told}");
    }
}
