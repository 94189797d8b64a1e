#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| huoyan::fuzz::registers(bytes));
