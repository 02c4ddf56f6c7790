//! What the command sees: a tree of its own in memory, with read-only views of the few folders that it needs.

use std::fs;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD};
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount, mount_change, move_mount,
    open_tree, unmount,
};

use super::privileges::INSIDE_ID;
use super::{Message, Refusal, missing};
use crate::protocol::Order;
use crate::sys::{self, MOUNT_NO_DEV, MOUNT_NO_EXEC, MOUNT_NO_SUID, MOUNT_READ_ONLY};
use crate::{Bind, Mounted};

/// The folders of the system. On most of today's systems all but `/usr` are links into it.
const SYSTEM: [&str; 7] = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32"];
/// Files of the system that programs need; those that are absent are left out.
const SYSTEM_FILES: [&str; 4] = ["/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/localtime", "/etc/mime.types"];
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
/// Files in each of `/tmp` and `/dev/shm`: empty ones take memory too, and `size` does not count it.
const SCRATCH_FILES: u32 = 500_000;
/// Parts of a fresh /proc that concern the whole machine.
const PROC_READ_ONLY: [&str; 5] = ["/proc/sys", "/proc/fs", "/proc/irq", "/proc/bus", "/proc/sysrq-trigger"];
const PROC_HIDDEN: [&str; 5] = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/kallsyms", "/proc/kmsg"];

const PRIVILEGE_HINT: &str = "run as an ordinary user, or as root with CAP_SYS_ADMIN";

/// Every mount that comes from the host, opened and made read-only, not yet placed.
#[derive(Debug)]
pub(crate) struct Plan {
    trees: Vec<Tree>,
    links: Vec<(PathBuf, PathBuf)>,
}

#[derive(Debug)]
struct Tree {
    inside: PathBuf,
    directory: bool,
    writable: bool,
    descriptor: OwnedFd,
}

impl Plan {
    pub(crate) fn open(order: &Order) -> Result<Self, Refusal> {
        let mut plan = Self { trees: Vec::new(), links: Vec::new() };
        let plain = MOUNT_NO_SUID | MOUNT_NO_DEV;
        for path in SYSTEM {
            match fs::symlink_metadata(path) {
                Ok(metadata) if metadata.is_symlink() => {
                    if let Ok(target) = fs::read_link(path) {
                        plan.links.push((path.into(), target));
                    }
                }
                Ok(_) => plan.add(&Bind::read_only(path, path), plain)?,
                Err(_) => {}
            }
        }
        for path in SYSTEM_FILES.into_iter().filter(|path| Path::new(path).exists()) {
            // The link's target is shown under the link's own name.
            let host = fs::canonicalize(path).map_err(|error| bind_refusal(Path::new(path), &error))?;
            plan.add(&Bind::read_only(host, path), plain | MOUNT_NO_EXEC)?;
        }
        for path in DEVICES {
            plan.add(&Bind::writable(path, path), MOUNT_NO_SUID | MOUNT_NO_EXEC)?;
        }
        for bind in &order.binds {
            // Below /usr it is there already.
            if bind.writable || bind.host != bind.inside || !bind.host.starts_with("/usr") {
                plan.add(bind, plain)?;
            }
        }
        // A folder before what lies in it.
        plan.trees.sort_by(|one, other| one.inside.cmp(&other.inside));
        Ok(plan)
    }

    fn add(&mut self, bind: &Bind, attributes: u64) -> Result<(), Refusal> {
        let refuse = |error: io::Error| bind_refusal(&bind.host, &error);
        let metadata = fs::metadata(&bind.host).map_err(refuse)?;
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
        let descriptor = open_tree(CWD, &bind.host, flags).map_err(|error| match error {
            rustix::io::Errno::PERM => missing("mounts of its own", PRIVILEGE_HINT)(error.into()),
            error => refuse(error.into()),
        })?;
        let attributes = attributes | if bind.writable { 0 } else { MOUNT_READ_ONLY };
        sys::set_mount_attributes(descriptor.as_fd(), attributes, true).map_err(refuse)?;
        let Bind { inside, writable, .. } = bind.clone();
        self.trees.push(Tree { inside, directory: metadata.is_dir(), writable, descriptor });
        Ok(())
    }

