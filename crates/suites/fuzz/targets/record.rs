//! Lines of official files.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| longboard_fuzz::record(text));
