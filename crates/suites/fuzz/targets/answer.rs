//! Answers to generated items.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| longboard_fuzz::answer(text));
