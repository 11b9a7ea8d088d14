//! Drives one engine through one world, as the program does, with faults on the way.

use std::{collections::VecDeque, time::Duration};

use fastrand::Rng;
use harness_core::{
    CheckpointNumber, Difference, DifferenceKind, EndReason, Event, Forked, Happened, RepoPath,
    TakenUp, Timestamp, TurnNumber, Usage,
};
use harness_engine::{Effect, Engine, Tick};

use super::{
    model::Model,
    monitor::{Monitor, Origin, ensure, is_beside, is_request, is_work},
    person,
    plan::{Bounds, Plan, chance},
    story::Story,
    world::{Ending, World},
};

/// Steps without faults in which every run must have ended.
const CALM_STEPS_MAX: u32 = 20_000;
/// How often a person takes a run up that has ended.
const RESUMES_MAX: u32 = 3;

/// An effect that is being carried out.
struct Errand {
    effect: Effect,
    ending: Ending,
    /// Whether it ends only when the program dies.
    never: bool,
    /// Whether its end comes twice.
    twice: bool,
    /// What it ended in and nobody has heard yet; absent while the world has not acted.
    ends: Option<VecDeque<Event>>,
}

/// One simulated run.
pub(crate) struct Driver<'a> {
    bounds: Bounds,
    rng: Rng,
    faults_left: u32,
    resumes_left: u32,
    steps: u32,
    calm: bool,
    now: Timestamp,
    world: World,
    engine: Engine,
    log: Vec<(Event, Timestamp)>,
    errands: Vec<Errand>,
    /// Ends that come a second time.
    echoes: Vec<Event>,
    twin: Option<Engine>,
    /// Whether the live engine knows something that no log of the open session says.
    knows_more: bool,
    monitor: Monitor,
    story: &'a mut Story,
}

impl<'a> Driver<'a> {
    pub(crate) fn new(seed: u64, bounds: Bounds, story: &'a mut Story) -> Self {
        let mut rng = Rng::with_seed(seed);
        let plan = Plan::new(&mut rng);
        let model = Model::new(rng.fork());
        let now = Timestamp::from_millis(1_000_000);
        let engine = Engine::new(plan.run.clone(), now);
        let monitor = Monitor::new(&plan.run);
        Self {
            bounds,
            faults_left: bounds.faults,
            resumes_left: RESUMES_MAX,
            steps: 0,
            calm: false,
            now,
            world: World::new(plan, model, rng.fork()),
            rng,
            engine,
            log: Vec::new(),
            errands: Vec::new(),
            echoes: Vec::new(),
            twin: None,
            knows_more: false,
            monitor,
            story,
        }
    }

    fn time_is_short(&self) -> bool {
        self.world.plan.run.policy.limits.time < Duration::from_secs(3600)
    }

    /// Runs to the end and returns how the run ended.
    pub(crate) fn run(mut self) -> Result<EndReason, String> {
        self.story.add(|| format!("{:?}", self.world.plan));
        let effects = self.engine.start(self.now);
        self.follow(effects)?;
        for _ in 0..self.bounds.faulty_steps + CALM_STEPS_MAX {
            self.steps += 1;
            if let Some(reason) = self.engine.end() {
                if self.calm || self.resumes_left == 0 || chance(&mut self.rng, 1, 4) {
                    return Ok(reason);
                }
                self.resumes_left -= 1;
                self.crash("resume")?;
                continue;
            }
            self.step()?;
        }
        Err("the run does not end".to_owned())
    }

    fn step(&mut self) -> Result<(), String> {
        if !self.calm && self.steps > self.bounds.faulty_steps {
            self.calm = true;
            self.story
                .add(|| "from here on everything works".to_owned());
            if self.errands.iter().any(|errand| errand.never) {
                return self.crash("what never ends");
            }
        }
        self.now = self.now.plus(Duration::from_millis(self.rng.u64(1..400)));
        self.tick()?;
        if self.fault(1, 60) {
            return self.crash("between two steps");
        }
        if let Some(event) = self.whim() {
            return self.take(event, Origin::First);
        }
        self.go_on()
    }

    /// Goes on with something that is in flight, or lets time pass when nothing can.
    fn go_on(&mut self) -> Result<(), String> {
        if !self.echoes.is_empty() && chance(&mut self.rng, 1, 6) {
            let echo = self
                .echoes
                .swap_remove(self.rng.usize(0..self.echoes.len()));
            return self.take(echo, Origin::Repeated);
        }
        let can_end: Vec<usize> = (0..self.errands.len())
            .filter(|&index| !self.errands[index].never)
            .collect();
        let Some(&index) = self.rng.choice(&can_end) else {
            return self.wait();
        };
        match &mut self.errands[index].ends {
            None => {
                let errand = &mut self.errands[index];
                let ends = self.world.act(&errand.effect, errand.ending);
                errand.ends = Some(ends.into());
                Ok(())
            }
            Some(ends) => {
                let end = ends.pop_front();
                let is_last = ends.is_empty();
                let twice = self.errands[index].twice;
                if is_last {
                    self.errands.swap_remove(index);
                }
                end.map_or(Ok(()), |end| self.deliver(end, twice))
            }
        }
    }

