//! Every test that looks at the whole, in one binary.

mod architecture;
