//! The system calls a caged process cannot make.
//!
//! A deny list, because the programs people run are not known beforehand: what
//! is listed reaches beyond files and the process's own children, which are
//! Landlock's and the helper's business.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

/// Calls that are refused whatever their arguments are.
const REFUSED: [libc::c_long; 47] = [
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
    // With other families refused this is a named UNIX socket: a door to any
    // daemon that listens on one, which Landlock learnt to close only recently.
    libc::SYS_connect,
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
    /// Compiles the filters for this machine.
    pub(super) fn compile() -> Result<Self, BackendError> {
        let filter = SeccompFilter::new(
            rules()?,
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

fn rules() -> Result<BTreeMap<i64, Vec<SeccompRule>>, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        REFUSED.iter().map(|&call| (call, Vec::new())).collect();
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
    rules.insert(libc::SYS_socket, sockets()?);
    rules.insert(libc::SYS_socketpair, sockets()?);
    Ok(rules)
}

/// Every family but UNIX; there no datagrams, which carry an address past `connect`.
fn sockets() -> Result<Vec<SeccompRule>, BackendError> {
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
        let filters = Filters::compile().unwrap();
        assert_eq!(filters.0.len(), 2);
        for filter in filters.0 {
            assert!((2..4096).contains(&filter.len()));
        }
    }
}
