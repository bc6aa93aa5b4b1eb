//! Where the benches' dependencies meet; the benches themselves are in `benches/benches`.
