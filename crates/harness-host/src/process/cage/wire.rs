//! What goes between the program and a cage's first process: bytes with handles beside them.
//!
//! Both ends are the same program, so the encoding needs no version. A message is
//! written to a file in memory, whose handle is sent: arguments may be longer than a
//! socket takes at once.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, IoSlice, IoSliceMut, Read, Seek, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::MemfdFlags,
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags,
    },
};

/// The most handles that go with one message, the one of its bytes included.
const HANDLES_MAX: usize = 8;

/// The longest message. Arguments and environment together are bounded by the kernel far below.
const BYTES_MAX: u64 = 16 << 20;

/// A message that is being written.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn path(&mut self, path: &Path) {
        self.bytes(path.as_os_str().as_bytes());
    }

    /// Writes how many there are, then each.
    pub(super) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.number(items.len() as u64);
        for item in items {
            write(self, item);
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// A message that is being read.
#[derive(Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take(&mut self, length: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn number(&mut self) -> io::Result<u64> {
        let bytes = self.take(size_of::<u64>())?;
        let bytes = bytes.try_into().map_err(io::Error::other)?;
        Ok(u64::from_le_bytes(bytes))
    }

    pub(super) fn bytes(&mut self) -> io::Result<&'a [u8]> {
        let length = self.number()?;
        self.take(usize::try_from(length).map_err(io::Error::other)?)
    }

    pub(super) fn text(&mut self) -> io::Result<OsString> {
        Ok(OsStr::from_bytes(self.bytes()?).to_owned())
    }

    pub(super) fn path(&mut self) -> io::Result<PathBuf> {
        Ok(OsString::from_vec(self.bytes()?.to_vec()).into())
    }

    pub(super) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> io::Result<T>,
    ) -> io::Result<Vec<T>> {
        (0..self.number()?).map(|_| read(self)).collect()
    }
}

/// Sends a message.
pub(super) fn send(socket: impl AsFd, bytes: &[u8], handles: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut file = File::from(rustix::fs::memfd_create("message", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    let all: Vec<BorrowedFd<'_>> = [file.as_fd()]
        .into_iter()
        .chain(handles.iter().copied())
        .collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(HANDLES_MAX))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    if !beside.push(SendAncillaryMessage::ScmRights(&all)) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // Without a byte there would be no message for the handles to go with.
    rustix::net::sendmsg(
        socket,
        &[IoSlice::new(&[1])],
        &mut beside,
        SendFlags::NOSIGNAL,
    )?;
    Ok(())
}

/// Receives a message and the handles beside it; `None` when the other end is gone. Blocks.
pub(super) fn receive(socket: impl AsFd) -> io::Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(HANDLES_MAX))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let received = loop {
        let mut into = [IoSliceMut::new(&mut byte)];
        match rustix::net::recvmsg(&socket, &mut into, &mut beside, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            result => break result?,
        }
    };
    if received.bytes == 0 {
        return Ok(None);
    }
    let mut handles: Vec<OwnedFd> = beside
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(handles) => Some(handles),
            _ => None,
        })
        .flatten()
        .collect();
    if handles.is_empty() {
        return Err(io::Error::from(io::ErrorKind::InvalidData));
    }
    let mut file = File::from(handles.remove(0));
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(Some((bytes, handles)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_arrives_with_its_handles() {
        let (one, other) = std::os::unix::net::UnixStream::pair().unwrap();
        let (mut near, far) = io::pipe().unwrap();
        let mut writer = Writer::default();
        writer.number(7);
        writer.path(Path::new("/a\nb"));
        writer.list(&["x", ""], |writer, text| writer.bytes(text.as_bytes()));
        send(&one, &writer.into_bytes(), &[far.as_fd()]).unwrap();
        let (bytes, handles) = receive(&other).unwrap().unwrap();
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.number().unwrap(), 7);
        assert_eq!(reader.path().unwrap(), Path::new("/a\nb"));
        assert_eq!(reader.list(Reader::text).unwrap(), ["x", ""]);
        assert!(reader.number().is_err());
        drop(far);
        File::from(handles.into_iter().next().unwrap())
            .write_all(b"hi")
            .unwrap();
        let mut text = String::new();
        near.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hi");
        drop(one);
        assert!(receive(&other).unwrap().is_none());
    }

    #[test]
    fn a_message_that_lies_about_its_length_is_an_error() {
        for bytes in [&[][..], &[1], &[255; 8], &[9, 0, 0, 0, 0, 0, 0, 0, 1]] {
            assert!(Reader::new(bytes).bytes().is_err());
        }
    }
}