    fn deliver(&mut self, end: Event, twice: bool) -> Result<(), String> {
        if twice && names_its_effect(&end) {
            self.echoes.push(end.clone());
        }
        let again = (twice && !names_its_effect(&end)).then(|| end.clone());
        self.take(end, Origin::First)?;
        match again {
            // An end that does not say whose it is can be told from another only by what is in flight.
            Some(end) if self.errands.is_empty() => self.take(end, Origin::Repeated),
            _ => Ok(()),
        }
    }

    /// Nothing in flight will end: only a person who is awaited, time or a crash helps.
    fn wait(&mut self) -> Result<(), String> {
        if self.monitor.steering.is_awaited() {
            let event = if self.calm {
                person::last_reply(&mut self.rng)
            } else {
                person::reply(&mut self.rng)
            };
            return self.take(event, Origin::First);
        }
        let must_fix = self.engine.person_review();
        if self.errands.is_empty() && must_fix.is_some_and(|review| !review.must_fix.is_empty()) {
            // A finish waits for the person's word.
            return self.take(Event::ReviewChanged(Box::default()), Origin::First);
        }
        if !self.errands.is_empty() && self.rng.bool() {
            return self.crash("nothing ends");
        }
        let Some(deadline) = self.engine.next_deadline() else {
            ensure(!self.errands.is_empty(), || "waits for nothing".to_owned())?;
            return self.crash("nothing ends");
        };
        self.now = self.now.plus(deadline.since(self.now));
        let event = self.engine.observe(Tick::Time, self.now);
        let event = event.ok_or("a deadline passes and nothing follows")?;
        let is_retry = match &event {
            Event::RetryDue { .. } => true,
            Event::Beside(told) => matches!(told.happened, Happened::RetryDue { .. }),
            _ => false,
        };
        // A limit may be shorter than the wait for a retry.
        ensure(
            is_retry || self.time_is_short() || !self.errands.is_empty(),
            || "waits for nothing but the limit of time".to_owned(),
        )?;
        self.take(event, Origin::First)
    }

    fn tick(&mut self) -> Result<(), String> {
        if self
            .engine
            .next_deadline()
            .is_none_or(|deadline| deadline > self.now)
        {
            return Ok(());
        }
        let event = self.engine.observe(Tick::Time, self.now);
        let event = event.ok_or("a deadline has passed and nothing follows")?;
        self.take(event, Origin::First)
    }

    /// Returns what a person or a stream does of its own accord.
    fn whim(&mut self) -> Option<Event> {
        if self.engine.end().is_some() {
            return None;
        }
        if self.fault(1, 80) {
            return Some(Event::Interrupted);
        }
        if self.fault(1, 120) {
            return Some(Event::StopRequested);
        }
        if chance(&mut self.rng, 1, 12)
            && let Some(event) = self.world.end_job()
        {
            return Some(event);
        }
        if !self.calm
            && let Some(event) = person::whim(&mut self.rng, self.monitor.steering.waiting())
        {
            return Some(event);
        }
        if !self.calm
            && let Some(event) = self.steer()
        {
            return Some(event);
        }
        if chance(&mut self.rng, 1, 20)
            && self.errands.iter().any(|errand| is_request(&errand.effect))
        {
            let usage = Usage {
                output: self.rng.u64(0..2_000),
                ..Usage::default()
            };
            return self.engine.observe(Tick::Usage(usage), self.now);
        }
        None
    }

    /// Returns what a person does now and then about questions and turns.
    fn steer(&mut self) -> Option<Event> {
        let asked = self.errands.iter().find_map(|errand| match errand.effect {
            Effect::AskPerson { call, .. } => Some(call),
            _ => None,
        });
        if let Some(call) = asked.filter(|_| chance(&mut self.rng, 1, 8)) {
            let waited = self.rng.bool();
            return Some(Event::QuestionPutOff { call, waited });
        }
        if chance(&mut self.rng, 1, 30)
            && let Some(given) = self.world.answers(&mut self.rng).pop()
        {
            return Some(Event::AnswerTaken(Box::new(given)));
        }
        if let Some(event) = person::review(&mut self.rng) {
            return Some(event);
        }
        let last = self.monitor.turn()?;
        person::rewind(&mut self.rng, last)
    }

