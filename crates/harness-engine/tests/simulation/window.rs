//! That requests only ever grow at their end, but for what a cut dropped; and that nothing a feature
//! needs is lost where a fresh session goes on.

use std::collections::{BTreeMap, BTreeSet};

use harness_core::{
    AssistantPart, Event, FeatureId, Goal, Message, PlanItem, Prompt, SessionOpened, TurnNumber,
    UserPart, WindowCut,
};

use super::monitor::ensure;

/// The most hand-overs of a feature that nobody takes up again meanwhile.
const HAND_OVERS_MAX: u32 = 20;

/// What is known of requests and plans, found out without asking the engine.
#[derive(Default)]
pub(crate) struct Windows {
    feature: Option<FeatureId>,
    /// What must stand in every whole window: the feature's title, or the goal of a plan.
    wanted: String,
    last: Option<Prompt>,
    /// How each turn began: what a rewind takes up again.
    turns: BTreeMap<TurnNumber, Beginning>,
    cuts: Vec<WindowCut>,
    plans: BTreeMap<FeatureId, Vec<PlanItem>>,
    refused: u32,
    /// The feature that a fresh session has to go on with, and the attempts it has used.
    handed_over: Option<(FeatureId, u32)>,
    /// Whether a person's comments were told, which adds the tool that answers them.
    was_commented: bool,
}

/// What was sent last when a turn began, what was cut since, and the plan.
#[derive(Clone, Default)]
struct Beginning {
    last: Option<Prompt>,
    cuts: Vec<WindowCut>,
    plan: Vec<PlanItem>,
}

impl Windows {
    pub(crate) fn event(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::SessionOpened(opened) => self.opened(opened)?,
            Event::FinishRefused { .. } => self.refused += 1,
            Event::Forked(_) => self.refused = 0,
            Event::ReviewChanged(changed) => self.was_commented |= changed.told.is_some(),
            Event::PlanSet(set) => {
                if let Some(feature) = &self.feature {
                    self.plans.insert(feature.clone(), set.items.clone());
                }
            }
            Event::TurnStarted { turn } => {
                let plan = self.feature.as_ref().and_then(|id| self.plans.get(id));
                let beginning = Beginning {
                    last: self.last.clone(),
                    cuts: self.cuts.clone(),
                    plan: plan.cloned().unwrap_or_default(),
                };
                self.turns.insert(*turn, beginning);
            }
            Event::Rewound(rewound) if rewound.what.has_talk() => self.went_back(rewound.turn),
            Event::FeaturePassed(passed) => {
                self.plans.remove(&passed.feature);
            }
            Event::WindowCut(cut) => {
                ensure(!cut.dropped.is_empty() && cut.after < cut.before, || {
                    format!("a cut that makes no room: {cut:?}")
                })?;
                self.cuts.push((**cut).clone());
            }
            Event::WindowFull(full) => ensure(full.number <= HAND_OVERS_MAX, || {
                format!("handed over {} times", full.number)
            })?,
            Event::SessionEnded { reason } if reason.starts_with("handed over") => {
                let feature = self.feature.take();
                self.handed_over = feature.map(|feature| (feature, self.refused));
            }
            Event::SessionEnded { .. } => self.feature = None,
            _ => {}
        }
        Ok(())
    }

    fn opened(&mut self, opened: &SessionOpened) -> Result<(), String> {
        if let Some((feature, refused)) = self.handed_over.take() {
            ensure(opened.feature == feature, || {
                format!("goes on with {} after {feature}", opened.feature)
            })?;
            ensure(opened.run.attempts == refused, || {
                format!("{} attempts of {refused}", opened.run.attempts)
            })?;
            let known = opened.run.work_on(&feature);
            let plan = known.map_or(&[][..], |known| &known.plan);
            let planned = self.plans.get(&feature).map_or(&[][..], Vec::as_slice);
            ensure(plan == planned, || {
                format!("goes on with the plan {plan:?} of {planned:?}")
            })?;
        }
        self.refused = opened.run.attempts;
        self.feature = Some(opened.feature.clone());
        let mut features = opened.run.features.iter();
        let feature = features.find(|feature| feature.id == opened.feature);
        let is_plan = matches!(opened.run.goal, Goal::Plan { .. });
        self.wanted = feature.map_or_else(String::new, |feature| match is_plan {
            true => feature.description.trim().to_owned(),
            false => feature.title.clone(),
        });
        (self.last, self.cuts) = (None, Vec::new());
        self.was_commented = false;
        self.turns.clear();
        Ok(())
    }

    /// Takes up what was sent and planned when a turn began.
    fn went_back(&mut self, turn: TurnNumber) {
        let Some(began) = self.turns.get(&turn).cloned() else {
            return;
        };
        (self.last, self.cuts) = (began.last, began.cuts);
        if let Some(feature) = &self.feature {
            self.plans.insert(feature.clone(), began.plan);
        }
    }

    /// Holds a request against the one before it.
    pub(crate) fn request(&mut self, prompt: &Prompt) -> Result<(), String> {
        let cuts = std::mem::take(&mut self.cuts);
        match &self.last {
            Some(last) => grows(last, prompt, &cuts, self.was_commented)?,
            None => self.is_whole(&texts(prompt))?,
        }
        if let Some(cut) = cuts.last() {
            let text = texts(prompt);
            ensure(text.contains(&cut.restored), || {
                "a cut does not say again what holds".to_owned()
            })?;
            self.is_whole(&cut.restored)?;
        }
        self.last = Some(prompt.clone());
        Ok(())
    }

    /// The feature and its open steps stand in what is said.
    fn is_whole(&self, text: &str) -> Result<(), String> {
        ensure(text.contains(&self.wanted), || {
            "a window without its feature".to_owned()
        })?;
        let plan = self.feature.as_ref().and_then(|id| self.plans.get(id));
        let mut steps = plan.into_iter().flatten().filter(|item| item.is_open());
        let lost = steps.find(|item| !text.contains(&item.to_string()));
        ensure(lost.is_none(), || format!("a window without {lost:?}"))
    }
}

