//! The world: a seeded, procedural chronicle that knows every fact it wrote.
