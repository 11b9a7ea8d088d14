//! Settings of libgit2 that hold for the whole process.
//!
//! Called by everything here that makes the first use of libgit2.

use std::sync::Once;

use git2::ConfigLevel;

static SETTINGS: Once = Once::new();

/// Cuts libgit2 off from configuration outside the repository, once per process.
///
/// Empties the search paths for system, global and XDG files, so that
/// attributes, ignore rules and settings come from the repository alone, and
/// turns libgit2's owner check off, which [`crate::open`] replaces: with empty
/// search paths it could not see the person's `safe.directory`.
pub(crate) fn isolate() {
    SETTINGS.call_once(|| {
        let levels = [
            ConfigLevel::ProgramData,
            ConfigLevel::System,
            ConfigLevel::XDG,
            ConfigLevel::Global,
        ];
        for level in levels {
            #[expect(
                unsafe_code,
                reason = "libgit2 keeps the path in an unguarded global; `Once` runs this before the first other call of this crate"
            )]
            // SAFETY: no other thread is inside libgit2: every entry of the crate passes here first.
            let set = unsafe { git2::opts::set_search_path(level, "") };
            set.expect("an empty path is a valid search path");
        }
        #[expect(
            unsafe_code,
            reason = "libgit2 keeps the switch in an unguarded global; `Once` runs this before the first other call of this crate"
        )]
        // SAFETY: as above.
        let set = unsafe { git2::opts::set_verify_owner_validation(false) };
        set.expect("the owner check can be switched off");
    });
}
