//! An approval as a panel: what is asked for, the rule that `always` would keep, and a line to type.

use harness_core::{ApprovalAsked, ApprovalSubject, CommandRule, Proposal};
use harness_report::{approval_text, clean_line, rule_text};

use crate::question::Question;

/// The longest line a person types here. Unit: characters.
const LINE_MAX: usize = 1_000;
/// How the rest of a command is written when a rule is edited.
const REST: &str = "...";

/// What belongs to an approval beside what every question has.
#[derive(Clone, Debug)]
pub(crate) struct Approval {
    /// What is asked for.
    pub(crate) asked: ApprovalAsked,
    /// The rule that `always` keeps, as it was edited.
    pub(crate) rule: Option<CommandRule>,
    /// Where it is kept, for people.
    file: String,
    /// The line that is being typed.
    pub(crate) line: Option<Typing>,
}

/// A line that a person types into a panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Typing {
    /// What for.
    pub(crate) what: Wanted,
    /// What was typed.
    pub(crate) text: String,
}

/// What a typed line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Why not, for the agent.
    Reason,
    /// The words of the rule.
    Words,
    /// What should be different in proposed features, for the agent.
    Otherwise,
    /// Numbers of proposed features that stay out.
    Numbers,
}

impl Wanted {
    /// Returns what stands before the line.
    pub(crate) const fn prompt(self) -> &'static str {
        match self {
            Self::Reason => "no, because (may stay empty): ",
            Self::Otherwise => "what should be different: ",
            Self::Numbers => "numbers that stay out, such as 2,5: ",
            Self::Words => "words of the rule (`*` one word, `...` at the end the rest): ",
        }
    }
}

impl Approval {
    pub(crate) fn new(asked: &ApprovalAsked, file: &str) -> Self {
        Self {
            asked: asked.clone(),
            rule: asked.always.clone(),
            file: clean_line(file, 200),
            line: None,
        }
    }

    /// Whether it is about an action, which a person can allow for longer.
    pub(crate) const fn is_action(&self) -> bool {
        matches!(self.asked.subject, ApprovalSubject::Action { .. })
    }

    /// Returns the features it is about; none where it is about something else.
    pub(crate) fn proposal(&self) -> Option<&Proposal> {
        match &self.asked.subject {
            ApprovalSubject::Features { proposal } => Some(proposal),
            _ => None,
        }
    }

    /// Returns it as the question it is; the foreign text stays last.
    pub(crate) fn question(&self) -> Question {
        let text = approval_text(&self.asked);
        let always = self.rule.as_ref().map(|rule| {
            let file = if self.file.is_empty() {
                String::new()
            } else {
                format!(", kept in {}", self.file)
            };
            format!("always: {}{file}", rule_text(rule))
        });
        Question {
            id: 0,
            title: text.title,
            body: always.into_iter().chain(text.body).collect(),
            yes: match self.asked.subject {
                ApprovalSubject::Action { .. } => "once",
                ApprovalSubject::Amendment { .. } => "for this feature",
                ApprovalSubject::Findings { .. } => "exactly these changes",
                ApprovalSubject::Features { .. } => "take all",
            }
            .to_owned(),
            no: "no, and say why".to_owned(),
        }
    }

    /// Begins to type a line.
    pub(crate) fn begin(&mut self, what: Wanted) {
        let text = match (what, &self.rule) {
            (Wanted::Words, Some(rule)) => rule.to_string(),
            _ => String::new(),
        };
        self.line = Some(Typing { what, text });
    }

    /// Types a character of the line.
    pub(crate) fn type_char(&mut self, char: char) {
        if let Some(line) = &mut self.line
            && line.text.chars().count() < LINE_MAX
            && !char.is_control()
        {
            line.text.push(char);
        }
    }

    /// Takes the last character back.
    pub(crate) fn erase(&mut self) {
        if let Some(line) = &mut self.line {
            line.text.pop();
        }
    }

    /// Takes words as the rule that `always` keeps.
    ///
    /// # Errors
    /// Why they are none: no words, or not about what is asked.
    pub(crate) fn edit_rule(&mut self, text: &str) -> Result<(), &'static str> {
        let Some(narrowest) = &self.asked.always else {
            return Err("there is no rule to edit");
        };
        let mut prefix: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let exact = prefix.pop_if(|word| word == REST).is_none();
        let rule = CommandRule {
            prefix,
            exact,
            ..narrowest.clone()
        };
        if rule.prefix.iter().all(|word| word == "*") {
            return Err("the rule must name the program");
        }
        if !rule.covers(narrowest) {
            return Err("the rule is not about this command");
        }
        self.rule = Some(rule);
        Ok(())
    }
}
