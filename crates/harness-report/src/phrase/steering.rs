//! What is said of questions, of answers from outside of a run, and of ways back to an earlier turn.

mod review;

use harness_core::{Event, GivenAnswer, QuestionId, Rewound};

use super::{Line, Who, count, one, paragraph};
use crate::clean::{clean, clean_line};

/// The most names of files that are shown.
const NAMES_MAX: usize = 5;
/// What is shown of a question that is quoted. Unit: characters.
const QUOTE_CHARS: usize = 200;

/// Words a question, with its name and the command that answers it from another terminal.
pub(super) fn asked(question: &str, id: Option<QuestionId>) -> Vec<Line> {
    let line = paragraph(Who::Ask, question);
    let way = id.map(|id| format!("{id}, answered from elsewhere with `harness answer {id} TEXT`"));
    vec![line.with(way)]
}

pub(super) fn lines(event: &Event) -> Vec<Line> {
    match event {
        Event::QuestionPutOff { waited: false, .. } => one(
            Who::You,
            "later: the feature waits for the answer, others go on",
        ),
        Event::QuestionPutOff { .. } => one(
            Who::Note,
            "nobody has answered: the feature waits for it, others go on",
        ),
        Event::AnswerTaken(given) => vec![answered(given)],
        Event::WorkBroughtBack {
            feature,
            files,
            message,
        } if message.is_empty() => one(
            Who::Checkpoint,
            format!(
                "{} of the earlier work on {feature} brought back",
                count((*files).into(), "file")
            ),
        ),
        Event::WorkBroughtBack {
            feature, message, ..
        } => one(
            Who::Checkpoint,
            format!(
                "the earlier work on {feature} was not brought back: {}",
                clean_line(message, 400)
            ),
        ),
        Event::RewindAsked { turn, what } => one(Who::You, format!("back to turn {turn}, {what}")),
        Event::Rewound(rewound) => vec![went_back(rewound)],
        Event::RewindRefused { turn, reason } => one(
            Who::Note,
            format!(
                "not back at turn {turn}, everything is as it was: {}",
                clean_line(reason, 400)
            ),
        ),
        event => review::lines(event),
    }
}

pub(super) fn answered(given: &GivenAnswer) -> Line {
    let by = clean_line(&given.by, 60);
    let text = format!("{}, asked by {}: ", given.question, given.feature);
    let first = format!("answer to {text}{}", clean_line(&given.asked, QUOTE_CHARS));
    let answer = clean(&given.answer);
    Line::new(Who::You, first).with([format!("{by}: {answer}")])
}

fn went_back(rewound: &Rewound) -> Line {
    let turn = rewound.turn;
    let first = if rewound.what.has_talk() {
        format!("back at turn {turn}: what the agent said since is forgotten")
    } else {
        format!("files back at turn {turn}")
    };
    if !rewound.what.has_files() {
        return Line::new(Who::Note, first + ", the files stay as they are");
    }
    let files = rewound.files();
    let names = rewound.paths.iter().take(NAMES_MAX);
    let names: Vec<String> = names
        .map(|path| clean(&path.to_text()).into_owned())
        .collect();
    let more = files.saturating_sub(names.len() as u64);
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let text = format!("{first}, {} restored", count(files, "file"));
    let below = (files > 0).then(|| format!("{}{rest}", names.join(", ")));
    Line::new(Who::Checkpoint, text).with(below)
}
