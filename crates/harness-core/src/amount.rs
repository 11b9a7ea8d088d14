//! Counts with a unit: bytes, tokens, money.

use std::{fmt, iter::Sum, ops::Add, str::FromStr};

use serde::{Deserialize, Serialize};

/// A text that is not an amount of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not {expected}")]
pub struct AmountError {
    value: String,
    expected: &'static str,
}

/// A number of bytes. Written `64 KiB`, `1 MiB`, `4 GiB` or a bare number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ByteCount(pub u64);

impl ByteCount {
    /// Makes a count of binary kilobytes.
    pub const fn kib(count: u64) -> Self {
        Self(count * 1024)
    }

    /// Makes a count of binary megabytes.
    pub const fn mib(count: u64) -> Self {
        Self(count * 1024 * 1024)
    }

    /// Makes a count of binary gigabytes.
    pub const fn gib(count: u64) -> Self {
        Self(count * 1024 * 1024 * 1024)
    }

    /// Returns the count as a length in memory.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match UNITS.iter().find(|(size, _)| self.0 >= *size) {
            Some((size, unit)) if self.0.is_multiple_of(*size) => {
                write!(f, "{} {unit}", self.0 / size)
            }
            #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
            Some((size, unit)) => write!(f, "{:.1} {unit}", self.0 as f64 / *size as f64),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

impl FromStr for ByteCount {
    type Err = AmountError;

    fn from_str(value: &str) -> Result<Self, AmountError> {
        let (number, unit) = split_unit(value);
        let factor = match unit {
            "" | "B" | "bytes" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => 0,
        };
        number
            .parse::<u64>()
            .ok()
            .filter(|_| factor != 0)
            .and_then(|number| number.checked_mul(factor))
            .map(Self)
            .ok_or_else(|| AmountError {
                value: value.to_owned(),
                expected: "a size such as `64 KiB`, `1 MiB` or `4 GiB`",
            })
    }
}

/// A number of model tokens. Written `16k tokens`, `16k` or a bare number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct TokenCount(pub u64);

impl TokenCount {
    /// Estimates the tokens of a text: a quarter of its bytes, rounded up.
    ///
    /// Good to about a third for English and source code; used only before a
    /// provider has said the real number.
    pub fn estimate(text: &str) -> Self {
        Self(text.len().div_ceil(4) as u64)
    }
}

impl Add for TokenCount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for TokenCount {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self(0), Add::add)
    }
}

impl fmt::Display for TokenCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0..10_000 => write!(f, "{} tokens", self.0),
            more => write!(f, "{}k tokens", more / 1000),
        }
    }
}

impl FromStr for TokenCount {
    type Err = AmountError;

    fn from_str(value: &str) -> Result<Self, AmountError> {
        let number = value.trim().trim_end_matches("tokens").trim();
        let (digits, factor) = number
            .strip_suffix('k')
            .map_or((number, 1), |digits| (digits, 1000));
        digits
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(factor))
            .map(Self)
            .ok_or_else(|| AmountError {
                value: value.to_owned(),
                expected: "a token count such as `16k tokens`",
            })
    }
}

/// An amount of money. Unit: millionths of a US dollar.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(pub u64);

impl Money {
    /// Makes an amount of US dollars, rounded to the millionth; negative gives zero.
    pub fn from_usd(usd: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and is clamped at zero"
        )]
        Self((usd.max(0.0) * 1e6).round() as u64)
    }

    /// Returns what is left when `other` is taken away; never below zero.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Returns the amount in US dollars.
    pub fn as_usd(self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "exact up to nine billion dollars"
        )]
        let micros = self.0 as f64;
        micros / 1e6
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${:.2}", self.as_usd())
    }
}

fn split_unit(value: &str) -> (&str, &str) {
    let value = value.trim();
    let end = value
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(value.len());
    (&value[..end], value[end..].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_they_are_read() {
        for text in ["1 MiB", "4 GiB", "64 KiB", "12 bytes"] {
            assert_eq!(text.parse::<ByteCount>().unwrap().to_string(), text);
        }
        assert_eq!(ByteCount(1536).to_string(), "1.5 KiB");
        for wrong in ["", "MiB", "1 MB", "-1", "99999999999 GiB"] {
            assert!(wrong.parse::<ByteCount>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn tokens_and_money_read_as_people_write_them() {
        assert_eq!("16k tokens".parse(), Ok(TokenCount(16_000)));
        assert_eq!("900".parse(), Ok(TokenCount(900)));
        assert_eq!(Money::from_usd(0.82).to_string(), "$0.82");
        assert_eq!(Money::from_usd(-1.0), Money(0));
    }
}
