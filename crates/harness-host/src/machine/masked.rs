//! Programs that the machine has and processes cannot see.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Endings of the line with which a shell says that a program was not found.
const NOT_FOUND: [&str; 2] = [": command not found", ": not found"];

/// Returns the name of the program that a shell did not find, as the end of its output says.
///
/// Asked when a command ended with exit code 127.
pub fn missing_program(output: &str) -> Option<&str> {
    output.lines().rev().find_map(|line| {
        let before = NOT_FOUND.iter().find_map(|end| line.strip_suffix(end))?;
        let name = before.rsplit(": ").next()?.trim();
        (!name.is_empty() && !name.contains(char::is_whitespace)).then_some(name)
    })
}

/// Says where a program is that the machine has and a process did not find: it is masked.
///
/// `readable` is what processes may read. `None` where the machine does not have
/// it either, or where it could be seen. The text names the file and the setting
/// with which a person opens its folder; this program itself is named wherever it is.
pub fn masked_program(readable: &[PathBuf], name: &str) -> Option<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = || env::split_paths(&path).filter(|folder| folder.is_absolute());
    masked_in(folders(), readable, name).or_else(|| {
        let own = env::current_exe().ok()?;
        own_program(folders(), &own, name)
    })
}

/// Says where this program itself is, when it is meant and not on `PATH`: it can always be read.
fn own_program(
    mut folders: impl Iterator<Item = PathBuf>,
    own: &Path,
    name: &str,
) -> Option<String> {
    let is_meant = own.file_name().is_some_and(|file| file == name);
    if !is_meant || folders.any(|folder| folder.join(name).exists()) {
        return None;
    }
    Some(format!(
        "`{name}` is this program, at `{}`, and no folder of `PATH` has it: put a link to it into one, such as `~/.local/bin/{name}`",
        own.display()
    ))
}

fn masked_in(
    mut folders: impl Iterator<Item = PathBuf>,
    readable: &[PathBuf],
    name: &str,
) -> Option<String> {
    let is_seen = |path: &Path| readable.iter().any(|seen| path.starts_with(seen));
    let masked = |path: PathBuf| {
        let real = path.canonicalize().ok().filter(|real| real.is_file())?;
        match (is_seen(&path), is_seen(&real)) {
            (true, true) => None,
            (true, false) => Some(real),
            (false, _) => Some(path),
        }
    };
    let found = if name.contains('/') {
        masked(PathBuf::from(name)).filter(|path| path.is_absolute())
    } else {
        folders.find_map(|folder| masked(folder.join(name)))
    }?;
    let folder = found.parent()?.display();
    Some(format!(
        "`{name}` is at `{}`, which processes cannot see; a person opens it in their own file with `[sandbox] read = [\"{folder}\"]`",
        found.display()
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_name_is_read_from_what_a_shell_says() {
        for (output, name) in [
            ("sh: 1: frob: not found\n", Some("frob")),
            ("x\nbash: line 1: frob: command not found\n", Some("frob")),
            ("sh: 1: /opt/x/frob: not found", Some("/opt/x/frob")),
            ("page: not found here\n", None),
            ("", None),
        ] {
            assert_eq!(missing_program(output), name, "{output}");
        }
    }

    #[test]
    fn the_program_itself_is_named_where_no_folder_of_path_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("build/harness");
        let said = |name: &str| own_program([folder.path().to_owned()].into_iter(), &own, name);
        let told = said("harness").unwrap();
        assert!(told.contains("build/harness"), "{told}");
        assert_eq!(said("cargo"), None);
        fs::write(folder.path().join("harness"), "").unwrap();
        assert_eq!(said("harness"), None);
    }

    #[test]
    fn what_is_masked_is_named_with_the_way_to_open_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (seen, masked) = (root.join("seen"), root.join("masked"));
        for folder in [&seen, &masked] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("both"), "").unwrap();
        }
        fs::write(masked.join("frob"), "").unwrap();
        std::os::unix::fs::symlink(masked.join("frob"), seen.join("link")).unwrap();
        let said = |name: &str| {
            let folders = [seen.clone(), masked.clone()];
            masked_in(folders.into_iter(), std::slice::from_ref(&seen), name)
        };
        for name in ["frob", "link"] {
            let said = said(name).unwrap();
            let read = format!("[sandbox] read = [\"{}\"]", masked.display());
            assert!(said.contains(&read), "{said}");
        }
        assert_eq!(said("nothing"), None);
        assert!(said(&masked.join("frob").display().to_string()).is_some());
    }
}