    /// Logs an event, handles it, and does so with the records that follow.
    fn take(&mut self, event: Event, origin: Origin) -> Result<(), String> {
        let (mut next, mut origin) = (Some(event), origin);
        while let Some(mut event) = next.take() {
            self.world.keep_question(&mut event);
            self.story.event(&event);
            self.note(&event);
            self.monitor.event(&event, origin, &self.world)?;
            if matches!(event, Event::SessionEnded { .. } | Event::RunEnded { .. }) {
                let left = self
                    .errands
                    .iter()
                    .find(|errand| !is_beside(&errand.effect));
                ensure(left.is_none(), || {
                    format!("ends while {:?} runs", left.map(|e| &e.effect))
                })?;
            }
            let effects = self.engine.handle(&event, self.now);
            self.compare_twin(&event, &effects)?;
            next = self.carry_out(effects)?;
            origin = Origin::First;
            if next.is_some() && self.fault(1, 100) {
                return self.crash("before a record is logged");
            }
        }
        let is_busy = self
            .errands
            .iter()
            .any(|errand| !is_beside(&errand.effect) || is_stop_of_jobs(&errand.effect));
        let is_over = is_busy || self.engine.end().is_some();
        ensure(is_over || !self.monitor.steering.is_stopping(), || {
            "the step in hand is over and the run goes on".to_owned()
        })
    }

    fn follow(&mut self, effects: Vec<Effect>) -> Result<(), String> {
        match self.carry_out(effects)? {
            Some(event) => self.take(event, Origin::First),
            None => Ok(()),
        }
    }

    /// Starts effects and returns the record that comes next.
    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<Option<Event>, String> {
        let mut record = None;
        for effect in effects {
            ensure(record.is_none(), || "an effect after a record".to_owned())?;
            self.story.effect(&effect);
            let in_flight: Vec<&Effect> =
                self.errands.iter().map(|errand| &errand.effect).collect();
            self.monitor.effect(&effect, &in_flight, &self.world)?;
            if is_request(&effect) {
                let spent = self.engine.run().spent;
                ensure(spent == self.monitor.spent(), || {
                    format!("counts {spent} of {}", self.monitor.spent())
                })?;
            }
            match effect {
                Effect::Record(event) => record = Some(event),
                Effect::CancelModel => self.cancel(is_request),
                Effect::CancelWork => self.cancel(is_work),
                effect => self.begin(effect),
            }
        }
        Ok(record)
    }

    fn begin(&mut self, effect: Effect) {
        let ending = if self.fault(1, 25) {
            Ending::Badly
        } else {
            Ending::Well
        };
        let never = self.fault(1, 50);
        let twice = self.fault(1, 12);
        self.errands.push(Errand {
            effect,
            ending,
            never,
            twice,
            ends: None,
        });
    }

    /// Ends what runs: it may have ended well already, and gates on the base may say nothing more.
    fn cancel(&mut self, concerns: fn(&Effect) -> bool) {
        for errand in self
            .errands
            .iter_mut()
            .filter(|errand| concerns(&errand.effect))
        {
            if errand.ends.is_none() && chance(&mut self.rng, 3, 4) {
                errand.ending = Ending::Cancelled;
                errand.never = false;
            }
        }
        let silent = self.rng.bool();
        self.errands.retain(|errand| {
            !(silent
                && concerns(&errand.effect)
                && matches!(errand.effect, Effect::RunBaseline { .. }))
        });
    }

    /// Appends to the log; a session begins a new one.
    fn note(&mut self, event: &Event) {
        match event {
            Event::SessionOpened(_) => {
                self.log.clear();
                // Turns, calls and checkpoints are counted anew in each session.
                self.echoes
                    .retain(|echo| matches!(echo, Event::BaselineEnded { .. }));
            }
            Event::Interrupted | Event::StopRequested | Event::StopDecided { .. }
                if self.engine.session().is_none() =>
            {
                self.knows_more = true;
            }
            _ => {}
        }
        if matches!(event, Event::SessionEnded { .. }) {
            // Nobody is asked any more.
            self.errands.retain(|errand| !is_asking(&errand.effect));
        }
        if let Event::JobStarted { call, .. } = event {
            self.world.jobs.is_told(*call);
        }
        let opens = matches!(event, Event::SessionOpened(_));
        if opens || !self.log.is_empty() {
            self.log.push((event.clone(), self.now));
        }
    }

