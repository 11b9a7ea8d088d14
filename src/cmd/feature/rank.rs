//! `harness feature move`: who is worked on first, by as few priorities as will do.

use harness_core::{Feature as Entry, FeatureId};
use serde_json::json;

use super::{Desk, find, no_list, title};
use crate::{cli::Rank, failure::Failure, output::Output};

use super::unwritable;

pub(super) fn run(desk: &Desk<'_>, id: &str, to: Rank) -> Result<u8, Failure> {
    let (entry, place, changed) = desk.site.rewrite(desk.path, |text| {
        let text = text.ok_or_else(|| no_list(desk.path))?;
        let mut list = desk.site.parse_list(desk.path, &text)?;
        let entry = find(&list, id, desk.path)?;
        let order = moved(list.features(), &entry.id, to);
        let changes = priorities(list.features(), &order);
        for (id, priority) in &changes {
            list.set_priority(id, *priority)
                .map_err(|error| unwritable(&error))?;
        }
        let place = order
            .iter()
            .position(|at| list.features()[*at].id == entry.id);
        Ok((
            list.render(),
            (entry, place.unwrap_or_default(), changes.len()),
        ))
    })?;
    let words = match place {
        0 => "comes first".to_owned(),
        place => format!("comes in place {}", place + 1),
    };
    let words = match changed {
        0 => format!("{words} already"),
        _ => words,
    };
    Output::new(desk.common).entry(
        "feature_moved",
        &format!("feature: {} {words}, {}", entry.id, title(&entry)),
        json!({ "id": entry.id.as_str(), "place": place + 1, "changed": changed }),
    )?;
    Ok(0)
}

/// Returns the order of work with one feature at another place, as places in the list.
fn moved(features: &[Entry], id: &FeatureId, to: Rank) -> Vec<usize> {
    let mut order: Vec<usize> = (0..features.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(features[*at].priority));
    let Some(from) = order.iter().position(|at| features[*at].id == *id) else {
        return order;
    };
    let at = order.remove(from);
    let to = match to {
        Rank::Earlier => from.saturating_sub(1),
        Rank::Later => (from + 1).min(order.len()),
        Rank::First => 0,
        Rank::Last => order.len(),
    };
    order.insert(to, at);
    order
}

/// Returns the priorities that have to change so that this is the order of work.
///
/// From the last to the first, each keeps its own as long as that does.
fn priorities(features: &[Entry], order: &[usize]) -> Vec<(FeatureId, i64)> {
    let mut changes = Vec::new();
    let mut next: Option<(usize, i64)> = None;
    for at in order.iter().rev() {
        let own = features[*at].priority;
        // Of equal ones the list's order counts.
        let least = next.map_or(own, |(behind, priority)| {
            if *at < behind {
                priority
            } else {
                priority.saturating_add(1)
            }
        });
        let priority = own.max(least);
        if priority != own {
            changes.push((features[*at].id.clone(), priority));
        }
        next = Some((*at, priority));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(priorities: &[i64]) -> Vec<Entry> {
        let feature = |(at, priority): (usize, &i64)| Entry {
            priority: *priority,
            ..Entry::titled(FeatureId::new(format!("F-{at}")).unwrap(), "x")
        };
        priorities.iter().enumerate().map(feature).collect()
    }

    fn order(features: &[Entry]) -> Vec<String> {
        let mut order: Vec<&Entry> = features.iter().collect();
        order.sort_by_key(|feature| std::cmp::Reverse(feature.priority));
        order.iter().map(|feature| feature.id.to_string()).collect()
    }

    #[test]
    fn every_move_gives_exactly_the_order_that_was_meant() {
        for numbers in [
            &[0, 0, 0, 0, 0][..],
            &[5, 5, 3, 3, 0],
            &[1, 2, 3, 4, 5],
            &[7],
        ] {
            let before = features(numbers);
            for feature in &before {
                for to in [Rank::Earlier, Rank::Later, Rank::First, Rank::Last] {
                    let wanted = moved(&before, &feature.id, to);
                    let mut after = before.clone();
                    for (id, priority) in priorities(&before, &wanted) {
                        let found = after.iter_mut().find(|other| other.id == id);
                        found.unwrap().priority = priority;
                    }
                    let names = wanted.iter().map(|at| before[*at].id.to_string());
                    assert_eq!(
                        order(&after),
                        names.collect::<Vec<_>>(),
                        "{numbers:?} {to:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_stands_right_already_changes_nothing() {
        let list = features(&[5, 5, 3]);
        let order = moved(&list, &list[0].id, Rank::First);
        assert!(priorities(&list, &order).is_empty());
        let order = moved(&list, &list[2].id, Rank::Later);
        assert!(priorities(&list, &order).is_empty());
    }
}
