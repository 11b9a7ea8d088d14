//! The first process of a cage: makes its namespaces and file tree, then starts what it is asked to.
//!
//! It is this program, started anew: a process with one thread, none of the
//! program's memory and no file but the socket it is asked through. Its parent, the
//! porter, stands in the machine's own namespaces and does nothing but end with it.
//! When the program is gone, the porter is killed by the kernel, the first process
//! with it, and with that everything in the cage.

use std::{
    ffi::OsString,
    fs, io,
    net::{Ipv4Addr, TcpListener},
    os::fd::{AsFd, OwnedFd},
    process::ExitCode,
};

use rustix::process::{Signal, WaitOptions};

use super::{
    attend::{self, Proc},
    layout::{Layout, Order},
    sys::{self, Side},
    tree::{self, At as _, Failed},
    wire,
};

/// The argument that makes this program the first process of a cage.
pub(super) const ARGUMENT: &str = "__cage";

/// Serves as the first process of a cage when the arguments ask for it; `None` when they do not.
///
/// Called before anything else by a program that opens cages. There must be no
/// other thread.
pub fn serve_cage(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter().skip(1);
    if arguments.next()? != ARGUMENT || arguments.next().is_some() {
        return None;
    }
    Some(match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(125),
    })
}

fn serve() -> io::Result<()> {
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    let Some((bytes, _)) = wire::receive(&socket)? else {
        return Ok(());
    };
    let layout = Layout::decode(&bytes)?;
    if layout.is_built {
        return serve_one(&socket, &layout);
    }
    match enter_namespaces() {
        Ok(Side::Parent(first)) => {
            drop(socket);
            wait_at_the_door(first);
        }
        Ok(Side::Child) => {}
        Err(failed) => return tell(&socket, Err(failed)),
    }
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    sys::ignore_deaths();
    let built = build(&layout);
    let is_built = built.is_ok();
    tell(&socket, built)?;
    if is_built {
        attend_orders(&socket)?;
    }
    Ok(())
}

/// Serves as the first process of a cage that another program has built, for one command.
fn serve_one(socket: &OwnedFd, layout: &Layout) -> io::Result<()> {
    sys::hide_memory();
    tell(socket, listen(layout))?;
    if let Some((bytes, handles)) = wire::receive(socket)?
        && let Some(handles) = attend::Handles::of(handles)
    {
        attend::attend(&Order::decode(&bytes)?, handles, Proc::IsThere);
    }
    Ok(())
}

/// Leaves the machine's namespaces; the child is the first process in the new ones.
fn enter_namespaces() -> Result<Side, Failed> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    sys::leave().at("make namespaces")?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .at("tie the porter to the program")?;
    fs::write("/proc/self/setgroups", "deny").at("give up groups")?;
    let (user, group) = (user.as_raw(), group.as_raw());
    fs::write("/proc/self/uid_map", format!("{user} {user} 1")).at("map the user")?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1")).at("map the group")?;
    sys::fork().at("start the first process")
}

/// Builds the cage; returns the listener for its way out, if it is to have one.
fn build(layout: &Layout) -> Result<Option<TcpListener>, Failed> {
    rustix::system::sethostname(b"cage").at("name the host")?;
    sys::raise_loopback().at("switch the loopback device on")?;
    let listener = listen(layout)?;
    tree::enter(layout)?;
    sys::hide_memory();
    Ok(listener)
}

fn listen(layout: &Layout) -> Result<Option<TcpListener>, Failed> {
    layout
        .listens
        .then(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .transpose()
        .at("listen on the loopback device")
}

/// Says whether the cage stands: nothing but the listener, or why not.
fn tell(socket: &OwnedFd, built: Result<Option<TcpListener>, Failed>) -> io::Result<()> {
    match built {
        Ok(Some(listener)) => wire::send(socket, &[], &[listener.as_fd()]),
        Ok(None) => wire::send(socket, &[], &[]),
        Err(failed) => wire::send(socket, failed.to_string().as_bytes(), &[]),
    }
}

/// Waits for the first process and ends with it.
fn wait_at_the_door(first: libc::pid_t) -> ! {
    // The socket's other copies are closed, so that its end is seen when the first process ends.
    sys::close_from(0);
    let first = rustix::process::Pid::from_raw(first);
    let _ = rustix::process::waitpid(first, WaitOptions::empty());
    sys::exit(0)
}

fn attend_orders(socket: &OwnedFd) -> io::Result<()> {
    while let Some((bytes, handles)) = wire::receive(socket)? {
        let order = Order::decode(&bytes)?;
        if let Some(handles) = attend::Handles::of(handles)
            && sys::fork_inside()? == Side::Child
        {
            attend::attend(&order, handles, Proc::IsMade);
        }
    }
    Ok(())
}
