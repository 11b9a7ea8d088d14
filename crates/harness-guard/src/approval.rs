//! A person's yes to one call, and what waits for it.

use harness_core::{Action, CallId, Request};

use crate::permit::{Bounds, Permit};

/// A person's yes to one call, once.
///
/// It is made from a person's [`Request`] alone, which nothing reads from a log,
/// a file or a model; the runner makes it, and a test of the architecture holds
/// that nobody else does. A request that is no yes makes none:
///
/// ```
/// use harness_core::{ApprovalAnswer, CallId, Request, TurnNumber};
/// use harness_guard::Approval;
/// let call = CallId { turn: TurnNumber(1), index: 0 };
/// let request = |answer| Request::Decide { call, answer };
/// assert!(Approval::by_person(&request(ApprovalAnswer::Once)).is_some());
/// assert!(Approval::by_person(&request(ApprovalAnswer::Never)).is_none());
/// assert!(Approval::by_person(&Request::Stop).is_none());
/// ```
///
/// It cannot be made in another way:
///
/// ```compile_fail,E0451
/// use harness_core::CallId;
/// fn forge(call: CallId) -> harness_guard::Approval {
///     harness_guard::Approval { call }
/// }
/// ```
///
/// nor copied, so that one yes is one act:
///
/// ```compile_fail,E0277
/// use harness_guard::Approval;
/// fn twice(approval: &Approval) -> Approval {
///     Approval::clone(approval)
/// }
/// ```
///
/// nor read back from a log:
///
/// ```compile_fail,E0277
/// fn from_log<T: serde::de::DeserializeOwned>() {}
/// from_log::<harness_guard::Approval>();
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an approval that is dropped allows nothing"]
pub struct Approval {
    call: CallId,
}

impl Approval {
    /// Takes a person's request for what it says; `None` when it is no yes to a call.
    pub fn by_person(request: &Request) -> Option<Self> {
        match request {
            Request::Decide { call, answer } if answer.is_yes() => Some(Self { call: *call }),
            _ => None,
        }
    }

    /// Returns the call that was approved.
    pub const fn call(&self) -> CallId {
        self.call
    }
}

/// An action that may happen with a person's yes and not without: no permit.
///
/// ```compile_fail,E0277
/// use harness_guard::Awaited;
/// fn twice(awaited: &Awaited) -> Awaited {
///     Awaited::clone(awaited)
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Awaited {
    call: CallId,
    action: Action,
    bounds: Bounds,
}

impl Awaited {
    pub(crate) const fn new(call: CallId, action: Action, bounds: Bounds) -> Self {
        Self {
            call,
            action,
            bounds,
        }
    }

    /// Returns what would be done.
    pub const fn action(&self) -> &Action {
        &self.action
    }

    /// Uses a person's yes up for a permit.
    ///
    /// # Errors
    /// When the yes was to another call; it is used up all the same.
    #[expect(clippy::needless_pass_by_value, reason = "a yes is used up")]
    pub fn approved(self, approval: Approval) -> Result<Permit, OtherCall> {
        if approval.call == self.call {
            Ok(Permit::new(self.action, self.bounds))
        } else {
            Err(OtherCall)
        }
    }
}

/// A person's yes was to another call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot use a person's approval for another call")]
pub struct OtherCall;
