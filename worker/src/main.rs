//! `longboard-worker`: the fleet process.
fn main() {}
