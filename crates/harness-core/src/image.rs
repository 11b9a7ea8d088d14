//! An image as a tool returned it: the file's own bytes and what its header says.
//!
//! Nothing is decoded or resized. The tool crate reads headers, codecs put the
//! bytes on the wire, and the log keeps them: it alone must be enough to ask again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{ByteCount, RepoPath};

/// An image of a kind that models read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The file it was read from.
    pub path: RepoPath,
    /// What kind of file it is.
    pub format: ImageFormat,
    /// Unit: pixels.
    pub width: u32,
    /// Unit: pixels.
    pub height: u32,
    /// The whole file in Base64 with padding.
    pub data: Arc<str>,
}

/// The kinds of images that all vendors take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageFormat {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
}

impl ImageFormat {
    /// Returns the short word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Gif => "gif",
            Self::Webp => "webp",
        }
    }

    /// Returns the media type, as wires name it.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
        }
    }
}

impl Image {
    /// Describes it in words: `800x600 png`.
    pub fn summary(&self) -> String {
        format!("{}x{} {}", self.width, self.height, self.format.as_str())
    }

    /// Returns how many bytes the file has.
    pub fn size(&self) -> ByteCount {
        let padding = self.data.bytes().rev().take_while(|byte| *byte == b'=');
        let bytes = self.data.len() / 4 * 3;
        ByteCount(bytes.saturating_sub(padding.count()) as u64)
    }
}
