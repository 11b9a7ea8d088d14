//! Images among the files that are read: told by their first bytes, measured by their header.
//!
//! Nothing is decoded or resized, so a broken image is found by who looks at it.
//! The executor asks here before it takes a file for text.

use base64::{Engine, engine::general_purpose::STANDARD};
use harness_core::{ByteCount, Image, ImageFormat, Outcome, RepoPath};
use imagesize::ImageType;

/// The largest image that is shown. In Base64 it has 5 MiB, the bound that the strictest vendor
/// sets, and it fits into one record of a log.
///
/// Source: <https://platform.claude.com/docs/en/build-with-claude/vision>.
const IMAGE_MAX: ByteCount = ByteCount::kib(3840);

/// The longest side. Unit: pixels. Source: the same page.
const SIDE_MAX: usize = 8000;

/// Returns what a read of an image comes to; `None` for a file that is none.
///
/// `bytes` is the whole file. An image that no model would take is refused with the reason.
pub fn image_of(path: &RepoPath, bytes: &[u8]) -> Option<Outcome> {
    let format = format_of(bytes)?;
    Some(match measured(path, format, bytes) {
        Ok(image) => Outcome::Image(image),
        Err(message) => Outcome::Refused { message },
    })
}

fn format_of(bytes: &[u8]) -> Option<ImageFormat> {
    match imagesize::image_type(bytes).ok()? {
        ImageType::Png => Some(ImageFormat::Png),
        ImageType::Jpeg => Some(ImageFormat::Jpeg),
        ImageType::Gif => Some(ImageFormat::Gif),
        ImageType::Webp => Some(ImageFormat::Webp),
        _ => None,
    }
}

fn measured(path: &RepoPath, format: ImageFormat, bytes: &[u8]) -> Result<Image, String> {
    let word = format.as_str();
    let size = imagesize::blob_size(bytes)
        .map_err(|_| format!("the file begins as {word} and has no whole {word} header"))?;
    let (width, height) = (size.width, size.height);
    let length = ByteCount(bytes.len() as u64);
    if length > IMAGE_MAX {
        return Err(format!(
            "the image has {length}, and models take at most {IMAGE_MAX}; make a smaller copy and read that"
        ));
    }
    if width.max(height) > SIDE_MAX || width.min(height) == 0 {
        return Err(format!(
            "the image has {width}x{height} pixels, and models take 1 to {SIDE_MAX} on each side; make a smaller copy and read that"
        ));
    }
    // Both are at most SIDE_MAX.
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    Ok(Image {
        path: path.clone(),
        format,
        width: side(width),
        height: side(height),
        data: STANDARD.encode(bytes).into(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The header of a PNG of this size, and some bytes behind it.
    fn png(width: u32, height: u32, length: usize) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.resize(length.max(33), 0);
        bytes
    }

    fn looked_at(bytes: &[u8]) -> Option<Result<String, String>> {
        let path = RepoPath::parse("a").unwrap();
        image_of(&path, bytes).map(|outcome| match outcome {
            Outcome::Image(image) => Ok(image.summary()),
            Outcome::Refused { message } => Err(message),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn images_are_told_by_their_bytes() {
        let gif = b"GIF89a\x02\0\x03\0\0\0\0";
        let webp = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\x01\x80\0\0\0\0\0\0\0\0";
        let jpeg = b"\xff\xd8\xff\xe0\0\x04\0\0\xff\xc0\0\x11\x08\0\x05\0\x07\x03\x01\x22\0\x02\x11\x01\x03\x11\x01";
        for (bytes, summary) in [
            (png(800, 600, 100).as_slice(), "800x600 png"),
            (gif, "2x3 gif"),
            (webp, "2x3 webp"),
            (jpeg, "7x5 jpeg"),
        ] {
            assert_eq!(looked_at(bytes), Some(Ok(summary.to_owned())));
        }
        for other in [
            &b""[..],
            b"\x89PN",
            b"BM\0\0\0\0",
            b"<svg/>",
            b"fn main() {}",
        ] {
            assert_eq!(looked_at(other), None, "{other:?}");
        }
    }

    #[test]
    fn what_no_model_takes_is_refused_with_the_reason() {
        let refused = |bytes: &[u8]| looked_at(bytes).unwrap().unwrap_err();
        assert!(refused(&png(8001, 1, 100)).starts_with("the image has 8001x1 pixels"));
        assert!(refused(&png(0, 5, 100)).starts_with("the image has 0x5 pixels"));
        assert!(refused(&png(5, 5, (3840 << 10) + 1)).contains("at most 3.8 MiB"));
        assert!(refused(b"\x89PNG\r\n\x1a\n\0\0\0\x0d").contains("no whole png header"));
        assert!(looked_at(&png(8000, 8000, 3840 << 10)).unwrap().is_ok());
    }

    proptest! {
        #[test]
        fn no_header_panics(kind in 0_usize..4, rest in proptest::collection::vec(any::<u8>(), 0..200)) {
            let starts: [&[u8]; 4] = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8"];
            looked_at(&[starts[kind], &rest].concat());
        }
    }
}
