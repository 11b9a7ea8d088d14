//! What models cost where nobody says it: a dated table, by the provider's id.
//!
//! The table is part of the program; nothing is fetched. An id that is not in it
//! has an unknown price, which is no error here. Called where models are made.

use std::{collections::BTreeMap, sync::LazyLock};

use harness_core::{Money, Price, TokenCount};
use serde::Deserialize;

/// The table, parsed once.
static TABLE: LazyLock<BTreeMap<String, Listed>> = LazyLock::new(|| {
    let table: Table =
        toml::from_str(include_str!("prices.toml")).expect("a test reads the price table");
    table.model
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    model: BTreeMap<String, Listed>,
}

/// A line of the table. Unit: US dollars per million tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    /// The day on which it was compared with the provider's page.
    read: String,
    /// The window for which the price holds. Unit: tokens.
    context: u64,
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
}

impl Listed {
    /// Returns what the model costs.
    pub(crate) fn price(&self) -> Price {
        Price {
            input: Money::from_usd(self.input),
            output: Money::from_usd(self.output),
            cache_read: Money::from_usd(self.cache_read),
            cache_write: Money::from_usd(self.cache_write),
        }
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

/// Finds a model by its provider's id, with or without the date of its release behind it.
pub(crate) fn find(id: &str) -> Option<&'static Listed> {
    TABLE
        .get(id)
        .or_else(|| without_date(id).and_then(|id| TABLE.get(id)))
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
        assert!(!TABLE.is_empty());
        for (id, listed) in &*TABLE {
            assert!(listed.input > 0.0 && listed.output > listed.input, "{id}");
            assert!(listed.cache_read < listed.input, "{id}");
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
        let found = |id| find(id).map(|listed| listed.input);
        assert_eq!(found("claude-sonnet-4-5"), Some(3.0));
        assert_eq!(found("claude-sonnet-4-5-20250929"), Some(3.0));
        assert_eq!(found("gpt-5-2025-08-07"), Some(1.25));
        for other in [
            "",
            "claude-sonnet-4",
            "claude-sonnet-4-5-2025092",
            "claude-sonnet-4-5-2025-0929",
            "claude-sonnet-4-520250929",
            "gpt-5-mini",
            "ä-20250929",
            "openai/gpt-5",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
    }
}