    /// Builds the tree and makes it the root; what was outside is gone.
    pub(crate) fn build(self, order: &Order) -> Result<Vec<Mounted>, Refusal> {
        let needs = |what: &'static str| {
            missing(
                what,
                "the kernel must let a user namespace mount tmpfs and proc; in a container, /proc must not be masked",
            )
        };
        mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)
            .map_err(io::Error::from)
            .map_err(needs("a mount namespace of its own"))?;
        let root = Path::new("/tmp");
        tmpfs(root, "mode=0755,size=64m").map_err(needs("a root of its own"))?;
        let mut mounted = Vec::new();
        for (link, target) in &self.links {
            symlink(target, within(root, link)).map_err(needs("a root of its own"))?;
        }
        for tree in &self.trees {
            tree.place(root).map_err(|error| bind_refusal(&tree.inside, &error))?;
            mounted.push(Mounted { path: tree.inside.display().to_string(), writable: tree.writable });
        }
        for (path, size) in [("/tmp", order.limits.scratch), ("/dev/shm", order.limits.scratch)] {
            let place = within(root, Path::new(path));
            fs::create_dir_all(&place).map_err(needs("a folder for scratch"))?;
            tmpfs(&place, &format!("mode=1777,size={size},nr_inodes={SCRATCH_FILES}"))
                .map_err(needs("a folder for scratch"))?;
            mounted.push(Mounted { path: path.to_owned(), writable: true });
        }
        write_files(root, order).map_err(needs("files of its own"))?;
        proc(root).map_err(needs("a fresh /proc"))?;
        mounted.push(Mounted { path: "/proc".into(), writable: false });
        enter(root).map_err(needs("a root of its own"))?;
        hide().map_err(needs("a read-only /proc/sys"))?;
        Ok(mounted)
    }
}

impl Tree {
    fn place(&self, root: &Path) -> io::Result<()> {
        let place = within(root, &self.inside);
        if self.directory {
            fs::create_dir_all(&place)?;
        } else {
            if let Some(parent) = place.parent() {
                fs::create_dir_all(parent)?;
            }
            // In a read-only bind it must be there already.
            if fs::symlink_metadata(&place).is_err() {
                fs::File::create(&place)?;
            }
        }
        attach(&self.descriptor, &place)
    }
}

fn attach(tree: &OwnedFd, place: &Path) -> io::Result<()> {
    move_mount(tree, "", CWD, place, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    Ok(())
}

fn bind_refusal(path: &Path, error: &io::Error) -> Refusal {
    Message::Bind { path: path.to_path_buf(), detail: error.to_string() }
}

fn within(root: &Path, inside: &Path) -> PathBuf {
    root.join(inside.strip_prefix("/").unwrap_or(inside))
}

fn tmpfs(place: &Path, options: &str) -> io::Result<()> {
    let options = std::ffi::CString::new(options)?;
    mount("tmpfs", place, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, options.as_c_str())?;
    Ok(())
}

fn proc(root: &Path) -> io::Result<()> {
    let place = root.join("proc");
    fs::create_dir_all(&place)?;
    mount(
        "proc",
        &place,
        "proc",
        MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC,
        None::<&std::ffi::CStr>,
    )?;
    Ok(())
}

/// A minimal /etc and /dev, and the files that the order brings.
fn write_files(root: &Path, order: &Order) -> io::Result<()> {
    let texts = [
        (
            "etc/passwd",
            format!("sandbox:x:{INSIDE_ID}:{INSIDE_ID}::/tmp:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"),
        ),
        ("etc/group", format!("sandbox:x:{INSIDE_ID}:\nnogroup:x:65534:\n")),
        ("etc/hosts", "127.0.0.1 localhost sandbox\n".to_owned()),
        ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n".to_owned()),
    ];
    for (path, text) in texts {
        write_file(&root.join(path), text.as_bytes())?;
    }
    for (path, bytes) in &order.files {
        write_file(&within(root, path), bytes)?;
    }
    for (link, target) in [
        ("dev/fd", "/proc/self/fd"),
        ("dev/stdin", "/proc/self/fd/0"),
        ("dev/stdout", "/proc/self/fd/1"),
        ("dev/stderr", "/proc/self/fd/2"),
    ] {
        symlink(target, root.join(link))?;
    }
    Ok(())
}

fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, bytes)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o444))
}

/// Makes `root` the root, read-only, and lets go of the old one.
fn enter(root: &Path) -> io::Result<()> {
    std::env::set_current_dir(root)?;
    // Old and new root on one spot: the old one lies on top and is taken off.
    rustix::process::pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    std::env::set_current_dir("/")?;
    let new = rustix::fs::openat(
        CWD,
        "/",
        rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )?;
    sys::set_mount_attributes(new.as_fd(), MOUNT_READ_ONLY | MOUNT_NO_SUID | MOUNT_NO_DEV, false)
}

/// Parts of /proc become read-only or empty.
fn hide() -> io::Result<()> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    for (path, cover) in
        PROC_READ_ONLY.map(|path| (path, path)).into_iter().chain(PROC_HIDDEN.map(|path| (path, "/dev/null")))
    {
        if rustix::fs::accessat(CWD, path, rustix::fs::Access::EXISTS, AtFlags::empty()).is_err() {
            continue;
        }
        let tree = open_tree(CWD, cover, flags)?;
        sys::set_mount_attributes(tree.as_fd(), MOUNT_READ_ONLY | MOUNT_NO_SUID | MOUNT_NO_EXEC, true)?;
        attach(&tree, Path::new(path))?;
    }
    Ok(())
}
