//! Frames, keys and bytes of the whole screen.