    /// Holds what the engine asks for against what its log, folded, would ask for.
    fn compare_twin(&mut self, event: &Event, effects: &[Effect]) -> Result<(), String> {
        // A short limit of time is counted from when a process took the run up,
        // which the log of a later session does not say.
        if self.knows_more || self.time_is_short() {
            self.twin = None;
            return Ok(());
        }
        if let Some(twin) = &mut self.twin {
            let same = twin.handle(event, self.now);
            ensure(same == effects, || {
                format!("the folded log asks for {same:?}")
            })?;
        }
        if !self.log.is_empty() && chance(&mut self.rng, 1, 40) {
            self.twin = Engine::fold(self.log.iter().cloned());
        }
        Ok(())
    }

    /// The program dies and is started again.
    fn crash(&mut self, when: &str) -> Result<(), String> {
        self.story.add(|| format!("crash: {when}"));
        self.errands.clear();
        self.echoes.clear();
        self.world.die();
        self.twin = None;
        self.knows_more = false;
        let Some(engine) = Engine::fold(self.log.iter().cloned()) else {
            self.engine = Engine::new(self.world.plan.run.clone(), self.now);
            self.monitor = Monitor::new(&self.world.plan.run);
            let effects = self.engine.start(self.now);
            return self.follow(effects);
        };
        self.engine = engine;
        if !self.calm && chance(&mut self.rng, 1, 12) {
            self.fork()?;
        }
        let run = self.engine.run();
        let attended = if self.rng.bool() {
            self.rng.bool()
        } else {
            run.attended
        };
        let steered = run.steered != chance(&mut self.rng, 1, 6);
        let mut limits = run.policy.limits;
        if let Some(usd) = &mut limits.usd {
            usd.0 += self.rng.u64(0..2) * 50_000;
        }
        let event = Event::SessionResumed {
            attended,
            model: Box::new(run.model),
            limits: Box::new(limits),
            steered,
            fallback: run.fallback,
            roles: Box::new(run.roles),
            answers: self.world.answers(&mut self.rng),
            found: Box::new(self.found()),
        };
        self.take(event, Origin::First)
    }

    /// Says how the run was found; now and then a person changed files meanwhile.
    fn found(&mut self) -> TakenUp {
        let mut found = self.engine.taken_up();
        if chance(&mut self.rng, 1, 4) {
            let mine = RepoPath::parse("src/mine").expect("a path");
            let files = Difference::new(DifferenceKind::Files, "changed", "kept");
            found.differs.push(files.about(vec![mine]));
        }
        found
    }

    /// A new run begins with what the open session did until now.
    fn fork(&mut self) -> Result<(), String> {
        let Some(session) = self.engine.session() else {
            return Ok(());
        };
        if self.engine.is_proven() {
            return Ok(());
        }
        let event = Event::Forked(Box::new(Forked {
            session,
            run: self.engine.run().run,
            checkpoint: CheckpointNumber(0),
            turn: TurnNumber(0),
            files: 0,
        }));
        self.story.event(&event);
        self.note(&event);
        self.monitor.event(&event, Origin::First, &self.world)?;
        // The branch of the new run begins where the session began.
        let passed = self.monitor.passed();
        self.world
            .branch
            .retain(|made| passed.contains(&made.feature));
        let folded = Engine::fold(self.log.iter().cloned());
        self.engine = folded.ok_or("a forked log does not fold")?;
        Ok(())
    }

    /// Whether a fault happens here.
    fn fault(&mut self, part: u32, whole: u32) -> bool {
        let happens = chance(&mut self.rng, part, whole) && !self.calm && self.faults_left > 0;
        self.faults_left -= u32::from(happens);
        happens
    }
}

/// Whether a person is asked for something of the open session.
const fn is_asking(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::AskPerson { .. } | Effect::AskApproval(_) | Effect::KeepProposal { .. }
    )
}

/// Whether it is over with the end of each job, which a job may come to by itself.
const fn is_stop_of_jobs(effect: &Effect) -> bool {
    matches!(effect, Effect::StopJobs { .. })
}

/// Whether an end says which effect it belongs to, so that a second one can come at any time.
fn names_its_effect(event: &Event) -> bool {
    if let Event::Beside(told) = event {
        return matches!(
            told.happened,
            Happened::Responded { .. } | Happened::CallEnded { .. } | Happened::LinkMet { .. }
        );
    }
    matches!(
        event,
        Event::ModelResponded(_)
            | Event::LinkMet { .. }
            | Event::CallEnded { .. }
            | Event::QuestionAnswered { .. }
            | Event::ApprovalAnswered { .. }
            | Event::CheckpointSaved(_)
            | Event::BaselineEnded { .. }
            | Event::ProposalKept { .. }
            | Event::ProposalSettled(_)
            | Event::FeaturePassed(_)
            | Event::JobEnded { .. }
    )
}
