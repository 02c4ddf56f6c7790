//! The seccomp program: what the command may ask of the kernel.

use std::ffi::c_long;

use sealyard_core::Digest;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;

/// Calls with this bit are the x32 variant of x86-64: the same calls by other numbers.
#[cfg(target_arch = "x86_64")]
const X32: u32 = 0x4000_0000;

/// The first number that nobody has looked at; 0 to 462 are the calls up to Linux 6.10.
const UNKNOWN: u32 = 463;

/// Refused with EPERM, whatever their arguments.
const DENIED: &[c_long] = &[
    // The view of the file system and the namespaces.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_fanotify_init,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // The kernel's own machinery, where its faults are found.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_seccomp,
    libc::SYS_lookup_dcookie,
    libc::SYS_vhangup,
    // The machine.
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_nfsservctl,
    libc::SYS_personality,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ustat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_sysfs,
];

/// Namespace flags of `clone`; a user namespace would give capabilities back.
const NAMESPACES: u32 = (libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP) as u32;

/// Calls that take a file's mode, and which argument it is.
const MODES: &[(c_long, u32)] = &[
    (libc::SYS_fchmod, 1),
    (libc::SYS_fchmodat, 2),
    (SYS_FCHMODAT2, 2),
    (libc::SYS_mknodat, 2),
    (libc::SYS_mkdirat, 2),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_chmod, 1),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_creat, 1),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mknod, 1),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mkdir, 1),
];

/// The same number everywhere.
const SYS_FCHMODAT2: c_long = 452;

/// Calls that may make a file, and which argument their flags are; the mode comes next.
const OPENS: &[(c_long, u32)] = &[
    (libc::SYS_openat, 2),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, 1),
];

// Offsets in `struct seccomp_data`, little-endian.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const fn argument_low(index: u32) -> u32 {
    16 + 8 * index
}

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;
const ASK: u32 = libc::SECCOMP_RET_USER_NOTIF;
const fn errno(number: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | number as u32
}

const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const RETURN: u16 = 0x06;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_AT_LEAST: u16 = 0x35;

const fn statement(code: u16, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt: 0, jf: 0, k }
}

const fn jump(code: u16, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

/// The program, the same in every run on one architecture.
pub(crate) fn program() -> Vec<libc::sock_filter> {
    let mut program = vec![
        statement(LOAD, ARCH),
        jump(JUMP_EQUAL, ARCHITECTURE, 1, 0),
        statement(RETURN, KILL),
        statement(LOAD, NUMBER),
    ];
    #[cfg(target_arch = "x86_64")]
    program.extend([jump(JUMP_AT_LEAST, X32, 0, 1), statement(RETURN, KILL)]);
    // To the command, this kernel is no newer than the list.
    program.extend([jump(JUMP_AT_LEAST, UNKNOWN, 0, 1), statement(RETURN, errno(libc::ENOSYS))]);
    // Each block leaves the call's number in the accumulator when it does not return.
    for &call in DENIED {
        when(&mut program, call, &[statement(RETURN, errno(libc::EPERM))]);
    }
    // Its flags lie in memory, out of our sight; the C library falls back to `clone`.
    when(&mut program, libc::SYS_clone3, &[statement(RETURN, errno(libc::ENOSYS))]);
    when(
        &mut program,
        libc::SYS_clone,
        &[
            statement(LOAD, argument_low(0)),
            statement(AND, NAMESPACES),
            jump(JUMP_EQUAL, 0, 1, 0),
            statement(RETURN, errno(libc::EPERM)),
            statement(RETURN, ALLOW),
        ],
    );
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        when(
            &mut program,
            call,
            &[
                statement(LOAD, argument_low(0)),
                jump(JUMP_EQUAL, libc::AF_UNIX as u32, 7, 0),
                jump(JUMP_EQUAL, libc::AF_INET as u32, 2, 0),
                jump(JUMP_EQUAL, libc::AF_INET6 as u32, 1, 0),
                statement(RETURN, errno(libc::EAFNOSUPPORT)),
                // The rarer protocols are rarely looked at, and the kernel loads them when asked.
                statement(LOAD, argument_low(2)),
                jump(JUMP_EQUAL, libc::IPPROTO_TCP as u32, 2, 0),
                jump(JUMP_EQUAL, libc::IPPROTO_UDP as u32, 1, 0),
                jump(JUMP_EQUAL, 0, 0, 1),
                statement(RETURN, ALLOW),
                statement(RETURN, errno(libc::EPROTONOSUPPORT)),
            ],
        );
    }
    // A program with a set-id bit in a writable bind would outlive the sandbox, and run as its user for whoever starts it.
    for (call, index) in MODES {
        when(
            &mut program,
            *call,
            &[
                statement(LOAD, argument_low(*index)),
                statement(AND, libc::S_ISUID | libc::S_ISGID),
                jump(JUMP_EQUAL, 0, 1, 0),
                statement(RETURN, errno(libc::EPERM)),
                statement(RETURN, ALLOW),
            ],
        );
    }
    for (call, flags) in OPENS {
        when(
            &mut program,
            *call,
            &[
                statement(LOAD, argument_low(*flags)),
                // Without either of these the mode is not read, and may be anything.
                statement(AND, (libc::O_CREAT | libc::O_TMPFILE & !libc::O_DIRECTORY) as u32),
                jump(JUMP_EQUAL, 0, 3, 0),
                statement(LOAD, argument_low(*flags + 1)),
                statement(AND, libc::S_ISUID | libc::S_ISGID),
                jump(JUMP_EQUAL, 0, 0, 1),
                statement(RETURN, ALLOW),
                statement(RETURN, errno(libc::EPERM)),
            ],
        );
    }
    // Its flags and mode lie in memory too; callers fall back to `openat`.
    when(&mut program, libc::SYS_openat2, &[statement(RETURN, errno(libc::ENOSYS))]);
    // Typing into the caller's terminal.
    when(
        &mut program,
        libc::SYS_ioctl,
        &[
            statement(LOAD, argument_low(1)),
            jump(JUMP_EQUAL, libc::TIOCSTI as u32, 1, 0),
            jump(JUMP_EQUAL, libc::TIOCLINUX as u32, 0, 1),
            statement(RETURN, errno(libc::EPERM)),
            statement(RETURN, ALLOW),
        ],
    );
    when(&mut program, libc::SYS_connect, &[statement(RETURN, ASK)]);
    // `sendto` without an address is `send`. `sendmsg` can't be told apart here; it finds a network without a route.
    when(
        &mut program,
        libc::SYS_sendto,
        &[
            statement(LOAD, argument_low(4)),
            jump(JUMP_EQUAL, 0, 0, 2),
            statement(LOAD, argument_low(4) + 4),
            jump(JUMP_EQUAL, 0, 1, 0),
            statement(RETURN, ASK),
            statement(RETURN, ALLOW),
        ],
    );
    program.push(statement(RETURN, ALLOW));
    program
}

