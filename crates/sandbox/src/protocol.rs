//! What the supervisor and the sandbox's init say to each other, over a socket that keeps message bounds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read as _, Seek as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use sealyard_core::Digest;
use serde::{Deserialize, Serialize};

use crate::{Bind, Limits, Mounted};

const MAX_MESSAGE: usize = 64 << 10;
const MAX_ORDER: u64 = 64 << 20;

/// What init is to do. It holds secrets, so it travels in memory and has no `Debug`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) command: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) working_directory: PathBuf,
    pub(crate) binds: Vec<Bind>,
    pub(crate) files: BTreeMap<PathBuf, Vec<u8>>,
    pub(crate) limits: Limits,
    pub(crate) port: Option<u16>,
}

/// What init reports.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Message {
    /// The loopback listener comes with it.
    Relay,
    /// All is set up and the command is about to run; the listener for questions comes with it.
    Ready(Box<Facts>),
    /// A part of the sandbox could not be had.
    Missing { what: String, detail: String, hint: String },
    /// A bind could not be shown.
    Bind { path: PathBuf, detail: String },
    /// The command could not be started.
    Command { detail: String },
    /// The command ended.
    Exit { code: Option<i32>, signal: Option<i32> },
}

/// What really held, as init saw it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) inside_uid: u32,
    pub(crate) host_uid: u32,
    pub(crate) capabilities_dropped: bool,
    pub(crate) no_new_privileges: bool,
    pub(crate) seccomp: Digest,
    pub(crate) mounts: Vec<Mounted>,
    pub(crate) limits: Limits,
}

/// Sends `message`, and a descriptor with it.
pub(crate) fn send(socket: impl AsFd, message: &impl Serialize, descriptor: Option<&OwnedFd>) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = descriptor.map(|descriptor| [descriptor.as_fd()]);
    if let Some(descriptors) = &descriptors {
        control.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    sendmsg(socket, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// The next message and its descriptor; none when the other side is gone.
pub(crate) fn receive<T: for<'de> Deserialize<'de>>(socket: impl AsFd) -> io::Result<Option<(T, Option<OwnedFd>)>> {
    let mut bytes = vec![0; MAX_MESSAGE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let descriptor = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        })
        .next();
    if received.bytes == 0 {
        return Ok(None);
    }
    let message = serde_json::from_slice(bytes.get(..received.bytes).unwrap_or_default())?;
    Ok(Some((message, descriptor)))
}

/// An order as a file without a name.
pub(crate) fn write_order(order: &Order) -> io::Result<OwnedFd> {
    let descriptor = rustix::fs::memfd_create("order", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = File::from(descriptor);
    serde_json::to_writer(&mut file, order)?;
    file.flush()?;
    file.rewind()?;
    Ok(file.into())
}

pub(crate) fn read_order(descriptor: OwnedFd) -> io::Result<Order> {
    let mut bytes = Vec::new();
    File::from(descriptor).take(MAX_ORDER).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}
