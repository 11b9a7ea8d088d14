//! The system calls a caged process cannot make.
//!
//! A deny list, because the programs people run are not known beforehand: what
//! is listed reaches beyond files and the process's own children, which are
//! Landlock's and the helper's business.

use std::{collections::BTreeMap, sync::OnceLock};

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

/// Calls that are refused whatever their arguments are.
const REFUSED: [libc::c_long; 46] = [
    // Rings carry out other calls unseen by a filter.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Mounts and namespaces.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    // The kernel's own machinery.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_fanotify_init,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_open_by_handle_at,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
];

/// Families of sockets that reach nothing but the network of a namespace, and the kernel's word on it.
const FAMILIES: [libc::c_int; 4] = [
    libc::AF_UNIX,
    libc::AF_INET,
    libc::AF_INET6,
    libc::AF_NETLINK,
];

/// Namespaces that `clone` could make. A process may have threads and children only.
const NEW_NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// `ioctl` requests that put characters into a terminal's input or drive the console.
const TERMINAL_REQUESTS: [u64; 2] = [0x5412, 0x541c];

/// Calls of the 32-bit pointer variant of x86-64 have this bit and pass the check of the architecture.
const X32_CALL: u32 = 0x4000_0000;

/// Compiled filters, to be loaded one after the other.
#[derive(Clone)]
pub(super) struct Filters(pub(super) Vec<Vec<libc::sock_filter>>);

impl Filters {
    /// Returns the filters for processes that share the machine's network.
    pub(super) fn in_the_open() -> Result<&'static [Vec<libc::sock_filter>], BackendError> {
        static FILTERS: OnceLock<Filters> = OnceLock::new();
        Self::once(&FILTERS, in_the_open)
    }

    /// Returns the filters for processes with a network of their own.
    pub(super) fn in_namespaces() -> Result<&'static [Vec<libc::sock_filter>], BackendError> {
        static FILTERS: OnceLock<Filters> = OnceLock::new();
        Self::once(&FILTERS, in_namespaces)
    }

    fn once(
        known: &'static OnceLock<Self>,
        rules: fn() -> Result<Rules, BackendError>,
    ) -> Result<&'static [Vec<libc::sock_filter>], BackendError> {
        if let Some(filters) = known.get() {
            return Ok(&filters.0);
        }
        let compiled = Self::compile(rules()?)?;
        Ok(&known.get_or_init(|| compiled).0)
    }

    /// Compiles rules for this machine.
    fn compile(rules: Rules) -> Result<Self, BackendError> {
        let filter = SeccompFilter::new(
            rules,
            SeccompAction::Allow,
            SeccompAction::Errno(libc::EPERM.cast_unsigned()),
            TargetArch::try_from(std::env::consts::ARCH)?,
        )?;
        let refuse = BpfProgram::try_from(filter)?;
        let refuse = refuse.into_iter().map(|step| libc::sock_filter {
            code: step.code,
            jt: step.jt,
            jf: step.jf,
            k: step.k,
        });
        Ok(Self(vec![number_filter(), refuse.collect()]))
    }
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Nothing but pairs of UNIX sockets: a named one is a door to any daemon that listens on it,
/// which Landlock learnt to close only recently.
fn in_the_open() -> Result<Rules, BackendError> {
    let mut rules = anywhere()?;
    rules.insert(libc::SYS_connect, Vec::new());
    rules.insert(libc::SYS_socket, unix_streams()?);
    rules.insert(libc::SYS_socketpair, unix_streams()?);
    Ok(rules)
}

/// Every family whose reach ends with the namespace.
fn in_namespaces() -> Result<Rules, BackendError> {
    let mut rules = anywhere()?;
    let other = FAMILIES
        .iter()
        .map(|family| {
            let family = u64::from(family.cast_unsigned());
            SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, family)
        })
        .collect::<Result<_, _>>()?;
    let netlink = u64::from(libc::AF_NETLINK.cast_unsigned());
    let other_netlink = vec![
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, netlink)?,
        SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, 0)?,
    ];
    let others = vec![SeccompRule::new(other)?, SeccompRule::new(other_netlink)?];
    rules.insert(libc::SYS_socket, others);
    Ok(rules)
}

fn anywhere() -> Result<Rules, BackendError> {
    let mut rules: Rules = REFUSED.iter().map(|&call| (call, Vec::new())).collect();
    rules.insert(
        libc::SYS_clone,
        NEW_NAMESPACES
            .iter()
            .map(|&flag| {
                let flag = u64::from(flag.cast_unsigned());
                only(0, SeccompCmpOp::MaskedEq(flag), flag)
            })
            .collect::<Result<_, _>>()?,
    );
    rules.insert(
        libc::SYS_ioctl,
        TERMINAL_REQUESTS
            .iter()
            .map(|&request| only(1, SeccompCmpOp::Eq, request))
            .collect::<Result<_, _>>()?,
    );
    Ok(rules)
}

/// Refuses every family but UNIX; there no datagrams, which carry an address past `connect`.
fn unix_streams() -> Result<Vec<SeccompRule>, BackendError> {
    const KIND: u64 = 0xf;
    let unix = u64::from(libc::AF_UNIX.cast_unsigned());
    let datagram = u64::from(libc::SOCK_DGRAM.cast_unsigned());
    let raw = u64::from(libc::SOCK_RAW.cast_unsigned());
    Ok(vec![
        only(0, SeccompCmpOp::Ne, unix)?,
        only(1, SeccompCmpOp::MaskedEq(KIND), datagram)?,
        // The kernel turns a raw UNIX socket into one for datagrams.
        only(1, SeccompCmpOp::MaskedEq(KIND), raw)?,
    ])
}

/// A rule on one argument; the kernel reads 32 bits of each of these.
fn only(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, BackendError> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?;
    SeccompRule::new(vec![condition])
}

/// Answers two questions by the call's number alone.
///
/// `clone3` hides its flags behind a pointer: said to be unknown, every C library
/// falls back to `clone`. Calls of the x32 variant have other numbers than the
/// ones that are refused.
fn number_filter() -> Vec<libc::sock_filter> {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    const IS: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let clone3 = u32::try_from(libc::SYS_clone3).unwrap_or(u32::MAX);
    let unknown = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned();
    vec![
        step(LOAD, 0, 0, 0),
        step(IS, 2, 0, clone3),
        step(AT_LEAST, 2, 0, X32_CALL),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
        step(RETURN, 0, 0, unknown),
        step(RETURN, 0, 0, libc::SECCOMP_RET_KILL_PROCESS),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_compile_within_the_kernels_bound() {
        for filters in [Filters::in_the_open(), Filters::in_namespaces()] {
            let filters = filters.unwrap();
            assert_eq!(filters.len(), 2);
            for filter in filters {
                assert!((2..4096).contains(&filter.len()));
            }
        }
    }
}
