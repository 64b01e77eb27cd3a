//! `longboard`: the site.

fn main() {}