/// Each part of the request before stands where it stood, but for what was dropped.
fn grows(
    last: &Prompt,
    next: &Prompt,
    cuts: &[WindowCut],
    was_commented: bool,
) -> Result<(), String> {
    let is_reply = |name: &str| was_commented && name == "reply";
    let kept = next.tools.iter().filter(|tool| !is_reply(tool.name));
    let before = last.tools.iter().filter(|tool| !is_reply(tool.name));
    ensure(last.system == next.system && kept.eq(before), || {
        "instructions or tools have changed".to_owned()
    })?;
    let dropped = cuts.iter().flat_map(|cut| &cut.dropped);
    let stubs: BTreeSet<(usize, usize)> = dropped
        .map(|dropped| (dropped.message as usize, dropped.part as usize))
        .collect();
    for (place, old) in last.messages.iter().enumerate() {
        let same = next
            .messages
            .get(place)
            .is_some_and(|new| match (&**old, &**new) {
                (Message::Assistant(old), Message::Assistant(new)) => new.starts_with(old),
                (Message::User(old), Message::User(new)) => {
                    let mut parts = old.iter().enumerate().zip(new);
                    old.len() <= new.len()
                        && parts.all(|((part, old), new)| {
                            stubs.contains(&(place, part)) && is_stub(new) || old == new
                        })
                }
                _ => false,
            });
        ensure(same, || format!("message {place} has changed"))?;
    }
    Ok(())
}

fn is_stub(part: &UserPart) -> bool {
    matches!(part, UserPart::ToolResult(result) if result.content.starts_with("[dropped to make room"))
}

fn texts(prompt: &Prompt) -> String {
    let texts = prompt.messages.iter().flat_map(|message| match &**message {
        Message::User(parts) => parts.iter().filter_map(said).collect::<Vec<_>>(),
        Message::Assistant(parts) => parts.iter().filter_map(spoken).collect(),
    });
    texts.collect::<Vec<_>>().join("\n")
}

fn said(part: &UserPart) -> Option<&str> {
    match part {
        UserPart::Text { text } => Some(text),
        UserPart::ToolResult(_) => None,
    }
}

fn spoken(part: &AssistantPart) -> Option<&str> {
    match part {
        AssistantPart::Text { text } => Some(text),
        _ => None,
    }
}
