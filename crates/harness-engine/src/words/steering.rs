//! What the agent is told when a person answers, or goes back to an earlier turn.

use harness_core::{QuestionId, Rewound};

use super::listed;

/// The most of a question that stands in a sentence about it. Unit: characters.
const QUESTION_MAX: usize = 500;
/// The most names of files that stand in a sentence.
const NAMES_MAX: usize = 10;

/// Words for a person's answer.
pub(crate) fn answered(answer: &str) -> String {
    format!("the person answers: {answer}")
}

/// Words for a question that waits, with the way to answer it.
pub(crate) fn question_waits(question: &str, id: Option<QuestionId>) -> String {
    let line = question.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = line.chars().take(QUESTION_MAX).collect();
    let cut = if shown.len() < line.len() {
        " [...]"
    } else {
        ""
    };
    let way = id
        .map(|id| format!("; answer it: `harness answer {id} \"TEXT\"`"))
        .unwrap_or_default();
    format!("the agent asks: {shown}{cut}{way}")
}

/// Words for a session that went back to an earlier turn.
pub(crate) fn rewound(rewound: &Rewound) -> String {
    let names: Vec<String> = rewound.paths.iter().map(ToString::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let files = match rewound.files() {
        0 => "no file was different".to_owned(),
        count => {
            let most = NAMES_MAX.min(names.len());
            let more = count.saturating_sub(most as u64);
            let rest = if more > 0 && names.len() <= most {
                format!(" and {more} more")
            } else {
                String::new()
            };
            format!("{}{rest}", listed(&names, most))
        }
    };
    if !rewound.what.has_files() {
        return "The person has taken the conversation back to here and chooses another way. The files stay as they \
                are and may hold changes you do not remember: look before you edit."
            .to_owned();
    }
    if rewound.what.has_talk() {
        return format!(
            "The person has taken the conversation and the files back to here and chooses another way ({files})."
        );
    }
    format!(
        "The person has taken the files back to how they were when turn {} began ({files}). What you wrote since is \
         gone: read again before you edit.",
        rewound.turn
    )
}

/// Words for work that was put aside and is back, or is not.
pub(crate) fn brought_back(files: u32, message: &str) -> String {
    if message.is_empty() {
        return format!(
            "The unproven work of an earlier session on this is back in the tree ({}). Look at it and go on from there.",
            super::count(files as usize, "file")
        );
    }
    format!("The unproven work of an earlier session on this was not brought back: {message}")
}

#[cfg(test)]
mod tests {
    use harness_core::{RepoPath, RewindWhat, TurnNumber};

    use super::*;

    #[test]
    fn a_question_is_one_line_with_a_bound_and_the_command() {
        let text = question_waits(&format!("which?\n{}", "x".repeat(9_000)), None);
        assert!(text.len() < 600 && !text.contains('\n'), "{text}");
        let text = question_waits("a or b?", Some(QuestionId::new(3)));
        assert_eq!(
            text,
            "the agent asks: a or b?; answer it: `harness answer Q-0003 \"TEXT\"`"
        );
    }

    #[test]
    fn what_went_back_is_named() {
        let mut went = Rewound {
            turn: TurnNumber(3),
            what: RewindWhat::Both,
            checkpoint: None,
            paths: vec![RepoPath::parse("src/a.rs").unwrap()],
            more: 4,
        };
        let text = rewound(&went);
        assert!(text.contains("(src/a.rs and 4 more)"), "{text}");
        went.what = RewindWhat::Files;
        assert!(rewound(&went).contains("when turn 3 began"));
        went.what = RewindWhat::Talk;
        assert!(rewound(&went).contains("The files stay as they are"));
    }
}
