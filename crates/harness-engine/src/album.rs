//! The images of one conversation: how many there are, and which one is too many.
//!
//! Every image goes out with every later request: one that was taken out would
//! change the beginning of the request, which the provider has in its cache. So a
//! session has room for a number of images; a cut of old results, which changes the
//! beginning anyway, and a fresh session make room again. Knows nothing of models
//! that take no images; codecs do.

use harness_core::{ByteCount, ToolResult};

/// Images in one conversation. Anthropic holds requests with more than these to smaller images.
///
/// Source: <https://platform.claude.com/docs/en/build-with-claude/vision>.
const IMAGES_MAX: usize = 20;

/// Base64 of the images in one conversation. Gemini takes no request of more than 20 MB.
///
/// Source: <https://ai.google.dev/gemini-api/docs/image-understanding>.
const IMAGE_BYTES_MAX: ByteCount = ByteCount::mib(12);

/// What is shown so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Album {
    images: usize,
    bytes: usize,
}

impl Album {
    /// Counts the images of results that are shown already.
    pub(crate) fn of<'r>(results: impl Iterator<Item = &'r ToolResult>) -> Self {
        let mut album = Self::default();
        for image in results.flat_map(|result| &result.images) {
            album.images += 1;
            album.bytes += image.data.len();
        }
        album
    }

    /// Takes the images of a result in, or leaves them out of it and says so there.
    pub(crate) fn admit(&mut self, result: &mut ToolResult) {
        let bytes: usize = result.images.iter().map(|image| image.data.len()).sum();
        let (images, bytes) = (self.images + result.images.len(), self.bytes + bytes);
        if images <= IMAGES_MAX && bytes <= IMAGE_BYTES_MAX.as_usize() {
            (self.images, self.bytes) = (images, bytes);
            return;
        }
        result.images.clear();
        result.is_error = true;
        result.content.push_str(&format!(
            "\n[not shown: a session has room for {IMAGES_MAX} images of {IMAGE_BYTES_MAX} together, and it is used up]"
        ));
    }
}

#[cfg(test)]
mod tests {
    use harness_core::{Image, ImageFormat, RepoPath};

    use super::*;

    fn result(bytes: usize) -> ToolResult {
        ToolResult {
            id: "1".to_owned(),
            content: "a.png".to_owned(),
            is_error: false,
            images: vec![Image {
                path: RepoPath::parse("a.png").unwrap(),
                format: ImageFormat::Png,
                width: 1,
                height: 1,
                data: "A".repeat(bytes).into(),
            }],
        }
    }

    fn admitted(bytes: usize, count: usize) -> usize {
        let mut album = Album::default();
        (0..count)
            .filter(|_| {
                let mut result = result(bytes);
                album.admit(&mut result);
                assert_eq!(result.images.is_empty(), result.is_error);
                !result.is_error
            })
            .count()
    }

    #[test]
    fn a_conversation_has_room_for_so_many_images_and_bytes() {
        assert_eq!(admitted(4, 30), IMAGES_MAX);
        assert_eq!(admitted(5 << 20, 3), 2);
    }

    #[test]
    fn a_smaller_image_may_fit_where_a_larger_one_did_not() {
        let mut album = Album::default();
        for (bytes, fits) in [(8 << 20, true), (5 << 20, false), (1 << 20, true)] {
            let mut result = result(bytes);
            album.admit(&mut result);
            assert_eq!(!result.images.is_empty(), fits);
        }
    }
}