/// Adds `block`, which returns on every path, for calls of this number.
fn when(program: &mut Vec<libc::sock_filter>, call: c_long, block: &[libc::sock_filter]) {
    let length = u8::try_from(block.len()).unwrap_or(u8::MAX);
    program.push(jump(JUMP_EQUAL, u32::try_from(call).unwrap_or(u32::MAX), 0, length));
    program.extend_from_slice(block);
}

/// SHA-256 of the program's bytes.
pub(crate) fn digest(program: &[libc::sock_filter]) -> Digest {
    let mut bytes = Vec::with_capacity(program.len() * 8);
    for instruction in program {
        bytes.extend_from_slice(&instruction.code.to_le_bytes());
        bytes.extend([instruction.jt, instruction.jf]);
        bytes.extend_from_slice(&instruction.k.to_le_bytes());
    }
    Digest::of(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the program over one call as the kernel would.
    fn verdict(arch: u32, number: c_long, arguments: [u64; 6]) -> u32 {
        let mut data = Vec::new();
        data.extend((number as u32).to_le_bytes());
        data.extend(arch.to_le_bytes());
        data.extend([0; 8]);
        for argument in arguments {
            data.extend(argument.to_le_bytes());
        }
        let program = program();
        let (mut accumulator, mut next) = (0_u32, 0_usize);
        loop {
            let libc::sock_filter { code, jt, jf, k } = program[next];
            next += 1;
            let taken = |yes: bool| usize::from(if yes { jt } else { jf });
            match code {
                LOAD => accumulator = u32::from_le_bytes(data[k as usize..k as usize + 4].try_into().unwrap()),
                AND => accumulator &= k,
                RETURN => return k,
                JUMP_EQUAL => next += taken(accumulator == k),
                JUMP_AT_LEAST => next += taken(accumulator >= k),
                other => panic!("instruction {other:#x}"),
            }
        }
    }

    fn first(call: c_long, argument: u64) -> u32 {
        verdict(ARCHITECTURE, call, [argument, 0, 0, 0, 0, 0])
    }

    #[test]
    fn dangerous_calls_are_refused_and_common_ones_are_not() {
        for &call in DENIED {
            assert_eq!(first(call, 0), errno(libc::EPERM), "{call}");
        }
        for call in
            [libc::SYS_read, libc::SYS_openat, libc::SYS_execve, libc::SYS_futex, libc::SYS_sendmsg, libc::SYS_mmap]
        {
            assert_eq!(first(call, 0), ALLOW, "{call}");
        }
        assert_eq!(first(libc::SYS_clone3, 0), errno(libc::ENOSYS));
        assert_eq!(first(467, 0), errno(libc::ENOSYS), "open_tree_attr of Linux 6.15");
    }

    #[test]
    fn another_architecture_is_killed() {
        assert_eq!(verdict(0x4000_0003, libc::SYS_read, [0; 6]), KILL);
        assert_eq!(first(libc::SYS_read | c_long::from(X32), 0), KILL);
    }

    #[test]
    fn arguments_decide_where_they_must() {
        let threads = (libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_SIGHAND) as u64;
        assert_eq!(first(libc::SYS_clone, threads), ALLOW);
        assert_eq!(first(libc::SYS_clone, threads | libc::CLONE_NEWUSER as u64), errno(libc::EPERM));
        assert_eq!(first(libc::SYS_clone, libc::CLONE_NEWNET as u64), errno(libc::EPERM));
        for family in [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6] {
            assert_eq!(first(libc::SYS_socket, family as u64), ALLOW);
        }
        for family in [libc::AF_INET, libc::AF_INET6] {
            let of = |protocol: i32| {
                verdict(
                    ARCHITECTURE,
                    libc::SYS_socket,
                    [family as u64, libc::SOCK_STREAM as u64, protocol as u64, 0, 0, 0],
                )
            };
            for protocol in [libc::IPPROTO_TCP, libc::IPPROTO_UDP] {
                assert_eq!(of(protocol), ALLOW);
            }
            for protocol in [libc::IPPROTO_ICMP, libc::IPPROTO_SCTP, libc::IPPROTO_MPTCP, libc::IPPROTO_RAW] {
                assert_eq!(of(protocol), errno(libc::EPROTONOSUPPORT));
            }
        }
        for family in [libc::AF_NETLINK, libc::AF_PACKET, libc::AF_VSOCK, libc::AF_ALG] {
            assert_eq!(first(libc::SYS_socket, family as u64), errno(libc::EAFNOSUPPORT));
        }
        assert_eq!(verdict(ARCHITECTURE, libc::SYS_ioctl, [0, libc::TIOCSTI, 0, 0, 0, 0]), errno(libc::EPERM));
        assert_eq!(verdict(ARCHITECTURE, libc::SYS_ioctl, [0, libc::TIOCGWINSZ, 0, 0, 0, 0]), ALLOW);
    }

    #[test]
    fn no_file_gets_a_set_id_bit() {
        let with = |call, place: u32, mode: u64, flags: i32| {
            let mut arguments = [0; 6];
            arguments[place as usize] = mode;
            if place > 0 {
                arguments[place as usize - 1] = flags as u64;
            }
            verdict(ARCHITECTURE, call, arguments)
        };
        for &(call, place) in MODES {
            assert_eq!(with(call, place, 0o4755, 0), errno(libc::EPERM), "{call}");
            assert_eq!(with(call, place, 0o2755, 0), errno(libc::EPERM), "{call}");
            assert_eq!(with(call, place, 0o1777, 0), ALLOW, "{call}");
        }
        for &(call, flags) in OPENS {
            for making in [libc::O_CREAT | libc::O_WRONLY, libc::O_TMPFILE | libc::O_RDWR] {
                assert_eq!(with(call, flags + 1, 0o4755, making), errno(libc::EPERM), "{call}");
                assert_eq!(with(call, flags + 1, 0o666, making), ALLOW, "{call}");
            }
            assert_eq!(
                with(call, flags + 1, 0o4755, libc::O_RDONLY | libc::O_DIRECTORY),
                ALLOW,
                "junk is no mode: {call}"
            );
        }
        assert_eq!(first(libc::SYS_openat2, 0), errno(libc::ENOSYS));
    }

    #[test]
    fn connections_are_asked_about() {
        assert_eq!(first(libc::SYS_connect, 3), ASK);
        assert_eq!(verdict(ARCHITECTURE, libc::SYS_sendto, [3, 0, 0, 0, 0, 0]), ALLOW);
        assert_eq!(verdict(ARCHITECTURE, libc::SYS_sendto, [3, 0, 0, 0, 0x1000, 16]), ASK);
        assert_eq!(verdict(ARCHITECTURE, libc::SYS_sendto, [3, 0, 0, 0, 0x1_0000_0000, 16]), ASK);
    }
}
