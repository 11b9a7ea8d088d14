//! What models cost where nobody says it: a dated table, by the provider's id.
//!
//! The table is part of the program; nothing is fetched. An id that is not in it
//! has an unknown price, which is no error here. Called where models are made.

use std::{collections::BTreeMap, sync::LazyLock};

use harness_core::{Money, Price, TokenCount};
use serde::Deserialize;

/// The table, parsed once.
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("prices.toml")).expect("a test reads the price table")
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// By id, wherever it is served.
    model: BTreeMap<String, Listed>,
    /// By host and id: open models that cost something else at every host.
    at: BTreeMap<String, BTreeMap<String, Listed>>,
}

/// A line of the table. Unit: US dollars per million tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    /// The day on which it was compared with the provider's page.
    read: String,
    /// The window for which the price holds. Unit: tokens.
    context: u64,
    /// The longest answer that is given. Unit: tokens.
    answer: u64,
    /// Whether it takes images.
    #[serde(default)]
    images: bool,
    input: f64,
    output: f64,
    cache_read: f64,
    /// For five minutes, which is all that is asked for.
    cache_write: f64,
    /// For an hour; nothing asks for that yet.
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "kept with the page it stands on, for whoever asks for it"
        )
    )]
    cache_write_1h: Option<f64>,
    /// What a larger prompt costs.
    above: Option<Above>,
}

/// The price of prompts beyond a size; it holds for all tokens of such a request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Above {
    /// The largest prompt at the lower price. Unit: tokens.
    tokens: u64,
    input: f64,
    output: f64,
    cache_read: f64,
    cache_write: f64,
}

/// The longest answer asked of a model of the table: room for reasoning and a large file, and
/// still nothing that a limit could not pay.
const ANSWER: u64 = 32_000;

impl Listed {
    /// Returns what the model costs with a window of this size: the dearer price where a prompt
    /// may be that large, never one that is too low for a limit.
    pub(crate) fn price(&self, context: TokenCount) -> Price {
        match &self.above {
            Some(above) if context.0 > above.tokens => above.price(),
            _ => price(self.input, self.output, self.cache_read, self.cache_write),
        }
    }

    /// Returns what a prompt larger than the window costs, where the page tells of such prompts.
    pub(crate) fn beyond(&self) -> Option<Price> {
        self.above.as_ref().map(Above::price)
    }

    /// Returns the longest answer asked for.
    pub(crate) fn output(&self) -> TokenCount {
        TokenCount(self.answer.min(ANSWER))
    }

    /// Whether the model takes images.
    pub(crate) const fn takes_images(&self) -> bool {
        self.images
    }

    /// Returns the window for which the price holds.
    pub(crate) const fn context(&self) -> TokenCount {
        TokenCount(self.context)
    }

    /// Returns how the line is named as an origin.
    pub(crate) fn origin(&self) -> String {
        format!("price table, {}", self.read)
    }
}

impl Above {
    fn price(&self) -> Price {
        price(self.input, self.output, self.cache_read, self.cache_write)
    }
}

fn price(input: f64, output: f64, cache_read: f64, cache_write: f64) -> Price {
    Price {
        input: Money::from_usd(input),
        output: Money::from_usd(output),
        cache_read: Money::from_usd(cache_read),
        cache_write: Money::from_usd(cache_write),
    }
}

/// Finds a model by its provider's id, with or without the date of its release behind it.
///
/// `host` is where it is served; what is known of an id there goes before what is known everywhere.
pub(crate) fn find(id: &str, host: &str) -> Option<&'static Listed> {
    let at_host = TABLE.at.get(host).and_then(|models| models.get(id));
    at_host
        .or_else(|| TABLE.model.get(id))
        .or_else(|| without_date(id).and_then(|id| TABLE.model.get(id)))
}

/// Takes `-20250929` or `-2025-09-29` off the end of an id.
fn without_date(id: &str) -> Option<&str> {
    let is_date = |text: &str| {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let shape = text.bytes().map(|byte| byte == b'-');
        digits == 8
            && (text.len() == 8
                || (text.len() == 10 && shape.eq((0..10).map(|at| at == 4 || at == 7))))
    };
    [8, 10].into_iter().find_map(|length| {
        let at = id.len().checked_sub(length)?;
        let name = id.get(..at)?.strip_suffix('-')?;
        is_date(id.get(at..)?).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_price_that_can_be() {
        assert!(!TABLE.model.is_empty());
        let everywhere = TABLE.model.iter();
        for (id, listed) in everywhere.chain(TABLE.at.values().flatten()) {
            assert!(listed.input > 0.0 && listed.output > listed.input, "{id}");
            assert!(listed.cache_read <= listed.input, "{id}");
            assert!(listed.answer >= 30_000, "{id}");
            if let Some(above) = &listed.above {
                assert!(above.tokens >= listed.context, "{id}");
                assert!(
                    above.input > listed.input && above.output > listed.output,
                    "{id}"
                );
                assert!(above.cache_read >= listed.cache_read, "{id}");
                assert!(above.cache_write > listed.cache_write, "{id}");
            }
            assert!(listed.cache_write >= listed.input, "{id}");
            assert!((100_000..2_000_000).contains(&listed.context), "{id}");
            assert!(
                without_date(&format!("{id}-{}", listed.read)).is_some(),
                "{id}"
            );
            // Anthropic's cache for an hour costs twice the input, for five minutes a quarter more.
            if let Some(hour) = listed.cache_write_1h {
                assert_eq!(hour, listed.input * 2.0, "{id}");
                assert_eq!(listed.cache_write, listed.input * 1.25, "{id}");
            }
        }
    }

    #[test]
    fn an_id_is_found_exactly_or_with_a_date_behind_it() {
        let found = |id| find(id, "").map(|listed| listed.input);
        assert_eq!(found("claude-sonnet-4-5"), Some(3.0));
        assert_eq!(found("claude-sonnet-4-5-20250929"), Some(3.0));
        assert_eq!(found("gpt-5-2025-08-07"), Some(1.25));
        for other in [
            "",
            "claude-sonnet-4",
            "claude-sonnet-4-5-2025092",
            "claude-sonnet-4-5-2025-0929",
            "claude-sonnet-4-520250929",
            "gpt-5-micro",
            "openai/gpt-oss-120b",
            "ä-20250929",
            "openai/gpt-5",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
    }

    #[test]
    fn a_price_of_one_host_holds_there_alone() {
        let found = |host| find("openai/gpt-oss-120b", host).map(|listed| listed.input);
        assert_eq!(found("api.groq.com"), Some(0.15));
        assert_eq!(found("api.together.xyz"), None);
        let sonnet = find("claude-sonnet-5-5", "api.anthropic.com");
        assert_eq!(sonnet.map(|listed| listed.input), Some(2.0));
    }

    #[test]
    fn a_window_beyond_the_lower_price_costs_the_dearer_one() {
        let listed = find("gpt-6.2-sol", "").unwrap();
        let usd = |context| listed.price(TokenCount(context)).input.as_usd();
        assert_eq!(usd(272_000), 2.0);
        assert_eq!(usd(272_001), 4.0);
        assert_eq!(listed.output(), TokenCount(32_000));
        let flat = find("claude-sonnet-5-5", "").unwrap();
        assert_eq!(flat.price(TokenCount(1_000_000)).input.as_usd(), 2.0);
    }
}
