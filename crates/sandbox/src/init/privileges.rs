//! Who the command is: an ordinary user outside, a user without any capability inside.

use std::fs;
use std::io;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::process::{DumpableBehavior, Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, Gid, Uid, UnshareFlags};

use super::{Refusal, missing};
use crate::{Limits, sys};

/// The user and group inside.
pub(crate) const INSIDE_ID: u32 = 1000;
/// The user on the host when root launches: one of those that systemd keeps for dynamic users, so that no person has it.
const HOST_ID: u32 = 61_440;

const NAMESPACE_HINT: &str = "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1, \
     kernel.apparmor_restrict_unprivileged_userns=0, user.max_user_namespaces above 0; in a container, a seccomp profile that lets `unshare` pass";

/// The user on the host.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) is_root: bool,
    pub(crate) uid: u32,
    gid: u32,
}

impl Host {
    pub(crate) fn new() -> Self {
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        if uid.is_root() {
            Self { is_root: true, uid: HOST_ID, gid: HOST_ID }
        } else {
            Self { is_root: false, uid: uid.as_raw(), gid: gid.as_raw() }
        }
    }

    /// Gives the file or folder at `path`, which the command may write, to the user that it will be. What is opened here is
    /// not looked up again: a name can be changed in between, and a link at its end is not followed.
    pub(crate) fn own(&self, path: &Path) -> io::Result<()> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
        if rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&descriptor)?.st_mode).is_symlink() {
            return Err(io::Error::other("it is a link, so it is not given away"));
        }
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        rustix::fs::chownat(&descriptor, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
        Ok(())
    }

    /// Root becomes the ordinary user for good: no saved id to go back to.
    pub(crate) fn become_ordinary(&self) -> io::Result<()> {
        if !self.is_root {
            return Ok(());
        }
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        rustix::thread::set_thread_groups(&[])?;
        rustix::thread::set_thread_res_gid(gid, gid, gid)?;
        rustix::thread::set_thread_res_uid(uid, uid, uid)?;
        // Otherwise /proc/self belongs to root and the id maps can't be written.
        rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable)?;
        Ok(())
    }
}

/// Own user, mount, pid, net, ipc, uts and cgroup namespaces, with the one user mapped.
pub(crate) fn new_namespaces(host: &Host) -> Result<(), Refusal> {
    let flags = UnshareFlags::NEWUSER
        | UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWNET
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS
        | UnshareFlags::NEWCGROUP;
    sys::unshare(flags).map_err(missing("namespaces of its own", NAMESPACE_HINT))?;
    let map = || -> io::Result<()> {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("{INSIDE_ID} {} 1", host.uid))?;
        fs::write("/proc/self/gid_map", format!("{INSIDE_ID} {} 1", host.gid))
    };
    map().map_err(missing("a user map", NAMESPACE_HINT))
}

/// Bounds that no process inside can raise again; gives those that really hold.
pub(crate) fn limit(limits: &Limits) -> io::Result<Limits> {
    // Not 0: where the host pipes core dumps to a program, only 1 keeps the memory, and the token in it, from being written.
    bound(Resource::Core, 1)?;
    Ok(Limits {
        cpu_seconds: bound(Resource::Cpu, limits.cpu_seconds)?,
        address_space: bound(Resource::As, limits.address_space)?,
        open_files: bound(Resource::Nofile, limits.open_files)?,
        processes: bound(Resource::Nproc, limits.processes)?,
        file_size: bound(Resource::Fsize, limits.file_size)?,
        ..limits.clone()
    })
}

fn bound(resource: Resource, wanted: u64) -> io::Result<u64> {
    // Never above what the caller itself may: only a privileged one could.
    let most = rustix::process::getrlimit(resource).maximum;
    let bound = most.map_or(wanted, |most| most.min(wanted));
    setrlimit(resource, Rlimit { current: Some(bound), maximum: Some(bound) })?;
    Ok(bound)
}

/// When memory runs out on the host, the kernel takes it from the sandbox first. For a launcher with `CAP_SYS_RESOURCE` the
/// command can't undo it.
pub(crate) fn volunteer() -> io::Result<()> {
    fs::write("/proc/self/oom_score_adj", "1000")
}

/// Drops every capability from every set and forbids gaining any; says whether none is left.
pub(crate) fn drop_all() -> io::Result<bool> {
    rustix::thread::set_no_new_privs(true)?;
    let known =
        fs::read_to_string("/proc/sys/kernel/cap_last_cap").ok().and_then(|text| text.trim().parse::<u32>().ok());
    for number in 0..=known.unwrap_or(63).min(63) {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        match rustix::thread::remove_capability_from_bounding_set(capability) {
            // A number that this kernel does not know.
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            Err(error) => return Err(error.into()),
        }
    }
    rustix::thread::clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    let left = rustix::thread::capabilities(None)?;
    Ok(left.effective.is_empty() && left.permitted.is_empty() && left.inheritable.is_empty())
}
