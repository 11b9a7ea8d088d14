//! What was used: tokens, how much of them came from a cache, money and time, with the words for it.
//!
//! A fold over events. It decides nothing and knows no limit; lines, JSON lines,
//! the screen and the commands that read logs count with it.

use std::time::Duration;

use harness_core::{
    Beside, ConversationId, Event, Happened, Money, Spent, Timestamp, TurnNumber, Usage,
};

/// Money below this is shown with more places. Unit: millionths of a US dollar.
const SMALL: u64 = 10_000;

/// What one request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bill {
    /// The turn; absent for the note of a hand-over, which is none.
    pub turn: Option<TurnNumber>,
    /// The conversation beside the main one whose turn it is; absent for the main one.
    pub conversation: Option<ConversationId>,
    /// Its tokens.
    pub usage: Usage,
    /// What it cost; absent when the price is unknown.
    pub cost: Option<Money>,
    /// Whether the tokens are estimated, because the provider had not said all of them.
    pub estimated: bool,
    /// How long it took. Unit: milliseconds.
    pub ms: u64,
}

impl Bill {
    /// Returns what an event says was used; `None` for events that cost nothing.
    pub const fn of(event: &Event) -> Option<Self> {
        match event {
            Event::ModelResponded(responded) => Some(Self {
                turn: Some(responded.turn),
                conversation: None,
                usage: responded.response.usage,
                cost: responded.cost,
                estimated: false,
                ms: responded.ms,
            }),
            Event::ModelFailed {
                turn,
                spent: Some(spent),
                ..
            } => Some(Self::of_spent(Some(*turn), *spent, 0)),
            Event::HandedOver(note) => match note.spent {
                Some(spent) => Some(Self::of_spent(None, spent, note.ms)),
                None => None,
            },
            Event::SessionResumed { found, .. } => match found.spent {
                Some(spent) => Some(Self::of_spent(Some(found.turn), spent, 0)),
                None => None,
            },
            Event::Beside(told) => Self::of_beside(told),
            _ => None,
        }
    }

    const fn of_beside(told: &Beside) -> Option<Self> {
        let bill = match &told.happened {
            Happened::Responded {
                turn,
                response,
                cost,
                ms,
            } => Self {
                turn: Some(*turn),
                conversation: None,
                usage: response.usage,
                cost: *cost,
                estimated: false,
                ms: *ms,
            },
            Happened::Failed {
                turn,
                spent: Some(spent),
                ..
            } => Self::of_spent(Some(*turn), *spent, 0),
            _ => return None,
        };
        Some(Self {
            conversation: Some(told.conversation),
            ..bill
        })
    }

    /// Names the request: `turn 3`, `hand-over`, `explore 1 turn 2`.
    pub fn name(&self) -> String {
        let name = self
            .turn
            .map_or_else(|| "hand-over".to_owned(), |turn| format!("turn {turn}"));
        match self.conversation {
            Some(conversation) => format!("{conversation} {name}"),
            None => name,
        }
    }

    const fn of_spent(turn: Option<TurnNumber>, spent: Spent, ms: u64) -> Self {
        Self {
            turn,
            conversation: None,
            usage: spent.usage,
            cost: spent.cost,
            estimated: spent.estimated,
            ms,
        }
    }
}

/// The sum of what was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests that were paid for.
    pub requests: u64,
    /// Their tokens.
    pub usage: Usage,
    /// What is known of their cost.
    pub spent: Money,
    /// Whether there is more whose price is unknown.
    pub unpriced: bool,
    /// Whether some of it is estimated.
    pub estimated: bool,
}

impl Tally {
    /// Adds a request.
    pub fn add(&mut self, bill: &Bill) {
        self.requests += 1;
        self.usage = self.usage.plus(bill.usage);
        self.spent = self.spent + bill.cost.unwrap_or_default();
        self.unpriced |= bill.cost.is_none();
        self.estimated |= bill.estimated;
    }

    /// Returns the cost; `None` where a part of it is unknown.
    pub fn cost(&self) -> Option<Money> {
        (!self.unpriced).then_some(self.spent)
    }

    /// Words the tokens: `34k tokens in, cache 83%, 2.1k out`.
    pub fn tokens(&self) -> String {
        tokens(self.usage)
    }

    /// Words the cost: `$0.12`, `about $0.12`, `price unknown`.
    pub fn money(&self) -> String {
        // Whatever was used of it, what costs nothing costs just that.
        let is_about = self.estimated && self.spent > Money(0);
        let about = if is_about { "about " } else { "" };
        match self.unpriced {
            false => format!("{about}{}", usd(self.spent)),
            true if self.spent == Money(0) => "price unknown".to_owned(),
            true => format!("{about}{} and more, price unknown", usd(self.spent)),
        }
    }
}

