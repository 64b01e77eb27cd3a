//! Predictions of golden rows.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| longboard_fuzz::metric(text));
