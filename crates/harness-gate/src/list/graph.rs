//! What must hold among features: unique ids, dependencies that exist, no circles.

use std::collections::HashMap;

use harness_core::{Feature, FeatureId};

use super::ListError;

/// Checks ids and dependencies of a whole list.
pub(super) fn check(features: &[Feature]) -> Result<(), ListError> {
    let places = places(features)?;
    let edges = edges(features, &places)?;
    match circle(&edges) {
        None => Ok(()),
        Some(circle) => Err(ListError::Cycle {
            cycle: circle
                .into_iter()
                .map(|place| features[place].id.clone())
                .collect(),
        }),
    }
}

fn places(features: &[Feature]) -> Result<HashMap<&FeatureId, usize>, ListError> {
    let mut places = HashMap::new();
    for (place, feature) in features.iter().enumerate() {
        if let Some(first) = places.insert(&feature.id, place) {
            return Err(ListError::Duplicate {
                id: feature.id.clone(),
                first: first + 1,
                second: place + 1,
            });
        }
    }
    Ok(places)
}

fn edges(
    features: &[Feature],
    places: &HashMap<&FeatureId, usize>,
) -> Result<Vec<Vec<usize>>, ListError> {
    let place = |feature: &Feature, dependency: &FeatureId| {
        let missing = || ListError::UnknownDependency {
            feature: feature.id.clone(),
            dependency: dependency.clone(),
        };
        places.get(dependency).copied().ok_or_else(missing)
    };
    features
        .iter()
        .map(|feature| {
            let dependencies = feature.depends_on.iter();
            dependencies.map(|id| place(feature, id)).collect()
        })
        .collect()
}

/// Returns the first circle, its first place again at the end.
///
/// Walks with a stack of its own: a list may be one long chain.
fn circle(edges: &[Vec<usize>]) -> Option<Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        OnPath,
        Done,
    }
    let mut marks = vec![Mark::New; edges.len()];
    for start in 0..edges.len() {
        if marks[start] != Mark::New {
            continue;
        }
        marks[start] = Mark::OnPath;
        let mut path = vec![(start, 0)];
        while let Some((place, next)) = path.last_mut() {
            let Some(&target) = edges[*place].get(*next) else {
                marks[*place] = Mark::Done;
                path.pop();
                continue;
            };
            *next += 1;
            match marks[target] {
                Mark::Done => {}
                Mark::New => {
                    marks[target] = Mark::OnPath;
                    path.push((target, 0));
                }
                Mark::OnPath => {
                    let places = path.iter().map(|(place, _)| *place);
                    let mut circle: Vec<usize> =
                        places.skip_while(|place| *place != target).collect();
                    circle.push(target);
                    return Some(circle);
                }
            }
        }
    }
    None
}
