//! The Landlock rules of one cage, built in the parent.

use std::os::fd::OwnedFd;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
};

/// The oldest kernel interface that confines writes: before it, a file could be cut to nothing.
const REQUIRED: ABI = ABI::V3;

/// The newest one whose rights are asked for where the kernel has them.
const WANTED: ABI = ABI::V9;

/// What a command may do below a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// Open a folder and see the names below it.
    List,
    /// Read and execute.
    Read,
    /// Read, execute, and change everything.
    Write,
    /// Read and write a device.
    Device,
}

/// Collects rules; what no rule gives is refused.
pub(super) struct Rules(RulesetCreated);

impl Rules {
    /// Begins with no rights on any file, no TCP, and no signals or abstract sockets to the outside.
    ///
    /// # Errors
    /// When the kernel has no Landlock, or an older one than is required.
    pub(super) fn in_the_open() -> Result<Self, RulesetError> {
        files()?
            .handle_access(AccessNet::from_all(WANTED))?
            .create()
            .map(Self)
    }

    /// Begins the same where the network is the command's own: there it may talk to itself.
    ///
    /// # Errors
    /// As [`Rules::in_the_open`].
    pub(super) fn in_namespaces() -> Result<Self, RulesetError> {
        files()?.create().map(Self)
    }

    /// Gives rights on a file, or on a folder and everything below it.
    pub(super) fn allow(&mut self, path: &OwnedFd, right: Right) -> Result<(), RulesetError> {
        // A file takes fewer rights than a folder; the others are left out for it.
        (&mut self.0).add_rule(PathBeneath::new(path, rights(right)))?;
        Ok(())
    }

    /// Returns the ruleset as the kernel knows it.
    pub(super) fn into_handle(self) -> Option<OwnedFd> {
        self.0.into()
    }
}

/// No rights on any file, and no signals or abstract sockets to the outside.
fn files() -> Result<Ruleset, RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(REQUIRED))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))?
        .scope(Scope::from_all(WANTED))
}

fn rights(right: Right) -> BitFlags<AccessFs> {
    match right {
        Right::List => AccessFs::ReadDir.into(),
        Right::Read => AccessFs::from_read(WANTED),
        // Devices are made by the system alone.
        Right::Write => AccessFs::from_all(WANTED) & !(AccessFs::MakeChar | AccessFs::MakeBlock),
        Right::Device => {
            AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev
        }
    }
}