/// The time in which something was going on, without the time in which nobody was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    before: Duration,
    since: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Span {
    /// Takes a moment in which it went on.
    pub fn go_on(&mut self, at: Timestamp) {
        self.since.get_or_insert(at);
        self.last = Some(at);
    }

    /// Takes a moment in which it goes on after a pause.
    pub fn begin_again(&mut self, at: Timestamp) {
        self.before = self.taken();
        self.since = Some(at);
        self.last = Some(at);
    }

    /// Returns how long it went on.
    pub fn taken(&self) -> Duration {
        let now = self.since.zip(self.last);
        self.before + now.map_or(Duration::ZERO, |(since, last)| last.since(since))
    }
}

/// Words tokens of requests: `34k tokens in, cache 83%, 2.1k out`.
pub fn tokens(usage: Usage) -> String {
    let cache = usage.cache_percent();
    let cache = cache.map(|percent| format!(", cache {percent}%"));
    format!(
        "{} tokens in{}, {} out",
        amount(usage.input_total()),
        cache.unwrap_or_default(),
        amount(usage.output)
    )
}

/// Words a number of tokens: `812`, `2.1k`, `34k`, `1.2M`.
pub fn amount(tokens: u64) -> String {
    let scaled = |unit: u64, name: &str| match tokens / unit {
        whole @ 0..10 => format!("{whole}.{}{name}", tokens % unit * 10 / unit),
        whole => format!("{whole}{name}"),
    };
    match tokens {
        0..1_000 => tokens.to_string(),
        1_000..1_000_000 => scaled(1_000, "k"),
        _ => scaled(1_000_000, "M"),
    }
}

/// Words money, with more places where it is less than a cent.
pub fn usd(money: Money) -> String {
    match money.0 {
        0 => money.to_string(),
        1..100 => "<$0.0001".to_owned(),
        100..SMALL => format!("${:.4}", money.as_usd()),
        _ => money.to_string(),
    }
}

/// Words a span of time: `0.8 s`, `42 s`, `12 min`, `3 h`, `2 d`.
pub fn span(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds @ 3_600..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_costs_nothing_costs_exactly_that() {
        let tally = |micros| Tally {
            spent: Money(micros),
            estimated: true,
            ..Tally::default()
        };
        assert_eq!(tally(0).money(), "$0.00");
        assert_eq!(tally(20_000).money(), "about $0.02");
    }

    #[test]
    fn numbers_are_short_and_never_round_up() {
        for (tokens, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1.0k"),
            (2_199, "2.1k"),
            (34_999, "34k"),
            (999_999, "999k"),
            (1_250_000, "1.2M"),
        ] {
            assert_eq!(amount(tokens), text);
        }
        for (micros, text) in [
            (0, "$0.00"),
            (1, "<$0.0001"),
            (4_230, "$0.0042"),
            (123_000, "$0.12"),
        ] {
            assert_eq!(usd(Money(micros)), text);
        }
        for (ms, text) in [(820, "0.8 s"), (42_900, "42 s"), (720_000, "12 min")] {
            assert_eq!(span(Duration::from_millis(ms)), text);
        }
    }

    #[test]
    fn what_is_not_known_is_said() {
        let bill = |cost, estimated| Bill {
            turn: Some(TurnNumber(1)),
            conversation: None,
            usage: Usage {
                input: 170,
                cache_read: 830,
                cache_write: 0,
                output: 20,
            },
            cost,
            estimated,
            ms: 1,
        };
        let mut tally = Tally::default();
        assert_eq!(
            (tally.tokens(), tally.money()),
            ("0 tokens in, 0 out".to_owned(), "$0.00".to_owned())
        );
        tally.add(&bill(Some(Money(120_000)), false));
        assert_eq!(tally.tokens(), "1.0k tokens in, cache 83%, 20 out");
        assert_eq!(tally.money(), "$0.12");
        tally.add(&bill(Some(Money(120_000)), true));
        assert_eq!(tally.money(), "about $0.24");
        tally.add(&bill(None, false));
        assert_eq!(tally.money(), "about $0.24 and more, price unknown");
        assert_eq!(tally.cost(), None);
        let mut unknown = Tally::default();
        unknown.add(&bill(None, false));
        assert_eq!(unknown.money(), "price unknown");
    }

    #[test]
    fn a_pause_is_no_time() {
        let at = Timestamp::from_millis;
        let mut span = Span::default();
        assert_eq!(span.taken(), Duration::ZERO);
        span.go_on(at(1_000));
        span.go_on(at(4_000));
        span.begin_again(at(900_000));
        span.go_on(at(902_000));
        assert_eq!(span.taken(), Duration::from_secs(5));
    }
}
